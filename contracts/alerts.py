"""Alerts as the machine sees them: raised by checks, grouped, cleared, and reopened.

Checks call :func:`raise_alert` for each failing interval and :func:`clear_alert` when readings pass
again. Failing intervals of one meter and check that lie within :data:`GROUPING_MS` of an alert
that is not CLOSED join it, also where the condition was gone in between, so one broken sensor is
one alert and not a thousand (MyEMS #302). What is raised in a block costs one state write per
alert, because the overlay keeps the last value, and at most one event of each kind per alert.
"""

from dataclasses import replace
from typing import Final

from chain.state import State
from chain.types import I64_MIN, U64_MAX, Milliseconds
from contracts.alert import (
    Alert,
    AlertId,
    AlertState,
    AlertTrack,
    Occurrence,
    alert_id_of,
    alert_key,
    track_key,
)
from contracts.case import SEVERITIES, Action
from contracts.case_steps import advance, open_case
from contracts.check import Check
from contracts.context import Context
from contracts.meter import Meter
from contracts.sites import Site

GROUPING_MS: Final = 8 * 3_600_000
"""A failing interval this close to an alert that is not CLOSED is a repeat of it."""
TRACKED_MAX: Final = 4
"""Alerts of one meter and check that repeats are matched against. Gateways deliver roughly in
order, so a late reading belongs to one of the latest episodes or opens its own."""
OCCURRENCES_MAX: Final = 2**32 - 1


def get_alert(state: State, alert_id: AlertId) -> Alert | None:
    """Returns an alert, or None where there is none of this id."""
    return state.get(Alert, alert_key(alert_id))


def raise_alert(context: Context, subject: Meter | Site, occurrence: Occurrence) -> None:
    """Opens an alert, or counts a repeat of one of the same subject and check.

    Args:
        context: the call or the block's own work.
        subject: the meter whose reading failed, or the site whose condition it is.
        occurrence: what failed, and when.
    """
    subject_id = subject.meter_id if isinstance(subject, Meter) else subject.site_id
    check = occurrence.check
    track = _track_of(context.state, subject_id, check)
    alert = _episode_at(context.state, subject_id, track, occurrence)
    if alert is not None:
        _count_repeat(context, alert, occurrence.interval_start_ms)
        return
    number = track.counter + 1
    opened = open_case(
        context, _new_alert(context, subject, occurrence, alert_id_of(subject_id, check, number))
    )
    unclosed = (*track.unclosed, number)[-TRACKED_MAX:]
    context.state.put(track_key(subject_id, check), AlertTrack(counter=number, unclosed=unclosed))
    context.emit("alert.opened", opened.alert_id, opened)


def clear_alert(context: Context, *, subject_id: str, check: Check, at_ms: int) -> None:
    """Notes that the condition of a subject and check is gone; does nothing where none is held.

    An alert whose last failing interval is not before ``at_ms`` stays as it is: a late reading
    says nothing about what came after it. The alert still waits for people; only they end it.

    Args:
        context: the call or the block's own work.
        subject_id: the meter or site.
        check: the check that passes again.
        at_ms: start of the interval that passed.
    """
    track = _track_of(context.state, subject_id, check)
    for number in track.unclosed:
        alert = _tracked(context.state, alert_id_of(subject_id, check, number))
        if alert.cleared_ms is None and alert.last_interval_ms < at_ms:
            cleared = replace(alert, cleared_ms=at_ms, cleared_at_ms=context.time_ms)
            context.state.put(alert_key(alert.alert_id), cleared)
            if alert.cleared_at_ms != context.time_ms:
                context.emit("alert.cleared", alert.alert_id, cleared)


def _new_alert(
    context: Context, subject: Meter | Site, occurrence: Occurrence, alert_id: AlertId
) -> Alert:
    if isinstance(subject, Meter):
        meter, site, responsible = subject.meter_id, subject.site, subject.responsible
    else:
        meter, site, responsible = None, subject.site_id, None
    return Alert(
        alert_id=alert_id,
        meter=meter,
        organisation=subject.organisation,
        site=site,
        check=occurrence.check,
        severity=SEVERITIES[occurrence.check],
        state=AlertState.OPEN,
        opened_ms=context.time_ms,
        updated_ms=context.time_ms,
        first_interval_ms=occurrence.interval_start_ms,
        last_interval_ms=occurrence.interval_start_ms,
        occurrences=1,
        observed=_within_record(occurrence.observed),
        expected=_within_record(occurrence.expected),
        leaf=occurrence.leaf,
        cleared_ms=None,
        cleared_at_ms=None,
        responsible=responsible,
        deadline_ms=None,
        escalation=0,
        cause=None,
        acknowledged_ms=None,
        explained_ms=None,
        explained_by=None,
        remedy=None,
        remedy_meter=None,
        remedy_number=None,
        rechecked_to_ms=None,
        entry_count=0,
        comment_count=0,
        file_count=0,
    )


def _track_of(state: State, subject_id: str, check: Check) -> AlertTrack:
    track = state.get(AlertTrack, track_key(subject_id, check))
    return _NO_TRACK if track is None else track


def _tracked(state: State, alert_id: AlertId) -> Alert:
    alert = get_alert(state, alert_id)
    assert alert is not None, "a track names alerts that exist"
    return alert


def _episode_at(
    state: State, subject_id: str, track: AlertTrack, occurrence: Occurrence
) -> Alert | None:
    """Returns the latest alert that is not CLOSED and that an interval belongs to."""
    start_ms = occurrence.interval_start_ms
    for number in reversed(track.unclosed):
        alert = _tracked(state, alert_id_of(subject_id, occurrence.check, number))
        earliest = alert.first_interval_ms - GROUPING_MS
        if earliest <= start_ms <= alert.last_interval_ms + GROUPING_MS:
            return alert
    return None


def _count_repeat(context: Context, alert: Alert, interval_start_ms: int) -> None:
    repeated = replace(
        alert,
        updated_ms=context.time_ms,
        first_interval_ms=min(alert.first_interval_ms, interval_start_ms),
        last_interval_ms=max(alert.last_interval_ms, interval_start_ms),
        occurrences=min(alert.occurrences + 1, OCCURRENCES_MAX),
        cleared_ms=_still_cleared_ms(alert, interval_start_ms),
    )
    if _returns(alert):
        advance(context, alert, repeated, Action.REOPEN)
        return
    context.state.put(alert_key(alert.alert_id), repeated)
    if alert.updated_ms != context.time_ms:
        context.emit("alert.updated", alert.alert_id, repeated)


def _returns(alert: Alert) -> bool:
    """Returns whether a repeat contradicts that the case is VERIFIED.

    A condition that was dismissed while it held may go on; it returns once it was gone.
    """
    if alert.state is not AlertState.VERIFIED:
        return False
    return alert.remedy is not AlertState.DISMISSED or alert.cleared_ms is not None


def _still_cleared_ms(alert: Alert, interval_start_ms: int) -> Milliseconds | None:
    """Returns when the condition was gone, as it stands after one more failing interval."""
    if alert.cleared_ms is None or interval_start_ms >= alert.cleared_ms:
        return None
    return alert.cleared_ms


def _within_record(value: int) -> int:
    """Returns the nearest value that a record can hold: sums of readings may leave 64 bits."""
    return min(max(value, I64_MIN), U64_MAX)


_NO_TRACK: Final = AlertTrack(counter=0, unclosed=())
