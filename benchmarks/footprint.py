"""What one transaction of a workload left on disk, read from a stopped node.

The size of a directory says little while a node runs: LevelDB keeps megabytes in its log and in
what it has not yet compacted. So the bytes of the entries themselves are added up, as far as they
belong to a workload, and scaled by what all entries together take on disk.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmarks.process import disk_bytes_of
from node.leveldb import LevelDatabase
from node.provisioning import DATABASE_DIRECTORY, NodeAddress
from node.storage import ChainStore, KeyValue

_BLOCK_TABLES: Final = (b"c", b"b", b"r")
_LOCATION_BYTES: Final = 45
"""Entry of a transaction's id: table, id, height, position."""
_PLACE_BYTES: Final = 12
"""Height and position at the end of an index key."""

Heights: TypeAlias = tuple[int, int]
"""The height before the first block, and that of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes on disk by phase, of one transaction each."""

    single: float
    batch: float


def measure_footprint(
    node: NodeAddress, *, single: tuple[Heights, str], batch: tuple[Heights, str]
) -> Footprint:
    """Reads the database of a stopped node.

    Args:
        node: whose.
        single: blocks of the workload of single readings alone, and the prefix of its meters.
        batch: the same of batches.
    """
    path = node.home / DATABASE_DIRECTORY
    database = LevelDatabase(path, create=False)
    try:
        scale = disk_bytes_of(path) / entry_bytes(database, b"")
        return Footprint(
            single=scale * bytes_per_transaction(database, *single),
            batch=scale * bytes_per_transaction(database, *batch),
        )
    finally:
        database.close()


def entry_bytes(database: KeyValue, prefix: bytes, part: bytes = b"") -> int:
    """Returns the bytes of keys and values under a prefix whose keys contain a part."""
    return sum(
        len(key) + len(value) for key, value in database.iterate(prefix, prefix) if part in key
    )


def bytes_per_transaction(database: KeyValue, heights: Heights, meters: str) -> float:
    """Returns what a transaction of a workload takes: body, receipt, places, and state.

    Args:
        database: of a node.
        heights: blocks that hold nothing else.
        meters: prefix of the names of the workload's meters; no other name contains it.
    """
    store = ChainStore(database)
    blocks = range(heights[0] + 1, heights[1] + 1)
    count = sum(header.transaction_count for each in blocks if (header := store.header(each)))
    in_blocks = 0
    for height in blocks:
        for table in _BLOCK_TABLES:
            key = table + height.to_bytes(8, "big")
            in_blocks += len(key) + len(database.get(key) or b"")
    part = f"{meters}-".encode()
    # Index and state hold what all phases of the workload left, so all its transactions share them.
    places = [key for key, _ in database.iterate(b"x" + part, b"x" + part)]
    transactions = len({key[-_PLACE_BYTES:] for key in places})
    shared = sum(map(len, places)) + entry_bytes(database, b"s", part)
    return in_blocks / max(1, count) + _LOCATION_BYTES + shared / max(1, transactions)
