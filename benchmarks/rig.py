"""The running network as the load generator sees it: requests, counts, usage.

How far the nodes are is read from ``/v1/status``, which costs a node little, and only as often as
the load has to know it. ``/metrics`` counts transactions exactly and costs much more: it is read
once at each end of a window.
"""

import asyncio
import re
import resource
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.http import NodeHttp
from benchmarks.process import Usage, usage_of
from chain.codec import decode, encode
from node.devnet import Devnet
from node.provisioning import Network

_COMMITTED: Final = re.compile(rb"^tanlian_block_transactions_total ([0-9.e+]+)", re.MULTILINE)
_VIEW_CHANGES: Final = re.compile(
    rb"^tanlian_consensus_view_changes_total\{[^}]*\} ([0-9.e+]+)", re.MULTILINE
)
_HEIGHT: Final = re.compile(rb'"height": ?(\d+)')
_POOL: Final = re.compile(rb'"mempool_transactions": ?(\d+)')
_PRIMARY: Final = re.compile(rb'"primary": ?"([^"]+)"')
_ACCEPTED: Final = 1
"""State in a MessagePack answer (docs/rpc.md)."""
_EDGE_S: Final = 0.01
"""Between two looks for the block at which a window begins or ends."""
_EDGE_MAX_S: Final = 120.0
"""Until the next block; on a machine that is too slow for full blocks many primaries are lost."""
DRAIN_MAX_S: Final = 120.0


class BenchmarkFailed(Exception):
    """The network did not do what a measurement rests on; says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one node is."""

    height: int
    pool: int
    """Transactions that wait in it."""
    primary: str
    """Name of the node that proposes now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a node has counted since it started."""

    committed: int
    """Transactions in blocks."""
    view_changes: int


