"""A lean HTTP/1.1 client, so that the load generator leaves the machine to the nodes.

It knows exactly what a node answers: a status line, Content-Length, a body. A general client costs
a quarter of a millisecond a request, and here every such quarter is taken from the nodes measured.
"""

import asyncio
import time
from typing import Final, cast
from urllib.parse import urlsplit

SOURCES: Final = 8
"""Source addresses 127.0.0.2 and on; nodes limit requests by address, and gateways have many."""
CONNECTIONS_MAX: Final = 800
"""Open connections to one node; it takes 1,024, and 256 of one address."""
IDLE_MAX_S: Final = 5.0
"""Connections unused for longer are not used again; a node closes them after 10 s."""
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._buffer = b""
        self._body_end = 0
        self._body_start = 0
        self.used_s = time.monotonic()

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    @property
    def is_fresh(self) -> bool:
        return self.is_open and time.monotonic() - self.used_s < IDLE_MAX_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports only look like asyncio's.
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError(f"closed before the answer: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._body_end:
            head_end = self._buffer.find(_HEAD_END)
            if head_end < 0:
                return
            head = self._buffer[:head_end].lower()
            at = head.find(_LENGTH)
            length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self._body_start = head_end + len(_HEAD_END)
            self._body_end = self._body_start + length
        if len(self._buffer) >= self._body_end and self._answer is not None:
            status = int(self._buffer[9:12])
            body = self._buffer[self._body_start : self._body_end]
            answer, self._answer = self._answer, None
            self._buffer, self._body_end = b"", 0
            if not answer.done():
                answer.set_result((status, body))

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        assert self.transport is not None, "an open connection is asked"
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer


class NodeHttp:
    """Requests to one listener of one node, over as many connections as are under way at once.

    Args:
        url: such as ``http://127.0.0.1:8001``.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, "a network's description holds whole addresses"
        assert parts.port is not None, "a network's description holds whole addresses"
        self._host, self._port = parts.hostname, parts.port
        self._host_line = f"Host: {parts.netloc}\r\n"
        self._free: list[_Connection] = []
        self._all: list[_Connection] = []
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._opened = 0

    async def get(self, path: str) -> tuple[int, bytes]:
        """Returns status and body of a GET.

        Raises:
            OSError: no connection, or it broke.
        """
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._host_line}\r\n".encode())

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Returns status and body of a POST of MessagePack, answered in MessagePack.

        Raises:
            OSError: no connection, or it broke; the node may have the body.
        """
        head = (
            f"POST {path} HTTP/1.1\r\n{self._host_line}Content-Type: application/msgpack\r\n"
            f"Accept: application/msgpack\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return await self._ask(head.encode() + body)

    def close(self) -> None:
        """Closes all connections."""
        for connection in self._all:
            if connection.transport is not None:
                connection.transport.abort()
        self._all.clear()
        self._free.clear()

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        async with self._slots:
            connection = await self._connection()
            answer = await connection.ask(request)
            connection.used_s = time.monotonic()
            self._free.append(connection)
            return answer

    async def _connection(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.is_fresh:
                return connection
            if connection.transport is not None:
                connection.transport.abort()
        self._opened += 1
        source = f"127.0.0.{2 + self._opened % SOURCES}"
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, self._host, self._port, local_addr=(source, 0)
        )
        self._all = [each for each in self._all if each.is_open]
        self._all.append(connection)
        return connection
