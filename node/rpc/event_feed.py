"""All events of the chain in one sequence, read by cursor.

An event's place is its block's height and its index among the block's events: those of the
transactions in order, then the block's own. Nothing is pushed into queues that could overflow: each
reader asks the store for what comes after its cursor, so it can miss nothing, repeat what it
failed to handle, and cost no memory while it is slow. Blocks that all readers want at once are
decoded once.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from node.ports import BlockStore
from node.rpc.limits import EVENT_BLOCKS_PER_PAGE_MAX
from node.rpc.parameters import Cursor
from node.rpc.presentation import add_member, present_event
from node.rpc.strict_json import Json, dump

CACHED_BLOCKS: Final = 32
"""Blocks whose events are kept in their JSON form for other readers; 10,000 events are 4 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEvent:
    """One event as it goes to readers."""

    cursor: Cursor
    kind: str
    encoded: bytes
    """JSON object with cursor, place, time, transaction, kind, subject and content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events after a cursor, and where to go on."""

    events: tuple[PlacedEvent, ...]
    next: Cursor
    """Ask after this; it moves on past blocks without events too."""
    head_height: int


class EventFeed:
    """Reads events; safe to call from several threads."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._cache: OrderedDict[int, tuple[PlacedEvent, ...]] = OrderedDict()

    def page(self, after: Cursor, *, limit: int, kind: str = "") -> EventPage:
        """Reads events strictly after a cursor.

        Args:
            after: where the reader stands.
            limit: most events to return.
            kind: prefixes of the kinds wanted with commas between, such as ``alert.,case.``; empty
                for all.
        """
        prefixes = tuple(kind.split(","))
        head = self._store.head()
        head_height = 0 if head is None else head[0].height
        events: list[PlacedEvent] = []
        position = after
        # The cursor's own block may hold more; block 0 is genesis and has no events.
        first = max(after.height, 1)
        for height in range(first, min(head_height, first + EVENT_BLOCKS_PER_PAGE_MAX) + 1):
            block_events = self._events_of(height)
            for event in block_events:
                if event.cursor <= after:
                    continue
                if event.kind.startswith(prefixes):
                    if len(events) == limit:
                        return EventPage(
                            events=tuple(events), next=position, head_height=head_height
                        )
                    events.append(event)
                position = event.cursor
            position = max(position, Cursor(height, len(block_events)))
        return EventPage(events=tuple(events), next=position, head_height=head_height)

    def latest(self) -> Cursor:
        """Returns the cursor after everything that is committed."""
        head = self._store.head()
        if head is None:
            return Cursor(0, 0)
        height = head[0].height
        return Cursor(height, len(self._events_of(height)))

    def _events_of(self, height: int) -> tuple[PlacedEvent, ...]:
        with self._lock:
            cached = self._cache.get(height)
        if cached is not None:
            return cached
        events = self._decode(height)
        with self._lock:
            self._cache[height] = events
            if len(self._cache) > CACHED_BLOCKS:
                self._cache.popitem(last=False)
        return events

    def _decode(self, height: int) -> tuple[PlacedEvent, ...]:
        header = self._store.header(height)
        assert header is not None, "a block at or below the head has its header"
        placed: list[PlacedEvent] = []
        for receipt in self._store.receipts(height):
            for event in receipt.events:
                cursor = Cursor(height, len(placed))
                members: dict[str, Json] = {
                    "cursor": str(cursor),
                    "height": height,
                    "index": cursor.index,
                }
                add_member(members, "time_ms", header.time_ms)
                members["transaction_id"] = receipt.transaction_id.hex()
                members |= present_event(event)
                placed.append(PlacedEvent(cursor=cursor, kind=event.kind, encoded=dump(members)))
        return tuple(placed)
