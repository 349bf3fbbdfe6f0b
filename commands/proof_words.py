"""What a verified proof says, in words: records by the class that their state key names."""

from typing import Any, Final

from chain.codec import Record
from chain.proof_file import Claim, PageClaim, ReadingClaim, StateClaim
from commands.output import time_text
from contracts.alert import ALERT_PREFIX, Alert
from contracts.baseline import BASELINE_PREFIX, Approval, Baseline
from contracts.case import CaseEntry, CaseSettings
from contracts.case_figures import CaseCounts, CaseTimes
from contracts.certificate import CERTIFICATE_PREFIX, CertificateBinding, CertificateStatus, Change
from contracts.check import LABELS, checks_in
from contracts.correction import CORRECTION_PREFIX, CorrectedPage, Correction
from contracts.meter import METER_PREFIX, Meter, Unit
from contracts.reading import Outcome, RawReading
from contracts.reading_page import PAGE_PREFIX, ReadingPage
from contracts.site_month import OrganisationMonth, SiteMonth
from node.rpc.presentation import present
from node.rpc.strict_json import Json

_CLASSES: Final[dict[bytes, type[Record]]] = {
    ALERT_PREFIX: Alert,
    BASELINE_PREFIX: Baseline,
    b"baseline-approval/": Approval,
    CERTIFICATE_PREFIX: CertificateBinding,
    b"case-counts/": CaseCounts,
    b"case-entry/": CaseEntry,
    b"case-settings/": CaseSettings,
    b"case-times/": CaseTimes,
    b"certificate-revoked/": Change,
    b"certificate-status/": CertificateStatus,
    b"certificate-suspended/": Change,
    b"corrected-page/": CorrectedPage,
    CORRECTION_PREFIX: Correction,
    METER_PREFIX: Meter,
    b"organisation-month/": OrganisationMonth,
    PAGE_PREFIX: ReadingPage,
    b"site-month/": SiteMonth,
}


def document_of(claim: Claim) -> dict[str, Any]:
    """Returns what a claim says, for programs."""
    members: dict[str, Any] = {"block": present(claim.block)}
    match claim:
        case StateClaim(key=key, value=value):
            members |= {"kind": "state", "key": _key_text(key), "value": _value(key, value)}
        case ReadingClaim(leaf=leaf):
            members |= {
                "kind": "reading",
                "transaction_id": claim.transaction_id.hex(),
                "reading": _reading(leaf),
                "outcome": Outcome(claim.outcome).name,
                "failed_checks": [check.name for check in checks_in(claim.failed)],
            }
        case PageClaim():
            members |= {
                "kind": "page",
                "key": _key_text(claim.key),
                "readings_of_page": claim.count,
                "stamp_from_ms": claim.stamp_from_ms,
                "stamp_to_ms": claim.stamp_to_ms,
                "readings_between": [_reading(leaf) for leaf in claim.within],
            }
    return members


def lines_of(claim: Claim) -> list[tuple[str, object]]:
    """Returns what a claim says, for people."""
    at = f"after block {claim.block.height}"
    match claim:
        case StateClaim(key=key, value=None):
            return [("absent", f"{_key_text(key)} {at}")]
        case StateClaim(key=key, value=value):
            return [("state", f"{_key_text(key)} {at}: {_short(_value(key, value))}")]
        case ReadingClaim(leaf=leaf):
            reading = _reading(leaf)
            value = reading["amount"] if reading["register"] is None else reading["register"]
            failed = ", ".join(LABELS[check] for check in checks_in(claim.failed)) or "none"
            return [
                (
                    "reading",
                    (
                        f"{reading['meter']}, stamped {time_text(reading['stamp_ms'])}: "
                        f"{value} {reading['unit'].lower()}"
                    ),
                ),
                (
                    "in block",
                    (
                        f"{claim.block.height}, {time_text(claim.block.time_ms)}, "
                        f"transaction {claim.transaction_id.hex()}"
                    ),
                ),
                ("became", Outcome(claim.outcome).name.lower()),
                ("failed checks", failed),
            ]
        case PageClaim():
            span = f"{time_text(claim.stamp_from_ms)} to {time_text(claim.stamp_to_ms)}"
            return [
                (
                    "complete",
                    (
                        f"{len(claim.within)} of the {claim.count} readings that "
                        f"{_key_text(claim.key)} was sent until block {claim.block.height} "
                        f"are stamped {span}; there is no other"
                    ),
                ),
            ]


def _reading(leaf: tuple[Any, ...]) -> dict[str, Any]:
    meter_id, unit, *fields = leaf
    raw = present(RawReading.from_value(tuple(fields)))
    assert isinstance(raw, dict), "records are objects"
    return {"meter": meter_id, "unit": Unit(unit).name, **raw}


def _value(key: bytes, value: bytes | None) -> Json:
    cls = next((cls for prefix, cls in _CLASSES.items() if key.startswith(prefix)), None)
    if value is None:
        return None
    return value.hex() if cls is None else present(cls.decode(value))


def _key_text(key: bytes) -> str:
    return key.decode(errors="backslashreplace")


def _short(value: Json) -> str:
    """Returns the first members that say something, for one line."""
    if not isinstance(value, dict):
        return f"{value!s:.60}"
    told = [f"{name} {each}" for name, each in value.items() if isinstance(each, str | int)]
    return ", ".join(told[:6])
