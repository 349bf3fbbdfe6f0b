"""Timers, complaints and heartbeats: what makes the chain move, and what must not move it."""

import pytest

from consensus.effects import AssembleProposal, Broadcast, CancelTimer, Effect, StartTimer
from consensus.events import Timer, TimerFired, TimerKind, WorkChanged
from consensus.messages import LeaveReason, NewView, Status, ViewChange
from consensus.state import ReplicaConfig
from tests.unit.consensus.cluster import Cluster, Envelope
from tests.unit.consensus.forgery import commit, header, pre_prepare, sent, view_change
from tests.unit.consensus.toy_chain import MAX_BLOCK_INTERVAL_MS, Node, transaction

T0_MS = 2_000


def timers(node: Node, kind: TimerKind) -> list[tuple[int, int]]:
    """(view, milliseconds) of the timers of a kind that were started, in order."""
    started = [e for e in node.effects if isinstance(e, StartTimer) and e.timer.kind is kind]
    return [(effect.timer.view, effect.after_ms) for effect in started]


def work(cluster: Cluster, index: int, *, is_pending: bool) -> None:
    event = WorkChanged(is_pending=is_pending, is_censored=False)
    cluster.step(cluster.nodes[index], event)


def test_an_idle_chain_runs_no_view_timer() -> None:
    cluster = Cluster(4).start()

    cluster.advance(10 * T0_MS)

    assert [timers(node, TimerKind.VIEW) for node in cluster.nodes] == [[], [], [], []]
    assert [node.replica.view for node in cluster.nodes] == [0, 0, 0, 0]


def test_a_pending_transaction_starts_the_view_timer_and_its_end_stops_it() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]

    work(cluster, 0, is_pending=True)
    work(cluster, 0, is_pending=True)
    assert timers(node, TimerKind.VIEW) == [(0, T0_MS)]

    work(cluster, 0, is_pending=False)
    timer = Timer(kind=TimerKind.VIEW, height=1, view=0)
    assert CancelTimer(timer=timer) in node.effects
    cluster.step(node, TimerFired(timer=timer))
    assert node.replica.view == 0


def test_a_proposal_in_flight_starts_the_view_timer() -> None:
    cluster = Cluster(4).start().run()

    cluster.deliver(1, 0, pre_prepare(cluster, 1, header(cluster, 1, "a"), "a"))

    assert timers(cluster.nodes[0], TimerKind.VIEW) == [(0, T0_MS)]


def test_the_view_timer_of_a_new_height_starts_afresh() -> None:
    cluster = Cluster(4).start()
    cluster.crash(1)
    cluster.submit("a")
    cluster.advance(T0_MS)
    assert cluster.heights[0] == 1
    cluster.nodes[0].effects.clear()

    work(cluster, 0, is_pending=True)

    assert timers(cluster.nodes[0], TimerKind.VIEW) == [(0, T0_MS)]


def test_the_timer_of_a_view_starts_when_q_have_come_to_it_and_is_longer_by_a_half() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    work(cluster, 0, is_pending=True)
    cluster.step(node, TimerFired(timer=Timer(kind=TimerKind.VIEW, height=1, view=0)))
    assert node.replica.view == 1
    cluster.deliver(3, 0, view_change(cluster, 3, 1))
    assert timers(node, TimerKind.VIEW) == [(0, 2_000)]

    cluster.deliver(1, 0, view_change(cluster, 1, 2))

    assert timers(node, TimerKind.VIEW) == [(0, 2_000), (1, 3_000)]


def test_stale_timers_change_nothing() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    work(cluster, 0, is_pending=True)
    node.effects.clear()

    for kind in (TimerKind.VIEW, TimerKind.RESEND, TimerKind.HEARTBEAT):
        cluster.step(node, TimerFired(timer=Timer(kind=kind, height=9, view=0)))
    cluster.step(node, TimerFired(timer=Timer(kind=TimerKind.VIEW, height=1, view=5)))

    assert node.effects == []
    assert node.replica.view == 0


def test_a_quiet_chain_commits_heartbeats_and_not_earlier() -> None:
    cluster = Cluster(4).start()

    cluster.advance(MAX_BLOCK_INTERVAL_MS - 1)
    assert cluster.heights == [0, 0, 0, 0]
    cluster.advance(1)
    assert cluster.heights == [1, 1, 1, 1]
    cluster.advance(2 * MAX_BLOCK_INTERVAL_MS)

    assert cluster.heights == [3, 3, 3, 3]
    assert cluster.nodes[0].blocks[0].transactions == ()


