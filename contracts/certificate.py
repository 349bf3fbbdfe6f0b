"""The certificate: a statement that others may rely on, and whether they still may.

It is bound to the blocks that the body's observer executed, to their state root, to the report, the
factors and the statistics of the checks, and what it is bound to never changes. What changes is its
state::

    VALID ──suspend, or a revision──▶ SUSPENDED ──reinstate──▶ VALID
      └───────────── revoke ─────────────┴──────▶ REVOKED (for good)

A revoked certificate has a record under :func:`revoked_key` and a suspended one under
:func:`suspended_key`; all others have none. So that a certificate is *not* revoked is proved by the
absence of a key. Its place in the W3C status list of its body is its number minus one.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U32, Hash, Height, Identifier, Length, Milliseconds, PublicKey, Text
from contracts.certification import CertificationId, Scoped, Statement, certification_path
from contracts.meter_quality import CheckCounts
from contracts.report import FACTORS_MAX, FactorUse

METERS_MAX: Final = 512
"""Meters whose checks one certificate adds up."""


class CertificateState(IntEnum):
    """Whether one may rely on a certificate."""

    VALID = 1
    SUSPENDED = 2
    REVOKED = 3


TRANSITIONS: Final = {
    CertificateState.VALID: (CertificateState.SUSPENDED, CertificateState.REVOKED),
    CertificateState.SUSPENDED: (CertificateState.VALID, CertificateState.REVOKED),
    CertificateState.REVOKED: (),
}
"""Which states may follow a state."""

STATUS_PURPOSES: Final = {
    "revocation": CertificateState.REVOKED,
    "suspension": CertificateState.SUSPENDED,
}
"""Purpose of a W3C status list, and the state of a certificate whose bit is set in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatistics(Record):
    """What the readings of all meters of the certified sites and months passed."""

    meter_count: U32
    expected: U32
    """Intervals during which the meters were installed."""
    present: U32
    """Of them, those with a value of the meter's own."""
    substituted: U32
    """Intervals that a substitute counts for."""
    estimated: U32
    """Intervals that an estimate counts for."""
    flagged: U32
    """Intervals that failed any check when they came."""
    applied: CheckCounts
    """By check: intervals that it applied to."""
    failed: CheckCounts
    """By check: those of them that failed it."""
    off: U32
    """Mask of checks that an owner had switched off when a reading was committed."""

    @property
    def availability_permille(self) -> int | None:
        """Returns present of expected intervals, rounded down; None where none is expected."""
        return self.present * 1_000 // self.expected if self.expected else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateBinding(Scoped):
    """What a certificate says; it never changes."""

    certificate_id: CertificationId
    """The engagement's."""
    body: Identifier
    number: U32
    from_ms: Milliseconds
    """Earliest start of the period at any of the sites."""
    to_ms: Milliseconds
    """Latest end of it, exclusive."""
    criteria: Text
    statement: Statement
    report: Hash
    """SHA-256 of the certified report's canonical JSON, which the organisation has anchored."""
    factors: Annotated[tuple[FactorUse, ...], Length(0, FACTORS_MAX)]
    """By series, period and version."""
    checks: CheckStatistics
    issued_by: PublicKey
    """Certifier; the key that signs the credential."""
    issued_ms: Milliseconds
    issued_height: Height
    valid_until_ms: Milliseconds
    """From ``issued_ms`` until here, exclusive, the certificate may be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStatus(Record):
    """How a certificate stands."""

    state: CertificateState
    change_count: U32
    """Changes of state since the issue, numbered from 1."""
    revision_count: U32
    """Revisions that have touched its sites and period since the issue, also while suspended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Record):
    """One change of a certificate's state."""

    number: U32
    """Of the certificate, from 1."""
    before: CertificateState
    after: CertificateState
    reason: Text
    revision: tuple[Identifier, U32] | None
    """Site and number of the revision that suspended it; None for a person's change."""
    changed_by: PublicKey
    """For a revision, who sent it; zeros for the block's own work."""
    changed_ms: Milliseconds
    height: Height


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReference(Record):
    """Entry of the index by site; a revoked certificate has none."""

    certificate_id: CertificationId
    from_ms: Milliseconds
    to_ms: Milliseconds


CERTIFICATE_PREFIX: Final = b"certificate/"


def certificate_key(certificate_id: CertificationId) -> bytes:
    """Returns the state key of what a certificate says; those of a body sort by number."""
    return CERTIFICATE_PREFIX + certification_path(certificate_id)


def status_key(certificate_id: CertificationId) -> bytes:
    """Returns the state key of how a certificate stands."""
    return b"certificate-status/" + certification_path(certificate_id)


def change_prefix(certificate_id: CertificationId) -> bytes:
    """Returns the prefix of the state keys of a certificate's changes."""
    return b"certificate-change/" + certification_path(certificate_id) + b"/"


def change_key(certificate_id: CertificationId, number: int) -> bytes:
    """Returns the state key of a change; those of a certificate sort by number."""
    return change_prefix(certificate_id) + b"%010d" % number


def standing_prefix(body: str, state: CertificateState) -> bytes:
    """Returns the prefix of the state keys of a body's revoked or suspended certificates."""
    assert state is not CertificateState.VALID, "a valid certificate has no such record"
    return f"certificate-{state.name.lower()}/{body}/".encode()


def revoked_key(certificate_id: CertificationId) -> bytes:
    """Returns the state key that holds the change by which a certificate was revoked, or none."""
    return b"certificate-revoked/" + certification_path(certificate_id)


def suspended_key(certificate_id: CertificationId) -> bytes:
    """Returns the state key that holds the change by which one is suspended, or none."""
    return b"certificate-suspended/" + certification_path(certificate_id)


def by_site_prefix(site_id: str) -> bytes:
    """Returns the prefix of the index of the certificates of a site."""
    return b"certificate-by-site/" + site_id.encode() + b"/"


def by_site_key(site_id: str, certificate_id: CertificationId) -> bytes:
    """Returns the index key of a certificate at one of its sites."""
    return by_site_prefix(site_id) + certification_path(certificate_id)
