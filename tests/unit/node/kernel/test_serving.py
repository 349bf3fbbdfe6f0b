"""Answers to peers stay within the limits of a frame."""

import pytest

from consensus.messages import BLOCKS_MAX, BlocksRequest, BodiesRequest
from node.kernel import serving
from node.kernel.serving import answer_blocks, answer_bodies
from node.storage import ChainStore
from tests import chain_samples as samples
from tests.kernel_samples import commit_block, new_store, new_workshop, note

GENESIS = samples.genesis()


def chain_of(blocks: int, text: str = "") -> ChainStore:
    store = new_store(GENESIS)
    workshop = new_workshop(GENESIS, store)
    for number in range(blocks):
        commit_block(GENESIS, store, workshop, [note(GENESIS, number, text=text)])
    return store


def heights(store: ChainStore, first: int, count: int) -> list[int]:
    answers = answer_blocks(BlocksRequest(first_height=first, count=count), store)
    return [block.header.height for answer in answers for block in answer.blocks]


def test_blocks_are_served_from_the_height_asked_for() -> None:
    store = chain_of(4)

    assert heights(store, 2, 2) == [2, 3]
    assert heights(store, 3, 100) == [3, 4]


def test_nothing_is_served_for_heights_that_are_not_here() -> None:
    store = chain_of(1)

    assert heights(store, 2, 5) == []
    assert heights(store, 0, 5) == []
    assert heights(store, 1, 0) == []
    assert heights(store, 2**64 - 1, 65_535) == []


def test_one_answer_holds_a_bounded_number_of_blocks() -> None:
    store = chain_of(BLOCKS_MAX + 1)

    assert heights(store, 1, 65_535) == list(range(1, BLOCKS_MAX + 1))


def test_one_answer_holds_bounded_bytes_but_always_the_first_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = chain_of(3)
    first = store.block(1)
    assert first is not None
    size = sum(map(len, first.transactions))

    monkeypatch.setattr(serving, "BLOCKS_BYTES_MAX", 2 * size)
    assert heights(store, 1, 3) == [1, 2]
    monkeypatch.setattr(serving, "BLOCKS_BYTES_MAX", 2 * size - 1)
    assert heights(store, 1, 3) == [1]
    monkeypatch.setattr(serving, "BLOCKS_BYTES_MAX", 0)
    assert heights(store, 1, 3) == [1]


def test_bodies_that_are_not_here_are_left_out() -> None:
    known = {b"a" * 32: b"body a", b"c" * 32: b"body c"}
    request = BodiesRequest(transaction_ids=(b"a" * 32, b"b" * 32, b"c" * 32))

    (answer,) = answer_bodies(request, known.get)

    assert answer.transactions == (b"body a", b"body c")
    assert answer_bodies(BodiesRequest(transaction_ids=(b"z" * 32,)), known.get) == []