def test_a_dead_primary_does_not_stop_the_heartbeat() -> None:
    cluster = Cluster(4).start()
    cluster.crash(1)

    cluster.advance(MAX_BLOCK_INTERVAL_MS + T0_MS)

    assert cluster.heights == [1, 0, 1, 1]


def test_a_proposal_is_asked_for_once_for_work_and_once_more_for_the_heartbeat() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[1]
    node.is_executor_paused = True

    work(cluster, 1, is_pending=True)
    cluster.advance_one(300)
    cluster.step(node, TimerFired(timer=Timer(kind=TimerKind.HEARTBEAT, height=1, view=0)))

    orders = [e.is_heartbeat for e in node.effects if isinstance(e, AssembleProposal)]
    assert orders == [False, True]


def complaints(node: Node) -> list[LeaveReason]:
    return [
        effect.message.leave_reason
        for effect in node.effects
        if isinstance(effect, Broadcast) and isinstance(effect.message, Status)
    ]


def test_a_primary_whose_links_are_down_is_replaced_while_the_chain_is_idle() -> None:
    cluster = Cluster(4).start().run()

    cluster.link(0, 1, is_up=False)
    cluster.run()
    assert [node.replica.view for node in cluster.nodes] == [0, 0, 0, 0]
    cluster.link(2, 1, is_up=False)
    cluster.run()

    # Two complain, f + 1; the others join them at once; no timer ran.
    assert [cluster.nodes[i].replica.view for i in (0, 2, 3)] == [1, 1, 1]
    assert cluster.monotonic_ms == 0
    cluster.submit("a", to=(0, 2, 3))
    cluster.run()
    assert [cluster.heights[i] for i in (0, 2, 3)] == [1, 1, 1]


def test_a_node_goes_on_voting_while_it_complains() -> None:
    cluster = Cluster(4).start().run()
    cluster.link(0, 1, is_up=False)
    cluster.run()

    cluster.submit("a")
    cluster.run()

    assert cluster.heights == [1, 1, 1, 1]
    assert LeaveReason.LINK_DOWN in complaints(cluster.nodes[0])


def test_complaints_that_are_withdrawn_do_not_count() -> None:
    cluster = Cluster(4).start().run()
    cluster.link(0, 1, is_up=False)
    cluster.run()
    cluster.link(0, 1, is_up=True)
    cluster.advance(300)

    cluster.link(2, 1, is_up=False)
    cluster.run()

    assert [node.replica.view for node in cluster.nodes] == [0, 0, 0, 0]


def test_others_complaints_alone_do_not_make_a_content_node_leave() -> None:
    cluster = Cluster(7).start().run()
    complaint = Status(height=1, view=0, head_hash=bytes(32), leave_reason=LeaveReason.CENSORED)

    for sender in (2, 3, 4, 5, 6):
        cluster.deliver(sender, 0, complaint)

    assert cluster.nodes[0].replica.view == 0


def test_a_quiet_censor_is_replaced_while_blocks_flow() -> None:
    cluster = Cluster(4).start().run()
    cluster.submit("a")
    cluster.run()
    censored = transaction("unwelcome")
    for index in (0, 2, 3):
        cluster.nodes[index].pool[censored.id] = censored.wire

    cluster.monotonic_ms += 10_000
    for index in (0, 2):
        cluster.tell_work(index, is_censored=True)
    cluster.run()

    assert [cluster.nodes[i].replica.view for i in (0, 2, 3)] == [0, 0, 0]
    assert censored.wire in cluster.nodes[0].blocks[1].transactions
    assert cluster.nodes[0].blocks[1].header.proposer == cluster.nodes[2].key


def test_complaints_of_different_heights_of_one_tenure_count_together() -> None:
    cluster = Cluster(4).start().run()
    cluster.submit("a")
    cluster.run()
    cluster.drop = lambda e: isinstance(e.message, Status)
    cluster.monotonic_ms += 10_000
    earlier = Status(height=1, view=0, head_hash=bytes(32), leave_reason=LeaveReason.CENSORED)

    cluster.deliver(2, 0, earlier)
    assert cluster.nodes[0].replica.height == 2
    cluster.tell_work(0, is_censored=True)

    assert cluster.nodes[0].replica.view == 1


def test_a_complaint_about_an_earlier_primary_does_not_count_against_the_next() -> None:
    cluster = Cluster(4).start()
    cluster.crash(1)
    cluster.submit("a")
    cluster.advance(T0_MS)
    assert cluster.nodes[0].replica.primary == cluster.nodes[2].key
    cluster.drop = lambda e: isinstance(e.message, Status)
    cluster.monotonic_ms += 10_000
    about_the_first = Status(
        height=1, view=0, head_hash=bytes(32), leave_reason=LeaveReason.CENSORED
    )

    cluster.deliver(3, 0, about_the_first)
    cluster.tell_work(0, is_censored=True)

    assert cluster.nodes[0].replica.view == 0


