"""What people ask of the registry: read functions over committed state, in bounded pages.

RPC and the command line read through these and never know a state key. A page looks at no more
than :data:`SCAN_MAX` records, so a filter that matches little costs no more than one that matches
much; such a page may hold few records or none and still name where to go on.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from chain.codec import Record
from chain.state import StateReader
from chain.types import PublicKey
from contracts.account import ACCOUNT_PREFIX, Account, account_key
from contracts.alert import (
    ALERT_ID_PATTERN,
    ALERT_PREFIX,
    Alert,
    AlertReference,
    AlertState,
    Severity,
    alert_key,
    alert_subject_prefix,
    state_prefix,
)
from contracts.calendars import CALENDAR_PREFIX, Calendar, calendar_key
from contracts.case import CaseEntry, entry_prefix
from contracts.correction import Correction, correction_prefix
from contracts.exchange import Exchange, ExchangeProposal, exchange_prefix, proposal_key
from contracts.factor import FACTOR_PREFIX, Factor
from contracts.meter import METER_PREFIX, Meter, meter_key
from contracts.organisations import ORGANISATION_PREFIX, Organisation, organisation_key
from contracts.refusal import Code, refusal
from contracts.revision import RecordedRevision, revision_prefix
from contracts.sites import SITE_PREFIX, Site, site_key

PAGE_MAX: Final = 500
"""Records of one page."""
PAGE_DEFAULT: Final = 100
SCAN_MAX: Final = 5_000
"""Records that one page looks at; about 0.1 s of decoding."""

RecordT = TypeVar("RecordT", bound=Record)
EntryT = TypeVar("EntryT", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[RecordT]):
    """Some records in the order of their keys."""

    records: tuple[RecordT, ...]
    after: str | None
    """Give it to the same query for what follows; None where nothing does. Opaque."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which part of a list is asked for."""

    after: str = ""
    """Where the last page ended; empty for the beginning."""
    limit: int = PAGE_DEFAULT
    """Records wanted, 1 to :data:`PAGE_MAX`."""


_FIRST_CUT: Final = Cut()


def find_organisation(reader: StateReader, organisation_id: str) -> Organisation | None:
    """Returns an organisation, or None."""
    return _find(reader, Organisation, organisation_key(organisation_id))


def find_account(reader: StateReader, public_key: PublicKey) -> Account | None:
    """Returns an account, revoked or not, or None."""
    return _find(reader, Account, account_key(public_key))


def find_site(reader: StateReader, site_id: str) -> Site | None:
    """Returns a site, or None."""
    return _find(reader, Site, site_key(site_id))


def find_calendar(reader: StateReader, calendar_id: str, version: int) -> Calendar | None:
    """Returns one version of a calendar, or None."""
    return _find(reader, Calendar, calendar_key(calendar_id, version))


def find_meter(reader: StateReader, meter_id: str) -> Meter | None:
    """Returns a meter, or None."""
    return _find(reader, Meter, meter_key(meter_id))


def find_proposal(reader: StateReader, meter_id: str) -> ExchangeProposal | None:
    """Returns the exchange of a meter that waits for its second signature, or None."""
    return _find(reader, ExchangeProposal, proposal_key(meter_id))


def find_alert(reader: StateReader, alert_id: str) -> Alert | None:
    """Returns an alert, or None; also where the id is none."""
    if re.fullmatch(ALERT_ID_PATTERN.expression, alert_id, re.ASCII) is None:
        return None
    return _find(reader, Alert, alert_key(alert_id))


def list_organisations(reader: StateReader, cut: Cut = _FIRST_CUT) -> Page[Organisation]:
    """Returns organisations by id."""
    return _page(reader, Organisation, ORGANISATION_PREFIX, cut)


def list_accounts(
    reader: StateReader, cut: Cut = _FIRST_CUT, *, organisation: str | None = None
) -> Page[Account]:
    """Returns accounts by public key, revoked ones too; of one organisation if given."""
    return _page(
        reader,
        Account,
        ACCOUNT_PREFIX,
        cut,
        lambda account: organisation in {None, account.organisation},
    )


def list_sites(
    reader: StateReader, cut: Cut = _FIRST_CUT, *, organisation: str | None = None
) -> Page[Site]:
    """Returns sites by id; of one organisation if given."""
    return _page(
        reader, Site, SITE_PREFIX, cut, lambda site: organisation in {None, site.organisation}
    )


def list_calendars(reader: StateReader, cut: Cut = _FIRST_CUT) -> Page[Calendar]:
    """Returns calendars by id and version."""
    return _page(reader, Calendar, CALENDAR_PREFIX, cut)


def list_meters(
    reader: StateReader,
    cut: Cut = _FIRST_CUT,
    *,
    organisation: str | None = None,
    site: str | None = None,
) -> Page[Meter]:
    """Returns meters by id; of one organisation, of one site, or both, if given."""
    return _page(
        reader,
        Meter,
        METER_PREFIX,
        cut,
        lambda meter: organisation in {None, meter.organisation} and site in {None, meter.site},
    )


