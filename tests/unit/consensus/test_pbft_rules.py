"""One test for each rule of docs/protocol that consensus itself keeps, named by its number.

Rules 10 (on-chain part), 21-31 and 33-35 are kept by chain, node and p2p, and tested there.
"""

import pytest

from chain.validator_set import quorum_of
from chain.vote import VoteKind
from consensus.effects import Broadcast, Effect, JudgeProposal, Persist, Send
from consensus.events import BlockCommitted
from consensus.messages import Certified, Commit, NewView, Prepare, PrePrepare, Status, ViewChange
from consensus.sign_guard import SignGuard, place_of
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    certificate,
    commit,
    header,
    prepare,
    sent,
    view_change,
    vote,
)
from tests.unit.consensus.toy_chain import MAX_BLOCK_INTERVAL_MS, Node, transaction

T0_MS = 2_000
VOTES = (PrePrepare, Prepare, Commit, ViewChange, NewView)


@pytest.mark.parametrize(
    ("count", "quorum"), [(4, 3), (5, 4), (6, 4), (7, 5), (8, 6), (9, 6), (10, 7)]
)
def test_rule_1_one_vote_below_the_quorum_decides_nothing(count: int, quorum: int) -> None:
    """Rule 1: the quorum is ceil((n + f + 1) / 2)."""
    assert quorum_of(count) == quorum
    cluster = Cluster(count).start()
    # One fewer than q nodes are up, the first primary among them.
    cluster.crash(*[index for index in range(count) if index not in range(1, quorum)])

    cluster.submit("a")
    cluster.advance(20 * T0_MS)
    assert max(cluster.heights) == 0

    cluster.restart(0)
    cluster.submit("a", to=(0,))
    cluster.advance(60 * T0_MS)
    assert min(cluster.heights[index] for index in range(quorum)) >= 1


def test_rule_2_a_digest_field_is_never_believed() -> None:
    """Rule 2: digests are recomputed from the received bytes."""
    cluster = Cluster(4).start().run()
    one, other = header(cluster, 1, "a"), header(cluster, 1, "a", "b")
    cluster.submit("a", to=(0,))
    message = PrePrepare(
        header=one,
        transaction_ids=(transaction("a").id,),
        vote=prepare(cluster, 1, other.hash).vote,
    )

    cluster.deliver(1, 0, message)

    assert len(cluster.nodes[0].faults) == 1
    assert sent(cluster.nodes[0], Prepare) == []


def test_rule_3_the_block_hash_excludes_the_view_and_votes_include_it() -> None:
    """Rule 3: a block proposed again keeps its bytes, but not its votes."""
    cluster = Cluster(4)
    block = header(cluster, 1, "a")

    low, high = commit(cluster, 2, block.hash, view=0), commit(cluster, 2, block.hash, view=1)

    assert low.vote.digest == high.vote.digest
    assert low.vote.signature != high.vote.signature


def test_rule_5_whatever_carries_a_new_vote_is_behind_a_persist() -> None:
    """Rule 5: persist, then send."""
    cluster = Cluster(4).start()
    cluster.crash(1)
    cluster.submit("a", "b")
    cluster.advance(3 * T0_MS)

    for node in cluster.nodes:
        durable = set()
        for effect in node.effects:
            if isinstance(effect, Persist) and effect.guard is not None:
                last = SignGuard.decode(effect.guard).last
                assert last is not None
                durable.add(place_of(last))
            for place in own_votes_in(effect, node):
                assert max(durable) >= place


def own_votes_in(effect: Effect, node: Node) -> list[tuple[int, int, int]]:
    if not isinstance(effect, Send | Broadcast) or not isinstance(effect.message, VOTES):
        return []
    vote = effect.message.vote
    return [place_of(vote)] if vote.signer == node.index else []


def test_rule_6_after_a_view_change_the_guard_refuses_the_lower_view() -> None:
    """Rule 6: VIEW-CHANGE to v promises no vote below v."""
    cluster = Cluster(4).start().run()
    cluster.submit("a", to=(0,))
    cluster.deliver(2, 0, view_change(cluster, 2, 1))
    cluster.deliver(3, 0, view_change(cluster, 3, 1))
    assert cluster.nodes[0].replica.view == 1

    cluster.restart(0)
    cluster.drop = lambda _: True
    cluster.deliver(1, 0, commit(cluster, 1, bytes(32)))

    assert [m.vote.view for m in sent(cluster.nodes[0], ViewChange)] == [1, 1]
    assert sent(cluster.nodes[0], Prepare) == []