def test_a_new_primary_has_its_time_before_it_is_complained_of() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    cluster.monotonic_ms += 9_999
    cluster.tell_work(0, is_censored=True)
    assert node.replica.status().leave_reason is LeaveReason.NONE

    cluster.monotonic_ms += 1
    cluster.tell_work(0, is_censored=True)
    assert node.replica.status().leave_reason is LeaveReason.CENSORED
    cluster.deliver(2, 0, view_change(cluster, 2, 1))
    cluster.deliver(3, 0, view_change(cluster, 3, 1))

    assert node.replica.view == 1
    assert node.replica.status().leave_reason is LeaveReason.NONE


def is_deaf(index: int, envelope: Envelope) -> bool:
    return envelope.receiver == index


def test_a_deaf_node_moves_nobody_and_takes_blocks_again_when_it_hears() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: is_deaf(3, e)
    cluster.submit("a")
    cluster.advance(5 * T0_MS)
    assert cluster.nodes[3].replica.view == 1

    for name in ("b", "c"):
        cluster.submit(name)
        cluster.advance(T0_MS)
    assert cluster.heights == [3, 3, 3, 0]
    assert {block.certificate.view for block in cluster.nodes[0].blocks} == {0}

    cluster.drop = lambda _: False
    cluster.advance(1_000)
    assert cluster.heights == [3, 3, 3, 3]
    assert cluster.nodes[3].replica.view == 0


def test_a_node_in_view_change_counts_commits_of_the_view_that_it_left() -> None:
    cluster = Cluster(4).start().run()
    block = header(cluster, 1, "a")
    body = transaction("a")
    cluster.nodes[0].pool[body.id] = body.wire
    cluster.drop = lambda _: True
    cluster.deliver(1, 0, pre_prepare(cluster, 1, block, "a"))
    cluster.advance(T0_MS)
    assert cluster.nodes[0].replica.view == 1

    for signer in (1, 2, 3):
        cluster.deliver(signer, 0, commit(cluster, signer, block.hash))

    assert cluster.heights[0] == 1


def test_no_timer_setting_of_one_node_stalls_the_others() -> None:
    hasty = ReplicaConfig(t0_ms=1, timeout_max_ms=1)
    cluster = Cluster(4)
    cluster.config = hasty
    cluster.nodes[3] = cluster._make(3)
    cluster.start()

    for name in ("a", "b", "c"):
        cluster.submit(name)
        cluster.advance(500)

    assert cluster.heights == [3, 3, 3, 3]


def test_a_single_validator_never_leaves_its_view() -> None:
    cluster = Cluster(1).start()
    cluster.nodes[0].is_executor_paused = True

    cluster.submit("a")
    cluster.advance(10 * T0_MS)

    assert cluster.nodes[0].replica.view == 0
    assert sent(cluster.nodes[0], ViewChange) == []


def test_two_halves_that_hear_only_themselves_wait_and_go_on_when_they_meet() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: (e.sender < 2) != (e.receiver < 2)
    cluster.submit("a")
    cluster.advance(60 * T0_MS)
    assert cluster.heights == [0, 0, 0, 0]

    cluster.drop = lambda _: False
    cluster.advance(3 * T0_MS)

    assert cluster.heights[0] >= 1
    assert len(set(cluster.heights)) == 1


@pytest.mark.parametrize("skew_ms", [-3_600_000, 3_600_000])
def test_a_wrong_clock_delays_and_does_not_stop_the_chain(skew_ms: int) -> None:
    cluster = Cluster(4)
    cluster.wall_ms += 2 * 3_600_000
    cluster.start()
    cluster.nodes[1].clock_error_ms = skew_ms
    cluster.submit("a")
    cluster.advance(3 * T0_MS)

    assert cluster.heights == [1, 1, 1, 1]
    assert cluster.nodes[0].blocks[0].header.proposer == cluster.nodes[2].key


def effects_of(cluster: Cluster, index: int, event: WorkChanged) -> tuple[Effect, ...]:
    node = cluster.nodes[index]
    return node.replica.step(event, cluster.now)


def test_the_order_of_effects_is_complaint_then_leaving_then_proposing_then_timers() -> None:
    cluster = Cluster(4).start().run()
    cluster.monotonic_ms += 10_000

    effects = effects_of(cluster, 0, WorkChanged(is_pending=True, is_censored=True))

    assert [type(effect).__name__ for effect in effects] == ["Broadcast", "StartTimer"]
    assert sent(cluster.nodes[0], NewView) == []
