"""The running network as the load generator sees it: requests, counts, usage."""

import asyncio
import re
import resource
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from benchmarks.http import NodeHttp
from benchmarks.process import Usage, disk_bytes_of, usage_of
from benchmarks.workload import Workload
from chain.codec import decode, encode
from node.devnet import Devnet
from node.provisioning import Network

_COMMITTED: Final = re.compile(rb"^tanlian_block_transactions_total ([0-9.e+]+)", re.MULTILINE)
_HEIGHT: Final = re.compile(rb'"head_height": ?(\d+)')
_PRIMARY: Final = re.compile(rb'"primary": ?"([^"]+)"')
_ACCEPTED: Final = 1
"""State in a MessagePack answer (docs/rpc.md)."""
_LOOK_S: Final = 0.01
_LOOKS_MAX: Final = 300
DRAIN_MAX_S: Final = 60.0


class BenchmarkFailed(Exception):
    """The network did not do what a measurement rests on; says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Everything that is counted, at one moment right after a block."""

    at_s: float
    committed: int
    """Transactions that every running node has committed."""
    cpu_s: float
    """Of all running nodes together."""
    load_cpu_s: float
    """Of this process, which generates the load."""


@dataclass(slots=True)
class Rig:
    """Nodes, connections and what has been sent."""

    network: Network
    devnet: Devnet
    workload: Workload
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Refused transactions by code, since the phase began."""
    committed: int = 0
    """At the last look, by every running node."""
    base: int = 0
    """Transactions committed before the first of the load."""
    _rpc: list[NodeHttp] = field(default_factory=list)
    _metrics: list[NodeHttp] = field(default_factory=list)
    _running: list[int] = field(default_factory=list)

    async def open(self) -> None:
        """Connects to all nodes and takes the counts from which everything is measured."""
        self._rpc = [NodeHttp(node.rpc_url) for node in self.network.nodes]
        self._metrics = [
            NodeHttp(node.metrics_url.removesuffix("/metrics")) for node in self.network.nodes
        ]
        self._running = list(range(len(self._rpc)))
        await self.drain(is_first=True)
        self.base = self.committed

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
        """Returns the indices of the nodes that were not killed."""
        return tuple(self._running)

    @property
    def backlog(self) -> int:
        """Returns how many accepted transactions some node had not committed at the last look."""
        return self.base + self.accepted - self.committed

    def rpc(self, lane: int) -> NodeHttp:
        """Returns the node that serves a lane: its own, or a running one where that was killed."""
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

    async def look(self) -> int:
        """Asks all running nodes what they have committed; returns and keeps the least."""
        answers = await asyncio.gather(*(self._committed_of(lane) for lane in self._running))
        self.committed = min(answers)
        return self.committed

    async def _committed_of(self, lane: int) -> int:
        _, body = await self._metrics[lane].get("/metrics")
        found = _COMMITTED.search(body)
        if found is None:
            raise BenchmarkFailed("/metrics: expected tanlian_block_transactions_total, found none")
        return int(float(found[1]))

    async def watch(self, every_s: float) -> None:
        """Looks again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every_s)

    async def moment(self) -> Moment:
        """Waits for the next block, so that rates are of whole blocks, and counts everything."""
        lane = self._running[0]
        before = await self._committed_of(lane)
        for _ in range(_LOOKS_MAX):
            await asyncio.sleep(_LOOK_S)
            if await self._committed_of(lane) != before:
                break
        at_s = time.monotonic()
        own = resource.getrusage(resource.RUSAGE_SELF)
        return Moment(
            at_s=at_s,
            committed=await self.look(),
            cpu_s=sum(each.cpu_s for each in self.usages()),
            load_cpu_s=own.ru_utime + own.ru_stime,
        )

    async def height(self, lane: int) -> int:
        """Returns the height of one node's newest block."""
        _, body = await self._rpc[lane].get("/v1/events?after=latest")
        found = _HEIGHT.search(body)
        if found is None:
            raise BenchmarkFailed(f"/v1/events: expected head_height, got {body!r:.80}")
        return int(found[1])

    def usages(self) -> list[Usage]:
        """Returns CPU and memory of each running node."""
        ids = [self.network.nodes[lane].node_id for lane in self._running]
        return [usage_of(self.devnet.process_id(each)) for each in ids]

    def disk_bytes(self) -> float:
        """Returns the mean bytes on disk of the homes of the running nodes."""
        homes = [self.network.nodes[lane].home for lane in self._running]
        return sum(map(disk_bytes_of, homes)) / len(homes)

    async def drain(self, *, is_first: bool = False) -> None:
        """Waits until every running node has committed everything that was accepted.

        Args:
            is_first: nothing was accepted yet; waits until all nodes have the same count.

        Raises:
            BenchmarkFailed: it takes too long; something was lost.
        """
        deadline_s = time.monotonic() + DRAIN_MAX_S
        while True:
            counts = [await self._committed_of(lane) for lane in self._running]
            self.committed = min(counts)
            wanted = max(counts) if is_first else self.base + self.accepted
            if all(count >= wanted for count in counts):
                return
            if time.monotonic() > deadline_s:
                raise BenchmarkFailed(
                    f"expected {wanted} transactions committed by all nodes within "
                    f"{DRAIN_MAX_S:.0f} s, got {counts}"
                )
            await asyncio.sleep(0.1)

    # -- breaking ------------------------------------------------------------------------------

    async def primary(self) -> int:
        """Returns the index of the node that is primary now."""
        _, body = await self._rpc[self._running[0]].get("/v1/status")
        found = _PRIMARY.search(body)
        names = [node.node_id for node in self.network.nodes]
        if found is None or found[1].decode() not in names:
            raise BenchmarkFailed(f"/v1/status: expected the primary's name, got {body!r:.200}")
        return names.index(found[1].decode())

    def kill(self, lane: int) -> None:
        """Kills a node without warning (SIGKILL)."""
        self._running.remove(lane)
        self.devnet.kill(self.network.nodes[lane].node_id)
