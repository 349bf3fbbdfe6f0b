"""One run from nothing to figures: network, phases in order, audit."""

import asyncio
import os
import platform
import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.audit import audit, first_block_not_by
from benchmarks.ceiling import measure_verify_us
from benchmarks.figures import ceiling_per_second, seconds_until
from benchmarks.founding import found, register
from benchmarks.phases import (
    POST_MAX,
    RESUME_MAX_S,
    Kill,
    Paced,
    Saturation,
    Span,
    kill_primary,
    overload,
    pace,
    saturate,
)
from benchmarks.process import machine
from benchmarks.result import HALF, Environment, Result
from benchmarks.rig import Rig
from node.devnet import Devnet
from node.genesis_file import load_genesis
from node.provisioning import Network, NodeAddress

READINGS_PER_BATCH: Final = 100
BACKLOG_MAX: Final = 8_000
"""Four full blocks wait at saturation; a fifth of what a node's pool takes."""
BATCH_BACKLOG_MAX: Final = 800
BATCH_POST_MAX: Final = 25
"""Transactions of 100 readings in one request: a quarter of a block."""
SLOW_RATE: Final = 100.0
OVERLOAD: Final = 2.0
SHARE_EXPECTED_MAX: Final = 0.8
"""More of the ceiling than this is not signed for beforehand; the window would end early."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to look at what."""

    verify_s: float
    slow_s: float
    single: Span
    shares: tuple[float, ...]
    paced_s: float
    overload: Span
    batch: Span
    batch_readings_per_second_max: int
    before_kill_s: float


QUICK: Final = Plan(
    verify_s=1.0,
    slow_s=5.0,
    single=Span(warm_s=3.0, seconds=8.0),
    shares=(HALF,),
    paced_s=5.0,
    overload=Span(warm_s=6.0, seconds=5.0),
    batch=Span(warm_s=2.0, seconds=6.0),
    batch_readings_per_second_max=60_000,
    before_kill_s=2.0,
)
"""About a minute."""
FULL: Final = Plan(
    verify_s=5.0,
    slow_s=20.0,
    single=Span(warm_s=5.0, seconds=30.0),
    shares=(0.25, HALF, 0.9),
    paced_s=15.0,
    overload=Span(warm_s=10.0, seconds=20.0),
    batch=Span(warm_s=5.0, seconds=20.0),
    batch_readings_per_second_max=60_000,
    before_kill_s=5.0,
)


def run(plan: Plan, *, validators: int, command: str, say: Say) -> Result:
    """Measures a throw-away network of processes on this host.

    Args:
        plan: how long to look at what.
        validators: number of nodes, four or more.
        command: that started this, for the record.
        say: told what happens.

    Raises:
        BenchmarkFailed: the network lost, repeated or refused something it should not.
    """
    directory = Path(tempfile.mkdtemp(prefix="tanlian-bench-"))
    try:
        network = found(directory / "network", validators)
        return _Run(plan, network, command, say).measure()
    finally:
        shutil.rmtree(directory)


