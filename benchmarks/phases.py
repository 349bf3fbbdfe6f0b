"""The phases of a measurement; each takes a running network and returns what it saw."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from benchmarks.figures import Latency, latency_of
from benchmarks.rig import BenchmarkFailed, Moment, Rig
from benchmarks.supply import Queues
from chain.codec import decode, encode

POST_MAX: Final = 200
"""Transactions of one request; what a node takes."""
POSTERS: Final = 2
"""Requests under way to each node at saturation."""
LOOK_S: Final = 0.25
"""Between two looks at how much waits; at 5,000 a second less than a block's worth passes."""
PULSE_S: Final = 0.2
"""Between two posts of a gateway in a phase of a given rate; it sends what it has collected."""
PROBES_PER_SECOND: Final = 100.0
"""Transactions of a paced phase that go one a request, and whose latency counts."""
PROBES_AT_SATURATION: Final = 10.0
SETTLE_S: Final = 1.0
"""From the start of a steady rate to its window."""
WARM_MAX_FACTOR: Final = 4.0
"""Warm-up ends after so many times its length even where the backlog has not filled up."""
WINDOW_SHARE_MIN: Final = 0.4
"""A window that ends earlier because there was nothing more to send is no measurement."""
WINDOW_BLOCKS_MIN: Final = 5
"""One block more or less is much of a shorter window; it goes on until there are so many."""
WINDOW_MAX_S: Final = 60.0
FILL_MAX_S: Final = 60.0
"""Until an operator's flood meets its limit."""
RESUME_MAX_S: Final = 8.0
HANG_MAX_S: Final = 20.0
BLOCKS_AFTER_LOSS: Final = 20
"""Blocks after which a lost primary is got over: the first few it may still have proposed."""
_COMMITTED_STATE: Final = 2
_ANSWER_MAX_S: Final = 60.0
_POLL_S: Final = 0.02
NO_REJECTION: Final = frozenset({"UNREACHABLE", "DUPLICATE"})
"""Codes that say nothing of a node's limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """Throughput of a window in which there was always more to do."""

    seconds: float
    heights: tuple[int, int]
    """Of the blocks at its begin and end."""
    view_changes: int
    """Primaries lost within the window, by one node; a machine that is too busy shows here."""
    committed: int
    per_second: float
    offered_per_second: float
    """Posted, a refused one each time."""
    cpu_us_per_transaction_node: float
    node_cpu_share: float
    """CPU of all nodes, of all cores."""
    load_cpu_share: float
    """CPU of the load generator, of all cores."""
    rss_growth_bytes: int
    """Of the node that grew most within the window."""
    refused: dict[str, int]
    """Transactions by code, within the window."""
    latency: Latency | None
    """Of few transactions that went one a request, behind the backlog."""

    @property
    def blocks(self) -> int:
        """Returns how many blocks the window spans."""
        return self.heights[1] - self.heights[0]

    @property
    def rejected(self) -> int:
        """Returns how many transactions nodes turned away because of a limit."""
        return sum(n for code, n in self.refused.items() if code not in NO_REJECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """Latencies at a given rate, of transactions that went one a request."""

    rate: float
    probes_per_second: float
    """Part of the rate that went one a request; gateways post the rest in batches."""
    offered_per_second: float
    committed_per_second: float
    seconds: float
    blocks: int
    view_changes: int
    cpu_us_per_block: float
    """Of all nodes together."""
    failed: int
    """Requests without a committed transaction in the answer."""
    latency: Latency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What a survivor showed after the primary was gone."""

    lane: int
    """Index of the primary."""
    at_s: float
    height: int
    """Of the survivor's newest block then."""
    seen: tuple[tuple[int, float], ...]
    """Each new height of the survivor and when it was seen, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Lengths of one phase."""

    warm_s: float
    seconds: float


@dataclass(slots=True)
class Probes:
    """Transactions that go one a request, timed until the answer that they are committed.

    A latency counts from when the request was due, so that a generator or node that falls behind
    does not flatter the figure.
    """

    rig: Rig
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    is_counting: bool = False
    """Whether what is sent now counts."""

    async def run(self, queues: Queues, rate: float, over: asyncio.Event) -> None:
        """Sends at a steady rate, whether answers come or not; in the end waits for all answers."""
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for turn in count():
                due_s = began_s + turn / rate
                if await _wait(over, max(0.0, due_s - time.monotonic())):
                    return
                lane = turn % self.rig.lanes
                if queues[lane]:
                    group.create_task(self._send(lane, queues[lane].popleft(), due_s))

    async def _send(self, lane: int, wire: bytes, due_s: float) -> None:
        rig, is_counting = self.rig, self.is_counting
        rig.offered += 1
        try:
            async with asyncio.timeout(_ANSWER_MAX_S):
                _, body = await rig.rpc(lane).post(
                    f"/v1/transactions?wait=committed&timeout_ms={_ANSWER_MAX_S * 1_000:.0f}",
                    encode((wire,)),
                )
        except (OSError, TimeoutError):
            self.failed += 1
            return
        is_committed = _is_committed(body)
        rig.accepted += is_committed
        if is_counting:
            self.failed += not is_committed
            self.latencies += [time.monotonic() - due_s] if is_committed else []