def test_rule_7_prepared_needs_the_proposal_of_the_primary() -> None:
    """Rule 7: PREPAREs alone, however many, prepare nothing."""
    cluster = Cluster(4).start().run()

    for signer in (2, 3):
        cluster.deliver(signer, 0, prepare(cluster, signer, bytes([9]) * 32))

    assert sent(cluster.nodes[0], Commit) == []


def test_rule_8_when_a_height_commits_unfinished_view_changes_of_it_are_dropped() -> None:
    """Rule 8: views are for one height."""
    cluster = Cluster(4).start().run()
    cluster.deliver(2, 0, view_change(cluster, 2, 1))

    cluster.submit("a")
    cluster.run()

    assert cluster.heights == [1, 1, 1, 1]
    assert cluster.nodes[0].replica._state.instance.view_changes == {}


def test_rule_9_a_commit_certificate_is_accepted_in_any_view_at_once() -> None:
    """Rule 9 and 17: also in the middle of a view change."""
    cluster = Cluster(4).start().run()
    cluster.drop = lambda _: True
    for signer in (2, 3):
        cluster.deliver(signer, 0, view_change(cluster, signer, 1))
    assert cluster.nodes[0].replica.view == 1

    proof = certificate(cluster, header(cluster, 1, "a").hash, [1, 2, 3], view=5)
    cluster.deliver(3, 0, Certified(certificate=proof))

    assert cluster.nodes[0].replica._state.instance.certificate == proof


def test_rule_11_evidence_removes_nobody_by_itself() -> None:
    """Rule 11: the liar's next votes count as before."""
    cluster = Cluster(4).start().run()
    for digest in (bytes([1]) * 32, bytes([2]) * 32):
        cluster.deliver(3, 0, prepare(cluster, 3, digest))
    assert len(cluster.nodes[0].evidence) == 1

    cluster.submit("a")
    cluster.advance(1_000)

    assert cluster.heights == [1, 1, 1, 1]
    assert cluster.nodes[0].replica._state.validators == cluster.genesis_validators


def test_rule_13_one_view_change_for_each_sender_is_kept_the_highest() -> None:
    """Rule 13: no memory is indexed by a view that a peer chose."""
    cluster = Cluster(7).start().run()

    for view in (5, 9, 2, 9, 1_000_000):
        cluster.deliver(3, 0, view_change(cluster, 3, view))

    held = cluster.nodes[0].replica._state.instance.view_changes
    assert [change.vote.view for change in held.values()] == [1_000_000]


def test_rule_16_after_all_nodes_lost_every_message_status_alone_brings_the_chain_forward() -> None:
    """Rule 16: what one lacks, another sends."""
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: not isinstance(e.message, Status)
    cluster.submit("a")
    cluster.run()
    assert cluster.heights == [0, 0, 0, 0]

    cluster.drop = lambda _: False
    cluster.advance(900)

    assert cluster.heights == [1, 1, 1, 1]
    assert cluster.nodes[0].blocks[0].certificate.view == 0


def test_rule_18_the_primary_stays_and_rotation_moves_it_on() -> None:
    """Rule 18: sticky by chain data alone."""
    cluster = Cluster(4, rotation_blocks=3).start()

    for number in range(8):
        cluster.submit(f"note {number}")
        cluster.run()

    proposers = [
        [node.key for node in cluster.nodes].index(block.header.proposer)
        for block in cluster.nodes[0].blocks
    ]
    assert proposers == [1, 1, 2, 2, 2, 3, 3, 3]


def test_rule_20_nobody_can_race_empty_blocks() -> None:
    """Rule 20: a block without transactions waits for max_block_interval."""
    cluster = Cluster(4).start().run()
    early = cluster.make_header(cluster.nodes[1], (), time_ms=cluster.wall_ms)
    message = PrePrepare(
        header=early, transaction_ids=(), vote=vote(cluster, 1, VoteKind.PRE_PREPARE, early.hash)
    )

    cluster.deliver(1, 0, message)

    assert "block without transactions" in cluster.nodes[0].faults[0]
    judged = [e for e in cluster.nodes[0].effects if isinstance(e, JudgeProposal)]
    assert judged == []
    assert MAX_BLOCK_INTERVAL_MS == 60_000


def test_rule_32_a_block_that_is_not_the_next_is_not_taken_over() -> None:
    """Rule 32: head and height always fit."""
    cluster = Cluster(4).start()
    cluster.submit("a")
    cluster.run()
    node = cluster.nodes[0]
    stale = node.blocks[0]

    again = BlockCommitted(
        header=stale.header,
        certificate=stale.certificate,
        next_validators=cluster.genesis_validators,
    )
    cluster.step(node, again)

    assert node.replica.height == 2
