"""Events over a real socket: pages, server-sent events and WebSockets, all by cursor."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from node.rpc.limits import RpcLimits
from tests.rpc_node import ServedNode

Run = Callable[[Awaitable[None]], None]


async def commit(served: ServedNode, *numbers: int) -> None:
    """Commits one block that registers accounts."""
    await served.node.submit([served.node.transaction(number).wire for number in numbers])
    await served.node.commit()


async def page(served: ServedNode, query: str = "") -> Any:
    async with served.http.get(served.url + "/v1/events" + query) as response:
        assert response.status == 200
        return json.loads(await response.read())


async def read_message(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Reads one server-sent event; comments are passed over."""
    fields: dict[str, str] = {}
    while True:
        line = (await response.content.readline()).decode().rstrip("\n")
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            return fields


def test_pages_lead_through_all_events_without_gap_or_repeat(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await commit(served, 1, 2)
            await commit(served)
            await commit(served, 3)

            first = await page(served, "?limit=1")
            second = await page(served, f"?limit=1&after={first['next']}")
            third = await page(served, f"?after={second['next']}")
            end = await page(served, f"?after={third['next']}")

            cursors = [[each["cursor"] for each in one["events"]] for one in (first, second, third)]
            assert cursors == [["1:0"], ["1:1"], ["3:0"]]
            assert (end["events"], end["next"], end["head_height"]) == ([], "3:1", 3)
            assert first["events"][0]["content"]["name"] == "Account 1"
            assert first["events"][0]["time_utc"] == "2023-11-14T22:13:21.000Z"

    run(body())


def test_a_filter_by_kind_moves_on_past_what_it_leaves_out(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await commit(served, 1)

            alerts = await page(served, "?kind=alert.")
            accounts = await page(served, "?kind=account.reg")

            assert (alerts["events"], alerts["next"]) == ([], "1:1")
            assert len(accounts["events"]) == 1

    run(body())


def test_latest_is_behind_everything_that_is_committed(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            assert (await page(served, "?after=latest"))["next"] == "0:0"
            await commit(served, 1)

            assert (await page(served, "?after=latest"))["next"] == "1:1"

    run(body())


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?stream=sse", {}), ("", {"Accept": "text/event-stream"})],
)
def test_a_stream_gives_what_was_and_then_what_comes(
    run: Run, query: str, headers: dict[str, str]
) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await commit(served, 1)
            url = f"{served.url}/v1/events{query}"
            async with served.http.get(url, headers=headers) as response:
                assert response.content_type == "text/event-stream"
                was = await read_message(response)
                await commit(served, 2)
                came = await read_message(response)

            assert (was["id"], came["id"]) == ("1:0", "2:0")
            assert was["event"] == "account.registered"
            assert json.loads(came["data"])["content"]["name"] == "Account 2"

    run(body())


def test_a_browser_that_reconnects_goes_on_where_it_was(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await commit(served, 1, 2)
            headers = {"Last-Event-ID": "1:0", "Accept": "text/event-stream"}
            async with served.http.get(served.url + "/v1/events", headers=headers) as response:
                message = await read_message(response)

            assert message["id"] == "1:1"

    run(body())


def test_a_quiet_stream_shows_that_it_lives(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(heartbeat_s=0.01)) as served:
            async with served.http.get(served.url + "/v1/events?stream=sse") as response:
                lines = [await response.content.readline() for _ in range(4)]

            assert lines == [b": following\n", b"\n", b": still here\n", b"\n"]

    run(body())


def test_a_websocket_gives_the_same(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await commit(served, 1)
            async with served.http.ws_connect(served.url + "/v1/events") as socket:
                was = await socket.receive_json()
                await commit(served, 2)
                came = await socket.receive_json()

            assert (was["cursor"], came["cursor"]) == ("1:0", "2:0")
            assert was["content"]["name"] == "Account 1"

    run(body())


def test_what_a_client_says_on_a_websocket_is_not_looked_at_and_bounded(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            async with served.http.ws_connect(served.url + "/v1/events") as socket:
                await socket.send_str("x" * 1_000)
                await commit(served, 1)
                assert (await socket.receive_json())["cursor"] == "1:0"

                await socket.send_str("x" * 2_000)
                end = await socket.receive()

            assert end.type is aiohttp.WSMsgType.CLOSE

    run(body())


def test_one_stream_too_many_is_refused_and_a_closed_one_makes_room(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(subscribers_max=1, heartbeat_s=0.01)) as served:
            url = served.url + "/v1/events?stream=sse"
            async with served.http.get(url) as first:
                await first.content.readline()
                async with served.http.get(url) as second:
                    document = json.loads(await second.read())
                    assert (second.status, document["code"]) == (503, "TOO_MANY_SUBSCRIBERS")
                    assert second.headers["Retry-After"] == "10"
            while len(served.counts.requests) < 2:
                await served.counts.next_request()
            async with served.http.get(url) as third:
                assert third.status == 200

    run(body())


def test_a_stream_whose_reading_fails_breaks_off_without_a_second_answer(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        async with ServedNode() as served:

            def broken() -> None:
                raise KeyError("secret of the node")

            async with served.http.get(served.url + "/v1/events?stream=sse") as response:
                await response.content.readline()
                monkeypatch.setattr(served.node.store, "head", broken)
                await commit(served, 1)
                with pytest.raises(aiohttp.ClientPayloadError):
                    await response.content.read()

    run(body())


def test_streams_end_when_the_server_stops(run: Run) -> None:
    async def body() -> None:
        served = ServedNode()
        await served.__aenter__()
        response = await served.http.get(served.url + "/v1/events?stream=sse")
        socket = await served.http.ws_connect(served.url + "/v1/events")

        async with asyncio.timeout(3):
            await served.server.stop()
            assert (await response.content.read()).startswith(b": following")
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        await served.__aexit__()

    run(body())
