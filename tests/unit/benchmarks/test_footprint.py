"""What a workload left is told apart from what others left."""

import time

import pytest

from benchmarks.footprint import bytes_per_transaction, entry_bytes
from benchmarks.lone_chain import LoneChain
from benchmarks.workload import SINGLES
from node.memory_database import MemoryDatabase
from node.storage import BODIES


def test_entries_are_counted_with_their_keys_and_by_a_part_of_them() -> None:
    database = MemoryDatabase()
    database.write([(b"sa-1", b"12"), (b"sb-1", b"123"), (b"t", b"")])

    assert entry_bytes(database, b"") == 14
    assert entry_bytes(database, b"s") == 13
    assert entry_bytes(database, b"s", b"b-") == 7


def test_a_transaction_takes_its_compressed_body_its_places_and_a_share_of_the_state() -> None:
    database = MemoryDatabase()
    chain = LoneChain(database, time.time_ns() // 1_000_000)
    before, registered = chain.store.head_height(), entry_bytes(database, BODIES)
    transactions = [each for _ in range(3) for each in chain.transactions(50, 1)]
    for start in range(0, 150, 50):
        chain.commit(chain.build(transactions[start : start + 50]))
    bodies = (entry_bytes(database, BODIES) - registered) / 150

    found = bytes_per_transaction(database, (before, before + 3), SINGLES)

    # The state of 500 meters is shared by 150 transactions only; it is much of this figure.
    state = entry_bytes(database, b"s", b"meter-") / 150
    assert found == pytest.approx(bodies + state + 190, abs=40)


def test_a_workload_that_left_nothing_takes_no_share() -> None:
    database = MemoryDatabase()
    chain = LoneChain(database, time.time_ns() // 1_000_000)

    assert bytes_per_transaction(database, (1, 1), "batch") == 45
    assert chain.store.head_height() == 1
