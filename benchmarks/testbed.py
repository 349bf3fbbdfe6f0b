"""A network of processes from its start to its end, for everything that measures one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from benchmarks.founding import Workloads, register
from benchmarks.rig import BenchmarkFailed, Rig
from benchmarks.workload import METERS
from node.devnet import Devnet, DevnetError
from node.provisioning import Network

_TRIES: Final = 4
"""Waits of :data:`node.devnet.READY_TIMEOUT_S`; sixteen nodes on two cores need more than one."""


@asynccontextmanager
async def running(
    network: Network, devnet: Devnet, *, meters: int = METERS
) -> AsyncIterator[tuple[Rig, Workloads]]:
    """Starts nodes and registers what readings need; stops all nodes in the end.

    Args:
        network: the nodes to start and to post to; a part of that of ``devnet``, or all of it.
        devnet: runs them.
        meters: of each workload.

    Raises:
        DevnetError: a node did not start.
        DemoFailed: a registration was refused.
    """
    rig = Rig(network=network, devnet=devnet)
    try:
        devnet.start([node.node_id for node in network.nodes])
        await _wait_ready(network, devnet)
        workloads = await register(network, meters=meters)
        await rig.open()
        yield rig, workloads
    finally:
        rig.close()
        await asyncio.to_thread(devnet.stop)


@contextmanager
def failing_plainly() -> Iterator[None]:
    """Raises the one failure that people can read out of a group of them.

    Phases do several things at once, and what fails in one of them comes as a group.
    """
    try:
        yield
    except ExceptionGroup as group:
        failed = group.subgroup(BenchmarkFailed)
        if failed is None:
            raise
        raise _first(failed) from group


async def _wait_ready(network: Network, devnet: Devnet) -> None:
    ids = [node.node_id for node in network.nodes]
    for left in reversed(range(_TRIES)):
        try:
            # On a thread: proxies between the nodes may run on this loop.
            await asyncio.to_thread(devnet.wait_ready, ids)
        except DevnetError:
            if not left or devnet.ended():
                raise
        else:
            return


def _first(group: BaseExceptionGroup[BenchmarkFailed]) -> BenchmarkFailed:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
