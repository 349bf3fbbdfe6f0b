"""``python -m benchmarks.wide_area``: four validators far from each other, simulated on this host.

Each node is dialled through a proxy that delivers everything later: 20 to 150 ms one way, drawn for
each link by a seed. The delays stand between nodes only; clients are near theirs.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from benchmarks.bounded import bounded
from benchmarks.delaying_proxy import DelayingProxy, delay_ms_of
from benchmarks.founding import found
from benchmarks.phases import SETTLE_S, Paced, Saturation, Span, pace
from benchmarks.run import saturate_singles
from benchmarks.supply import Supply
from benchmarks.testbed import failing_plainly, running
from node.config import dump, load
from node.devnet import Devnet
from node.provisioning import CONFIG_FILE, Network, free_ports

VALIDATORS: Final = 4
SEED: Final = 1
SLOW_RATE: Final = 100.0
PACED_S: Final = 15.0
SPAN: Final = Span(warm_s=4.0, seconds=20.0)
RATE_MAX: Final = 6_000
"""Transactions a second that are signed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WideArea:
    """What a network with long links does."""

    seed: int
    slow: Paced
    single: Saturation
    half: Paced

    def words(self) -> list[str]:
        """Returns the lines of a table."""
        single = self.single
        changes = f"{single.view_changes} changes of the primary"
        return [
            f"saturation: {single.per_second:,.0f} tx/s in {single.blocks} blocks, {changes}",
            _latency_words("at 100 tx/s", self.slow),
            _latency_words("at half of saturation", self.half),
        ]


def measure_wide_area(seed: int = SEED) -> WideArea:
    """Founds a network behind proxies and measures it.

    Raises:
        BenchmarkFailed: it lost something.
    """
    with TemporaryDirectory(prefix="tanlian-wide-") as directory, failing_plainly():
        network = found(Path(directory) / "network", VALIDATORS)
        return uvloop.run(_measure(network, seed))


async def _measure(network: Network, seed: int) -> WideArea:
    async with _apart(network, seed), running(network, Devnet(network)) as (rig, workloads):
        supply = Supply(workloads.single)
        queues = supply.reserve(int(SLOW_RATE * (PACED_S + SETTLE_S) * 2))
        slow = await pace(rig, queues, SLOW_RATE, PACED_S)
        await rig.drain()
        single = await saturate_singles(rig, supply, SPAN, rate_max=RATE_MAX)
        rate = single.per_second / 2
        queues = supply.reserve(int(rate * (PACED_S + SETTLE_S) * 2))
        half = await pace(rig, queues, rate, PACED_S)
        await rig.drain()
        return WideArea(seed=seed, slow=slow, single=single, half=half)


@asynccontextmanager
async def _apart(network: Network, seed: int) -> AsyncIterator[None]:
    """Puts a proxy where the genesis says that each node is, and moves the node behind it."""
    proxies: list[DelayingProxy] = []
    try:
        for index, (node, port) in enumerate(
            zip(network.nodes, free_ports(len(network.nodes)), strict=True)
        ):
            path = node.home / CONFIG_FILE
            config = load(path)
            path.write_text(dump(replace(config, p2p_port=port), directory=node.home), "utf-8")
            proxy = DelayingProxy(
                port=config.p2p_port, target_port=port, delay_ms=partial(delay_ms_of, seed, index)
            )
            await proxy.start()
            proxies.append(proxy)
        yield
    finally:
        for proxy in proxies:
            await proxy.stop()


def _latency_words(when: str, paced: Paced) -> str:
    if paced.latency is None:
        return f"latency {when}: none"
    found_latency = paced.latency
    return (
        f"latency {when}: p50 {found_latency.p50_ms:.0f}, p95 {found_latency.p95_ms:.0f}, "
        f"p99 {found_latency.p99_ms:.0f} ms; {paced.committed_per_second:,.0f} of "
        f"{paced.rate:,.0f} tx/s committed, {paced.failed} failed"
    )


def main() -> None:
    """Measures and prints."""
    options = ArgumentParser(prog="python -m benchmarks.wide_area", description=__doc__)
    options.add_argument("--seed", type=bounded(0, 2**32 - 1), default=SEED, help="of the delays")
    options.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    arguments = options.parse_args()
    print("Four validators with 20 to 150 ms between them ...", file=sys.stderr)
    measured = measure_wide_area(arguments.seed)
    if arguments.json:
        print(json.dumps(asdict(measured)))
        return
    for line in measured.words():
        print(line)


if __name__ == "__main__":
    main()
