"""Candidates of one height: their bodies are found at once, and their number is bounded."""

from dataclasses import replace

import pytest

from chain.errors import InvalidBlock
from chain.mempool import Mempool, MempoolLimits
from chain.types import Hash
from consensus.effects import CommitBlock
from node.kernel.candidates import CANDIDATES_MAX, CommittedIds, Workshop
from node.kernel.effects import KernelEffect
from tests.kernel_samples import LoneNode, lone_genesis, new_store, new_workshop, note


def workshop() -> Workshop:
    genesis = lone_genesis()
    return new_workshop(genesis, new_store(genesis))


def test_the_body_of_a_candidate_is_found_until_the_height_is_decided() -> None:
    shop = workshop()
    sent = note(lone_genesis(), 1)
    proposer = shop.parent.validators.keys[0]

    candidate = shop.build([sent], time_ms=shop.parent.time_ms + 1, proposer=proposer)

    assert shop.body(sent.id) == sent.wire
    assert shop.body(b"?" * 32) is None
    shop.advance(candidate)
    assert shop.body(sent.id) is None


def test_a_search_for_a_body_does_not_walk_through_the_block() -> None:
    shop = workshop()
    notes = [note(lone_genesis(), number) for number in range(3)]
    shop.build(notes, time_ms=shop.parent.time_ms + 1, proposer=shop.parent.validators.keys[0])
    (candidate,) = shop._candidates.values()
    # With the candidate's own list gone, only the index can answer.
    object.__setattr__(candidate, "transactions", ())

    assert [shop.body(each.id) for each in notes] == [each.wire for each in notes]


def test_candidates_of_a_height_that_goes_through_many_views_are_bounded() -> None:
    shop = workshop()
    proposer = shop.parent.validators.keys[0]
    notes = [note(lone_genesis(), number) for number in range(CANDIDATES_MAX + 1)]

    built = [
        shop.build([each], time_ms=shop.parent.time_ms + 1, proposer=proposer) for each in notes
    ]

    assert shop.candidate(built[0].header.hash) is None
    assert shop.body(notes[0].id) is None
    assert shop.candidate(built[1].header.hash) is built[1]
    assert shop.candidate(built[-1].header.hash) is built[-1]


def test_a_forged_copy_of_a_block_that_was_judged_does_not_take_the_true_one_away() -> None:
    shop = workshop()
    sent = note(lone_genesis(), 1)
    true = shop.build(
        [sent], time_ms=shop.parent.time_ms + 1, proposer=shop.parent.validators.keys[0]
    )

    with pytest.raises(InvalidBlock, match="state_root"):
        shop.check(replace(true.header, state_root=bytes(32)), [sent])

    assert shop.candidate(true.header.hash) is true


def test_a_certified_block_whose_result_was_dropped_is_executed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = LoneNode()
    dropped: list[CommitBlock] = []
    commit = node.kernel._commit

    def forget_and_commit(effect: CommitBlock) -> list[KernelEffect]:
        dropped.append(effect)
        node.kernel.workshop._candidates.clear()
        return commit(effect)

    monkeypatch.setattr(node.kernel, "_commit", forget_and_commit)

    node.submit(note(node.genesis, 1))

    assert len(dropped) == 1
    assert node.store.head_height() == 1


class AskedStore:
    """Notes which ids it is asked about; all are committed."""

    def __init__(self) -> None:
        self.asked: list[Hash] = []

    def holds(self, transaction_id: Hash) -> bool:
        self.asked.append(transaction_id)
        return True


def test_the_database_is_asked_only_about_what_does_not_wait() -> None:
    pool = Mempool(
        MempoolLimits(transactions_max=9, bytes_max=9_999, per_sender_max=9, per_sender_own_max=9)
    )
    waiting, other = note(lone_genesis(), 1), note(lone_genesis(), 2)
    pool.add(waiting, 0)
    store = AskedStore()
    index = CommittedIds(store, pool)

    assert not index.holds(waiting.id)
    assert index.holds(other.id)
    assert store.asked == [other.id]


def test_what_a_block_holds_waits_no_more_before_the_next_is_executed() -> None:
    node = LoneNode()

    node.submit(note(node.genesis, 1))

    assert node.store.holds(note(node.genesis, 1).id)
    assert not node.kernel.pool.holds(note(node.genesis, 1).id)
