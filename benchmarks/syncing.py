"""``python -m benchmarks.syncing``: how fast a new node catches up, against how fast others went.

Four validators commit under saturation; then the load stops and an observer starts with an empty
directory. It fetches, checks and executes everything that they have committed.
"""

import asyncio
import json
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from benchmarks.founding import found
from benchmarks.phases import Saturation, Span
from benchmarks.rig import BenchmarkFailed, Rig
from benchmarks.run import saturate_singles
from benchmarks.supply import Supply
from benchmarks.testbed import failing_plainly, running
from node.devnet import Devnet
from node.provisioning import Network

VALIDATORS: Final = 4
SPAN: Final = Span(warm_s=3.0, seconds=20.0)
RATE_MAX: Final = 6_000
"""Transactions a second that are signed for."""
SYNC_MAX_S: Final = 300.0
_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSpeed:
    """A chain, made and fetched."""

    produced: Saturation
    blocks: int
    transactions: int
    start_s: float
    """From the start of the process until it answers."""
    sync_s: float
    """From then until it has the others' head."""

    @property
    def synced_per_second(self) -> float:
        """Returns transactions a second."""
        return self.transactions / self.sync_s

    @property
    def ratio(self) -> float:
        """Returns how many times as fast syncing is as producing was."""
        return self.synced_per_second / self.produced.per_second


def measure_sync() -> SyncSpeed:
    """Makes a chain and syncs a new observer.

    Raises:
        BenchmarkFailed: it does not catch up.
    """
    with TemporaryDirectory(prefix="tanlian-sync-") as directory, failing_plainly():
        whole = found(Path(directory) / "network", VALIDATORS, observers=1)
        return uvloop.run(_measure(whole))


async def _measure(whole: Network) -> SyncSpeed:
    validators = replace(whole, nodes=whole.nodes[:VALIDATORS])
    newcomer = replace(whole, nodes=whole.nodes[VALIDATORS:])
    devnet = Devnet(whole)
    async with running(validators, devnet) as (rig, workloads):
        supply = Supply(workloads.single)
        produced = await saturate_singles(rig, supply, SPAN, rate_max=RATE_MAX)
        head = (await rig.progress(0)).height
        late = Rig(network=newcomer, devnet=devnet)
        began_s = time.monotonic()
        devnet.start([newcomer.nodes[0].node_id])
        try:
            answered_s, done_s = await _follow(late, head, began_s)
        finally:
            late.close()
        return SyncSpeed(
            produced=produced,
            blocks=head,
            transactions=rig.base + rig.accepted,
            start_s=answered_s - began_s,
            sync_s=done_s - answered_s,
        )


async def _follow(late: Rig, head: int, began_s: float) -> tuple[float, float]:
    """Returns when the new node first answered and when it had the head."""
    late.connect()
    answered_s: float | None = None
    while time.monotonic() - began_s < SYNC_MAX_S:
        try:
            height = (await late.progress(0)).height
        except OSError:
            height = -1
        else:
            answered_s = answered_s or time.monotonic()
        if height >= head and answered_s is not None:
            return answered_s, time.monotonic()
        await asyncio.sleep(_LOOK_S)
    raise BenchmarkFailed(f"new node: expected height {head} within {SYNC_MAX_S:.0f} s")


def main() -> None:
    """Measures and prints."""
    options = ArgumentParser(prog="python -m benchmarks.syncing", description=__doc__)
    options.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    as_json = options.parse_args().json
    print("Making a chain, then fetching it ...", file=sys.stderr)
    found_speed = measure_sync()
    if as_json:
        print(json.dumps({**asdict(found_speed), "ratio": round(found_speed.ratio, 3)}))
        return
    print(
        f"{found_speed.blocks} blocks, {found_speed.transactions:,} transactions: made at "
        f"{found_speed.produced.per_second:,.0f} tx/s, fetched in {found_speed.sync_s:.1f} s at "
        f"{found_speed.synced_per_second:,.0f} tx/s, {found_speed.ratio:.2f} times as fast; "
        f"the process took {found_speed.start_s:.1f} s to start"
    )


if __name__ == "__main__":
    main()
