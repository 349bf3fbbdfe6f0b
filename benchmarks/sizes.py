"""``python -m benchmarks.sizes``: what a block costs with 4, 7, 10 and 16 validators.

Real processes on this host, one network after the other, under the same light load: what grows with
the number of validators is agreement and gossip, not the transactions. Sixteen nodes share the few
cores of one host, so latencies here say that it works and not how fast it would be on sixteen
hosts; the CPU of a block does not depend on that.
"""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from benchmarks.audit import audit
from benchmarks.bounded import bounded
from benchmarks.founding import found
from benchmarks.phases import SETTLE_S, Paced, pace
from benchmarks.supply import Supply
from benchmarks.testbed import failing_plainly, running
from node.devnet import Devnet

SIZES: Final = (4, 7, 10, 16)
RATE: Final = 40.0
SECONDS: Final = 20.0
METERS: Final = 80
"""Fewer than elsewhere: they are registered through networks that are slow to do so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeCost:
    """A network of one size under the load."""

    validators: int
    paced: Paced
    transactions: int
    """Of the whole chain, the same on all nodes."""

    @property
    def cpu_ms_per_block(self) -> float:
        """Returns CPU of all nodes together."""
        return self.paced.cpu_us_per_block / 1_000

    @property
    def transactions_per_block(self) -> float:
        """Returns how full blocks were; slower networks put more into each."""
        paced = self.paced
        return paced.committed_per_second * paced.seconds / paced.blocks

    def words(self) -> str:
        """Returns one line of a table."""
        latency = self.paced.latency
        delays = "none" if latency is None else f"{latency.p50_ms:.0f} / {latency.p99_ms:.0f} ms"
        return (
            f"{self.validators:3d} validators: {self.cpu_ms_per_block:8.1f} ms of CPU a block, "
            f"{self.cpu_ms_per_block / self.validators:6.2f} ms on each; "
            f"{self.paced.committed_per_second:5.1f} of {self.paced.rate:.0f} tx/s in "
            f"{self.paced.blocks} blocks of {self.transactions_per_block:.1f}; p50 / p99 {delays}"
        )


def measure_size(validators: int) -> SizeCost:
    """Founds a network of a size, loads it, stops it and reads its chains.

    Raises:
        BenchmarkFailed: it lost, repeated or refused something it should not.
    """
    with TemporaryDirectory(prefix="tanlian-sizes-") as directory, failing_plainly():
        network = found(Path(directory) / "network", validators)

        async def measure() -> Paced:
            async with running(network, Devnet(network), meters=METERS) as (rig, workloads):
                supply = Supply(workloads.single)
                queues = supply.reserve(int(RATE * (SECONDS + SETTLE_S) * 2))
                paced = await pace(rig, queues, RATE, SECONDS)
                await rig.drain()
                return paced

        paced = uvloop.run(measure())
        found_chain = audit(network.nodes)
    return SizeCost(validators=validators, paced=paced, transactions=found_chain.transactions)


def main() -> None:
    """Measures one size after the other and prints a line for each."""
    options = ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    options.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    options.add_argument(
        "sizes", nargs="*", type=bounded(4, 31), default=SIZES, help="numbers of validators"
    )
    arguments = options.parse_args()
    costs: list[SizeCost] = []
    for validators in arguments.sizes:
        print(f"{validators} validators ...", file=sys.stderr)
        costs.append(measure_size(validators))
        if not arguments.json:
            print(costs[-1].words(), flush=True)
    if arguments.json:
        print(json.dumps([asdict(each) for each in costs]))


if __name__ == "__main__":
    main()
