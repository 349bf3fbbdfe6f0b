"""One run from nothing to figures: network, phases in order, audit."""

import asyncio
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from benchmarks.audit import audit, first_block_not_by
from benchmarks.ceiling import measure_verify_us
from benchmarks.checked_meters import (
    checked_workload,
    register_checked,
    set_baselines,
    training,
)
from benchmarks.commit import commit_of
from benchmarks.figures import ceiling_per_second, seconds_until
from benchmarks.footprint import measure_footprint
from benchmarks.founding import Workloads, found
from benchmarks.phases import (
    HANG_MAX_S,
    POST_MAX,
    RESUME_MAX_S,
    SETTLE_S,
    Outage,
    Paced,
    Saturation,
    Span,
    fill_up,
    lose_primary,
    overload,
    pace,
    saturate,
)
from benchmarks.process import machine
from benchmarks.result import HALF, Environment, Result
from benchmarks.rig import Rig
from benchmarks.supply import Supply
from benchmarks.testbed import failing_plainly, running
from benchmarks.workload import BATCHES, SINGLES, Workload
from node.devnet import Devnet
from node.genesis_file import load_genesis
from node.provisioning import Network, NodeAddress

READINGS_PER_BATCH: Final = 100
BACKLOG_MAX: Final = 8_000
"""Three full blocks wait at saturation, so that the next one is full however late a look comes."""
BATCH_BACKLOG_MAX: Final = 400
"""Four full blocks of 10,000 readings."""
BATCH_POST_MAX: Final = 25
"""Transactions of 100 readings in one request: a quarter of a block."""
SLOW_RATE: Final = 100.0
OVERLOAD: Final = 2.0
SENDER_MAX: Final = 10_000
"""Transactions of one operator that a node's pool takes (docs/rpc.md, SENDER_QUOTA)."""
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
    before_loss_s: float
    is_full: bool
    """Whether to take the phases that the line of JSON does not need."""


