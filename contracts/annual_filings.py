"""Annual filings as a contract: submitted, checked, and missed.

The clock of a site starts when its deposits are enrolled (:mod:`contracts.deposits`), and runs as
theirs does: a step that is not there when its date is over is missed for good, ``annual.overdue``
says so, the site gets an alert, and the step may still be taken, marked late.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import HASH_BYTES, U32, Identifier, Milliseconds, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.alert import Occurrence
from contracts.alerts import clear_alert, raise_alert
from contracts.annual_filing import (
    AnnualClock,
    AnnualFiling,
    AnnualStage,
    annual_clock_key,
    annual_deadline_ms,
    days_of,
    filing_key,
    filing_prefix,
    next_stage,
    step_at,
)
from contracts.calendars import Calendar, require_calendar
from contracts.check import Check
from contracts.context import Context
from contracts.deposit import DepositStep
from contracts.due_queue import DueKind, push
from contracts.method import Method, method_of
from contracts.month import Year, january_of, month_name
from contracts.refusal import Code, refusal
from contracts.report import Report, ReportKind, ReportStatus, report_key
from contracts.sites import Site, require_site


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAnnual(Record):
    """Arguments of ``annual.submit``."""

    site: Identifier
    year: Year
    report: U32
    """Number of the organisation's anchored CN_ANNUAL report of that year."""
    note: Text
    """May be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnnual(Record):
    """Arguments of ``annual.check``."""

    site: Identifier
    year: Year
    report: U32
    """Number of the report that was looked at: the one submitted last."""
    note: Text
    """May be empty."""


def start_clock(context: Context, site: Site, year: int) -> None:
    """Starts the annual clock of a site with a year whose dates are to come."""
    clock = AnnualClock(
        site=site.site_id,
        organisation=site.organisation,
        from_year=year,
        year=year,
        stage=AnnualStage.SUBMIT,
    )
    context.state.put(annual_clock_key(site.site_id), clock)
    due_ms = annual_deadline_ms(_calendar_of(context.state, site), year, clock.stage)
    push(context.state, due_ms=due_ms, kind=DueKind.ANNUAL_DEADLINE, subject=site.site_id)


def submit(context: Context, arguments: SubmitAnnual) -> bytes:
    """Submits a year's report, or another one until it is checked; emits ``annual.submitted``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``WRONG_STATE`` for a site that is
            not enrolled for the year, a filing that is checked or a report that does not fit.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {arguments.site}")
    filing = _require_filing(state, site, arguments.year)
    if filing.checked is not None:
        raise refusal(
            Code.WRONG_STATE,
            _words(filing),
            expected="one that is not checked yet",
            got=f"one checked at {filing.checked.time_ms}",
        )
    report = _require_report(state, site.organisation, arguments)
    first = filing.submitted or _step(context, site, filing, AnnualStage.SUBMIT, arguments.note)
    filing = replace(filing, report=report.number, document=report.document, submitted=first)
    _keep(context, filing, "annual.submitted")
    return b""


def check(context: Context, arguments: CheckAnnual) -> bytes:
    """Takes the city's check of a submitted year; emits ``annual.checked``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``WRONG_STATE``.
    """
    site = require_site(context.state, arguments.site)
    filing = _require_filing(context.state, site, arguments.year)
    if filing.submitted is None or filing.checked is not None:
        raise refusal(
            Code.WRONG_STATE,
            _words(filing),
            expected="one that is submitted and waits for its check",
            got="one that is not submitted" if filing.submitted is None else "one that has it",
        )
    if arguments.report != filing.report:
        raise refusal(
            Code.WRONG_STATE,
            "report",
            expected=f"the one submitted last, {filing.report}",
            got=str(arguments.report),
        )
    step = _step(context, site, filing, AnnualStage.CHECK, arguments.note)
    _keep(context, replace(filing, checked=step), "annual.checked")
    return b""


