"""The pages of one meter within one call: each read once, and written once at the end."""

from typing import Final

from chain.state import State
from contracts.conversion import Conversion
from contracts.meter import Meter
from contracts.meter_state import Memory
from contracts.reading_page import MutablePage, ReadingPage, page_key, slots_per_page
from contracts.register_chain import Mark

NEIGHBOUR_PAGES_MAX: Final = 32
"""Pages to either side in which the register next to a late one is looked for: a month of days.
Each costs one look at the state, so a late reading costs the same however old it is."""


class PageBook:
    """Opens pages of a meter, and finds the registers around an interval."""

    __slots__ = ("_changed", "_conversion", "_memory", "_meter", "_page_ms", "_pages", "_state")

    def __init__(self, state: State, meter: Meter, conversion: Conversion, memory: Memory) -> None:
        self._state = state
        self._meter = meter
        self._conversion = conversion
        self._memory = memory
        self._page_ms = meter.interval_ms * slots_per_page(meter.interval_ms)
        self._pages: dict[int, MutablePage | None] = {}
        self._changed: dict[int, MutablePage] = {}

    def open(self, start_ms: int) -> MutablePage:
        """Returns the page of an interval to be changed; begins it where there is none."""
        page_ms = start_ms - start_ms % self._page_ms
        page = self._changed.get(page_ms)
        if page is None:
            page = self._find(page_ms)
            if page is None:
                page = MutablePage(self._meter, self._conversion, page_ms, None)
                page.previous_ms = self._memory.newest_page_ms
                self._memory.newest_page_ms = page_ms
            self._pages[page_ms] = self._changed[page_ms] = page
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
        page = self.open(start_ms)
        found = page.last_linked_before(self.slot_of(start_ms))
        if found is not None:
            return self._mark(page, found)
        for distance in range(1, NEIGHBOUR_PAGES_MAX + 1):
            earlier = self._find(page.start_ms - distance * self._page_ms)
            found = earlier.last_linked_before(len(page.submitted)) if earlier else None
            if earlier is not None and found is not None:
                return self._mark(earlier, found)
        return None

    def mark_after(self, start_ms: int) -> Mark | None:
        """Returns the register of the nearest interval after, or None where none is near."""
        page = self.open(start_ms)
        found = page.first_linked_from(self.slot_of(start_ms) + 1)
        if found is not None:
            return self._mark(page, found)
        for distance in range(1, NEIGHBOUR_PAGES_MAX + 1):
            later = self._find(page.start_ms + distance * self._page_ms)
            found = later.first_linked_from(0) if later else None
            if later is not None and found is not None:
                return self._mark(later, found)
        return None

    def _mark(self, page: MutablePage, slot: int) -> Mark:
        return Mark(page.start_ms + slot * self._meter.interval_ms, page.submitted[slot])

    def _find(self, page_ms: int) -> MutablePage | None:
        if page_ms in self._pages:
            return self._pages[page_ms]
        page = None
        if page_ms >= 0:
            record = self._state.get(ReadingPage, page_key(self._meter.meter_id, page_ms))
            if record is not None:
                page = MutablePage(self._meter, self._conversion, page_ms, record)
        self._pages[page_ms] = page
        return page
