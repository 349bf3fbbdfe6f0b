"""Restart is the start-up path: stored bytes are sent again and nothing is signed twice."""

import pytest

from chain.vote import VoteKind
from consensus.effects import CommitBlock, Effect, Persist
from consensus.journal import bodies_in
from consensus.messages import Commit, NewView, Prepare, PrePrepare, ViewChange
from consensus.sign_guard import SignGuard, accepted_guard, initial_guard
from tests.unit.consensus.cluster import Cluster, Envelope
from tests.unit.consensus.forgery import prepare, sent, view_change
from tests.unit.consensus.toy_chain import Node, transaction

ALL = (0, 1, 2, 3)
T0_MS = 2_000


def is_commit(envelope: Envelope) -> bool:
    return isinstance(envelope.message, Commit)


def is_commit_of_view_0(envelope: Envelope) -> bool:
    return isinstance(envelope.message, Commit) and envelope.message.vote.view == 0


def prepared_everywhere() -> Cluster:
    """A cluster in which everybody has sent COMMIT for block 1 and nobody has received one."""
    cluster = Cluster(4).start()
    cluster.drop = is_commit
    cluster.submit("a")
    cluster.run()
    assert cluster.heights == [0, 0, 0, 0]
    return cluster


def test_after_all_nodes_restarted_the_chain_goes_on_with_the_prepared_block() -> None:
    cluster = prepared_everywhere()
    digest = cluster.nodes[0].replica._state.instance.commits[0].digest

    cluster.crash(*ALL)
    cluster.drop = lambda _: False
    cluster.restart(*ALL)
    cluster.advance(T0_MS)

    assert [node.hashes for node in cluster.nodes] == [[digest]] * 4
    assert cluster.nodes[0].blocks[0].transactions == (transaction("a").wire,)


def test_a_recovered_block_is_committed_with_its_bodies_since_the_kernel_has_lost_them() -> None:
    cluster = prepared_everywhere()
    assert bodies_in(cluster.nodes[3].journal) == (transaction("a").wire,)

    cluster.crash(*ALL)
    cluster.drop = lambda _: False
    cluster.restart(*ALL)
    cluster.run()

    orders = [e for node in cluster.nodes for e in node.effects if isinstance(e, CommitBlock)]
    assert [order.transactions for order in orders] == [(transaction("a").wire,)] * 4


def test_after_all_but_the_old_primary_restarted_the_prepared_block_is_proposed_again() -> None:
    cluster = prepared_everywhere()
    digest = cluster.nodes[0].replica._state.instance.commits[0].digest

    cluster.crash(*ALL)
    cluster.drop = is_commit_of_view_0
    cluster.restart(0, 2, 3)
    cluster.advance(2 * T0_MS)

    assert [cluster.nodes[i].hashes for i in (0, 2, 3)] == [[digest]] * 3
    assert cluster.nodes[0].blocks[0].certificate.view == 1


@pytest.mark.parametrize("kind", [PrePrepare, Prepare, Commit])
def test_stored_votes_are_sent_again_byte_for_byte(
    kind: type[PrePrepare | Prepare | Commit],
) -> None:
    cluster = prepared_everywhere()
    node = cluster.nodes[1 if kind is PrePrepare else 0]
    before = sent(node, kind)[0]

    cluster.crash(*ALL)
    node.effects.clear()
    cluster.restart(node.index)

    assert sent(node, kind)[0] == before


def test_a_stored_view_change_is_sent_again_and_its_promise_kept() -> None:
    cluster = Cluster(4).start()
    cluster.submit("a", to=(0,))
    cluster.drop = lambda _: True
    cluster.advance(T0_MS)
    (before,) = sent(cluster.nodes[0], ViewChange)

    cluster.crash(0)
    cluster.nodes[0].effects.clear()
    cluster.restart(0)

    assert sent(cluster.nodes[0], ViewChange) == [before]
    assert cluster.nodes[0].replica.view == 1


def test_a_primary_of_a_higher_view_sends_its_stored_new_view_again() -> None:
    cluster = Cluster(4).start()
    cluster.crash(1)
    cluster.drop = is_commit
    cluster.submit("a")
    cluster.advance(T0_MS)
    (before,) = sent(cluster.nodes[2], NewView)[:1]

    cluster.crash(2)
    cluster.nodes[2].effects.clear()
    cluster.restart(2)

    assert sent(cluster.nodes[2], NewView)[0] == before
    assert cluster.nodes[2].replica.view == 1


class CrashAt:
    """Crashes one node just before its effect number `index`, once."""

    def __init__(self, cluster: Cluster, victim: int, index: int) -> None:
        self.cluster = cluster
        self.victim = victim
        self.left = index
        cluster.before_effect = self

    def __call__(self, node: Node, _: Effect | None) -> None:
        if node.index != self.victim or self.left < 0:
            return
        if self.left == 0:
            self.cluster.crash(self.victim)
        self.left -= 1


def run_script(cluster: Cluster) -> None:
    for name in ("a", "b", "c"):
        cluster.submit(name)
        cluster.advance(400)
    cluster.advance(3 * T0_MS)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_crash_before_any_effect_costs_nothing_but_time(victim: int) -> None:
    calm = Cluster(4).start()
    run_script(calm)
    points = range(len(calm.nodes[victim].effects))

    for index in points:
        cluster = Cluster(4)
        CrashAt(cluster, victim, index)
        cluster.start()
        run_script(cluster)
        if cluster.nodes[victim].is_down:
            cluster.restart(victim)
        cluster.submit("after")
        cluster.advance(3 * T0_MS)

        # The harness has watched for forks and double votes; here: nobody was stopped.
        assert len(set(cluster.heights)) == 1, index
        committed = {wire for block in cluster.nodes[0].blocks for wire in block.transactions}
        assert committed == {transaction(name).wire for name in ("a", "b", "c", "after")}
        assert cluster.nodes[victim].replica.observing_reason is None