async def saturate(
    rig: Rig, queues: Queues, span: Span, *, backlog_max: int, post_max: int, cores: int
) -> Saturation:
    """Keeps a backlog at every node and measures between two blocks.

    The window begins when the backlog has filled up: until then nodes are busy with taking
    transactions in, and their blocks say nothing of what they can do for long.

    Args:
        rig: the network.
        queues: signed transactions of each lane; the window ends early where they run out.
        span: warm-up and window.
        backlog_max: accepted and not yet committed transactions to keep waiting.
        post_max: transactions of one request.
        cores: of the machine, for shares.

    Raises:
        BenchmarkFailed: there were too few transactions for a window.
    """
    full, over = asyncio.Event(), asyncio.Event()
    probes = Probes(rig)

    async def feed(lane: int) -> None:
        while queues[lane] and not over.is_set():
            if rig.backlog >= backlog_max:
                full.set()
                await asyncio.sleep(0.005)
            elif not await rig.post(lane, queues[lane], post_max):
                await asyncio.sleep(0.05)

    async with rig.watched(LOOK_S), asyncio.TaskGroup() as group:
        feeders = [
            group.create_task(feed(lane)) for lane in range(rig.lanes) for _ in range(POSTERS)
        ]
        await asyncio.sleep(span.warm_s)
        await _wait(full, span.warm_s * (WARM_MAX_FACTOR - 1))
        group.create_task(probes.run(queues, PROBES_AT_SATURATION, over))
        begin = await _begin(rig)
        probes.is_counting = True
        await asyncio.wait(feeders, timeout=span.seconds, return_when="FIRST_COMPLETED")
        end = await _end(rig, begin)
        refused = dict(rig.refused)
        over.set()
    if end.at_s - begin.at_s < WINDOW_SHARE_MIN * span.seconds:
        raise BenchmarkFailed(
            f"expected a window of {span.seconds:.0f} s, got {end.at_s - begin.at_s:.1f} s until "
            "all that was signed for it was sent; the plan signs for too slow a network"
        )
    return _saturation(begin, end, refused, probes, cores)


