"""Monthly deposits as a contract: enrolled, submitted, checked, completed, and missed.

Who deposits months files years too: enrolling starts both clocks (:mod:`contracts.annual_filings`).

The due queue looks at an enrolled site when a deadline passes. A step that is not there then is
missed for good: ``deposit.overdue`` says so, the site gets an alert, and the step may still be
taken, marked late.

District and city authorities hold accounts of certification bodies, because this chain knows no
other role that judges what members measure. Check and completion take two accounts.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import HASH_BYTES, U32, Identifier, Length, Milliseconds, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.alert import Occurrence
from contracts.alerts import clear_alert, raise_alert
from contracts.annual_filings import start_clock
from contracts.calendars import Calendar, require_calendar
from contracts.check import Check
from contracts.context import Context
from contracts.deposit import (
    DAYS,
    FIGURES_MAX,
    Deposit,
    DepositClock,
    DepositStage,
    DepositStep,
    Figure,
    Submission,
    clock_key,
    deadline_ms,
    deposit_key,
    deposit_prefix,
    next_stage,
    step_at,
    submission_key,
)
from contracts.due_queue import DueKind, push
from contracts.method import Method, method_of
from contracts.monitoring_plan import newest_plan
from contracts.month import Month, month_end_ms, month_name, year_of
from contracts.refusal import Code, refusal
from contracts.report import Report, ReportKind, ReportStatus, report_key
from contracts.sites import get_site, require_site

SUBMISSIONS_MAX: Final = 1_000
"""Submissions of one month; each is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolSite(Record):
    """Arguments of ``deposit.enrol``."""

    site: Identifier
    from_month: Month
    """First month that is deposited; not over yet by the site's calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitDeposit(Record):
    """Arguments of ``deposit.submit``."""

    site: Identifier
    month: Month
    report: U32
    """Number of the organisation's anchored CN_MONTHLY_DEPOSIT report of that month."""
    figures: Annotated[tuple[Figure, ...], Length(0, FIGURES_MAX)]
    """Ascending by parameter, each once, each of the site's monitoring plan."""
    note: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDeposit(Record):
    """Arguments of ``deposit.check`` and ``deposit.complete``."""

    site: Identifier
    month: Month
    submission: U32
    """Number of the submission that was looked at: the newest one."""
    note: Text
    """May be empty."""


def enrol(context: Context, arguments: EnrolSite) -> bytes:
    """Starts the clocks of a site, of its months and of its years; emits ``deposit.enrolled``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``ALREADY_EXISTS``,
            ``INVALID_ARGUMENTS`` for a month that is over.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {arguments.site}")
    if state.get(DepositClock, clock_key(arguments.site)) is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "site",
            expected="a site that is not enrolled",
            got=repr(arguments.site),
        )
    calendar = require_calendar(state, site.calendar)
    end_ms = month_end_ms(calendar, arguments.from_month)
    if end_ms <= context.time_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "from_month",
            expected=f"a month that is not over at the block time {context.time_ms}",
            got=f"{month_name(arguments.from_month)}, which ended at {end_ms}",
        )
    clock = DepositClock(
        site=arguments.site,
        organisation=site.organisation,
        from_month=arguments.from_month,
        month=arguments.from_month,
        stage=DepositStage.SUBMIT,
    )
    state.put(clock_key(clock.site), clock)
    push(
        state,
        due_ms=deadline_ms(calendar, clock.month, clock.stage),
        kind=DueKind.DEPOSIT_DEADLINE,
        subject=clock.site,
    )
    start_clock(context, site, year_of(clock.month))
    context.emit("deposit.enrolled", clock.site, clock)
    return b""


def submit(context: Context, arguments: SubmitDeposit) -> bytes:
    """Submits a month's deposit, or submits it again until it is checked.

    Emits ``deposit.submitted``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``WRONG_STATE`` for a site that is
            not enrolled for the month, a deposit that is checked or a report that does not fit,
            ``INVALID_ARGUMENTS`` for figures out of order or of no plan, ``LIMIT_REACHED``.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {arguments.site}")
    deposit = _require_deposit(state, arguments.site, arguments.month)
    if deposit.checked is not None:
        raise refusal(
            Code.WRONG_STATE,
            _words(arguments.site, arguments.month),
            expected="one that is not checked yet",
            got=f"one checked at {deposit.checked.time_ms}",
        )
    if deposit.submission >= SUBMISSIONS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            _words(arguments.site, arguments.month),
            expected=f"at most {SUBMISSIONS_MAX} submissions",
            got="another",
        )
    _check_figures(state, arguments)
    report = _require_report(state, site.organisation, arguments)
    submission = Submission(
        site=arguments.site,
        month=arguments.month,
        number=deposit.submission + 1,
        report=report.number,
        document=report.document,
        figures=arguments.figures,
        note=arguments.note,
        submitted_by=context.sender,
        submitted_ms=context.time_ms,
    )
    state.put(submission_key(submission.site, submission.month, submission.number), submission)
    first = deposit.submitted or _step(context, deposit, DepositStage.SUBMIT, arguments.note)
    deposit = replace(deposit, submission=submission.number, submitted=first)
    state.put(deposit_key(deposit.site, deposit.month), deposit)
    context.emit("deposit.submitted", deposit.site, submission)
    _clear(context, deposit.site)
    return b""


