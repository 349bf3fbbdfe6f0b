"""A step of a case, whoever takes it: state, index, deadline, figures, story and event together.

Nothing else changes the state of an alert, so what is counted, listed and waited for is always what
is so.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.state import Records, State
from contracts.alert import (
    Alert,
    AlertState,
    AlertTrack,
    Cause,
    Severity,
    alert_key,
    number_of,
    reference_to,
    state_key,
    subject_of,
    track_key,
)
from contracts.case import (
    DEFAULT_TERMS,
    EVENTS,
    NOTES,
    PARTIES,
    STAGES,
    TRANSITIONS,
    Action,
    CaseEntry,
    CaseSettings,
    CaseTerms,
    Escalation,
    EvidenceFile,
    Party,
    Recheck,
    entry_key,
    escalee_of,
    settings_key,
    span_of,
)
from contracts.case_figures import count_case, count_time
from contracts.context import Context
from contracts.due_queue import DueKind, push, withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an entry says beside who did what and when."""

    note: str = ""
    cause: Cause | None = None
    remedy_meter: str | None = None
    remedy_number: int | None = None
    assignee: bytes | None = None
    file: EvidenceFile | None = None
    recheck: Recheck | None = None


_NOTHING: Final = Told()


def terms_of(state: Records, organisation: str) -> CaseTerms:
    """Returns the terms in force of an organisation, or those that hold where it set none."""
    return state.get(CaseSettings, settings_key(organisation)) or DEFAULT_TERMS


def open_case(context: Context, alert: Alert) -> Alert:
    """Writes a new alert, with its deadline, and returns it."""
    opened = _with_deadline(context, alert)
    _write(context.state, opened)
    count_case(context.state, None, opened)
    return opened


def advance(
    context: Context, before: Alert, after: Alert, action: Action, told: Told = _NOTHING
) -> Alert:
    """Takes a step that the table allows, and returns the alert as it is then.

    Args:
        context: the call or the block's own work.
        before: the alert as it stands in the state.
        after: the same with what else the step changes; state, deadline and story follow here.
        action: one that the table has for the state of ``before``.
        told: what the story says of it.
    """
    state = context.state
    after = replace(after, state=TRANSITIONS[before.state, action])
    if STAGES[after.state] is not STAGES[before.state]:
        _forget_deadline(state, before)
        after = _with_deadline(context, after)
    after = _with_entry(context, after, action, told)
    state.delete(state_key(before))
    _write(state, after)
    count_case(state, before, after)
    count_time(context, before, after, action)
    if after.state is AlertState.CLOSED:
        _forget_track(state, after)
    context.emit(EVENTS[after.state], after.alert_id, after)
    return after


def note_down(context: Context, alert: Alert, action: Action, told: Told) -> None:
    """Adds to the story what changes no state, writes the alert as it is given, and says so."""
    entry = _next_entry(context, alert, action, told)
    after = replace(alert, entry_count=entry.number)
    context.state.put(entry_key(alert.alert_id, entry.number), entry)
    context.state.put(alert_key(after.alert_id), after)
    context.emit(NOTES[action], after.alert_id, entry)


def keep_rechecked(context: Context, alert: Alert) -> None:
    """Writes how far a re-check has come, and changes nothing else."""
    context.state.put(alert_key(alert.alert_id), alert)


def on_due(context: Context, alert_id: str) -> int | None:
    """Looks whether the deadline of a case has passed, and escalates the case if so.

    Args:
        context: the block's own work.
        alert_id: subject of the entry.

    Returns:
        Block time at which to look again; None for never.
    """
    state = context.state
    alert = state.get(Alert, alert_key(alert_id))
    assert alert is not None, "the queue names alerts that exist"
    stage = STAGES[alert.state]
    if stage is None or alert.deadline_ms is None or alert.deadline_ms > context.time_ms:
        return None  # a step was taken in this very block
    terms = terms_of(state, alert.organisation)
    level = alert.escalation + 1
    if level > terms.escalations_max:
        return None
    severity = Severity(min(alert.severity + 1, Severity.CRITICAL))
    next_ms = None
    if level < terms.escalations_max:
        next_ms = context.time_ms + span_of(terms, severity, stage)
    escalated = replace(
        alert,
        severity=severity,
        escalation=level,
        deadline_ms=alert.deadline_ms if next_ms is None else next_ms,
    )
    escalated = _with_entry(context, escalated, Action.ESCALATE, _NOTHING)
    _write(state, escalated)
    content = Escalation(
        alert_id=alert_id,
        organisation=alert.organisation,
        site=alert.site,
        stage=stage,
        level=level,
        severity=severity,
        next=escalee_of(level),
        responsible=alert.responsible,
        deadline_ms=next_ms,
    )
    context.emit("case.escalated", alert_id, content)
    return next_ms


def _with_deadline(context: Context, alert: Alert) -> Alert:
    """Returns a case that enters a stage, with its deadline in the queue."""
    stage = STAGES[alert.state]
    if stage is None:
        return replace(alert, deadline_ms=None, escalation=0)
    terms = terms_of(context.state, alert.organisation)
    due_ms = context.time_ms + span_of(terms, alert.severity, stage)
    push(context.state, due_ms=due_ms, kind=DueKind.CASE_DEADLINE, subject=alert.alert_id)
    return replace(alert, deadline_ms=due_ms, escalation=0)


def _forget_deadline(state: State, alert: Alert) -> None:
    assert alert.deadline_ms is not None, "only a CLOSED case has no deadline"
    withdraw(state, due_ms=alert.deadline_ms, kind=DueKind.CASE_DEADLINE, subject=alert.alert_id)


def _with_entry(context: Context, alert: Alert, action: Action, told: Told) -> Alert:
    entry = _next_entry(context, alert, action, told)
    context.state.put(entry_key(alert.alert_id, entry.number), entry)
    return replace(alert, entry_count=entry.number)


def _next_entry(context: Context, alert: Alert, action: Action, told: Told) -> CaseEntry:
    is_own = action is Action.ESCALATE or PARTIES.get(action) is Party.CONTRACT
    return CaseEntry(
        alert_id=alert.alert_id,
        number=alert.entry_count + 1,
        action=action,
        state=alert.state,
        time_ms=context.time_ms,
        account=None if is_own else context.sender,
        note=told.note,
        cause=told.cause,
        remedy_meter=told.remedy_meter,
        remedy_number=told.remedy_number,
        assignee=told.assignee,
        file=told.file,
        recheck=told.recheck,
    )


def _write(state: State, alert: Alert) -> None:
    state.put(alert_key(alert.alert_id), alert)
    state.put(state_key(alert), reference_to(alert))


def _forget_track(state: State, alert: Alert) -> None:
    """Ends the matching of repeats against a closed alert."""
    key = track_key(subject_of(alert), alert.check)
    track = state.get(AlertTrack, key)
    assert track is not None, "an alert has its track"
    number = number_of(alert)
    unclosed = tuple(each for each in track.unclosed if each != number)
    state.put(key, replace(track, unclosed=unclosed))