async def pace(rig: Rig, queues: Queues, rate: float, seconds: float) -> Paced:
    """Offers a steady rate: some transactions one a request, the rest in gateways' batches."""
    probed = min(rate, PROBES_PER_SECOND)
    probes = Probes(rig)
    over = asyncio.Event()
    async with (
        _offered(rig, queues, rate - probed, _pulse(rig, rate)),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(probes.run(queues, probed, over))
        await asyncio.sleep(SETTLE_S)
        begin = await _begin(rig)
        probes.is_counting = True
        await asyncio.sleep(seconds)
        end = await rig.moment()
        probes.is_counting = False
        over.set()
    elapsed_s = end.at_s - begin.at_s
    return Paced(
        rate=rate,
        probes_per_second=probed,
        offered_per_second=(end.offered - begin.offered) / elapsed_s,
        committed_per_second=(end.committed - begin.committed) / elapsed_s,
        seconds=elapsed_s,
        blocks=end.height - begin.height,
        view_changes=end.view_changes - begin.view_changes,
        cpu_us_per_block=(end.cpu_s - begin.cpu_s) * 1_000_000 / (end.height - begin.height),
        failed=probes.failed,
        latency=latency_of(probes.latencies),
    )


async def overload(rig: Rig, queues: Queues, span: Span, *, rate: float, cores: int) -> Saturation:
    """Offers a rate in full requests, whether taken or not; what is refused is offered again.

    The window begins when nodes have begun to refuse: before that the excess only fills pools.
    """
    rig.refused.clear()
    over = asyncio.Event()

    async def fill(lane: int) -> None:
        while queues[lane] and not over.is_set():
            if not await rig.post(lane, queues[lane], POST_MAX) and _is_limited(rig):
                over.set()

    async with asyncio.TaskGroup() as group:
        for lane in range(rig.lanes):
            group.create_task(fill(lane))
        await _wait(over, FILL_MAX_S)
        over.set()
    async with _offered(rig, queues, rate, POST_MAX):
        await asyncio.sleep(span.warm_s)
        begin = await _begin(rig)
        await asyncio.sleep(span.seconds)
        end = await _end(rig, begin)
        refused = dict(rig.refused)
    return _saturation(begin, end, refused, Probes(rig), cores)


async def lose_primary(
    rig: Rig, queues: Queues, *, rate: float, spans: tuple[float, float], is_frozen: bool
) -> Outage:
    """Takes the primary away under a steady load and notes when another node has new blocks.

    Args:
        rig: the network.
        queues: signed transactions of each lane.
        rate: transactions a second.
        spans: seconds before and after; a loss that is over sooner is not waited for longer.
        is_frozen: whether it hangs silently with its connections up (SIGSTOP) and goes on in the
            end; else it is killed (SIGKILL).
    """
    before_s, after_s = spans
    async with _offered(rig, queues, rate, _pulse(rig, rate)):
        await asyncio.sleep(before_s)
        lost = await rig.primary()
        if is_frozen:
            rig.pause(lost)
        else:
            rig.kill(lost)
        try:
            return await _observe(rig, lost, after_s)
        finally:
            if is_frozen:
                rig.resume(lost)


async def _observe(rig: Rig, lost: int, seconds: float) -> Outage:
    lost_s = time.monotonic()
    survivor = rig.running[0]
    height = first = (await rig.progress(survivor)).height
    seen: list[tuple[int, float]] = []
    while time.monotonic() < lost_s + seconds and len(seen) < BLOCKS_AFTER_LOSS:
        found = (await rig.progress(survivor)).height
        if found > height:
            height = found
            seen.append((found, time.monotonic()))
        await asyncio.sleep(_POLL_S)
    return Outage(lane=lost, at_s=lost_s, height=first, seen=tuple(seen))


async def fill_up(rig: Rig, queues: Queues, *, backlog_max: int, post_max: int) -> None:
    """Sends everything in the queues and waits until it is committed; nothing is measured."""

    async def feed(lane: int, queue: deque[bytes]) -> None:
        while queue:
            if rig.backlog >= backlog_max:
                await asyncio.sleep(0.01)
            elif not await rig.post(lane, queue, post_max):
                await asyncio.sleep(0.05)

    async with rig.watched(LOOK_S), asyncio.TaskGroup() as group:
        for lane, queue in enumerate(queues):
            group.create_task(feed(lane, queue))
    await rig.drain()


@asynccontextmanager
async def _offered(rig: Rig, queues: Queues, rate: float, batch: int) -> AsyncIterator[None]:
    """Posts batches at a steady rate, spread over the lanes, meanwhile; ends with all answers."""
    over = asyncio.Event()

    async def offer(group: asyncio.TaskGroup) -> None:
        began_s = time.monotonic()
        for turn in count():
            due_s = began_s + turn * batch / rate
            if await _wait(over, max(0.0, due_s - time.monotonic())):
                return
            lane = turn % rig.lanes
            group.create_task(_post(rig, lane, queues[lane], batch))

    async with asyncio.TaskGroup() as group:
        if rate > 0:
            group.create_task(offer(group))
        yield
        over.set()


async def _post(rig: Rig, lane: int, queue: deque[bytes], batch: int) -> None:
    try:
        async with asyncio.timeout(_ANSWER_MAX_S):
            await rig.post(lane, queue, batch)
    except TimeoutError:
        rig.refused["UNREACHABLE"] += batch


def _pulse(rig: Rig, rate: float) -> int:
    """Returns the transactions of one post of a gateway that posts every :data:`PULSE_S`."""
    return min(POST_MAX, max(1, round(rate * PULSE_S / rig.lanes)))


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Returns whether something has happened within a time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _begin(rig: Rig) -> Moment:
    begin = await rig.moment()
    rig.refused.clear()
    return begin


async def _end(rig: Rig, begin: Moment) -> Moment:
    """Returns the end of a window, later where there were too few blocks for a rate."""
    end = await rig.moment()
    while (
        end.height - begin.height < WINDOW_BLOCKS_MIN
        and end.at_s - begin.at_s < WINDOW_MAX_S
        and rig.backlog
    ):
        end = await rig.moment()
    return end


def _is_limited(rig: Rig) -> bool:
    return any(code not in NO_REJECTION for code in rig.refused)


def _is_committed(body: bytes) -> bool:
    results = decode(body) if body[:1] == b"\x91" else ()
    match results:
        case ((_, state, *_),):
            return state == _COMMITTED_STATE
        case _:
            return False


def _saturation(
    begin: Moment, end: Moment, refused: dict[str, int], probes: Probes, cores: int
) -> Saturation:
    seconds, committed = end.at_s - begin.at_s, end.committed - begin.committed
    nodes = len(end.rss_bytes)
    cpu_s, load_cpu_s = end.cpu_s - begin.cpu_s, end.load_cpu_s - begin.load_cpu_s
    growths = [after - before for before, after in zip(begin.rss_bytes, end.rss_bytes, strict=True)]
    return Saturation(
        seconds=seconds,
        heights=(begin.height, end.height),
        view_changes=end.view_changes - begin.view_changes,
        committed=committed,
        per_second=committed / seconds,
        offered_per_second=(end.offered - begin.offered) / seconds,
        cpu_us_per_transaction_node=cpu_s * 1_000_000 / (max(1, committed) * nodes),
        node_cpu_share=cpu_s / (seconds * cores),
        load_cpu_share=load_cpu_s / (seconds * cores),
        rss_growth_bytes=max(growths),
        refused=refused,
        latency=latency_of(probes.latencies),
    )
