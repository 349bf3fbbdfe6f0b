"""``python -m benchmarks.layers``: each layer by itself, so that a regression has a name.

Every figure is the least of five rounds, in microseconds an operation: on a shared machine the
least is what the code costs, and everything above it is what others cost.
"""

import json
import shutil
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.lone_chain import LoneChain
from benchmarks.state_size import BLOCK, StateSizes, measure_state_sizes
from benchmarks.workload import METERS
from chain.codec import encode
from chain.crypto import ED25519
from chain.mempool import Mempool, MempoolLimits
from chain.parameters import Parameters
from chain.transaction import Transaction
from consensus.messages import MESSAGES, Bodies
from contracts.reading import SubmitReadings
from node.leveldb import LevelDatabase
from node.memory_database import MemoryDatabase
from p2p.frames import FrameDecoder, Lane, encode_frame

ROUNDS: Final = 5
BATCHES: Final = 20
BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Cost of one operation of one layer."""

    name: str
    per: str
    """What is counted, such as "transaction"."""
    us: float


def best_us(work: Callable[[], object], operations: int) -> float:
    """Returns microseconds of one operation, the least of five rounds.

    Args:
        work: does so many operations, and may be repeated.
        operations: in one call of it.
    """
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - began_s)
    return min(rounds) / operations * 1_000_000


def measure() -> Iterator[Figure]:
    """Yields the figures of all layers but those of the state's size as they are found."""
    chain = LoneChain(MemoryDatabase(), time.time_ns() // 1_000_000)
    singles = chain.transactions(BLOCK, 1)
    batches = chain.transactions(BATCHES, BATCH)
    yield from _codec(singles, batches)
    yield from _pool(singles)
    yield from _execution(chain, singles)
    yield from _database()
    yield from _frames(singles)


def _codec(singles: list[Transaction], batches: list[Transaction]) -> Iterator[Figure]:
    wires = [each.wire for each in singles]
    arguments = [each.payload.arguments for each in singles]
    many = [each.payload.arguments for each in batches]
    yield Figure(
        name="codec: parse a transaction of one reading",
        per="transaction",
        us=best_us(lambda: [Transaction.parse(each) for each in wires], len(wires)),
    )
    yield Figure(
        name="codec: decode arguments of one reading",
        per="transaction",
        us=best_us(lambda: [SubmitReadings.decode(each) for each in arguments], len(arguments)),
    )
    yield Figure(
        name="codec: decode arguments of 100 readings",
        per="reading",
        us=best_us(lambda: [SubmitReadings.decode(each) for each in many], len(many) * BATCH),
    )
    yield Figure(
        name="crypto: check a signature",
        per="transaction",
        us=best_us(lambda: [each.is_signed(ED25519) for each in singles], len(singles)),
    )


def _pool(singles: list[Transaction]) -> Iterator[Figure]:
    limits = MempoolLimits(
        transactions_max=50_000, bytes_max=2**27, per_sender_max=10_000, per_sender_own_max=10_000
    )
    ids = [each.id for each in singles]
    deadline_ms = singles[0].payload.valid_until_ms

    def work() -> None:
        pool = Mempool(limits)
        for each in singles:
            pool.add(each, 0)
        picked = pool.pick(
            parent_time_ms=deadline_ms - 60_000,
            time_ms=deadline_ms - 59_999,
            parameters=Parameters(),
            work_of=lambda _: 2,
        )
        assert len(picked) == len(singles), "the pool gives back what it took"
        pool.remove(ids)

    yield Figure(
        name="mempool: add, pick, remove", per="transaction", us=best_us(work, len(singles))
    )


def _execution(chain: LoneChain, singles: list[Transaction]) -> Iterator[Figure]:
    # The first block makes each meter's state; the measured ones find it, as on a running chain.
    chain.commit(chain.build(singles))
    following = chain.transactions(BLOCK, 1)
    yield Figure(
        name=f"execute: block of {BLOCK} transactions of one reading over {METERS} meters",
        per="transaction",
        us=best_us(lambda: chain.build(following), BLOCK),
    )
    candidate = chain.build(following)
    chain.commit(candidate)
    batches = chain.transactions(BATCHES, BATCH)
    yield Figure(
        name=f"execute: block of {BATCHES} transactions of {BATCH} readings",
        per="reading",
        us=best_us(lambda: chain.build(batches), BATCHES * BATCH),
    )


def _sizes(sizes: StateSizes) -> Iterator[Figure]:
    for cost in (sizes.few, sizes.many):
        yield Figure(
            name=f"state: block of {BLOCK} single readings over {cost.keys:,} keys",
            per="transaction",
            us=cost.apply_us / BLOCK,
        )
        yield Figure(
            name=f"state: root after {BLOCK} changed keys of {cost.keys:,}",
            per="key",
            us=cost.root_us / BLOCK,
        )


def _key(index: int) -> bytes:
    return b"meter-state/%09d" % index


def _database() -> Iterator[Figure]:
    directory = Path(tempfile.mkdtemp(prefix="tanlian-layers-"))
    database = LevelDatabase(directory / "database", create=True)
    batch: list[tuple[bytes, bytes | None]] = [
        (b"s" + _key(index), bytes(200)) for index in range(100)
    ]
    try:
        yield Figure(
            name="LevelDB: synced batch of 100 entries of 200 bytes",
            per="entry",
            us=best_us(lambda: database.write(batch), len(batch)),
        )
    finally:
        database.close()
        shutil.rmtree(directory)


def _frames(singles: list[Transaction]) -> Iterator[Figure]:
    bodies = Bodies(transactions=tuple(each.wire for each in singles[:200]))
    payload = MESSAGES.encode(bodies)
    frames = encode_frame(Lane.TRANSACTIONS, payload) * 10

    def receive() -> None:
        for frame in FrameDecoder().feed(frames):
            MESSAGES.decode(frame.payload)

    yield Figure(
        name="frames: cut and decode a batch of 200 bodies",
        per="transaction",
        us=best_us(receive, 10 * 200),
    )
    yield Figure(
        name="frames: encode a batch of 200 bodies",
        per="transaction",
        us=best_us(lambda: encode_frame(Lane.TRANSACTIONS, MESSAGES.encode(bodies)), 200),
    )
    wires = [each.wire for each in singles[:200]]
    yield Figure(
        name="RPC: encode a MessagePack request of 200 bodies",
        per="transaction",
        us=best_us(lambda: encode(tuple(wires)), 200),
    )


def main() -> None:
    """Prints the figures as they are found; with ``--json`` one line with all of them."""
    options = ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    options.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    as_json = options.parse_args().json
    figures: list[Figure] = []
    for figure in measure():
        figures.append(figure)
        if not as_json:
            print(f"{figure.us:10.2f} us a {figure.per:<12} {figure.name}", flush=True)
    sizes = measure_state_sizes()
    for figure in _sizes(sizes):
        figures.append(figure)
        if not as_json:
            print(f"{figure.us:10.2f} us a {figure.per:<12} {figure.name}", flush=True)
    ratios = {"apply_block": round(sizes.apply_ratio, 3), "root": round(sizes.root_ratio, 3)}
    if as_json:
        print(json.dumps({"figures": [asdict(each) for each in figures], "ratios": ratios}))
        return
    for name, ratio in ratios.items():
        print(f"{ratio:10.2f} times as long over the large state: {name}")


if __name__ == "__main__":
    main()