QUICK: Final = Plan(
    verify_s=1.0,
    slow_s=4.0,
    single=Span(warm_s=1.5, seconds=8.0),
    shares=(HALF,),
    paced_s=4.0,
    overload=Span(warm_s=1.0, seconds=4.0),
    batch=Span(warm_s=1.0, seconds=5.0),
    batch_readings_per_second_max=80_000,
    before_loss_s=2.0,
    is_full=False,
)
"""About a minute."""
FULL: Final = Plan(
    verify_s=5.0,
    slow_s=20.0,
    single=Span(warm_s=5.0, seconds=30.0),
    shares=(0.25, HALF, 0.9),
    paced_s=15.0,
    overload=Span(warm_s=3.0, seconds=20.0),
    batch=Span(warm_s=3.0, seconds=20.0),
    batch_readings_per_second_max=80_000,
    before_loss_s=5.0,
    is_full=True,
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
    with TemporaryDirectory(prefix="tanlian-bench-") as directory, failing_plainly():
        network = found(Path(directory) / "network", validators)
        return _Run(plan, network, command, say).measure()


async def saturate_singles(rig: Rig, supply: Supply, span: Span, *, rate_max: float) -> Saturation:
    """Measures saturation by transactions of one reading, and waits until all are committed.

    Args:
        rig: the network.
        supply: signs for the span before it begins.
        span: warm-up and window.
        rate_max: more transactions/s than this are not signed for.
    """
    queues = supply.reserve(int(rate_max * (span.warm_s + span.seconds)) + BACKLOG_MAX)
    found = await saturate(
        rig,
        queues,
        span,
        backlog_max=BACKLOG_MAX,
        post_max=POST_MAX,
        cores=os.cpu_count() or 1,
    )
    await rig.drain()
    return found


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
        return uvloop.run(self._measure(Devnet(self._network), self._verify_us()))

    def _verify_us(self) -> float:
        self._say("Signature checks on all cores ...")
        verify_us = measure_verify_us(cores=self._cores, seconds=self._plan.verify_s)
        self._ceiling = ceiling_per_second(
            cores=self._cores, validators=len(self._network.nodes), verify_us=verify_us
        )
        return verify_us

    async def _measure(self, devnet: Devnet, verify_before_us: float) -> Result:
        plan = self._plan
        async with running(self._network, devnet) as (rig, workloads):
            supply = Supply(workloads.single)
            slow = await self._pace(rig, supply, SLOW_RATE, plan.slow_s)
            single = await self._single(rig, supply)
            rss = max(each.rss_peak_bytes for each in rig.usages())
            verify_us = (verify_before_us + await asyncio.to_thread(self._verify_us)) / 2
            paced = {
                share: await self._pace(rig, supply, share * single.per_second, plan.paced_s)
                for share in plan.shares
            }
            flooded = await self._overload(rig, workloads.flood, single.per_second)
            batch = await self._batch(rig, workloads.batch)
            checked = await self._checked(rig, workloads) if plan.is_full else None
            hang = await self._hang(rig, supply, single.per_second / 2) if plan.is_full else None
            kill = await self._kill(rig, supply, single.per_second / 2)
            survivors = [self._network.nodes[lane] for lane in rig.running]
            self._say("Stopping the nodes and reading their chains ...")
        footprint = measure_footprint(
            survivors[0], single=(single.heights, SINGLES), batch=(batch.heights, BATCHES)
        )
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
            batch_all_checks=checked,
            readings_per_transaction=READINGS_PER_BATCH,
            killed_resume_s=self._resume_s(kill, survivors[0]),
            hung=hang,
            hung_resume_s=None if hang is None else self._resume_s(hang, survivors[0]),
            rss_peak_bytes=rss,
            disk_bytes_per_transaction=footprint.single,
            disk_bytes_per_reading=footprint.batch / READINGS_PER_BATCH,
            wire_bytes=len(next(workloads.single.sign(0, 1, 1))),
            audit=audit(survivors),
        )

    # -- phases --------------------------------------------------------------------------------

    async def _pace(self, rig: Rig, supply: Supply, rate: float, seconds: float) -> Paced:
        self._say(f"Latency at {rate:,.0f} transactions/s ...")
        queues = supply.reserve(int(rate * (seconds + SETTLE_S) * 1.3) + POST_MAX)
        found = await pace(rig, queues, rate, seconds)
        await rig.drain()
        return found

    async def _single(self, rig: Rig, supply: Supply) -> Saturation:
        self._say("Saturation, one reading a transaction ...")
        rate_max = self._ceiling * SHARE_EXPECTED_MAX
        return await saturate_singles(rig, supply, self._plan.single, rate_max=rate_max)

    async def _batch(self, rig: Rig, workload: Workload) -> Saturation:
        self._say(f"Saturation, {READINGS_PER_BATCH} readings a transaction ...")
        return await self._saturate_batches(rig, workload)

    async def _checked(self, rig: Rig, workloads: Workloads) -> Saturation:
        self._say("Meters that every check applies to, with their baselines ...")
        workload = checked_workload(workloads.single.chain_id, workloads.single.signers)
        await register_checked(self._network)
        await fill_up(
            rig, training(workload), backlog_max=BATCH_BACKLOG_MAX, post_max=BATCH_POST_MAX
        )
        await set_baselines(self._network)
        await rig.rebase()
        self._say(f"Saturation, {READINGS_PER_BATCH} readings a transaction, all checks ...")
        return await self._saturate_batches(rig, workload)

    async def _saturate_batches(self, rig: Rig, workload: Workload) -> Saturation:
        span = self._plan.batch
        rate = self._plan.batch_readings_per_second_max / READINGS_PER_BATCH
        count = int(rate * (span.warm_s + span.seconds)) + BATCH_BACKLOG_MAX
        found = await saturate(
            rig,
            workload.sign_lanes(count, READINGS_PER_BATCH),
            span,
            backlog_max=BATCH_BACKLOG_MAX,
            post_max=BATCH_POST_MAX,
            cores=self._cores,
        )
        await rig.drain()
        return found

    async def _overload(self, rig: Rig, workload: Workload, peak: float) -> Saturation:
        span, rate = self._plan.overload, OVERLOAD * peak
        self._say(f"Overload, one operator offers {rate:,.0f} transactions/s ...")
        # What is refused is offered again, so only what is committed is used up.
        count = 2 * SENDER_MAX + int(2 * rate + 2 * peak * (span.warm_s + span.seconds))
        found = await overload(
            rig, workload.sign_lanes(count, 1), span, rate=rate, cores=self._cores
        )
        await rig.drain()
        return found

    async def _hang(self, rig: Rig, supply: Supply, rate: float) -> Outage:
        self._say(f"Freezing the primary at {rate:,.0f} transactions/s ...")
        spans = (self._plan.before_loss_s, HANG_MAX_S)
        queues = supply.reserve(int(rate * sum(spans) * 1.1) + POST_MAX)
        found = await lose_primary(rig, queues, rate=rate, spans=spans, is_frozen=True)
        await rig.drain()
        return found

    async def _kill(self, rig: Rig, supply: Supply, rate: float) -> Outage:
        self._say(f"Killing the primary at {rate:,.0f} transactions/s ...")
        spans = (self._plan.before_loss_s, RESUME_MAX_S)
        queues = supply.reserve(int(rate * sum(spans) * 1.1) + POST_MAX)
        return await lose_primary(rig, queues, rate=rate, spans=spans, is_frozen=False)

    def _resume_s(self, outage: Outage, survivor: NodeAddress) -> float | None:
        name = self._network.nodes[outage.lane].node_id
        genesis = load_genesis(self._network.genesis_path)
        lost = next(each for each in genesis.members if each.node_id == name)
        return seconds_until(
            first_block_not_by(survivor, lost.consensus_key, outage.height),
            outage.seen,
            outage.at_s,
        )