def list_exchanges(reader: StateReader, meter_id: str, cut: Cut = _FIRST_CUT) -> Page[Exchange]:
    """Returns the exchanges of a meter by time."""
    return _page(reader, Exchange, exchange_prefix(meter_id), cut)


def list_corrections(reader: StateReader, meter_id: str, cut: Cut = _FIRST_CUT) -> Page[Correction]:
    """Returns the corrections of a meter by number, proposed and approved."""
    return _page(reader, Correction, correction_prefix(meter_id), cut)


def list_revisions(
    reader: StateReader, site_id: str, cut: Cut = _FIRST_CUT
) -> Page[RecordedRevision]:
    """Returns the revisions of a site by number."""
    return _page(reader, RecordedRevision, revision_prefix(site_id), cut)


def list_factors(
    reader: StateReader, cut: Cut = _FIRST_CUT, *, factor_id: str | None = None
) -> Page[Factor]:
    """Returns factors by series and time; of one series if given."""
    series = b"" if factor_id is None else factor_id.encode() + b"/"
    return _page(reader, Factor, FACTOR_PREFIX + series, cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are wanted; each member that is given narrows them."""

    state: AlertState | None = None
    severity: Severity | None = None
    organisation: str | None = None
    site: str | None = None
    meter: str | None = None
    is_escalated: bool | None = None
    """Whether the deadline of the next step has passed at least once."""

    def admits(self, alert: Alert | AlertReference) -> bool:
        """Returns whether an alert is wanted, as far as severity, place and escalation say."""
        return (
            self.severity in {None, alert.severity}
            and self.organisation in {None, alert.organisation}
            and self.site in {None, alert.site}
            and self.is_escalated in {None, alert.escalation > 0}
        )


_ALL_ALERTS: Final = AlertFilter()


def list_alerts(
    reader: StateReader, cut: Cut = _FIRST_CUT, wanted: AlertFilter = _ALL_ALERTS
) -> Page[Alert]:
    """Returns alerts.

    With a meter they come by check and number; else with a state by time of opening, from the
    index, so that the open ones cost nothing for the closed ones; else by meter or site.
    """
    state, meter = wanted.state, wanted.meter

    def is_wanted(alert: Alert) -> bool:
        return state in {None, alert.state} and wanted.admits(alert)

    if meter is not None:
        return _page(
            reader,
            Alert,
            alert_subject_prefix(meter),
            cut,
            lambda alert: alert.meter == meter and is_wanted(alert),
        )
    if state is None:
        return _page(reader, Alert, ALERT_PREFIX, cut, is_wanted)
    references = _page(reader, AlertReference, state_prefix(state), cut, wanted.admits)
    alerts = tuple(_referenced(reader, reference) for reference in references.records)
    return Page(records=alerts, after=references.after)


def list_records(
    reader: StateReader,
    cls: type[EntryT],
    prefix: bytes,
    cut: Cut = _FIRST_CUT,
    is_wanted: Callable[[EntryT], bool] = lambda _: True,
) -> Page[EntryT]:
    """Returns records of one class by key, under a prefix that its noun's file names."""
    return _page(reader, cls, prefix, cut, is_wanted)


def list_case_entries(reader: StateReader, alert_id: str, cut: Cut = _FIRST_CUT) -> Page[CaseEntry]:
    """Returns the story of a case, in the order in which it was written."""
    return _page(reader, CaseEntry, entry_prefix(alert_id), cut)


def _referenced(reader: StateReader, reference: AlertReference) -> Alert:
    alert = _find(reader, Alert, alert_key(reference.alert_id))
    assert alert is not None, "an index names alerts that exist"
    return alert


def _find(reader: StateReader, cls: type[RecordT], key: bytes) -> RecordT | None:
    stored = reader.get(key)
    return None if stored is None else cls.decode(stored)


def _page(
    reader: StateReader,
    cls: type[EntryT],
    prefix: bytes,
    cut: Cut,
    is_wanted: Callable[[EntryT], bool] = lambda _: True,
) -> Page[EntryT]:
    if not 1 <= cut.limit <= PAGE_MAX:
        raise refusal(
            Code.INVALID_ARGUMENTS, "limit", expected=f"1 to {PAGE_MAX}", got=str(cut.limit)
        )
    # A zero byte more is the first key that can follow.
    start = prefix + cut.after.encode(errors="replace") + b"\x00" if cut.after else prefix
    records: list[EntryT] = []
    last_key = b""
    for scanned_count, (key, stored) in enumerate(reader.iterate(prefix, start)):
        if scanned_count == SCAN_MAX or len(records) == cut.limit:
            return Page(records=tuple(records), after=last_key[len(prefix) :].decode())
        last_key = key
        record = cls.decode(stored)
        if is_wanted(record):
            records.append(record)
    return Page(records=tuple(records), after=None)
