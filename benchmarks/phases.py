"""The phases of a measurement; each takes a running network and returns what it saw."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Latency, latency_of
from benchmarks.rig import Moment, Rig
from chain.codec import decode, encode

POST_MAX: Final = 200
"""Transactions of one request; what a node takes."""
POSTERS: Final = 2
"""Requests under way to each node at saturation."""
WATCH_S: Final = 0.25
PULSE_S: Final = 0.05
"""Between two posts of a gateway in a phase of a given rate."""
_COMMITTED_STATE: Final = 2
_ANSWER_MAX_S: Final = 30.0
RESUME_MAX_S: Final = 8.0
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """Throughput of a window in which there was always more to do."""

    seconds: float
    committed: int
    per_second: float
    cpu_us_per_transaction_node: float
    node_cpu_share: float
    """CPU of all nodes, of all cores."""
    load_cpu_share: float
    """CPU of the load generator, of all cores."""
    refused: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """Latencies at a given rate, one transaction in each request."""

    rate: float
    answered_per_second: float
    failed: int
    """Requests without a committed transaction in the answer."""
    latency: Latency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What a survivor showed after the primary was killed."""

    lane: int
    """Index of the killed node."""
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


async def saturate(
    rig: Rig, queues: list[deque[bytes]], span: Span, *, backlog_max: int, post_max: int, cores: int
) -> Saturation:
    """Keeps a backlog at every node and measures between two blocks.

    Args:
        rig: the network.
        queues: signed transactions of each lane; the window ends early where they run out.
        span: warm-up and window.
        backlog_max: accepted and not yet committed transactions to keep waiting.
        post_max: transactions of one request.
        cores: of the machine, for shares.
    """
    rig.refused.clear()

    async def feed(lane: int) -> None:
        while queues[lane]:
            if rig.backlog >= backlog_max:
                await asyncio.sleep(0.005)
            elif not await rig.post(lane, queues[lane], post_max):
                await asyncio.sleep(0.05)

    async with _watched(rig):
        feeders = [
            asyncio.create_task(feed(lane)) for lane in range(rig.lanes) for _ in range(POSTERS)
        ]
        try:
            await asyncio.sleep(span.warm_s)
            begin = await rig.moment()
            await asyncio.wait(feeders, timeout=span.seconds, return_when="FIRST_COMPLETED")
            end = await rig.moment()
        finally:
            await _cancel(feeders)
    return _saturation(rig, begin, end, cores)


async def pace(rig: Rig, queues: list[deque[bytes]], rate: float) -> Paced:
    """Sends one transaction a request at a steady rate, whether answers come or not.

    A latency counts from when the request was due, so that a generator or node that falls behind
    does not flatter the figure.
    """
    wires = [queue.popleft() for _ in range(len(queues[0])) for queue in queues if queue]
    latencies: list[float] = []
    failed = 0

    async def send(lane: int, wire: bytes, due_s: float) -> None:
        nonlocal failed
        try:
            async with asyncio.timeout(_ANSWER_MAX_S):
                _, body = await rig.rpc(lane).post(
                    "/v1/transactions?wait=committed&timeout_ms=30000", encode((wire,))
                )
        except (OSError, TimeoutError):
            failed += 1
            return
        if _is_committed(body):
            latencies.append(time.monotonic() - due_s)
            rig.accepted += 1
        else:
            failed += 1

    began_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for index, wire in enumerate(wires):
            due_s = began_s + index / rate
            if (ahead_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(ahead_s)
            group.create_task(send(index % rig.lanes, wire, due_s))
    elapsed_s = time.monotonic() - began_s
    return Paced(
        rate=rate,
        answered_per_second=len(latencies) / elapsed_s,
        failed=failed,
        latency=latency_of(latencies),
    )


async def overload(
    rig: Rig, queues: list[deque[bytes]], span: Span, *, rate: float, cores: int
) -> Saturation:
    """Offers a rate in full requests, whether taken or not; what is refused is offered again."""
    rig.refused.clear()
    async with _watched(rig):
        offering = asyncio.create_task(_offer(rig, queues, rate, POST_MAX))
        try:
            await asyncio.sleep(span.warm_s)
            begin = await rig.moment()
            await asyncio.sleep(span.seconds)
            end = await rig.moment()
        finally:
            await _cancel([offering])
    return _saturation(rig, begin, end, cores)


async def kill_primary(
    rig: Rig, queues: list[deque[bytes]], *, rate: float, before_s: float
) -> Kill:
    """Kills the primary under a steady load and notes when another node has new blocks."""
    batch = max(1, round(rate * PULSE_S / rig.lanes))
    offering = asyncio.create_task(_offer(rig, queues, rate, batch))
    try:
        await asyncio.sleep(before_s)
        killed = await rig.primary()
        survivor = next(lane for lane in range(rig.lanes) if lane != killed)
        rig.kill(killed)
        killed_s = time.monotonic()
        height = first = await rig.height(survivor)
        seen: list[tuple[int, float]] = []
        while time.monotonic() < killed_s + RESUME_MAX_S:
            found = await rig.height(survivor)
            if found > height:
                height = found
                seen.append((found, time.monotonic()))
            await asyncio.sleep(_POLL_S)
    finally:
        await _cancel([offering])
    return Kill(lane=killed, at_s=killed_s, height=first, seen=tuple(seen))


async def _offer(rig: Rig, queues: list[deque[bytes]], rate: float, batch: int) -> None:
    """Posts batches at a steady rate, spread over the lanes, until cancelled."""
    async with asyncio.TaskGroup() as group:
        began_s = time.monotonic()
        turn = 0
        while True:
            due_s = began_s + turn * batch / rate
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            lane = turn % rig.lanes
            group.create_task(rig.post(lane, queues[lane], batch))
            turn += 1


@asynccontextmanager
async def _watched(rig: Rig) -> AsyncIterator[None]:
    watching = asyncio.create_task(rig.watch(WATCH_S))
    try:
        yield
    finally:
        await _cancel([watching])


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


def _is_committed(body: bytes) -> bool:
    results = decode(body) if body[:1] == b"\x91" else ()
    match results:
        case ((_, state, *_),):
            return state == _COMMITTED_STATE
        case _:
            return False


def _saturation(rig: Rig, begin: Moment, end: Moment, cores: int) -> Saturation:
    seconds, committed = end.at_s - begin.at_s, end.committed - begin.committed
    nodes = len(rig.usages())
    cpu_s, load_cpu_s = end.cpu_s - begin.cpu_s, end.load_cpu_s - begin.load_cpu_s
    return Saturation(
        seconds=seconds,
        committed=committed,
        per_second=committed / seconds,
        cpu_us_per_transaction_node=cpu_s * 1_000_000 / (max(1, committed) * nodes),
        node_cpu_share=cpu_s / (seconds * cores),
        load_cpu_share=load_cpu_s / (seconds * cores),
        refused=dict(rig.refused),
    )
