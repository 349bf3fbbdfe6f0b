"""What makes the chain move: proposing, view timers, complaints (consensus.md 12-15).

:func:`reconcile` runs after each event and compares what should be running with what is, so no
handler has to remember to start or stop a timer.
"""

from consensus.effects import Broadcast, CancelTimer, Effect, StartTimer
from consensus.events import Timer, TimerFired, TimerKind
from consensus.exchange import make_status
from consensus.messages import LeaveReason
from consensus.predicates import (
    complainer_count,
    has_view_quorum,
    has_work,
    is_primary,
    leave_reason,
    may_vote,
    view_timeout_ms,
)
from consensus.state import ReplicaState
from consensus.sync import on_tick
from consensus.view_change import assemble, is_waiting_for_fresh_block, leave_view, request_wanted


def reconcile(state: ReplicaState) -> list[Effect]:
    """Complains, leaves, proposes and sets timers, as the state now demands."""
    return [
        *_complain(state),
        *_leave_by_complaints(state),
        *_propose_if_due(state),
        *_set_view_timer(state),
        *_set_resend_timer(state),
    ]


def _complain(state: ReplicaState) -> list[Effect]:
    """Says at once that the primary should go, also at each new height."""
    reason = leave_reason(state)
    if reason is state.told_leave_reason:
        return []
    state.told_leave_reason = reason
    return [] if reason is LeaveReason.NONE else [Broadcast(message=make_status(state))]


def _leave_by_complaints(state: ReplicaState) -> list[Effect]:
    """Leaves without waiting for a timer when f + 1, itself included, complain."""
    complainers = complainer_count(state)
    if complainers < state.validators.weak_quorum or state.validators.count == 1:
        return []
    if not may_vote(state) or not _may_rise(state):
        return []
    return leave_view(state, state.instance.view + 1)


def _may_rise(state: ReplicaState) -> bool:
    """Returns whether the target of VIEW-CHANGE may rise: never before q are there."""
    return state.instance.is_active or has_view_quorum(state)


def _propose_if_due(state: ReplicaState) -> list[Effect]:
    instance = state.instance
    if instance.proposal is not None or not is_primary(state) or not may_vote(state):
        return []
    is_free = instance.view == 0 or is_waiting_for_fresh_block(state)
    if not is_free or not (state.is_pending or state.is_heartbeat_due):
        return []
    return assemble(state)


def _set_view_timer(state: ReplicaState) -> list[Effect]:
    instance = state.instance
    should_run = (
        has_work(state) and state.validators.count > 1 and may_vote(state) and _may_rise(state)
    )
    if should_run and instance.view_timer != instance.view:
        instance.view_timer = instance.view
        timer = Timer(kind=TimerKind.VIEW, height=state.height, view=instance.view)
        return [StartTimer(timer=timer, after_ms=view_timeout_ms(state.config, instance.view))]
    if not should_run and instance.view_timer is not None:
        stopped = Timer(kind=TimerKind.VIEW, height=state.height, view=instance.view_timer)
        instance.view_timer = None
        return [CancelTimer(timer=stopped)]
    return []


def _set_resend_timer(state: ReplicaState) -> list[Effect]:
    instance = state.instance
    should_run = not instance.is_active and may_vote(state) and not has_view_quorum(state)
    if should_run and not instance.is_resending:
        instance.is_resending = True
        return [_resend_timer(state)]
    # One that has become needless is recognised when it fires.
    return []


def _resend_timer(state: ReplicaState) -> StartTimer:
    timer = Timer(kind=TimerKind.RESEND, height=state.height, view=state.instance.view)
    return StartTimer(timer=timer, after_ms=state.config.t0_ms)


def status_timer(state: ReplicaState) -> StartTimer:
    """Returns the timer for the next STATUS."""
    timer = Timer(kind=TimerKind.STATUS, height=0, view=0)
    return StartTimer(timer=timer, after_ms=state.config.status_interval_ms)


def heartbeat_timer(state: ReplicaState) -> StartTimer:
    """Returns the timer after which a block is due, with transactions or without."""
    timer = Timer(kind=TimerKind.HEARTBEAT, height=state.height, view=0)
    return StartTimer(timer=timer, after_ms=state.max_block_interval_ms)


def on_timer(state: ReplicaState, event: TimerFired) -> list[Effect]:
    """Handles a timer; one of an earlier height or view is stale."""
    timer, instance = event.timer, state.instance
    match timer.kind:
        case TimerKind.STATUS:
            return [
                Broadcast(message=make_status(state)),
                *on_tick(state),
                *request_wanted(state),
                status_timer(state),
            ]
        case TimerKind.HEARTBEAT:
            if timer.height == state.height:
                state.is_heartbeat_due = True
            return []
        case TimerKind.VIEW:
            if (timer.height, timer.view) != (state.height, instance.view_timer):
                return []
            instance.view_timer = None
            if timer.view != instance.view or not may_vote(state) or not has_work(state):
                return []
            return leave_view(state, instance.view + 1) if _may_rise(state) else []
        case TimerKind.RESEND:
            return _resend(state) if timer.height == state.height else []


def _resend(state: ReplicaState) -> list[Effect]:
    instance = state.instance
    instance.is_resending = False
    own_index = state.own_index
    if instance.is_active or own_index is None or own_index not in instance.view_changes:
        return []
    return [Broadcast(message=instance.view_changes[own_index])]