def check(context: Context, arguments: PassDeposit) -> bytes:
    """Takes the district's check of a submitted deposit; emits ``deposit.checked``.

    Raises:
        ContractRefusal: ``WRONG_STATE``.
    """
    deposit = _require_deposit(context.state, arguments.site, arguments.month)
    _check_order(deposit, arguments, DepositStage.CHECK)
    step = _step(context, deposit, DepositStage.CHECK, arguments.note)
    _pass(context, replace(deposit, checked=step), "deposit.checked")
    return b""


def complete(context: Context, arguments: PassDeposit) -> bytes:
    """Takes the city's completion of a checked deposit; emits ``deposit.completed``.

    Raises:
        ContractRefusal: ``WRONG_STATE``, ``NOT_PERMITTED`` for the account that checked it.
    """
    deposit = _require_deposit(context.state, arguments.site, arguments.month)
    _check_order(deposit, arguments, DepositStage.COMPLETE)
    assert deposit.checked is not None, "the order was checked"
    if deposit.checked.account == context.sender:
        raise refusal(
            Code.NOT_PERMITTED,
            _words(arguments.site, arguments.month),
            expected="another account than the one that checked it",
            got="the same",
        )
    step = _step(context, deposit, DepositStage.COMPLETE, arguments.note)
    _pass(context, replace(deposit, completed=step), "deposit.completed")
    return b""


def on_due(context: Context, site_id: str) -> Milliseconds | None:
    """Looks whether the step that is due was taken, and goes on to the next deadline.

    Args:
        context: the block's own work.
        site_id: subject of the entry.

    Returns:
        Block time of the next deadline.
    """
    state = context.state
    clock = state.get(DepositClock, clock_key(site_id))
    if clock is None:
        return None
    calendar = _calendar_of(state, site_id)
    due_ms = deadline_ms(calendar, clock.month, clock.stage)
    if context.time_ms < due_ms:
        return due_ms
    deposit = _deposit_of(state, clock, clock.month)
    if step_at(deposit, clock.stage) is None:
        missed = replace(deposit, missed=(*deposit.missed, clock.stage))
        state.put(deposit_key(site_id, clock.month), missed)
        context.emit("deposit.overdue", site_id, missed)
        raise_alert(context, require_site(state, site_id), _occurrence(clock, due_ms))
    month, stage = next_stage(clock.month, clock.stage)
    state.put(clock_key(site_id), replace(clock, month=month, stage=stage))
    return deadline_ms(calendar, month, stage)


def get_deposit(state: State, site_id: str, month: int) -> Deposit | None:
    """Returns the deposit of a site's month, or None where nothing was done or missed yet."""
    return state.get(Deposit, deposit_key(site_id, month))


def _deposit_of(state: State, clock: DepositClock, month: int) -> Deposit:
    deposit = get_deposit(state, clock.site, month)
    if deposit is not None:
        return deposit
    return Deposit(
        site=clock.site,
        organisation=clock.organisation,
        month=month,
        submission=0,
        submitted=None,
        checked=None,
        completed=None,
        missed=(),
    )


def _require_deposit(state: State, site_id: str, month: int) -> Deposit:
    require_site(state, site_id)
    clock = state.get(DepositClock, clock_key(site_id))
    if clock is None or month < clock.from_month:
        raise refusal(
            Code.WRONG_STATE,
            _words(site_id, month),
            expected="a site that deposits that month; enrol it with deposit.enrol"
            if clock is None
            else f"a month from {month_name(clock.from_month)} on",
            got="none",
        )
    return _deposit_of(state, clock, month)