def counts_of(metrics: bytes) -> Counts:
    """Returns the counts in the text of ``/metrics``.

    Raises:
        BenchmarkFailed: it counts no transactions.
    """
    committed = _COMMITTED.search(metrics)
    if committed is None:
        raise BenchmarkFailed("/metrics: expected tanlian_block_transactions_total, found none")
    left = _VIEW_CHANGES.findall(metrics)
    return Counts(
        committed=int(float(committed[1])), view_changes=sum(int(float(each)) for each in left)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Everything that is counted, at one moment right after a block."""

    at_s: float
    height: int
    committed: int
    """Transactions in blocks up to here."""
    view_changes: int
    """Views that one node has left; each costs time in which nothing is committed."""
    offered: int
    """Transactions that the load has posted, refused ones each time."""
    cpu_s: float
    """Of all running nodes together."""
    load_cpu_s: float
    """Of this process, which generates the load."""
    rss_bytes: tuple[int, ...]
    """Memory of each running node."""


@dataclass(slots=True)
class Rig:
    """Nodes, connections and what has been sent.

    Args:
        network: the nodes that are posted to.
        devnet: runs them.
    """

    network: Network
    devnet: Devnet
    accepted: int = 0
    offered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Refused transactions by code, since the phase began."""
    base: int = 0
    """Transactions committed before the first of the load."""
    _pool: int = 0
    """Of the fullest running node, at the last look."""
    _accepted_then: int = 0
    """``accepted`` at the last look."""
    _rpc: list[NodeHttp] = field(default_factory=list)
    _metrics: list[NodeHttp] = field(default_factory=list)
    _running: list[int] = field(default_factory=list)

    async def open(self) -> None:
        """Connects to all nodes and takes the counts from which everything is measured."""
        self.connect()
        await self.rebase()

    def connect(self) -> None:
        """Takes all nodes as running, whether they answer already or not."""
        self._rpc = [NodeHttp(node.rpc_url) for node in self.network.nodes]
        self._metrics = [
            NodeHttp(node.metrics_url.removesuffix("/metrics")) for node in self.network.nodes
        ]
        self._running = list(range(len(self._rpc)))

    async def rebase(self) -> None:
        """Counts what others than the load have committed as given."""
        await self._idle()
        self.base = await self._committed_of(self._running[0]) - self.accepted

    def close(self) -> None:
        """Closes all connections."""
        for each in (*self._rpc, *self._metrics):
            each.close()

    @property
    def lanes(self) -> int:
        """Returns the number of nodes that were started."""
        return len(self._rpc)

    @property
    def running(self) -> tuple[int, ...]:
        """Returns the indices of the nodes that were neither killed nor paused."""
        return tuple(self._running)

    @property
    def backlog(self) -> int:
        """Returns about how many transactions wait for a block; too many rather than too few."""
        return self._pool + self.accepted - self._accepted_then

    def rpc(self, lane: int) -> NodeHttp:
        """Returns the node that serves a lane: its own, or a running one where that is away."""
        if lane in self._running:
            return self._rpc[lane]
        return self._rpc[self._running[lane % len(self._running)]]

    # -- sending -------------------------------------------------------------------------------

    async def post(self, lane: int, queue: deque[bytes], count: int) -> bool:
        """Posts the next transactions of a lane; refused ones go back to its front.

        Returns:
            Whether the node took all of them.
        """
        wires = [queue.popleft() for _ in range(min(count, len(queue)))]
        if not wires:
            return True
        self.offered += len(wires)
        try:
            status, body = await self.rpc(lane).post("/v1/transactions", encode(tuple(wires)))
        except OSError:
            self.refused["UNREACHABLE"] += len(wires)
            return False
        if status == 202:
            self.accepted += len(wires)
            return True
        if status != 207:
            code = re.search(rb'"code": ?"(\w+)"', body)
            self.refused[code[1].decode() if code else str(status)] += len(wires)
            queue.extendleft(reversed(wires))
            return False
        self._sort_out(wires, body, queue)
        return False

    def _sort_out(self, wires: list[bytes], body: bytes, queue: deque[bytes]) -> None:
        results = decode(body)
        assert isinstance(results, tuple), "a node answers with an array"
        back: list[bytes] = []
        for wire, result in zip(wires, results, strict=True):
            assert isinstance(result, tuple), "each result is an array"
            if result[1] == _ACCEPTED:
                self.accepted += 1
            else:
                self.refused[str(result[2])] += 1
                if result[2] != "DUPLICATE":
                    back.append(wire)
        queue.extendleft(reversed(back))

    # -- looking -------------------------------------------------------------------------------

    async def progress(self, lane: int) -> Progress:
        """Asks one node how far it is."""
        _, body = await self._rpc[lane].get("/v1/status")
        height, pool, primary = _HEIGHT.search(body), _POOL.search(body), _PRIMARY.search(body)
        if height is None or pool is None or primary is None:
            raise BenchmarkFailed(f"/v1/status: expected height, pool, primary: got {body!r:.200}")
        return Progress(height=int(height[1]), pool=int(pool[1]), primary=primary[1].decode())

    async def look(self) -> None:
        """Asks all running nodes how much waits in them; see :attr:`backlog`."""
        accepted = self.accepted
        found = await asyncio.gather(*(self.progress(lane) for lane in self._running))
        self._pool = max(each.pool for each in found)
        self._accepted_then = accepted

    @asynccontextmanager
    async def watched(self, every_s: float) -> AsyncIterator[None]:
        """Looks again and again meanwhile."""

        async def watch() -> None:
            while True:
                await self.look()
                await asyncio.sleep(every_s)

        await self.look()
        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def moment(self) -> Moment:
        """Waits for the next block, so that rates are of whole blocks, and counts everything.

        Raises:
            BenchmarkFailed: no block comes.
        """
        lane = self._running[0]
        height = (await self.progress(lane)).height
        deadline_s = time.monotonic() + _EDGE_MAX_S
        while True:
            before, height = height, (await self.progress(lane)).height
            if height == before:
                if time.monotonic() > deadline_s:
                    raise BenchmarkFailed(f"expected a block within {_EDGE_MAX_S:.0f} s, got none")
                await asyncio.sleep(_EDGE_S)
                continue
            at_s, offered, usages = time.monotonic(), self.offered, self.usages()
            own = resource.getrusage(resource.RUSAGE_SELF)
            counts = await self._counts_of(lane)
            if (await self.progress(lane)).height == height:
                return Moment(
                    at_s=at_s,
                    height=height,
                    committed=counts.committed,
                    view_changes=counts.view_changes,
                    offered=offered,
                    cpu_s=sum(each.cpu_s for each in usages),
                    load_cpu_s=own.ru_utime + own.ru_stime,
                    rss_bytes=tuple(each.rss_bytes for each in usages),
                )

    async def _committed_of(self, lane: int) -> int:
        return (await self._counts_of(lane)).committed

    async def _counts_of(self, lane: int) -> Counts:
        _, body = await self._metrics[lane].get("/metrics")
        return counts_of(body)

    def usages(self) -> list[Usage]:
        """Returns CPU and memory of each running node."""
        ids = [self.network.nodes[lane].node_id for lane in self._running]
        return [usage_of(self.devnet.process_id(each)) for each in ids]

    async def drain(self) -> None:
        """Waits until every running node has committed everything that was accepted.

        Raises:
            BenchmarkFailed: it takes too long, or something was lost.
        """
        await self._idle()
        wanted = self.base + self.accepted
        counts = [await self._committed_of(lane) for lane in self._running]
        if min(counts) < wanted:
            raise BenchmarkFailed(
                f"expected {wanted} transactions committed by all nodes, got {counts}"
            )

    async def _idle(self) -> None:
        """Waits until nothing waits anywhere and all running nodes are at the same height."""
        deadline_s = time.monotonic() + DRAIN_MAX_S
        while True:
            found = [await self.progress(lane) for lane in self._running]
            if not any(each.pool for each in found) and len({each.height for each in found}) == 1:
                return
            if time.monotonic() > deadline_s:
                raise BenchmarkFailed(
                    f"expected empty pools and one height within {DRAIN_MAX_S:.0f} s, got {found}"
                )
            await asyncio.sleep(0.1)

    # -- breaking ------------------------------------------------------------------------------

    async def primary(self) -> int:
        """Returns the index of the node that is primary now."""
        found = await self.progress(self._running[0])
        names = [node.node_id for node in self.network.nodes]
        if found.primary not in names:
            raise BenchmarkFailed(f"/v1/status: expected one of {names}, got {found.primary!r}")
        return names.index(found.primary)

    def kill(self, lane: int) -> None:
        """Kills a node without warning (SIGKILL)."""
        self._running.remove(lane)
        self.devnet.kill(self.network.nodes[lane].node_id)

    def pause(self, lane: int) -> None:
        """Freezes a node (SIGSTOP); its connections stay."""
        self._running.remove(lane)
        self.devnet.pause(self.network.nodes[lane].node_id)

    def resume(self, lane: int) -> None:
        """Lets a frozen node go on (SIGCONT)."""
        self.devnet.resume(self.network.nodes[lane].node_id)
        self._running = sorted([*self._running, lane])
