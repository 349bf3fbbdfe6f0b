"""Everything arrives, in order and not before its time."""

import asyncio

import pytest

from benchmarks.delaying_proxy import DELAY_MS_MAX, DELAY_MS_MIN, DelayingProxy, delay_ms_of
from node.provisioning import free_ports

DELAY_MS = 30


def test_delays_are_the_same_in_each_run_and_within_their_range() -> None:
    drawn = [delay_ms_of(1, node, connection) for node in range(20) for connection in range(20)]

    assert drawn[:3] == [delay_ms_of(1, 0, connection) for connection in range(3)]
    assert (min(drawn), max(drawn)) >= (DELAY_MS_MIN, DELAY_MS_MIN)
    assert max(drawn) <= DELAY_MS_MAX
    assert max(drawn) - min(drawn) > (DELAY_MS_MAX - DELAY_MS_MIN) // 2
    assert drawn != [delay_ms_of(2, node, each) for node in range(20) for each in range(20)]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
    writer.close()


@pytest.mark.asyncio
async def test_bytes_come_back_in_order_after_both_ways() -> None:
    port, target_port = free_ports(2)
    server = await asyncio.start_server(echo, "127.0.0.1", target_port)
    proxy = DelayingProxy(port=port, target_port=target_port, delay_ms=lambda _: DELAY_MS)
    await proxy.start()
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = bytes(range(256)) * 2_000

    began_s = loop.time()
    writer.write(sent)
    first = await reader.readexactly(1)
    elapsed_s = loop.time() - began_s
    rest = await reader.readexactly(len(sent) - 1)

    assert first + rest == sent
    assert elapsed_s >= 2 * DELAY_MS / 1_000
    writer.close()
    assert await reader.read() == b""
    await proxy.stop()
    server.close()


@pytest.mark.asyncio
async def test_stopping_closes_what_is_open_and_the_port() -> None:
    port, target_port = free_ports(2)
    server = await asyncio.start_server(echo, "127.0.0.1", target_port)
    proxy = DelayingProxy(port=port, target_port=target_port, delay_ms=lambda _: DELAY_MS)
    await proxy.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"

    await proxy.stop()

    assert await reader.read() == b""
    with pytest.raises(OSError, match="111"):
        await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    server.close()
