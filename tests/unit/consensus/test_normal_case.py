"""PRE-PREPARE, PREPARE, COMMIT: what is sent, in which order, and what is withheld."""

from dataclasses import replace

import pytest

from chain.block import Header
from chain.evidence import Equivocation
from chain.transaction import Transaction
from consensus.effects import Broadcast, CommitBlock, Effect, Persist
from consensus.events import ProposalAssembled, ProposalJudged, WorkChanged
from consensus.messages import Commit, NewView, Prepare, PrePrepare, ViewChange
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    certificate,
    changed,
    commit,
    header,
    pre_prepare,
    prepare,
    sent,
)
from tests.unit.consensus.toy_chain import transaction

VOTES = (PrePrepare, Prepare, Commit, ViewChange, NewView)


def votes_and_writes(effects: list[Effect]) -> list[str]:
    """Names of the writes and of the votes sent, in order."""
    names = []
    for effect in effects:
        if isinstance(effect, Persist):
            names.append("Persist")
        elif isinstance(effect, Broadcast) and isinstance(effect.message, VOTES):
            names.append(type(effect.message).__name__)
    return names


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 10])
def test_a_transaction_commits_on_all_validators(count: int) -> None:
    cluster = Cluster(count).start()

    cluster.submit("a")
    cluster.run()

    assert cluster.heights == [1] * count
    assert cluster.nodes[0].blocks[0].transactions == (transaction("a").wire,)
    assert len({node.hashes[0] for node in cluster.nodes}) == 1


def test_each_validator_persists_before_it_sends() -> None:
    cluster = Cluster(4).start()

    cluster.submit("a")
    cluster.run()

    primary, backup = cluster.nodes[1], cluster.nodes[0]
    assert votes_and_writes(primary.effects) == ["Persist", "PrePrepare", "Persist", "Commit"]
    assert votes_and_writes(backup.effects) == ["Persist", "Prepare", "Persist", "Commit"]


def test_an_observer_follows_and_never_votes() -> None:
    cluster = Cluster(4, observers=1).start()
    cluster.submit("a")
    cluster.submit("b")
    cluster.run()

    cluster.advance(1_000)

    assert cluster.heights == [2] * 5
    assert votes_and_writes(cluster.nodes[4].effects) == []
    assert not cluster.nodes[4].replica.is_validator


def test_a_single_validator_commits_alone_and_keeps_going() -> None:
    cluster = Cluster(1).start()

    for name in ("a", "b", "c"):
        cluster.submit(name)

    assert cluster.heights == [3]
    assert cluster.nodes[0].replica.height == 4


def proposal_to(cluster: Cluster, block: Header) -> None:
    cluster.deliver(1, 0, pre_prepare(cluster, 1, block, "a"))


def ready() -> Cluster:
    cluster = Cluster(4).start().run()
    for node in cluster.nodes:
        body = transaction("a")
        node.pool[body.id] = body.wire
    return cluster


def test_a_backup_prepares_a_valid_proposal() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")

    proposal_to(cluster, block)

    assert [m.vote.digest for m in sent(cluster.nodes[0], Prepare)] == [block.hash]
    assert cluster.nodes[0].faults == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chain_id": bytes(32)}, "chain_id"),
        ({"parent_hash": bytes(32)}, "parent_hash"),
        ({"proposer": bytes(32)}, "proposer"),
        ({"time_ms": 1_000_000}, "time_ms"),
        ({"time_ms": 1_012_001}, "time_ms"),
        ({"transaction_count": 2}, "transaction_count"),
        ({"transaction_root": bytes(32)}, "transaction_root"),
        ({"validator_set_hash": bytes(32)}, "validator_set_hash"),
        ({"state_root": bytes(32)}, "state_root"),
    ],
)
def test_an_invalid_proposal_is_reported_once_and_gets_no_prepare(
    changes: dict[str, bytes | int], words: str
) -> None:
    cluster = ready()
    block = changed(header(cluster, 1, "a"), **changes)

    proposal_to(cluster, block)
    proposal_to(cluster, block)

    assert sent(cluster.nodes[0], Prepare) == []
    assert len(cluster.nodes[0].faults) == 1
    assert words in cluster.nodes[0].faults[0]


def test_a_block_that_is_early_at_first_sight_is_welcome_later() -> None:
    cluster = ready()
    block = replace(header(cluster, 1, "a"), time_ms=cluster.wall_ms + 2_100)

    proposal_to(cluster, block)
    cluster.advance_one(100)
    proposal_to(cluster, block)

    assert len(sent(cluster.nodes[0], Prepare)) == 1


def test_no_prepare_without_every_body() -> None:
    cluster = ready()
    for node in cluster.nodes:
        node.pool.clear()

    proposal_to(cluster, header(cluster, 1, "a"))

    assert sent(cluster.nodes[0], Prepare) == []


def test_no_commit_below_a_quorum_of_prepares() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")
    proposal_to(cluster, block)

    # Its own PREPARE and the PRE-PREPARE make two; three are needed.
    assert sent(cluster.nodes[0], Commit) == []

    cluster.deliver(2, 0, prepare(cluster, 2, block.hash))

    assert len(sent(cluster.nodes[0], Commit)) == 1


def test_prepares_of_other_views_and_blocks_do_not_combine() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")
    proposal_to(cluster, block)

    cluster.deliver(2, 0, prepare(cluster, 2, bytes(32)))
    cluster.deliver(3, 0, prepare(cluster, 3, block.hash, view=1))

    assert sent(cluster.nodes[0], Commit) == []


