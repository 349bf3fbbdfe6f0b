"""What a run marks that a reading has confirmed: the intervals since its beginning.

Four hours are away from the baseline only once the fourth is there, but all four are. So the mask
of each interval of the run is set, and counted, when the run is confirmed; at most two days back,
so that a reading costs what it costs. What was not confirmed is never marked afterwards.
"""

from collections.abc import Callable
from typing import Final

from contracts.calendars import DAY_MS
from contracts.meter_quality import MutableQuality
from contracts.page_book import PageBook

MARKED_MS: Final = 2 * DAY_MS
MARKED_MAX: Final = 288
"""Intervals that one confirmation marks at most."""


def mark_run(
    book: PageBook,
    quality_at: Callable[[int], MutableQuality],
    check_bit: int,
    span: range,
) -> list[int]:
    """Marks intervals that have a value and are not marked yet; returns their starts, ascending.

    Args:
        book: pages of the meter.
        quality_at: gives the quality of an interval's month.
        check_bit: of the check that the run has failed.
        span: starts of the run's intervals before the one that confirmed it.
    """
    marked: list[int] = []
    for start_ms in span[-min(MARKED_MAX, MARKED_MS // span.step) :]:
        page, slot = book.open(start_ms), book.slot_of(start_ms)
        if not page.has_value(slot) or page.failed[slot] & check_bit:
            continue
        page.failed[slot] |= check_bit
        gained = check_bit & ~page.applied[slot]
        page.applied[slot] |= gained
        quality_at(start_ms).count(gained, check_bit, 0)
        marked.append(start_ms)
    return marked
