"""``/v1/events``: one page, or a stream that follows the chain, always by cursor.

A stream is the page in a loop: read after the cursor, write, move the cursor, and at the head wait
for the next block. Writing waits until the client has taken what was sent, so a slow client delays
itself only, and one that takes nothing for the write timeout is let go; it goes on from its cursor
when it comes back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from aiohttp import WSCloseCode, web

from node.rpc.context import RpcContext
from node.rpc.event_feed import EventPage, PlacedEvent
from node.rpc.limits import PAGE_MAX
from node.rpc.parameters import BEGINNING, Cursor, malformed, page_limit, parse_cursor

EVENT_STREAM: Final = "text/event-stream"
KIND_CHARACTERS_MAX: Final = 64
STREAMING: Final = web.RequestKey("streaming", bool)
"""Mark of a request whose answer is under way, so that no second one may begin."""
LATEST: Final = "latest"
"""Cursor of those who want only what comes from now on."""
WEBSOCKET_MESSAGE_BYTES_MAX: Final = 1_024
"""Clients have nothing to say on an event stream."""


async def events(context: RpcContext, request: web.Request) -> web.StreamResponse:
    """Answers with a page, server-sent events or a WebSocket, as the client asks."""
    after = await _cursor_of(context, request)
    kind = request.query.get("kind", "")
    if len(kind) > KIND_CHARACTERS_MAX:
        raise malformed("kind", f"at most {KIND_CHARACTERS_MAX} characters", kind)
    if request.headers.get("Upgrade", "").lower() == "websocket":
        with context.subscribers.one_more():
            return await _websocket(context, request, after, kind)
    if _wants_stream(request):
        with context.subscribers.one_more():
            return await _server_sent_events(context, request, after, kind)
    page = await context.read(context.feed.page, after, limit=page_limit(request.query), kind=kind)
    return web.Response(body=_page_body(page), content_type="application/json")


async def _cursor_of(context: RpcContext, request: web.Request) -> Cursor:
    # A browser that reconnects says by itself where it stood.
    text = request.headers.get("Last-Event-ID") or request.query.get("after")
    if text is None:
        return BEGINNING
    if text == LATEST:
        return await context.read(context.feed.latest)
    return parse_cursor(text, "after")


def _wants_stream(request: web.Request) -> bool:
    match request.query.get("stream"):
        case None:
            return EVENT_STREAM in request.headers.get("Accept", "")
        case "sse":
            return True
        case other:
            raise malformed("stream", "sse, or no such parameter", other)


def _page_body(page: EventPage) -> bytes:
    # The events are JSON already; they are encoded once for all readers.
    joined = b",".join(event.encoded for event in page.events)
    return b'{"events":[%s],"next":"%s","head_height":%d}' % (
        joined,
        str(page.next).encode(),
        page.head_height,
    )


async def _follow(
    context: RpcContext, after: Cursor, kind: str
) -> AsyncIterator[tuple[PlacedEvent, ...]]:
    """Yields events as they come, and an empty tuple as a sign of life on a quiet chain."""
    while not context.stopping.is_set():
        page = await context.read(context.feed.page, after, limit=PAGE_MAX, kind=kind)
        if page.events:
            yield page.events
        has_moved = page.next != after
        after = page.next
        if page.events or (has_moved and after.height < page.head_height):
            continue
        if not await _has_grown(context, max(page.head_height, after.height)):
            yield ()


async def _has_grown(context: RpcContext, height: int) -> bool:
    """Waits for a block above a height, a heartbeat's time, or the end of the server."""
    block = asyncio.ensure_future(context.service.next_block(height, context.limits.heartbeat_s))
    end = asyncio.ensure_future(context.stopping.wait())
    try:
        await asyncio.wait({block, end}, return_when=asyncio.FIRST_COMPLETED)
        return block.done() and block.result() is not None
    finally:
        block.cancel()
        end.cancel()


async def _server_sent_events(
    context: RpcContext, request: web.Request, after: Cursor, kind: str
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "X-Accel-Buffering": "no"})
    response.force_close()
    await response.prepare(request)
    request[STREAMING] = True
    with suppress(ConnectionError, TimeoutError):
        # At once, so that a client knows that the stream stands before anything happens.
        await response.write(b": following\n\n")
        async for batch in _follow(context, after, kind):
            lines = [
                b"id: %s\nevent: %s\ndata: %s\n\n"
                % (str(event.cursor).encode(), event.kind.encode(), event.encoded)
                for event in batch
            ]
            async with asyncio.timeout(context.limits.write_timeout_s):
                await response.write(b"".join(lines) or b": still here\n\n")
    return response


async def _websocket(
    context: RpcContext, request: web.Request, after: Cursor, kind: str
) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        heartbeat=context.limits.heartbeat_s,
        compress=False,
        max_msg_size=WEBSOCKET_MESSAGE_BYTES_MAX,
    )
    await socket.prepare(request)
    request[STREAMING] = True
    writing = asyncio.create_task(_write_all(context, socket, after, kind))
    try:
        # Reading answers pings and notices the end; what a client says is not looked at.
        async for _ in socket:
            pass
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    return socket


async def _write_all(
    context: RpcContext, socket: web.WebSocketResponse, after: Cursor, kind: str
) -> None:
    with suppress(ConnectionError, TimeoutError):
        async for batch in _follow(context, after, kind):
            for event in batch:
                async with asyncio.timeout(context.limits.write_timeout_s):
                    await socket.send_str(event.encoded.decode())
    await socket.close(code=WSCloseCode.GOING_AWAY)