def _require_report(state: State, organisation: str, arguments: SubmitDeposit) -> Report:
    report = state.get(Report, report_key(organisation, arguments.report))
    expected = (
        f"number of a current {ReportKind.CN_MONTHLY_DEPOSIT.name} of {organisation} for "
        f"{month_name(arguments.month)} and site {arguments.site}; anchor it with report.anchor"
    )
    if report is None:
        raise refusal(Code.WRONG_STATE, "report", expected=expected, got=str(arguments.report))
    months = (report.from_month, report.to_month)
    fits = report.kind is ReportKind.CN_MONTHLY_DEPOSIT and arguments.site in report.sites
    if not fits or months != (arguments.month,) * 2 or report.status is not ReportStatus.CURRENT:
        raise refusal(
            Code.WRONG_STATE,
            "report",
            expected=expected,
            got=f"a {report.kind.name}, {report.status.name}, for {month_name(months[0])} to "
            f"{month_name(months[1])}",
        )
    return report


def _check_figures(state: State, arguments: SubmitDeposit) -> None:
    for index, (earlier, later) in enumerate(pairwise(arguments.figures), 1):
        if later.parameter <= earlier.parameter:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"figures[{index}].parameter",
                expected=f"a parameter after {earlier.parameter!r}, for they ascend, each once",
                got=repr(later.parameter),
            )
    plan = newest_plan(state, arguments.site)
    units = {} if plan is None else {each.parameter: each.unit for each in plan.parameters}
    for index, figure in enumerate(arguments.figures):
        if figure.parameter not in units:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"figures[{index}].parameter",
                expected="a parameter of the site's monitoring plan; file it with plan.file",
                got=repr(figure.parameter),
            )
        if figure.unit != units[figure.parameter]:
            raise refusal(
                Code.WRONG_UNIT,
                f"figures[{index}].unit",
                expected=f"the plan's, {units[figure.parameter]!r}",
                got=repr(figure.unit),
            )


def _check_order(deposit: Deposit, arguments: PassDeposit, stage: DepositStage) -> None:
    words = _words(deposit.site, deposit.month)
    before = step_at(deposit, DepositStage(stage - 1))
    if before is None or step_at(deposit, stage) is not None:
        needs = "submitted" if stage is DepositStage.CHECK else "checked"
        raise refusal(
            Code.WRONG_STATE,
            words,
            expected=f"one that is {needs} and waits for {stage.name}",
            got="one that is not" if before is None else "one that has it",
        )
    if arguments.submission != deposit.submission:
        raise refusal(
            Code.WRONG_STATE,
            "submission",
            expected=f"the newest, {deposit.submission}",
            got=str(arguments.submission),
        )


def _pass(context: Context, deposit: Deposit, event: str) -> None:
    context.state.put(deposit_key(deposit.site, deposit.month), deposit)
    context.emit(event, deposit.site, deposit)
    _clear(context, deposit.site)


def _clear(context: Context, site_id: str) -> None:
    """Notes that nothing is overdue any more, where that is so; people still close the alert."""
    deposits = context.state.iterate(Deposit, deposit_prefix(site_id))
    if not any(deposit.is_overdue for _, deposit in deposits):
        clear_alert(context, subject_id=site_id, check=Check.DEPOSIT, at_ms=context.time_ms)


def _step(context: Context, deposit: Deposit, stage: DepositStage, note: str) -> DepositStep:
    calendar = _calendar_of(context.state, deposit.site)
    return DepositStep(
        account=context.sender,
        time_ms=context.time_ms,
        is_late=context.time_ms >= deadline_ms(calendar, deposit.month, stage),
        note=note,
    )


def _occurrence(clock: DepositClock, due_ms: Milliseconds) -> Occurrence:
    """Returns what an overdue step is told as: the month, and its days, for ``observed``."""
    return Occurrence(
        check=Check.DEPOSIT,
        interval_start_ms=due_ms,
        observed=clock.month,
        expected=DAYS[clock.stage],
        leaf=bytes(HASH_BYTES),
    )


def _calendar_of(state: State, site_id: str) -> Calendar:
    site = get_site(state, site_id)
    assert site is not None, "an enrolled site exists"
    return require_calendar(state, site.calendar)


def _words(site_id: str, month: int) -> str:
    return f"deposit of site {site_id} for {month_name(month)}"


_CERTIFIER: Final = frozenset({Role.CERTIFIER})

METHODS: Final[tuple[Method, ...]] = (
    method_of("deposit.enrol", EnrolSite, enrol, roles=frozenset({Role.ADMIN})),
    method_of(
        "deposit.submit",
        SubmitDeposit,
        submit,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
        work=lambda arguments: 1 + len(arguments.figures),
    ),
    method_of("deposit.check", PassDeposit, check, roles=_CERTIFIER),
    method_of("deposit.complete", PassDeposit, complete, roles=_CERTIFIER),
)
