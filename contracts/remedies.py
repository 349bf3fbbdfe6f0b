"""Remedies as a contract: the loop ends in an approved baseline or correction, and a re-check.

The case names what is to answer it, and the contract looks at the same window again in the same
call (:mod:`contracts.recheck`). It goes on to VERIFIED, or back to INVESTIGATING with what was
found. A window that is too long for one call is looked at in several. What is named was signed by
two accounts: a correction or baseline by proposer and approver, a target by whoever set it and
whoever names it. What only had to arrive needs no second signature, for the state shows it.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Identifier, Text
from contracts.alert import Alert, AlertId, AlertState
from contracts.balance import Family
from contracts.baseline import (
    PROFILES,
    Approval,
    approval_key,
    version_at,
)
from contracts.baseline_lookup import get_baseline, get_line
from contracts.bills import second_meter_of
from contracts.calendars import require_calendar
from contracts.case import Action, next_steps
from contracts.case_steps import Told, advance, keep_rechecked
from contracts.cases import CARETAKERS, SPEAKERS, check_speaker, require_alert, require_step
from contracts.check import Check
from contracts.comparison import comparisons_of
from contracts.context import Context
from contracts.correction import Correction, get_correction
from contracts.meter import Meter
from contracts.meters import get_meter, require_meter
from contracts.method import Method, method_of
from contracts.month import month_at
from contracts.recheck import ANSWERS, RECHECK_WORK, Remedy, corrected_span, recheck, window_of
from contracts.refusal import Code, refusal
from contracts.site_profile import get_profile
from contracts.target import get_target

APPROVALS_SEEN_MAX: Final = 32
"""Latest approvals of a meter among which the one that a case names is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaselineCase(Record):
    """Arguments of ``case.rebaseline``."""

    alert_id: AlertId
    version: U32
    """Of the baseline of the alert's meter, or of the target of the alert's site."""
    note: Text
    """May be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectCase(Record):
    """Arguments of ``case.correct``."""

    alert_id: AlertId
    meter: Identifier | None
    """Whose correction it is; None for the alert's own meter, or without a number."""
    number: U32 | None
    """Of the correction; None where what was missing or wrong was sent, decided or done since."""
    note: Text
    """May be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueRecheck(Record):
    """Arguments of ``case.recheck``."""

    alert_id: AlertId


def rebaseline(context: Context, arguments: RebaselineCase) -> bytes:
    """Takes a case from EXPLAINED to REBASELINED, and on by the re-check.

    Emits ``case.rebaselined``, and ``case.verified`` or ``case.investigating``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``, also for a target
            that the sender has set; ``INVALID_ARGUMENTS`` for a check that has no such answer, a
            baseline of another kind, or a target that is not in force or older than the alert;
            ``UNKNOWN_BASELINE`` for one that was not brought into force since the alert was
            opened.
    """
    alert = require_step(context, arguments.alert_id, Action.REBASELINE)
    if alert.meter is None:
        _check_answers(alert, Remedy.TARGET)
        _check_target(context, alert, arguments.version)
    else:
        _check_answers(alert, Remedy.BASELINE)
        _check_approved(context.state, alert, alert.meter, arguments.version)
    after = replace(
        alert,
        remedy=AlertState.REBASELINED,
        remedy_meter=alert.meter,
        remedy_number=arguments.version,
    )
    _take(context, alert, after, Action.REBASELINE, arguments.note)
    return b""


def correct(context: Context, arguments: CorrectCase) -> bytes:
    """Takes a case from EXPLAINED to CORRECTED, and on by the re-check.

    Emits ``case.corrected``, and ``case.verified`` or ``case.investigating``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``, ``UNKNOWN_METER``,
            ``INVALID_ARGUMENTS`` for a check that has no such answer, for a correction that is
            not there, is not approved, or is of another meter or time than the alert.
    """
    alert = require_step(context, arguments.alert_id, Action.CORRECT)
    meter_id = None
    if arguments.number is None:
        _check_answers(alert, Remedy.ARRIVAL)
        _check_no_meter(arguments)
    else:
        _check_answers(alert, Remedy.CORRECTION)
        meter_id = _named_meter(context.state, alert, arguments.meter).meter_id
        _check_correction(context.state, alert, meter_id, arguments.number)
    after = replace(
        alert,
        remedy=AlertState.CORRECTED,
        remedy_meter=meter_id,
        remedy_number=arguments.number,
    )
    _take(context, alert, after, Action.CORRECT, arguments.note)
    return b""


def continue_recheck(context: Context, arguments: ContinueRecheck) -> bytes:
    """Goes on with the re-check of a window that was too long for one call.

    Emits ``case.verified`` or ``case.investigating`` when it is over.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``NOT_PERMITTED``, ``WRONG_STATE`` where none is under
            way.
    """
    alert = require_alert(context.state, arguments.alert_id)
    if alert.state not in _UNDER_WAY:
        raise refusal(
            Code.WRONG_STATE,
            f"alert {alert.alert_id}",
            expected="state REBASELINED or CORRECTED",
            got=f"{alert.state.name}; {next_steps(alert)}",
        )
    check_speaker(context, alert)
    _look_again(context, alert)
    return b""


def _take(context: Context, before: Alert, after: Alert, action: Action, note: str) -> None:
    """Writes down which remedy a case names, and looks at its window."""
    told = Told(note=note, remedy_meter=after.remedy_meter, remedy_number=after.remedy_number)
    _look_again(context, advance(context, before, after, action, told))


def _look_again(context: Context, alert: Alert) -> None:
    """Checks the window, or its next part, and takes the case on."""
    remedy = _remedy_of(alert)
    found = recheck(context, alert, remedy, alert.remedy_number)
    has_passed = not found.failed and found.checked > 0
    if has_passed and not found.is_complete:
        keep_rechecked(context, replace(alert, rechecked_to_ms=found.to_ms))
        return
    after = replace(alert, rechecked_to_ms=None)
    action = Action.PASS if has_passed else Action.FAIL
    advance(context, alert, after, action, Told(recheck=found))


def _remedy_of(alert: Alert) -> Remedy:
    if alert.remedy is AlertState.REBASELINED:
        return Remedy.TARGET if alert.meter is None else Remedy.BASELINE
    return Remedy.ARRIVAL if alert.remedy_number is None else Remedy.CORRECTION


def _check_answers(alert: Alert, remedy: Remedy) -> None:
    remedies = ANSWERS[alert.check].remedies
    if remedy not in remedies:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            f"alert {alert.alert_id}",
            expected=f"what answers {alert.check.name}: "
            + ", or ".join(_WORDS[each] for each in remedies),
            got=f"{_WORDS[remedy]}; name what answers it, or call case.dismiss",
        )


def _check_target(context: Context, alert: Alert, version: int) -> None:
    """Checks that a target is in force since the alert was opened, and that another set it."""
    target = get_target(context.state, alert.site)
    assert target is not None, "a site that left its path has a target"
    if version != target.version or target.set_ms < alert.opened_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "version",
            expected=f"the target of {alert.site} in force, set by target.set since the alert was "
            f"opened at {alert.opened_ms}",
            got=f"{version}, where {target.version} of {target.set_ms} is in force",
        )
    if target.set_by in {context.sender, alert.explained_by}:
        raise refusal(
            Code.NOT_PERMITTED,
            f"alert {alert.alert_id}",
            expected="another account to explain the alert, and to name the target, than set it",
            got="the same",
        )


def _check_approved(state: State, alert: Alert, meter_id: str, version: int) -> None:
    """Checks that a version was brought into force since the alert was opened, and judges it."""
    line = get_line(state, meter_id)
    count = 0 if line is None else line.approval_count
    for number in range(count, max(count - APPROVALS_SEEN_MAX, 0), -1):
        approval = state.get(Approval, approval_key(meter_id, number))
        assert approval is not None, "approvals are numbered without a gap"
        if approval.version == version and approval.approved_ms >= alert.opened_ms:
            break
    else:
        raise refusal(
            Code.UNKNOWN_BASELINE,
            "version",
            expected=f"a version of {meter_id} that baseline.set brought into force since the "
            f"alert was opened at {alert.opened_ms}",
            got=str(version),
        )
    baseline = get_baseline(state, meter_id, version)
    assert baseline is not None, "what was approved exists"
    is_of_days = baseline.model not in PROFILES
    if is_of_days != (alert.check is Check.WEATHER):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "version",
            expected=f"a model of {'intervals' if is_of_days else 'days'}, for the alert is of "
            f"{alert.check.name}",
            got=f"version {version}, {baseline.model.name}",
        )


def _check_no_meter(arguments: CorrectCase) -> None:
    if arguments.meter is not None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"the number of a correction of {arguments.meter}, or no meter either",
            got="none",
        )


def _named_meter(state: State, alert: Alert, named: str | None) -> Meter:
    """Returns the meter whose correction a case names, if it can answer the alert."""
    meters = _answering_meters(state, alert)
    meter_id = alert.meter if named is None else named
    if meter_id is not None and (meter_id in meters or _is_of_site(state, alert, meter_id)):
        return require_meter(state, meter_id)
    whose = " or ".join(meters) if meters else f"a meter of site {alert.site}"
    raise refusal(
        Code.INVALID_ARGUMENTS,
        "meter",
        expected=f"{whose}, for the alert is of {alert.check.name}",
        got="none" if meter_id is None else repr(meter_id),
    )


def _is_of_site(state: State, alert: Alert, meter_id: str) -> bool:
    meter = get_meter(state, meter_id)
    return alert.check is Check.TARGET and meter is not None and meter.site == alert.site


def _answering_meters(state: State, alert: Alert) -> tuple[str, ...]:
    """Returns the meters whose corrections answer an alert; none where any of the site does."""
    if alert.meter is None:
        return ()
    meter = require_meter(state, alert.meter)
    others: tuple[str, ...] = ()
    match alert.check:
        case Check.PARENT_SUM:
            others = tuple(child.meter_id for child in Family(state, meter).children)
        case Check.WEATHER:
            line = get_line(state, meter.meter_id)
            in_force = () if line is None else line.days_in_force
            ends = corrected_span(state, alert)
            models = (
                get_baseline(state, meter.meter_id, version)
                for version in dict.fromkeys(version_at(in_force, each) for each in ends)
            )
            others = tuple(each.driver for each in models if each and each.driver)
        case Check.PEER:
            profile = get_profile(state, alert.site)
            others = () if profile is None else profile.main_meters
        case Check.BILL:
            calendar = require_calendar(state, meter.calendar)
            months = [month_at(calendar, each) for each in window_of(state, alert)]
            others = tuple(
                second
                for month in range(months[0], months[1] + 1)
                for each in comparisons_of(state, meter.meter_id, month, Check.BILL)
                if (second := second_meter_of(each)) is not None
            )
        case _:
            pass
    return tuple(dict.fromkeys((meter.meter_id, *others)))


def _check_correction(state: State, alert: Alert, meter_id: str, number: int) -> None:
    """Checks that a correction is approved and says something of the alert's window."""
    correction = get_correction(state, meter_id, number)
    if correction is None or correction.approved_by is None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"an approved correction of {meter_id}; see reading.approve_correction",
            got=_standing(number, correction),
        )
    from_ms, until_ms = corrected_span(state, alert)
    if not any(from_ms <= each.start_ms < until_ms for each in correction.intervals):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"a correction of intervals from {from_ms} on that start before {until_ms}",
            got=f"{number}, from {correction.intervals[0].start_ms} to "
            f"{correction.intervals[-1].start_ms}",
        )


def _standing(number: int, correction: Correction | None) -> str:
    if correction is None:
        return str(number)
    return f"{number}, which is {'rejected' if correction.rejection else 'not approved'}"


_WORDS: Final = {
    Remedy.BASELINE: "a baseline version set in force since (case.rebaseline)",
    Remedy.TARGET: "a target version set since by another account (case.rebaseline)",
    Remedy.CORRECTION: "an approved correction (case.correct with its number)",
    Remedy.ARRIVAL: "what was sent, decided or done since (case.correct without a number)",
}
_UNDER_WAY: Final = (AlertState.REBASELINED, AlertState.CORRECTED)

METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "case.rebaseline", RebaselineCase, rebaseline, roles=CARETAKERS, work=lambda _: RECHECK_WORK
    ),
    method_of("case.correct", CorrectCase, correct, roles=CARETAKERS, work=lambda _: RECHECK_WORK),
    method_of(
        "case.recheck",
        ContinueRecheck,
        continue_recheck,
        roles=SPEAKERS,
        work=lambda _: RECHECK_WORK,
    ),
)
