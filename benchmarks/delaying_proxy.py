"""A TCP proxy that delivers everything later, in order: distance between nodes of one host."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

DELAY_MS_MIN: Final = 20
DELAY_MS_MAX: Final = 150
"""One way; there and back takes twice as long."""
_CHUNK_BYTES: Final = 65_536
_CHUNKS_MAX: Final = 1_024
"""Under way in one direction; 64 MB, and then the sender has to wait."""

Pump = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def delay_ms_of(seed: int, node: int, connection: int) -> int:
    """Returns the one-way delay of the n-th connection that a node accepts, the same in each run.

    Nodes keep one connection for each pair of them, so that is the delay of a link.
    """
    drawn = sha256(b"%d/%d/%d" % (seed, node, connection)).digest()
    return DELAY_MS_MIN + int.from_bytes(drawn[:8], "big") % (DELAY_MS_MAX - DELAY_MS_MIN + 1)


class DelayingProxy:
    """Stands in front of one port.

    Args:
        port: where it listens.
        target_port: where it leads to.
        delay_ms: of the n-th connection, from 0.
    """

    def __init__(self, *, port: int, target_port: int, delay_ms: Callable[[int], int]) -> None:
        self._port = port
        self._target_port = target_port
        self._delay_ms = delay_ms
        self._accepted = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    async def stop(self) -> None:
        """Closes the port and all connections."""
        if self._server is not None:
            self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delay_s = self._delay_ms(self._accepted) / 1_000
        self._accepted += 1
        task = asyncio.create_task(self._serve(reader, writer, delay_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
    ) -> None:
        try:
            await asyncio.sleep(2 * delay_s)  # as long as the handshake of TCP would take
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            there = _pump((reader, far_writer), delay_s)
            back = _pump((far_reader, writer), delay_s)
            await _either(there, back)
        except OSError:
            pass  # nobody listens there yet; the node that dials tries again
        finally:
            writer.close()


async def _either(*pumps: Awaitable[None]) -> None:
    """Runs until one direction has ended, for a connection closes as a whole."""
    tasks = [asyncio.ensure_future(each) for each in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(ends: Pump, delay_s: float) -> None:
    reader, writer = ends
    now_s = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_MAX)

    async def deliver() -> None:
        while True:
            due_s, chunk = await under_way.get()
            await asyncio.sleep(max(0.0, due_s - now_s()))
            if not chunk:
                return
            writer.write(chunk)
            await writer.drain()

    delivering = asyncio.create_task(deliver())
    try:
        while True:
            chunk = await reader.read(_CHUNK_BYTES)
            await under_way.put((now_s() + delay_s, chunk))
            if not chunk:
                break
        await delivering
    finally:
        delivering.cancel()
        writer.close()
