"""What clients may not do to a node, over raw sockets."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from node.rpc.limits import RpcLimits
from tests.rpc_node import ServedNode

Run = Callable[[Awaitable[None]], None]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(served: ServedNode) -> Streams:
    return await asyncio.open_connection("127.0.0.1", served.server.port)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Asks for health on a connection; returns nothing where the node has closed it."""
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def say(served: ServedNode, request: bytes) -> bytes:
    """Sends bytes on a new connection and reads until the node closes it."""
    reader, writer = await connect(served)
    writer.write(request)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def test_requests_beyond_the_rate_are_told_to_wait(run: Run) -> None:
    async def body() -> None:
        limits = RpcLimits(requests_per_second=1, requests_burst=2)
        async with ServedNode(limits) as served:
            for _ in range(2):
                async with served.http.get(served.url + "/healthz") as response:
                    assert response.status == 200
            async with served.http.get(served.url + "/healthz") as response:
                document = json.loads(await response.read())

                assert (response.status, document["code"]) == (429, "RATE_LIMITED")
                assert response.headers["Retry-After"] == "1"
            assert served.counts.requests[-1] == ("GET /healthz", 429)

    run(body())


@pytest.mark.parametrize(
    "limits", [RpcLimits(connections_max=2), RpcLimits(connections_per_remote_max=2)]
)
def test_one_connection_too_many_is_closed_and_the_others_go_on(
    run: Run, limits: RpcLimits
) -> None:
    async def body() -> None:
        async with ServedNode(limits) as served:
            held = [await connect(served) for _ in range(2)]

            assert await ask(*await connect(served)) == b""
            assert (await ask(*held[0])).startswith(b"HTTP/1.1 200 ")
            assert (await ask(*await connect(served))).startswith(b"HTTP/1.1 200 ")
            held[1][1].close()

    run(body())


@pytest.mark.parametrize(
    "request_bytes", [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: a"]
)
def test_headers_that_do_not_come_are_given_up(run: Run, request_bytes: bytes) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(idle_timeout_s=0.05)) as served:
            assert await say(served, request_bytes) == b""

    run(body())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 1_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
        b"POST /v1/transactions HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_sound_http_is_refused_without_inner_details(
    run: Run, request_bytes: bytes
) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(idle_timeout_s=1.0)) as served:
            answer = await say(served, request_bytes)

            head, _, content = answer.partition(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
            assert json.loads(content)["code"] == "BAD_REQUEST"
            assert b"aiohttp" not in answer

    run(body())


def test_a_client_that_does_not_take_its_answer_is_let_go(run: Run) -> None:
    async def ask_without_listening(writer: asyncio.StreamWriter) -> None:
        # One answer is over 10 KB; buffers of both ends hold some hundreds.
        request = b"GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
        while True:
            writer.write(request * 50)
            await writer.drain()
            await asyncio.sleep(0)

    async def body() -> None:
        limits = RpcLimits(write_timeout_s=0.1, requests_burst=100_000)
        async with ServedNode(limits) as served:
            reader, writer = await connect(served)
            cast("asyncio.Transport", writer.transport).pause_reading()
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(ask_without_listening(writer), 10)
            assert not reader.at_eof()
            writer.close()

    run(body())