def test_a_single_validator_goes_on_by_itself_after_a_crash_before_any_effect() -> None:
    calm = Cluster(1).start()
    calm.submit("a")

    for index in range(len(calm.nodes[0].effects)):
        cluster = Cluster(1)
        CrashAt(cluster, 0, index)
        cluster.start()
        cluster.submit("a")
        cluster.restart(0)
        cluster.submit("b")
        cluster.advance(1_000)

        committed = {wire for block in cluster.nodes[0].blocks for wire in block.transactions}
        assert transaction("b").wire in committed, index
        assert cluster.nodes[0].replica.observing_reason is None


@pytest.mark.parametrize("index", range(0, 40, 3))
def test_a_crash_of_all_nodes_at_once_costs_nothing_but_time(index: int) -> None:
    cluster = Cluster(4)
    effects_left = [index]

    def crash_all(_: Node, __: Effect | None) -> None:
        if effects_left[0] == 0:
            cluster.crash(*ALL)
        effects_left[0] -= 1

    cluster.start()
    cluster.before_effect = crash_all
    cluster.submit("a")
    cluster.run()
    cluster.before_effect = lambda _, __: None
    cluster.crash(*ALL)

    cluster.restart(*ALL)
    cluster.submit("a")
    cluster.advance(3 * T0_MS)

    assert len(set(cluster.heights)) == 1
    assert cluster.heights[0] >= 1
    assert [node.replica.observing_reason for node in cluster.nodes] == [None] * 4


def test_a_crash_between_journal_and_guard_is_completed_at_start() -> None:
    cluster = Cluster(4).start()
    node = cluster.nodes[0]

    def crash_between(crashing: Node, effect: Effect | None) -> None:
        if crashing is node and effect is None:
            cluster.crash(0)

    cluster.before_effect = crash_between
    cluster.submit("a")
    cluster.run()
    cluster.before_effect = lambda _, __: None
    assert node.guard == initial_guard()
    assert len(node.journal) == 1

    node.effects.clear()
    cluster.restart(0)

    first = node.effects[0]
    assert isinstance(first, Persist)
    assert first.records == ()
    assert first.guard is not None
    last = SignGuard.decode(first.guard).last
    assert last is not None
    assert last.kind is VoteKind.PREPARE
    assert node.replica.observing_reason is None


def lose_journal(node: Node) -> None:
    node.journal.clear()


def lose_guard(node: Node) -> None:
    node.guard = None


def restore_guard(node: Node) -> None:
    node.guard = initial_guard()


def is_observing(cluster: Cluster) -> bool:
    return cluster.nodes[0].replica.observing_reason is not None


@pytest.mark.parametrize("lose", [lose_journal, restore_guard])
def test_a_node_that_has_lost_memory_observes_until_the_chain_is_past_it(lose: object) -> None:
    assert callable(lose)
    cluster = prepared_everywhere()
    cluster.drop = lambda _: False
    cluster.crash(0)
    lose(cluster.nodes[0])
    cluster.nodes[0].effects.clear()
    cluster.restart(0)
    assert is_observing(cluster)

    cluster.advance(1_000)
    assert cluster.heights == [1, 1, 1, 1]
    assert sent(cluster.nodes[0], Commit) == []
    assert not is_observing(cluster)

    cluster.submit("b")
    cluster.run()
    assert len(sent(cluster.nodes[0], Commit)) == 1


def test_with_the_guard_lost_only_the_operator_lets_the_node_vote_again() -> None:
    cluster = Cluster(4).start()
    cluster.submit("a")
    cluster.run()
    cluster.crash(0)
    lose_guard(cluster.nodes[0])
    cluster.restart(0)
    cluster.nodes[0].effects.clear()
    for name in ("b", "c"):
        cluster.submit(name)
        cluster.advance(1_000)
    assert cluster.heights == [3, 3, 3, 3]
    assert sent(cluster.nodes[0], Prepare) == []
    assert "guard accept" in str(cluster.nodes[0].replica.observing_reason)

    cluster.crash(0)
    cluster.nodes[0].guard = accepted_guard(after_height=3)
    cluster.restart(0)
    assert is_observing(cluster)
    for name in ("d", "e"):
        cluster.submit(name)
        cluster.advance(1_000)

    assert [message.vote.height for message in sent(cluster.nodes[0], Prepare)] == [5]


def test_a_vote_with_the_own_signature_that_was_never_made_here_stops_voting() -> None:
    cluster = Cluster(4).start().run()

    cluster.deliver(2, 0, prepare(cluster, 0, bytes([5]) * 32))

    (reason,) = cluster.nodes[0].halts
    assert "another process uses the same key" in reason
    cluster.submit("a")
    cluster.run()
    assert cluster.heights == [1, 1, 1, 1]
    assert sent(cluster.nodes[0], Commit) == []


def test_an_observing_node_is_not_alarmed_by_its_own_earlier_votes() -> None:
    cluster = prepared_everywhere()
    cluster.crash(0)
    lose_journal(cluster.nodes[0])
    cluster.restart(0)

    cluster.advance(1_000)

    assert cluster.nodes[0].halts == []
    assert is_observing(cluster)


def test_a_late_view_change_of_an_old_height_does_not_disturb_a_restarted_node() -> None:
    cluster = Cluster(4).start()
    cluster.submit("a")
    cluster.run()
    cluster.crash(0)
    cluster.restart(0)

    cluster.deliver(2, 0, view_change(cluster, 2, 1))

    assert cluster.nodes[0].faults == []
    assert cluster.nodes[0].replica.height == 2
