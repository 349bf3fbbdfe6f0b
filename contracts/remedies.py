"""Remedies as a contract: the loop ends in an approved baseline or correction, and a re-check.

The remedy itself was approved by another account than proposed it; here the case names it, and the
contract looks at the same window again in the same call (:mod:`contracts.recheck`). It goes on to
VERIFIED, or back to INVESTIGATING with what was found. A window that is too long for one call is
looked at in several.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Text
from contracts.alert import Alert, AlertId, AlertState
from contracts.baseline import (
    PROFILES,
    Approval,
    Baseline,
    BaselineLine,
    approval_key,
    baseline_key,
    line_key,
)
from contracts.case import Action, next_steps
from contracts.case_steps import Told, advance, keep_rechecked
from contracts.cases import CARETAKERS, SPEAKERS, check_speaker, require_alert, require_step
from contracts.check import Check
from contracts.context import Context
from contracts.correction import Correction, get_correction
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.recheck import BY_BASELINE, BY_CORRECTION, RECHECK_WORK, recheck, window_end
from contracts.refusal import Code, refusal

APPROVALS_SEEN_MAX: Final = 32
"""Latest approvals of a meter among which the one that a case names is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRemedy(Record):
    """Arguments of ``case.rebaseline`` and ``case.correct``."""

    alert_id: AlertId
    number: U32
    """Baseline version or correction of the alert's meter."""
    note: Text
    """May be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueRecheck(Record):
    """Arguments of ``case.recheck``."""

    alert_id: AlertId


def rebaseline(context: Context, arguments: NameRemedy) -> bytes:
    """Takes a case from EXPLAINED to REBASELINED, and on by the re-check.

    Emits ``case.rebaselined``, and ``case.verified`` or ``case.investigating``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``,
            ``INVALID_ARGUMENTS`` for a check that no baseline answers or a version of another
            kind, ``UNKNOWN_BASELINE`` for one that was not brought into force since the alert was
            opened.
    """
    alert = require_step(context, arguments.alert_id, Action.REBASELINE)
    _check_answers(alert, BY_BASELINE, "baseline")
    _check_approved(context.state, alert, arguments.number)
    after = replace(alert, remedy=AlertState.REBASELINED, remedy_number=arguments.number)
    told = Told(note=arguments.note, remedy_number=arguments.number)
    _look_again(context, advance(context, alert, after, Action.REBASELINE, told))
    return b""


def correct(context: Context, arguments: NameRemedy) -> bytes:
    """Takes a case from EXPLAINED to CORRECTED, and on by the re-check.

    Emits ``case.corrected``, and ``case.verified`` or ``case.investigating``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``,
            ``INVALID_ARGUMENTS`` for a check that no correction answers, for a correction that is
            not there, is not approved or lies outside the alert's window.
    """
    alert = require_step(context, arguments.alert_id, Action.CORRECT)
    _check_answers(alert, BY_CORRECTION, "correction")
    _check_correction(context.state, alert, arguments.number)
    after = replace(alert, remedy=AlertState.CORRECTED, remedy_number=arguments.number)
    told = Told(note=arguments.note, remedy_number=arguments.number)
    _look_again(context, advance(context, alert, after, Action.CORRECT, told))
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


def _look_again(context: Context, alert: Alert) -> None:
    """Checks the window, or its next part, and takes the case on."""
    assert alert.meter is not None, "only checks of meters have a remedy"
    meter = require_meter(context.state, alert.meter)
    is_by_baseline = alert.remedy is AlertState.REBASELINED
    version = alert.remedy_number if is_by_baseline else None
    found = recheck(context.state, meter, alert, version)
    # A baseline that says nothing of the window explains nothing.
    has_passed = not found.failed and (found.checked > 0 or not is_by_baseline)
    if has_passed and not found.is_complete:
        keep_rechecked(context, replace(alert, rechecked_to_ms=found.to_ms))
        return
    after = replace(alert, rechecked_to_ms=None)
    action = Action.PASS if has_passed else Action.FAIL
    advance(context, alert, after, action, Told(recheck=found))


def _check_answers(alert: Alert, checks: frozenset[Check], remedy: str) -> None:
    if alert.check not in checks:
        names = ", ".join(check.name for check in Check if check in checks)
        raise refusal(
            Code.INVALID_ARGUMENTS,
            f"alert {alert.alert_id}",
            expected=f"a check that a {remedy} answers: {names}",
            got=f"{alert.check.name}; name another remedy, or call case.dismiss",
        )


def _check_approved(state: State, alert: Alert, version: int) -> None:
    """Checks that a version was brought into force since the alert was opened, and judges it."""
    assert alert.meter is not None, "only checks of meters have a remedy"
    line = state.get(BaselineLine, line_key(alert.meter))
    count = 0 if line is None else line.approval_count
    for number in range(count, max(count - APPROVALS_SEEN_MAX, 0), -1):
        approval = state.get(Approval, approval_key(alert.meter, number))
        assert approval is not None, "approvals are numbered without a gap"
        if approval.version == version and approval.approved_ms >= alert.opened_ms:
            break
    else:
        raise refusal(
            Code.UNKNOWN_BASELINE,
            "number",
            expected=f"a version of {alert.meter} that baseline.set brought into force since the "
            f"alert was opened at {alert.opened_ms}",
            got=str(version),
        )
    baseline = state.get(Baseline, baseline_key(alert.meter, version))
    assert baseline is not None, "what was approved exists"
    is_of_days = baseline.model not in PROFILES
    if is_of_days != (alert.check is Check.WEATHER):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"a model of {'intervals' if is_of_days else 'days'}, for the alert is of "
            f"{alert.check.name}",
            got=f"version {version}, {baseline.model.name}",
        )


def _check_correction(state: State, alert: Alert, number: int) -> None:
    """Checks that a correction is approved and says something of the alert's window."""
    assert alert.meter is not None, "only checks of meters have a remedy"
    correction = get_correction(state, alert.meter, number)
    if correction is None or correction.approved_by is None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"an approved correction of {alert.meter}; see reading.approve_correction",
            got=_standing(number, correction),
        )
    first_ms = alert.first_interval_ms
    last_ms = window_end(state, require_meter(state, alert.meter), alert)
    if not any(first_ms <= each.start_ms <= last_ms for each in correction.intervals):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"a correction of intervals from {first_ms} to {last_ms}",
            got=f"{number}, from {correction.intervals[0].start_ms} to "
            f"{correction.intervals[-1].start_ms}",
        )


def _standing(number: int, correction: Correction | None) -> str:
    if correction is None:
        return str(number)
    return f"{number}, which is {'rejected' if correction.rejection else 'not approved'}"


_UNDER_WAY: Final = (AlertState.REBASELINED, AlertState.CORRECTED)

METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "case.rebaseline", NameRemedy, rebaseline, roles=CARETAKERS, work=lambda _: RECHECK_WORK
    ),
    method_of("case.correct", NameRemedy, correct, roles=CARETAKERS, work=lambda _: RECHECK_WORK),
    method_of(
        "case.recheck",
        ContinueRecheck,
        continue_recheck,
        roles=SPEAKERS,
        work=lambda _: RECHECK_WORK,
    ),
)
