"""``python -m benchmarks.opening``: how long a node takes to open a chain of a million readings.

The chain is made without consensus and network, in blocks of 10,000 readings; then its database is
opened as a node does it: store, tree, head against state, kernel.
"""

import json
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.bounded import bounded
from benchmarks.lone_chain import LoneChain
from benchmarks.process import disk_bytes_of
from chain.crypto import ED25519
from chain.genesis import Genesis
from chain.mempool import MempoolLimits
from consensus.replica import ReplicaConfig
from contracts.runtime import ContractsRuntime
from node.journals import NoJournal
from node.kernel.assembly import KernelSettings, build_kernel
from node.leveldb import LevelDatabase
from node.storage import ChainStore

READINGS: Final = 1_000_000
READINGS_PER_TRANSACTION: Final = 100
TRANSACTIONS_PER_BLOCK: Final = 99
"""The tenth part of a block's readings; one transaction fewer than fill it up."""
ROUNDS: Final = 3
_SETTINGS: Final = KernelSettings(
    replica=ReplicaConfig(t0_ms=2_000, status_interval_ms=300, censorship_timeout_ms=10_000),
    pool=MempoolLimits(
        transactions_max=50_000, bytes_max=2**27, per_sender_max=10_000, per_sender_own_max=10_000
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A chain and how long it took to open."""

    readings: int
    blocks: int
    disk_bytes: int
    state_keys: int
    first_s: float
    """The first time: LevelDB still has a log to read."""
    least_s: float
    """The least of all times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    genesis: Genesis
    blocks: int
    state_keys: int


def measure_opening(*, readings: int = READINGS) -> Opening:
    """Makes a chain in a temporary directory and opens it several times.

    Args:
        readings: in batches of 100; a million takes some minutes to make.
    """
    with TemporaryDirectory(prefix="tanlian-opening-") as directory:
        path = Path(directory) / "database"
        made = _make(path, readings)
        seconds = [_open_s(path, made.genesis) for _ in range(ROUNDS)]
        return Opening(
            readings=readings,
            blocks=made.blocks,
            disk_bytes=disk_bytes_of(path),
            state_keys=made.state_keys,
            first_s=seconds[0],
            least_s=min(seconds),
        )


def _make(path: Path, readings: int) -> _Made:
    database = LevelDatabase(path, create=True)
    try:
        chain = LoneChain(database, time.time_ns() // 1_000_000)
        missing = -(-readings // READINGS_PER_TRANSACTION)
        while missing:
            count = min(missing, TRANSACTIONS_PER_BLOCK)
            chain.commit(chain.build(chain.transactions(count, READINGS_PER_TRANSACTION)))
            missing -= count
        return _Made(
            genesis=chain.genesis,
            blocks=chain.store.head_height(),
            state_keys=chain.tree.key_count,
        )
    finally:
        database.close()


def _open_s(path: Path, genesis: Genesis) -> float:
    began_s = time.perf_counter()
    database = LevelDatabase(path, create=False)
    try:
        build_kernel(
            genesis=genesis,
            store=ChainStore(database),
            journal=NoJournal(),
            contracts=ContractsRuntime(),
            signer=None,
            scheme=ED25519,
            settings=_SETTINGS,
        )
        return time.perf_counter() - began_s
    finally:
        database.close()


def main() -> None:
    """Measures and prints."""
    options = ArgumentParser(prog="python -m benchmarks.opening", description=__doc__)
    options.add_argument(
        "--readings", type=bounded(1, 10**8), default=READINGS, help="of the chain"
    )
    options.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    arguments = options.parse_args()
    print(f"Making a chain of {arguments.readings:,} readings ...", file=sys.stderr)
    opening = measure_opening(readings=arguments.readings)
    if arguments.json:
        print(json.dumps(asdict(opening)))
        return
    print(
        f"{opening.readings:,} readings in {opening.blocks} blocks, {opening.state_keys:,} keys, "
        f"{opening.disk_bytes / 2**20:.0f} MB: opened in {opening.first_s:.2f} s, "
        f"at best {opening.least_s:.2f} s"
    )


if __name__ == "__main__":
    main()
