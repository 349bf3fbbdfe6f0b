"""Alerts: raised by checks, grouped, and taken by people from OPEN to RESOLVED.

Checks call :func:`raise_alert` for each failing reading and :func:`clear_alert` when readings pass
again. Failing intervals of one meter and check that lie within :data:`GROUPING_MS` of an
unresolved alert join it, so one broken sensor is one alert and not a thousand (MyEMS #302). What
is raised in a block costs one state write per alert, because the overlay keeps the last value,
and at most one event of each kind per alert.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import I64_MIN, U64_MAX, Hash, Milliseconds, Text
from contracts.account import Account, Role
from contracts.accounts import sender_of
from contracts.alert import (
    Alert,
    AlertId,
    AlertReference,
    AlertState,
    AlertTrack,
    Cause,
    Step,
    alert_id_of,
    alert_key,
    state_key,
    track_key,
)
from contracts.check import Check
from contracts.context import Context
from contracts.meter import Meter, meter_key
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

GROUPING_MS: Final = 8 * 3_600_000
"""A failing interval this close to an unresolved alert is a repeat of it."""
TRACKED_MAX: Final = 4
"""Unresolved alerts of one meter and check that repeats are matched against. Gateways deliver
roughly in order, so a late reading belongs to one of the latest episodes or opens its own."""
OCCURRENCES_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert(Record):
    """Arguments of ``alert.acknowledge``."""

    alert_id: AlertId
    note: Text
    """What is being done; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainAlert(Record):
    """Arguments of ``alert.explain``."""

    alert_id: AlertId
    cause: Cause
    explanation: Text
    """Not empty: what happened and how one knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveAlert(Record):
    """Arguments of ``alert.resolve``."""

    alert_id: AlertId
    note: Text
    """Why the explanation is accepted; may be empty."""


def get_alert(state: State, alert_id: AlertId) -> Alert | None:
    """Returns an alert, or None where there is none of this id."""
    return state.get(Alert, alert_key(alert_id))


def raise_alert(  # noqa: PLR0913 -- one keyword for each thing that an alert says
    context: Context,
    *,
    meter: Meter,
    check: Check,
    interval_start_ms: int,
    observed: int,
    expected: int,
    leaf: Hash,
) -> None:
    """Opens an alert, or counts a repeat of an unresolved one of the same meter and check.

    Args:
        context: the call or the block's own work.
        meter: the meter whose reading failed.
        check: the check that failed.
        interval_start_ms: start of the failing interval, UTC.
        observed: what was found, in the check's own unit; kept within what a record can hold.
        expected: what it was held against, in the same unit.
        leaf: leaf hash of the failing reading; 32 zero bytes where there is none.
    """
    track = _track_of(context.state, meter.meter_id, check)
    alert = _episode_at(context.state, meter.meter_id, check, track, interval_start_ms)
    if alert is not None:
        _count_repeat(context, alert, interval_start_ms)
        return
    number = track.counter + 1
    opened = Alert(
        alert_id=alert_id_of(meter.meter_id, check, number),
        meter=meter.meter_id,
        organisation=meter.organisation,
        site=meter.site,
        check=check,
        state=AlertState.OPEN,
        opened_ms=context.time_ms,
        updated_ms=context.time_ms,
        first_interval_ms=interval_start_ms,
        last_interval_ms=interval_start_ms,
        occurrences=1,
        observed=_within_record(observed),
        expected=_within_record(expected),
        leaf=leaf,
        cause=None,
        acknowledged=None,
        explained=None,
        resolved=None,
        cleared_ms=None,
        cleared_at_ms=None,
    )
    unresolved = (*track.unresolved, number)[-TRACKED_MAX:]
    context.state.put(
        track_key(meter.meter_id, check), AlertTrack(counter=number, unresolved=unresolved)
    )
    context.state.put(alert_key(opened.alert_id), opened)
    _index(context.state, opened)
    context.emit("alert.opened", opened.alert_id, opened)


def clear_alert(context: Context, *, meter_id: str, check: Check, at_ms: int) -> None:
    """Notes that the condition of a meter and check is gone; does nothing where none is held.

    An alert whose last failing interval is not before ``at_ms`` stays as it is: a late reading
    says nothing about what came after it. The alert still waits for people; only
    ``alert.resolve`` ends it.

    Args:
        context: the call or the block's own work.
        meter_id: the meter.
        check: the check that passes again.
        at_ms: start of the interval that passed.
    """
    track = _track_of(context.state, meter_id, check)
    for number in track.unresolved:
        alert = _tracked(context.state, meter_id, check, number)
        if alert.cleared_ms is None and alert.last_interval_ms < at_ms:
            cleared = replace(alert, cleared_ms=at_ms, cleared_at_ms=context.time_ms)
            context.state.put(alert_key(alert.alert_id), cleared)
            if alert.cleared_at_ms != context.time_ms:
                context.emit("alert.cleared", alert.alert_id, cleared)


def acknowledge(context: Context, arguments: AcknowledgeAlert) -> bytes:
    """Takes an alert from OPEN to ACKNOWLEDGED; emits ``alert.acknowledged``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``NOT_PERMITTED``, ``WRONG_STATE``.
    """
    alert = _require_alert(context.state, arguments.alert_id)
    _check_caretaker(context, alert)
    _check_state(alert, AlertState.OPEN)
    step = _step(context, arguments.note)
    _advance(context, alert, replace(alert, state=AlertState.ACKNOWLEDGED, acknowledged=step))
    return b""


def explain(context: Context, arguments: ExplainAlert) -> bytes:
    """Takes an alert from ACKNOWLEDGED to EXPLAINED with a cause; emits ``alert.explained``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``NOT_PERMITTED``, ``WRONG_STATE``,
            ``INVALID_ARGUMENTS`` for an empty explanation.
    """
    alert = _require_alert(context.state, arguments.alert_id)
    _check_caretaker(context, alert)
    _check_state(alert, AlertState.ACKNOWLEDGED)
    if not arguments.explanation.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "explanation",
            expected="what happened and how one knows",
            got="an empty text",
        )
    step = _step(context, arguments.explanation)
    explained = replace(alert, state=AlertState.EXPLAINED, explained=step, cause=arguments.cause)
    _advance(context, alert, explained)
    return b""


def resolve(context: Context, arguments: ResolveAlert) -> bytes:
    """Takes an alert from EXPLAINED to RESOLVED; emits ``alert.resolved``.

    A certifier may, or an admin of the alert's organisation; in either case somebody else than
    the account that explained it.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``NOT_PERMITTED``, ``WRONG_STATE``.
    """
    alert = _require_alert(context.state, arguments.alert_id)
    sender = sender_of(context)
    if Role.CERTIFIER not in sender.roles and sender.organisation != alert.organisation:
        raise refusal(
            Code.NOT_PERMITTED,
            f"alert {alert.alert_id}",
            expected=f"a CERTIFIER, or an ADMIN of {alert.organisation}",
            got=f"an account of {sender.organisation}",
        )
    _check_state(alert, AlertState.EXPLAINED)
    assert alert.explained is not None, "an EXPLAINED alert has its explanation"
    if alert.explained.account == sender.public_key:
        raise refusal(
            Code.NOT_PERMITTED,
            f"alert {alert.alert_id}",
            expected="another account than the one that explained it",
            got="the same",
        )
    step = _step(context, arguments.note)
    _advance(context, alert, replace(alert, state=AlertState.RESOLVED, resolved=step))
    _forget(context.state, alert)
    return b""


def _track_of(state: State, meter_id: str, check: Check) -> AlertTrack:
    track = state.get(AlertTrack, track_key(meter_id, check))
    return _NO_TRACK if track is None else track


def _tracked(state: State, meter_id: str, check: Check, number: int) -> Alert:
    alert = get_alert(state, alert_id_of(meter_id, check, number))
    assert alert is not None, "a track names alerts that exist"
    return alert


def _episode_at(
    state: State, meter_id: str, check: Check, track: AlertTrack, interval_start_ms: int
) -> Alert | None:
    """Returns the latest unresolved alert that an interval belongs to."""
    for number in reversed(track.unresolved):
        alert = _tracked(state, meter_id, check, number)
        earliest = alert.first_interval_ms - GROUPING_MS
        if earliest <= interval_start_ms <= alert.last_interval_ms + GROUPING_MS:
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
    context.state.put(alert_key(alert.alert_id), repeated)
    if alert.updated_ms != context.time_ms:
        context.emit("alert.updated", alert.alert_id, repeated)


def _still_cleared_ms(alert: Alert, interval_start_ms: int) -> Milliseconds | None:
    """Returns when the condition was gone, as it stands after one more failing interval."""
    if alert.cleared_ms is None or interval_start_ms >= alert.cleared_ms:
        return None
    return alert.cleared_ms


def _within_record(value: int) -> int:
    """Returns the nearest value that a record can hold: sums of readings may leave 64 bits."""
    return min(max(value, I64_MIN), U64_MAX)


def _require_alert(state: State, alert_id: AlertId) -> Alert:
    alert = get_alert(state, alert_id)
    if alert is None:
        raise refusal(
            Code.UNKNOWN_ALERT, "alert_id", expected="the id of an alert", got=repr(alert_id)
        )
    return alert


def _check_caretaker(context: Context, alert: Alert) -> None:
    sender = sender_of(context)
    if sender.public_key == _responsible_for(context.state, alert):
        return
    if sender.organisation == alert.organisation and _runs_meters(sender):
        return
    raise refusal(
        Code.NOT_PERMITTED,
        f"alert {alert.alert_id}",
        expected="the account responsible for its meter, or an OPERATOR or ADMIN of "
        f"{alert.organisation}",
        got=f"an account of {sender.organisation}",
    )


def _responsible_for(state: State, alert: Alert) -> bytes:
    meter = state.get(Meter, meter_key(alert.meter))
    assert meter is not None, "an alert's meter stays registered"
    return meter.responsible


def _runs_meters(account: Account) -> bool:
    return Role.OPERATOR in account.roles or Role.ADMIN in account.roles


def _check_state(alert: Alert, needed: AlertState) -> None:
    if alert.state is not needed:
        raise refusal(
            Code.WRONG_STATE,
            f"alert {alert.alert_id}",
            expected=f"state {needed.name}",
            got=f"{alert.state.name}; {_NEXT_STEP[alert.state]}",
        )


def _step(context: Context, note: Text) -> Step:
    return Step(account=context.sender, time_ms=context.time_ms, note=note)


def _advance(context: Context, before: Alert, after: Alert) -> None:
    context.state.put(alert_key(after.alert_id), after)
    context.state.delete(state_key(before))
    _index(context.state, after)
    context.emit(f"alert.{after.state.name.lower()}", after.alert_id, after)


def _index(state: State, alert: Alert) -> None:
    reference = AlertReference(alert_id=alert.alert_id, organisation=alert.organisation)
    state.put(state_key(alert), reference)


def _forget(state: State, alert: Alert) -> None:
    """Ends the matching of repeats against a resolved alert."""
    track = _track_of(state, alert.meter, alert.check)
    number = int(alert.alert_id.rsplit(".", 1)[1])
    unresolved = tuple(each for each in track.unresolved if each != number)
    state.put(track_key(alert.meter, alert.check), replace(track, unresolved=unresolved))


_NO_TRACK: Final = AlertTrack(counter=0, unresolved=())

_NEXT_STEP: Final = {
    AlertState.OPEN: "call alert.acknowledge",
    AlertState.ACKNOWLEDGED: "call alert.explain",
    AlertState.EXPLAINED: "call alert.resolve",
    AlertState.RESOLVED: "nothing is left to do",
}
"""What an alert in a state waits for."""

_CARETAKERS: Final = frozenset({Role.ADMIN, Role.OPERATOR, Role.GATEWAY})
"""A responsible account may be of any of these; who else is told by the alert's organisation."""
_RESOLVERS: Final = frozenset({Role.ADMIN, Role.CERTIFIER})

METHODS: Final[tuple[Method, ...]] = (
    method_of("alert.acknowledge", AcknowledgeAlert, acknowledge, roles=_CARETAKERS),
    method_of("alert.explain", ExplainAlert, explain, roles=_CARETAKERS),
    method_of("alert.resolve", ResolveAlert, resolve, roles=_RESOLVERS),
)
