"""Connections under guard: how many there are, and how long one may stall.

aiohttp bounds line and header sizes and closes a connection that completes no request within its
keep-alive time; the number of connections, the time for taking an answer, and answers to bytes that
are no HTTP are this module's.
"""

import asyncio
from collections import Counter
from typing import Final, cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.web_protocol import RequestHandler

from node.rpc.limits import RpcLimits
from node.rpc.problems import PROBLEM_CONTENT_TYPE, Problem
from node.rpc.strict_json import dump

SERVER_NAME: Final = "tanlian"
"""What clients learn of the software; versions are in the status, for those who may ask."""


class ConnectionCounts:
    """Open connections, in all and by remote address."""

    def __init__(self, limits: RpcLimits) -> None:
        self._limits = limits
        self._by_remote: Counter[str] = Counter()
        self.open_count = 0

    def open(self, remote: str) -> bool:
        """Counts a new connection; returns False, and counts nothing, where it is one too many."""
        if (
            self.open_count >= self._limits.connections_max
            or self._by_remote[remote] >= self._limits.connections_per_remote_max
        ):
            return False
        self.open_count += 1
        self._by_remote[remote] += 1
        return True

    def close(self, remote: str) -> None:
        """Uncounts a connection that :meth:`open` counted."""
        self.open_count -= 1
        self._by_remote[remote] -= 1
        if not self._by_remote[remote]:
            del self._by_remote[remote]


class NoAccessLog(AbstractAccessLogger):
    """Logs no requests: metrics count them, and clients cannot write into the node's log."""

    @property
    def enabled(self) -> bool:
        """Returns False, so that aiohttp does not even take the time."""
        return False

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Does nothing."""


class GuardedConnection(RequestHandler):
    """One HTTP connection of a client."""

    def __init__(
        self,
        server: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        counts: ConnectionCounts,
        limits: RpcLimits,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=limits.idle_timeout_s,
            lingering_time=1.0,
            # Bodies are taken as they come: nothing is unpacked, so nothing can blow up.
            auto_decompress=False,
            access_log_class=NoAccessLog,
        )
        self._counts = counts
        self._write_timeout_s = limits.write_timeout_s
        self._counted_remote: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets a connection in, or closes it where there are too many."""
        remote = _remote_of(transport)
        if not self._counts.open(remote):
            cast("asyncio.Transport", transport).abort()
            return
        self._counted_remote = remote
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Uncounts the connection."""
        if self._counted_remote is None:
            return
        self._counts.close(self._counted_remote)
        self._counted_remote = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes bytes; what still comes from a refused connection is dropped."""
        if self._counted_remote is not None:
            super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Writes an answer; gives up on a client that does not take it."""
        transport = self.transport
        try:
            async with asyncio.timeout(self._write_timeout_s):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if transport is not None:
                transport.abort()
            return resp, True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what is no HTTP, or a fault outside the application, without inner details."""
        del request, exc, message
        code, detail = (
            ("BAD_REQUEST", "request: expected HTTP/1.1 within its size limits, got something else")
            if status < 500
            else ("INTERNAL", "the node failed to answer; its operator finds the cause in the log")
        )
        answer = web.Response(
            status=status,
            body=dump(Problem(code=code, detail=detail).to_json()),
            content_type=PROBLEM_CONTENT_TYPE,
            headers={"Server": SERVER_NAME},
        )
        answer.force_close()
        return answer


def _remote_of(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else "unknown"
