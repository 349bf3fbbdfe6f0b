"""Metrics that no single event moves: pool, links, disk, participation; read every few seconds.

Counters of the links live in the transport and of the pool in the kernel, where counting costs an
addition; here their growth since the last sample is carried over to Prometheus.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from node.clock import Clock
from node.disk import free_bytes
from node.kernel.kernel import Kernel
from node.metrics import MempoolState, NodeMetrics
from p2p.identity import Role
from p2p.traffic import LaneTraffic, Traffic, TransportSnapshot

SAMPLE_INTERVAL_S: Final = 5.0
"""Below the usual 15 s between two scrapes; a sample costs far less than a block."""


class Sampler:
    """Reads what a node counts anyway and shows it.

    Args:
        metrics: where to.
        kernel: pool and participation.
        clock: the one whose monotonic time the kernel was given.
        snapshot: counters of the transport at this moment.
        home: a directory of the file system whose free space counts.
    """

    def __init__(
        self,
        metrics: NodeMetrics,
        *,
        kernel: Kernel,
        clock: Clock,
        snapshot: Callable[[], TransportSnapshot],
        home: Path,
    ) -> None:
        self._metrics = metrics
        self._kernel = kernel
        self._clock = clock
        self._snapshot = snapshot
        self._home = home
        self._expired_count = 0
        self._traffic_by_lane = {each.lane: each for each in Traffic().snapshot()}
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Samples now and every few seconds, until :meth:`stop`.

        A sample that fails is a matter for the loop's exception handler and not for the chain.
        """
        self._timer = asyncio.get_running_loop().call_later(SAMPLE_INTERVAL_S, self.start)
        self.sample()

    def stop(self) -> None:
        """Samples no more."""
        if self._timer is not None:
            self._timer.cancel()

    def sample(self) -> None:
        """Shows this moment."""
        self._sample_kernel()
        snapshot = self._snapshot()
        count_by_role = Counter(link.role for link in snapshot.links)
        self._metrics.set_peers({role.value: count_by_role[role] for role in Role})
        for traffic in snapshot.traffic:
            self._sample_lane(traffic)
        self._metrics.set_disk_free(free_bytes(self._home))

    def _sample_kernel(self) -> None:
        kernel = self._kernel
        oldest_ms = kernel.pool.oldest_ms
        waited_ms = 0 if oldest_ms is None else self._clock.now().monotonic_ms - oldest_ms
        self._metrics.set_mempool(
            MempoolState(
                transaction_count=kernel.pool.count,
                size_bytes=kernel.pool.bytes,
                oldest_seconds=waited_ms / 1_000,
            )
        )
        self._metrics.count_mempool_expired(kernel.expired_count - self._expired_count)
        self._expired_count = kernel.expired_count
        replica = kernel.replica
        is_stopped = kernel.halt_reason is not None or replica.observing_reason is not None
        self._metrics.set_participation(
            is_voting=replica.is_validator and not is_stopped, is_syncing=replica.is_syncing
        )

    def _sample_lane(self, now: LaneTraffic) -> None:
        before = self._traffic_by_lane[now.lane]
        self._traffic_by_lane[now.lane] = now
        kind = now.lane.name.lower()
        self._metrics.count_frames(
            direction="in",
            kind=kind,
            message_count=now.messages_received - before.messages_received,
            byte_count=now.bytes_received - before.bytes_received,
        )
        self._metrics.count_frames(
            direction="out",
            kind=kind,
            message_count=now.messages_sent - before.messages_sent,
            byte_count=now.bytes_sent - before.bytes_sent,
        )
        self._metrics.count_drops(kind=kind, message_count=now.dropped - before.dropped)
