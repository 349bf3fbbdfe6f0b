"""The guard stands between a handler and the key; what should not exist is noticed."""

from chain.vote import VoteKind
from consensus.authenticate import Signed
from consensus.messages import NewView, PrePrepare
from consensus.normal_case import on_pre_prepare
from consensus.predicates import may_vote
from consensus.voting import halt, on_conflict, on_own_vote_seen, sign
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    header,
    new_view,
    pre_prepare,
    prepare,
    sent,
    view_change,
    vote,
)

DIGEST = bytes([9]) * 32


def test_the_same_vote_is_signed_once_and_a_conflicting_one_never() -> None:
    state = Cluster(4).start().run().nodes[0].replica._state

    first = sign(state, VoteKind.PREPARE, 0, DIGEST)
    guard = state.guard

    assert first is not None
    assert sign(state, VoteKind.PREPARE, 0, DIGEST) is first
    assert sign(state, VoteKind.PREPARE, 0, bytes(32)) is None
    assert sign(state, VoteKind.PRE_PREPARE, 0, DIGEST) is None
    assert state.guard is guard


def test_a_halted_node_signs_nothing() -> None:
    state = Cluster(4).start().run().nodes[0].replica._state

    halt(state, "a reason")

    assert halt(state, "another") == []
    assert state.halt_reason == "a reason"
    assert not may_vote(state)
    assert sign(state, VoteKind.PREPARE, 0, DIGEST) is None


def test_the_replica_says_why_it_does_not_vote() -> None:
    cluster = Cluster(4).start().run()
    replica = cluster.nodes[0].replica
    assert not replica.is_halted
    assert cluster.nodes[1].replica.observing_reason is None

    halt(replica._state, "a reason")

    assert replica.observing_reason == "a reason"
    assert cluster.nodes[0].replica.is_halted


def test_two_votes_for_one_digest_are_no_conflict() -> None:
    cluster = Cluster(4).start().run()
    state = cluster.nodes[0].replica._state
    one = prepare(cluster, 2, DIGEST).vote

    assert on_conflict(state, one, one) == []


def test_an_own_vote_that_contradicts_a_made_one_is_evidence_against_the_own_key() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    made = sign(node.replica._state, VoteKind.PREPARE, 0, DIGEST)
    assert made is not None

    effects = on_own_vote_seen(node.replica._state, prepare(cluster, 0, bytes(32)).vote)

    assert [type(effect).__name__ for effect in effects] == ["RecordEvidence", "Halt"]


def test_the_own_vote_passed_on_by_a_peer_is_nothing_new() -> None:
    cluster = Cluster(4).start().run()
    state = cluster.nodes[0].replica._state
    made = sign(state, VoteKind.PREPARE, 0, DIGEST)
    assert made is not None

    assert on_own_vote_seen(state, made) == []


def test_a_foreign_proposal_or_new_view_with_the_own_signature_stops_the_primary() -> None:
    first = Cluster(4).start().run()
    block = header(first, 1, "a")
    first.deliver(0, 1, pre_prepare(first, 1, block, "a"))
    assert len(first.nodes[1].halts) == 1

    second = Cluster(4).start().run()
    changes = [view_change(second, signer, 1) for signer in (0, 1, 3)]
    proposal = pre_prepare(second, 2, header(second, 2, "a"), "a", view=1)
    second.deliver(0, 2, new_view(second, 2, 1, changes, proposal))
    assert len(second.nodes[2].halts) == 1

    third = Cluster(4).start().run()
    third.deliver(2, 0, view_change(third, 0, 1))
    assert len(third.nodes[0].halts) == 1


def test_a_second_new_view_of_one_primary_is_evidence() -> None:
    cluster = Cluster(4).start().run()
    changes = [view_change(cluster, signer, 1) for signer in (0, 2, 3)]
    for names in (("a",), ("a", "b")):
        proposal = pre_prepare(cluster, 2, header(cluster, 2, *names), *names, view=1)
        cluster.deliver(2, 0, new_view(cluster, 2, 1, changes, proposal))

    (evidence,) = cluster.nodes[0].evidence
    assert evidence.first.kind is VoteKind.NEW_VIEW
    assert sent(cluster.nodes[0], NewView) == []


def test_a_validator_with_two_view_changes_to_one_view_leaves_evidence() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    cluster.deliver(2, 0, view_change(cluster, 2, 1))
    other = vote(cluster, 2, VoteKind.VIEW_CHANGE, DIGEST, view=1)

    effects = on_conflict(
        node.replica._state, node.replica._state.instance.view_changes[2].vote, other
    )

    assert [type(effect).__name__ for effect in effects] == ["RecordEvidence"]


def test_a_proposal_of_view_0_is_ignored_by_a_node_that_has_left_it() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    cluster.deliver(2, 0, view_change(cluster, 2, 1))
    cluster.deliver(3, 0, view_change(cluster, 3, 1))
    assert node.replica.view == 1
    message = pre_prepare(cluster, 1, header(cluster, 1, "a"), "a")

    cluster.deliver(1, 0, message)

    assert on_pre_prepare(node.replica._state, Signed(sender=node.key, message=message)) == []
    assert sent(node, PrePrepare) == []
    assert node.replica._state.instance.proposal is None


def test_metrics_name_those_whose_votes_are_missing() -> None:
    cluster = Cluster(4).start()
    cluster.crash(3)
    for name in ("a", "b"):
        cluster.submit(name)
        cluster.advance(400)

    replica = cluster.nodes[0].replica

    assert replica.last_vote_heights == {
        cluster.nodes[0].key: 2,
        cluster.nodes[1].key: 2,
        cluster.nodes[2].key: 2,
        cluster.nodes[3].key: 0,
    }
    assert replica.missing_validators == (cluster.nodes[3].key,)
