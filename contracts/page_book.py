"""The pages of one meter within one call: each read once, and written once at the end."""

from chain.state import State
from contracts.conversion import Conversion
from contracts.meter import Meter
from contracts.meter_state import Memory
from contracts.reading_page import (
    MutablePage,
    ReadingPage,
    page_key,
    page_prefix,
    slots_per_page,
)
from contracts.register_chain import Mark

NEIGHBOUR_PAGES_MAX = 32
"""Pages that are looked through for the register next to a late one."""


class PageBook:
    """Opens pages of a meter, and finds the registers around an interval."""

    __slots__ = ("_changed", "_conversion", "_memory", "_meter", "_page_ms", "_pages", "_state")

    def __init__(self, state: State, meter: Meter, conversion: Conversion, memory: Memory) -> None:
        self._state = state
        self._meter = meter
        self._conversion = conversion
        self._memory = memory
        self._page_ms = meter.interval_ms * slots_per_page(meter.interval_ms)
        self._pages: dict[int, MutablePage] = {}
        self._changed: dict[int, MutablePage] = {}

    def open(self, start_ms: int) -> MutablePage:
        """Returns the page of an interval to be changed; begins it where there is none."""
        page_ms = start_ms - start_ms % self._page_ms
        page = self._changed.get(page_ms)
        if page is None:
            page = self._changed[page_ms] = self._find(page_ms) or self._begin(page_ms)
        return page

    def slot_of(self, start_ms: int) -> int:
        """Returns the place of an interval in its page."""
        return start_ms % self._page_ms // self._meter.interval_ms

    def write(self) -> None:
        """Puts the changed pages into the state."""
        for page_ms, page in self._changed.items():
            self._state.put(page_key(self._meter.meter_id, page_ms), page.record())

    def mark_before(self, start_ms: int) -> Mark | None:
        """Returns the register of the nearest interval before, or None where none is near."""
        page: MutablePage | None = self.open(start_ms)
        slot = self.slot_of(start_ms)
        for _ in range(NEIGHBOUR_PAGES_MAX):
            if page is None:
                return None
            found = page.last_linked_before(slot)
            if found is not None:
                return self._mark(page, found)
            page = None if page.previous_ms is None else self._find(page.previous_ms)
            slot = len(page.submitted) if page is not None else 0
        return None

    def mark_after(self, start_ms: int) -> Mark | None:
        """Returns the register of the nearest interval after, or None where none is near.

        Args:
            start_ms: of an interval before the meter's newest, whose register always counts.
        """
        page = self.open(start_ms)
        found = page.first_linked_from(self.slot_of(start_ms) + 1)
        for _ in range(NEIGHBOUR_PAGES_MAX):
            if found is not None:
                return self._mark(page, found)
            page = self._following(page.start_ms)
            found = page.first_linked_from(0)
        return None

    def _mark(self, page: MutablePage, slot: int) -> Mark:
        return Mark(page.start_ms + slot * self._meter.interval_ms, page.submitted[slot])

    def _find(self, page_ms: int) -> MutablePage | None:
        page = self._pages.get(page_ms)
        if page is None:
            record = self._state.get(ReadingPage, page_key(self._meter.meter_id, page_ms))
            if record is None:
                return None
            page = self._pages[page_ms] = self._page_of(page_ms, record)
        return page

    def _page_of(self, page_ms: int, record: ReadingPage | None) -> MutablePage:
        return MutablePage(self._meter, self._conversion, page_ms, record)

    def _begin(self, page_ms: int) -> MutablePage:
        """Begins a page and takes it into the line of pages, which each name the one before."""
        page = self._pages[page_ms] = self._page_of(page_ms, None)
        newest_ms = self._memory.newest_page_ms
        if newest_ms is None or page_ms > newest_ms:
            page.previous_ms = newest_ms
            self._memory.newest_page_ms = page_ms
        else:
            following = self._following(page_ms)
            self._changed[following.start_ms] = following
            page.previous_ms, following.previous_ms = following.previous_ms, page_ms
        # The line is searched in the state, so a page stands there from its first reading on.
        self._state.put(page_key(self._meter.meter_id, page_ms), page.record())
        return page

    def _following(self, page_ms: int) -> MutablePage:
        """Returns the page after one that is not the newest."""
        prefix = page_prefix(self._meter.meter_id)
        after = page_key(self._meter.meter_id, page_ms) + b"\x00"
        key, _ = next(self._state.iterate(ReadingPage, prefix, after))
        following = self._find(int(key[len(prefix) :]))
        assert following is not None, "a page that was iterated over exists"
        return following
