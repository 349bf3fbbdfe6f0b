"""The pages of one meter: those that a call changes, and those that it only looks at."""

from typing import Final

from chain.state import State
from contracts.meter_facts import MeterFacts
from contracts.meter_state import Memory
from contracts.reading_page import MutablePage, ReadingPage, page_key
from contracts.register_chain import Mark

NEIGHBOUR_PAGES_MAX: Final = 32
"""Pages to either side in which the register next to a late one is looked for: a month of days.
Each costs one look at the state, so a late reading costs the same however old it is."""


class PageBook:
    """Opens pages of a meter, and finds the registers around an interval.

    Args:
        state: of the block.
        facts: of the meter.
        memory: of the meter.
        drafts: takes the state key of each page that is opened to be changed.
    """

    __slots__ = (
        "_drafts",
        "_facts",
        "_interval_ms",
        "_memory",
        "_opened",
        "_page_ms",
        "_seen",
        "_state",
    )

    def __init__(
        self, state: State, facts: MeterFacts, memory: Memory, drafts: dict[bytes, None]
    ) -> None:
        self._state = state
        self._drafts = drafts
        self._facts = facts
        self._memory = memory
        self._interval_ms = facts.meter.interval_ms
        self._page_ms = facts.page_ms
        self._opened: dict[int, MutablePage] = {}
        """Drafts of the block, by start."""
        self._seen: dict[int, MutablePage | None] = {}
        """Pages that were looked at and not opened, as they stand; None where there is none."""

    def forget(self) -> None:
        """Lets go of all pages: what others did to them is to be seen."""
        self._opened.clear()
        self._seen.clear()

    def open(self, start_ms: int) -> MutablePage:
        """Returns the page of an interval to be changed; begins it where there is none."""
        page_ms = start_ms - start_ms % self._page_ms
        page = self._opened.get(page_ms)
        if page is None:
            key = self._facts.page_prefix + b"%020d" % page_ms
            page = self._state.edit(ReadingPage, key, lambda record: self._begin(page_ms, record))
            self._opened[page_ms] = page
            self._drafts[key] = None
        return page

    def slot_of(self, start_ms: int) -> int:
        """Returns the place of an interval in its page."""
        return start_ms % self._page_ms // self._interval_ms

    def judged_at(self, start_ms: int) -> tuple[int, int] | None:
        """Returns an interval's amount in base units and the mask of what it failed.

        None where the amount is not known.
        """
        page = self._find(start_ms - start_ms % self._page_ms)
        if page is None:
            return None
        slot = self.slot_of(start_ms)
        amount = page.amount_at(slot) if page.has_value(slot) else None
        return None if amount is None else (amount, page.failed[slot])

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
        return Mark(page.start_ms + slot * self._interval_ms, page.submitted[slot])

    def _begin(self, page_ms: int, record: ReadingPage | None) -> MutablePage:
        page = MutablePage(self._facts.meter, self._facts.conversion, page_ms, record)
        if record is None:
            page.previous_ms = self._memory.newest_page_ms
            self._memory.newest_page_ms = page_ms
        return page

    def _find(self, page_ms: int) -> MutablePage | None:
        """Returns a page to be looked at, or None where there is none."""
        page = self._opened.get(page_ms)
        if page is not None:
            return page
        if page_ms in self._seen:
            return self._seen[page_ms]
        if page_ms >= 0:
            meter = self._facts.meter
            record = self._state.get(ReadingPage, page_key(meter.meter_id, page_ms))
            if record is not None:
                page = MutablePage(meter, self._facts.conversion, page_ms, record)
        self._seen[page_ms] = page
        return page