def on_due(context: Context, site_id: str) -> Milliseconds | None:
    """Looks whether the step that is due was taken, and goes on to the next date.

    Args:
        context: the block's own work.
        site_id: subject of the entry.

    Returns:
        Block time of the next deadline.
    """
    state = context.state
    clock = state.get(AnnualClock, annual_clock_key(site_id))
    if clock is None:
        return None
    site = require_site(state, site_id)
    calendar = _calendar_of(state, site)
    due_ms = annual_deadline_ms(calendar, clock.year, clock.stage)
    if context.time_ms < due_ms:
        return due_ms
    filing = _filing_of(state, site, clock.year)
    if step_at(filing, clock.stage) is None:
        missed = replace(filing, missed=(*filing.missed, clock.stage))
        state.put(filing_key(site_id, clock.year), missed)
        context.emit("annual.overdue", site_id, missed)
        raise_alert(context, site, _occurrence(clock, due_ms))
    year, stage = next_stage(clock.year, clock.stage)
    state.put(annual_clock_key(site_id), replace(clock, year=year, stage=stage))
    return annual_deadline_ms(calendar, year, stage)


def get_filing(state: State, site_id: str, year: int) -> AnnualFiling | None:
    """Returns the filing of a site's year, or None where nothing was done or missed yet."""
    return state.get(AnnualFiling, filing_key(site_id, year))


def _filing_of(state: State, site: Site, year: int) -> AnnualFiling:
    return get_filing(state, site.site_id, year) or AnnualFiling(
        site=site.site_id,
        organisation=site.organisation,
        year=year,
        report=0,
        document=bytes(HASH_BYTES),
        submitted=None,
        checked=None,
        missed=(),
    )


def _require_filing(state: State, site: Site, year: int) -> AnnualFiling:
    clock = state.get(AnnualClock, annual_clock_key(site.site_id))
    if clock is None or year < clock.from_year:
        raise refusal(
            Code.WRONG_STATE,
            f"annual filing of site {site.site_id} for {year}",
            expected="a site that deposits; enrol it with deposit.enrol"
            if clock is None
            else f"a year from {clock.from_year} on",
            got="none" if clock is None else str(year),
        )
    return _filing_of(state, site, year)


def _require_report(state: State, organisation: str, arguments: SubmitAnnual) -> Report:
    report = state.get(Report, report_key(organisation, arguments.report))
    expected = (
        f"number of a current {ReportKind.CN_ANNUAL.name} of {organisation} for {arguments.year} "
        f"and site {arguments.site}; anchor it with report.anchor"
    )
    if report is None:
        raise refusal(Code.WRONG_STATE, "report", expected=expected, got=str(arguments.report))
    fits = report.kind is ReportKind.CN_ANNUAL and report.from_month == january_of(arguments.year)
    if not fits or arguments.site not in report.sites or report.status is not ReportStatus.CURRENT:
        raise refusal(
            Code.WRONG_STATE,
            "report",
            expected=expected,
            got=f"a {report.kind.name}, {report.status.name}, for {month_name(report.from_month)} "
            f"to {month_name(report.to_month)}",
        )
    return report


def _keep(context: Context, filing: AnnualFiling, event: str) -> None:
    state = context.state
    state.put(filing_key(filing.site, filing.year), filing)
    context.emit(event, filing.site, filing)
    filings = state.iterate(AnnualFiling, filing_prefix(filing.site))
    if not any(each.is_overdue for _, each in filings):
        # Nothing is missing any more; people still close the alert.
        clear_alert(context, subject_id=filing.site, check=Check.ANNUAL, at_ms=context.time_ms)


def _step(
    context: Context, site: Site, filing: AnnualFiling, stage: AnnualStage, note: str
) -> DepositStep:
    due_ms = annual_deadline_ms(_calendar_of(context.state, site), filing.year, stage)
    return DepositStep(
        account=context.sender,
        time_ms=context.time_ms,
        is_late=context.time_ms >= due_ms,
        note=note,
    )


def _occurrence(clock: AnnualClock, due_ms: Milliseconds) -> Occurrence:
    """Returns what an overdue step is told as: the year, and its days, for ``observed``."""
    return Occurrence(
        check=Check.ANNUAL,
        interval_start_ms=due_ms,
        observed=clock.year,
        expected=days_of(clock.year, clock.stage),
        leaf=bytes(HASH_BYTES),
    )


def _calendar_of(state: State, site: Site) -> Calendar:
    return require_calendar(state, site.calendar)


def _words(filing: AnnualFiling) -> str:
    return f"annual filing of site {filing.site} for {filing.year}"


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "annual.submit",
        SubmitAnnual,
        submit,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
    ),
    method_of("annual.check", CheckAnnual, check, roles=frozenset({Role.CERTIFIER})),
)
