"""The block store on LevelDB and in memory: one batch a block, and the same answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.receipt import Status
from node.errors import StorageError
from node.kernel.storing import certified_block, stored_block
from node.leveldb import LevelDatabase
from node.memory_database import MemoryDatabase
from node.storage import BODIES, ChainStore, KeyValue
from tests import chain_samples as samples
from tests.kernel_samples import NodeNotes, commit_block, new_store, new_workshop, note

GENESIS = samples.genesis()


@pytest.fixture(params=["leveldb", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyValue]:
    if request.param == "memory":
        yield MemoryDatabase()
        return
    opened = LevelDatabase(tmp_path / "database", create=True)
    yield opened
    opened.close()


def test_a_new_store_holds_the_genesis_and_no_block(database: KeyValue) -> None:
    store = new_store(GENESIS, database)

    assert store.genesis() == GENESIS.encode()
    assert store.head() is None
    assert store.head_height() == 0
    assert store.block(0) is None
    assert store.block(1) is None
    assert store.get(b"note/genesis") is not None


def test_a_store_is_founded_once(database: KeyValue) -> None:
    new_store(GENESIS, database)

    with pytest.raises(StorageError, match="already holds a chain"):
        new_store(GENESIS, database)


def test_everything_of_a_block_is_found_again(database: KeyValue) -> None:
    store = new_store(GENESIS, database)
    workshop = new_workshop(GENESIS, store)
    sent = [note(GENESIS, 1), note(GENESIS, 2, method="note.refuse")]

    candidate = commit_block(GENESIS, store, workshop, sent)

    head = store.head()
    assert head is not None
    assert head[0] == candidate.header
    assert store.block(1) == certified_block(candidate, head[1])
    assert store.header(1) == candidate.header
    assert store.certificate(1) == head[1]
    assert store.receipts(1) == candidate.execution.receipts
    assert [each.status for each in store.receipts(1)] == [Status.OK, Status.FAILED, Status.OK]
    second = store.locate(sent[1].id)
    assert second is not None
    assert (second.height, second.position) == (1, 1)
    assert store.holds(sent[0].id)
    assert not store.holds(b"?" * 32)
    assert [key for key, _ in store.iterate(b"note/")] == [
        b"note/genesis",
        b"note/height",
        b"note/n1",
    ]
    assert [key for key, _ in store.iterate(b"note/", b"note/h")] == [b"note/height", b"note/n1"]
    assert list(store.index_entries(b"n1\x00")) == [
        b"n1\x00" + bytes(8) + (1).to_bytes(8, "big") + bytes(4)
    ]


def test_bodies_take_less_room_than_their_transactions(database: KeyValue) -> None:
    store = new_store(GENESIS, database)
    sent = [note(GENESIS, number) for number in range(1, 51)]

    commit_block(GENESIS, store, new_workshop(GENESIS, store), sent)

    ((_, stored),) = database.iterate(BODIES, BODIES)
    assert len(stored) < sum(len(each.wire) for each in sent) * 2 // 3
    block = store.block(1)
    assert block is not None
    assert block.transactions == tuple(each.wire for each in sent)


def test_the_tree_opens_with_the_root_of_the_head(database: KeyValue) -> None:
    store = new_store(GENESIS, database)
    workshop = new_workshop(GENESIS, store)
    for number in range(5):
        commit_block(GENESIS, store, workshop, [note(GENESIS, number)])

    tree = store.open_tree()

    head = store.head()
    assert head is not None
    assert tree.root == head[0].state_root
    assert tree.key_count == sum(1 for _ in store.iterate(b""))


def test_a_duplicate_does_not_move_the_index_of_the_first(database: KeyValue) -> None:
    store = new_store(GENESIS, database)
    workshop = new_workshop(GENESIS, store)
    sent = note(GENESIS, 1)
    commit_block(GENESIS, store, workshop, [sent])

    commit_block(GENESIS, store, workshop, [sent])

    location = store.locate(sent.id)
    assert location is not None
    assert location.height == 1
    assert store.receipts(2)[0].status is Status.DUPLICATE


def test_a_block_out_of_order_is_refused_and_writes_nothing(database: KeyValue) -> None:
    store = new_store(GENESIS, database)
    workshop = new_workshop(GENESIS, store)
    first = commit_block(GENESIS, store, workshop, [note(GENESIS, 1)])
    certificate = store.certificate(1)
    assert certificate is not None

    with pytest.raises(StorageError, match="next block: expected 2, got 1"):
        store.commit(stored_block(first, certificate, NodeNotes()))

    assert store.head_height() == 1


def test_a_layout_of_another_version_is_refused(database: KeyValue) -> None:
    database.write([(b"mlayout", b"99")])

    with pytest.raises(StorageError, match="expected version 2, got"):
        ChainStore(database)


def test_a_head_without_its_header_is_damage(database: KeyValue) -> None:
    store = new_store(GENESIS, database)
    database.write([(b"mhead", (3).to_bytes(8, "big"))])

    with pytest.raises(StorageError, match="block 3"):
        store.head()
