"""Offline verification: whole data passes, and any change anywhere is found."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from chain.crypto import ED25519
from node.errors import LocalError, StorageError
from node.leveldb import LevelDatabase
from node.memory_database import MemoryDatabase
from node.storage import BODIES, ChainStore, KeyValue
from node.verification import (
    TABLES,
    VerificationError,
    VerificationReport,
    replay_until,
    verify_database,
)
from tests import chain_samples as samples
from tests.kernel_samples import NodeNotes, commit_block, new_store, new_workshop, note

GENESIS = samples.genesis()


def fill(database: KeyValue, blocks: int = 3) -> None:
    store = new_store(GENESIS, database)
    workshop = new_workshop(GENESIS, store)
    for number in range(blocks):
        commit_block(
            GENESIS, store, workshop, [note(GENESIS, 2 * number), note(GENESIS, 2 * number + 1)]
        )


def verify(database: KeyValue) -> VerificationReport:
    return verify_database(database, genesis=GENESIS, contracts=NodeNotes(), scheme=ED25519)


def test_whole_data_is_verified_and_counted() -> None:
    database = MemoryDatabase()
    fill(database)
    seen: list[tuple[int, int]] = []

    report = verify_database(
        database,
        genesis=GENESIS,
        contracts=NodeNotes(),
        scheme=ED25519,
        on_block=lambda height, head: seen.append((height, head)),
    )

    assert (report.height, report.block_count, report.transaction_count) == (3, 3, 6)
    assert report.chain_id == GENESIS.chain_id
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert report.entry_count == sum(1 for _ in database.iterate(b"", b""))


def test_a_chain_without_blocks_is_whole() -> None:
    database = MemoryDatabase()
    fill(database, blocks=0)

    assert verify(database).height == 0


@pytest.mark.parametrize("table", TABLES)
def test_a_flipped_bit_in_any_table_is_found(table: str) -> None:
    database = MemoryDatabase()
    fill(database)
    letter = table.encode()
    for key, value in list(database.iterate(letter, letter)):
        if not value:
            continue
        damaged = bytes([value[len(value) // 2] ^ 1])
        middle = len(value) // 2
        database.write([(key, value[:middle] + damaged + value[middle + 1 :])])

        with pytest.raises((LocalError, OverflowError)):
            verify(database)

        database.write([(key, value)])
    verify(database)


@pytest.mark.parametrize("level", [0, 1, 9])
def test_what_another_library_compressed_is_whole_as_well(level: int) -> None:
    database = MemoryDatabase()
    fill(database)
    for key, value in list(database.iterate(BODIES, BODIES)):
        database.write([(key, zlib.compress(zlib.decompress(value), level))])

    verify(database)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda value: value[:-1], "a part of one, or more"),
        (lambda value: value + b"x", "a part of one, or more"),
        (lambda value: b"x" + value, "expected a compressed list of transactions"),
        (lambda value: value[:0], "a part of one, or more"),
    ],
)
def test_bodies_that_are_no_compressed_list_are_told(
    damage: Callable[[bytes], bytes], match: str
) -> None:
    database = MemoryDatabase()
    fill(database)
    ((key, value), *_) = database.iterate(BODIES, BODIES)
    database.write([(key, damage(value))])

    with pytest.raises(StorageError, match=match):
        ChainStore(database).block(1)


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_and_an_additional_entry_is_found(table: str) -> None:
    database = MemoryDatabase()
    fill(database)
    letter = table.encode()
    key, value = list(database.iterate(letter, letter))[-1]

    database.write([(key, None)])
    with pytest.raises(LocalError):
        verify(database)

    database.write([(key, value), (key + b"x", b"1")])
    with pytest.raises(LocalError):
        verify(database)


def test_data_of_another_chain_is_refused() -> None:
    database = MemoryDatabase()
    fill(database)
    other = samples.genesis(network="other")

    with pytest.raises(VerificationError, match="another one"):
        verify_database(database, genesis=other, contracts=NodeNotes(), scheme=ED25519)


def test_a_flipped_byte_in_any_place_of_a_file_of_leveldb_is_found(tmp_path: Path) -> None:
    place = tmp_path / "database"
    opened = LevelDatabase(place, create=True)
    fill(opened, blocks=2)
    opened.close()
    (log,) = place.glob("*.log")
    whole = log.read_bytes()

    for offset in range(7, len(whole), len(whole) // 40):
        for file in place.iterdir():
            if file.suffix in {".ldb", ".log"} and file != log:
                file.unlink()
        log.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x40]) + whole[offset + 1 :])
        with pytest.raises(LocalError):
            verify_opened(place)
        log.write_bytes(whole)


def verify_opened(place: Path) -> None:
    database = LevelDatabase(place, create=False)
    try:
        verify(database)
    finally:
        database.close()


def test_the_state_of_any_block_is_computed_again() -> None:
    database = MemoryDatabase()
    fill(database)
    for height in (1, 2, 3):
        store = replay_until(
            database, height, genesis=GENESIS, contracts=NodeNotes(), scheme=ED25519
        )
        header = ChainStore(database).header(height)
        assert header is not None
        assert (store.head_height(), store.open_tree().root) == (height, header.state_root)


@pytest.mark.parametrize("height", [0, 4])
def test_a_block_that_is_not_there_is_not_computed(height: int) -> None:
    database = MemoryDatabase()
    fill(database)
    with pytest.raises(VerificationError, match="expected one from 1 to the head, 3"):
        replay_until(database, height, genesis=GENESIS, contracts=NodeNotes(), scheme=ED25519)