class _Run:
    def __init__(self, plan: Plan, network: Network, command: str, say: Say) -> None:
        self._plan = plan
        self._network = network
        self._say = say
        self._cores = os.cpu_count() or 1
        self._environment = Environment(
            machine=machine(),
            python=platform.python_version(),
            commit=commit_of(Path(__file__).parent),
            command=command,
            validators=len(network.nodes),
            cores=self._cores,
        )
        self._ceiling = 0.0

    def measure(self) -> Result:
        verify_us = self._verify_us()
        devnet = Devnet(self._network)
        try:
            devnet.start()
            devnet.wait_ready()
            measured = uvloop.run(self._measure(devnet, verify_us))
        finally:
            devnet.stop()
        return measured

    def _verify_us(self) -> float:
        self._say("Signature checks on all cores ...")
        verify_us = measure_verify_us(cores=self._cores, seconds=self._plan.verify_s)
        self._ceiling = ceiling_per_second(
            cores=self._cores, validators=len(self._network.nodes), verify_us=verify_us
        )
        return verify_us

    async def _measure(self, devnet: Devnet, verify_before_us: float) -> Result:
        plan = self._plan
        workload = await register(self._network)
        rig = Rig(network=self._network, devnet=devnet, workload=workload)
        await rig.open()
        try:
            slow = await self._pace(rig, SLOW_RATE, plan.slow_s)
            single, disk, wire = await self._single(rig)
            rss = max(each.rss_peak_bytes for each in rig.usages())
            verify_us = (verify_before_us + await asyncio.to_thread(self._verify_us)) / 2
            paced = {
                share: await self._pace(rig, share * single.per_second, plan.paced_s)
                for share in plan.shares
            }
            flooded = await self._overload(rig, single.per_second)
            rss_flooded = max(each.rss_peak_bytes for each in rig.usages())
            batch, batch_disk = await self._batch(rig)
            kill = await self._kill(rig, single.per_second / 2)
            survivors = [self._network.nodes[lane] for lane in rig.running]
        finally:
            rig.close()
        self._say("Stopping the nodes and reading their chains ...")
        await asyncio.to_thread(devnet.stop)
        return Result(
            environment=self._environment,
            verify_us=verify_us,
            ceiling_per_second=ceiling_per_second(
                cores=self._cores, validators=len(self._network.nodes), verify_us=verify_us
            ),
            slow=slow,
            single=single,
            paced=paced,
            overload=flooded,
            batch=batch,
            readings_per_transaction=READINGS_PER_BATCH,
            resume_s=self._resume_s(kill, survivors[0]),
            rss_peak_bytes=rss,
            rss_peak_after_overload_bytes=rss_flooded,
            disk_bytes_per_transaction=disk,
            disk_bytes_per_reading=batch_disk / READINGS_PER_BATCH,
            wire_bytes=wire,
            audit=audit(survivors),
        )

    # -- phases --------------------------------------------------------------------------------

    async def _pace(self, rig: Rig, rate: float, seconds: float) -> Paced:
        self._say(f"Latency at {rate:,.0f} transactions/s, one a request ...")
        found = await pace(rig, rig.workload.sign_lanes(int(rate * seconds), 1), rate)
        await rig.drain()
        return found

    async def _single(self, rig: Rig) -> tuple[Saturation, float, int]:
        span = self._plan.single
        self._say("Saturation, one reading a transaction ...")
        queues = self._signed(rig, span, self._ceiling * SHARE_EXPECTED_MAX, BACKLOG_MAX, 1)
        wire_bytes = len(queues[0][0])
        disk, before = rig.disk_bytes(), rig.accepted
        found = await saturate(
            rig,
            queues,
            span,
            backlog_max=BACKLOG_MAX,
            post_max=POST_MAX,
            cores=self._cores,
        )
        await rig.drain()
        return found, (rig.disk_bytes() - disk) / max(1, rig.accepted - before), wire_bytes

    async def _batch(self, rig: Rig) -> tuple[Saturation, float]:
        span = self._plan.batch
        self._say(f"Saturation, {READINGS_PER_BATCH} readings a transaction ...")
        rate = self._plan.batch_readings_per_second_max / READINGS_PER_BATCH
        queues = self._signed(rig, span, rate, BATCH_BACKLOG_MAX, READINGS_PER_BATCH)
        disk, before = rig.disk_bytes(), rig.accepted
        found = await saturate(
            rig,
            queues,
            span,
            backlog_max=BATCH_BACKLOG_MAX,
            post_max=BATCH_POST_MAX,
            cores=self._cores,
        )
        await rig.drain()
        return found, (rig.disk_bytes() - disk) / max(1, rig.accepted - before)

    async def _overload(self, rig: Rig, peak: float) -> Saturation:
        span = self._plan.overload
        rate = OVERLOAD * peak
        self._say(f"Overload, one operator offers {rate:,.0f} transactions/s ...")
        count = int(rate * (span.warm_s + span.seconds) * 1.2)
        queues = rig.workload.sign_flood(count)
        found = await overload(rig, queues, span, rate=rate, cores=self._cores)
        await rig.drain()
        return found

    async def _kill(self, rig: Rig, rate: float) -> Kill:
        self._say(f"Killing the primary at {rate:,.0f} transactions/s ...")
        seconds = self._plan.before_kill_s + RESUME_MAX_S
        queues = rig.workload.sign_lanes(int(rate * seconds * 1.1), 1)
        return await kill_primary(rig, queues, rate=rate, before_s=self._plan.before_kill_s)

    def _resume_s(self, kill: Kill, survivor: NodeAddress) -> float | None:
        name = self._network.nodes[kill.lane].node_id
        genesis = load_genesis(self._network.genesis_path)
        killed = next(each for each in genesis.members if each.node_id == name)
        return seconds_until(
            first_block_not_by(survivor, killed.consensus_key, kill.height), kill.seen, kill.at_s
        )

    @staticmethod
    def _signed(
        rig: Rig, span: Span, rate: float, backlog: int, readings: int
    ) -> list[deque[bytes]]:
        return rig.workload.sign_lanes(int(rate * (span.warm_s + span.seconds)) + backlog, readings)


def commit_of(folder: Path) -> str:
    """Returns the commit that is checked out, or "unknown"; reads it as git itself stores it."""
    for parent in (folder, *folder.parents):
        head = parent / ".git" / "HEAD"
        if head.is_file():
            return _resolve(head.parent, head.read_text(encoding="ascii").strip())
    return "unknown"


def _resolve(git: Path, head: str) -> str:
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    if (git / name).is_file():
        return (git / name).read_text(encoding="ascii").strip()
    packed = git / "packed-refs"
    lines = packed.read_text(encoding="ascii").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "unknown")