def test_commits_of_different_views_do_not_combine() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")
    proposal_to(cluster, block)

    cluster.deliver(1, 0, commit(cluster, 1, block.hash))
    cluster.deliver(2, 0, commit(cluster, 2, block.hash))
    cluster.deliver(3, 0, commit(cluster, 3, block.hash, view=1))
    assert cluster.heights[0] == 0

    cluster.deliver(3, 0, prepare(cluster, 3, block.hash))

    # Prepared now, so its own COMMIT is the third of view 0.
    assert cluster.heights[0] == 1


def test_an_early_prepare_counts_once_the_proposal_is_judged() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")
    cluster.deliver(2, 0, prepare(cluster, 2, block.hash))
    cluster.deliver(3, 0, prepare(cluster, 3, block.hash))

    proposal_to(cluster, block)

    assert len(sent(cluster.nodes[0], Commit)) == 1


def test_a_quorum_of_commits_decides_before_anything_is_prepared_here() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")
    proposal_to(cluster, block)

    for signer in (1, 2, 3):
        cluster.deliver(signer, 0, commit(cluster, signer, block.hash))

    assert cluster.heights[0] == 1
    assert cluster.nodes[0].blocks[0].certificate == certificate(cluster, block.hash, [1, 2, 3])


def test_a_second_proposal_of_the_primary_is_evidence_and_gets_no_vote() -> None:
    cluster = ready()
    first, second = header(cluster, 1, "a"), header(cluster, 1, "a", "b")
    proposal_to(cluster, first)

    for _ in range(2):
        cluster.deliver(3, 0, pre_prepare(cluster, 1, second, "a", "b"))

    (evidence,) = cluster.nodes[0].evidence
    assert isinstance(evidence, Equivocation)
    assert {evidence.first.digest, evidence.second.digest} == {first.hash, second.hash}
    assert [m.vote.digest for m in sent(cluster.nodes[0], Prepare)] == [first.hash]


@pytest.mark.parametrize("make", [prepare, commit])
def test_a_validator_that_votes_twice_counts_once_and_leaves_evidence(make: object) -> None:
    cluster = ready()
    assert callable(make)

    for digest in (bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32):
        cluster.deliver(2, 0, make(cluster, 2, digest))

    assert len(cluster.nodes[0].evidence) == 1
    instance = cluster.nodes[0].replica._state.instance
    held = [*instance.prepares.values(), *instance.commits.values()]
    assert [vote.digest for vote in held] == [bytes([1]) * 32]


def test_the_two_halves_that_a_primary_parts_both_find_the_evidence() -> None:
    cluster = ready()
    one, other = header(cluster, 1, "a"), header(cluster, 1, "a", "b")
    cluster.submit("b", to=(0, 2, 3))
    cluster.deliver(1, 0, pre_prepare(cluster, 1, one, "a"))
    cluster.deliver(1, 2, pre_prepare(cluster, 1, other, "a", "b"))

    cluster.run()

    assert len(cluster.nodes[0].evidence) == 1
    assert len(cluster.nodes[2].evidence) == 1


def test_stale_and_second_answers_of_the_executor_are_ignored() -> None:
    cluster = ready()
    node = cluster.nodes[1]
    body = transaction("a")
    block = header(cluster, 1, "a")
    answer = ProposalAssembled(
        view=0, header=block, transactions=(body.wire,), transaction_ids=(body.id,)
    )

    cluster.step(node, replace(answer, view=1))
    cluster.step(node, replace(answer, header=replace(block, height=2)))
    cluster.step(node, replace(answer, header=replace(block, parent_hash=bytes(32))))
    cluster.step(cluster.nodes[0], answer)
    assert [sent(node, PrePrepare), sent(cluster.nodes[0], PrePrepare)] == [[], []]

    cluster.step(node, answer)
    cluster.step(node, answer)
    cluster.step(node, ProposalJudged(block_hash=bytes(32), fault=None, transactions=()))

    assert len(sent(node, PrePrepare)) == 1


def test_a_judged_block_is_journaled_with_its_bodies() -> None:
    cluster = ready()
    cluster.submit("a")
    cluster.nodes[0].effects.clear()

    proposal_to(cluster, header(cluster, 1, "a"))

    (written,) = [e for e in cluster.nodes[0].effects if isinstance(e, Persist)]
    assert transaction("a").wire in written.records[0]
    assert Transaction.parse(transaction("a").wire).id == transaction("a").id


def test_the_primary_asks_for_a_block_when_work_comes_and_not_before() -> None:
    cluster = Cluster(4).start().run()
    assert sent(cluster.nodes[1], PrePrepare) == []

    body = transaction("a")
    cluster.nodes[1].pool[body.id] = body.wire
    cluster.step(cluster.nodes[1], WorkChanged(is_pending=True, is_censored=False))

    assert len(sent(cluster.nodes[1], PrePrepare)) == 1


def test_a_block_judged_here_is_committed_with_its_bodies() -> None:
    cluster = ready()
    cluster.submit("a")
    cluster.run()

    orders = [e for node in cluster.nodes for e in node.effects if isinstance(e, CommitBlock)]

    # What judged it may have forgotten it behind many views.
    assert [order.transactions for order in orders] == [(transaction("a").wire,)] * 4
