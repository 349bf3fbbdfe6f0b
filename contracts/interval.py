"""The interval for readers: its raw reading, what was approved for it, and what counts."""

from dataclasses import dataclass

from chain.types import Milliseconds
from contracts.correction import CorrectedPage, CorrectedSlot
from contracts.meter import Meter
from contracts.reading import NO_FACTOR, Quality
from contracts.reading_page import ReadingPage, SlotView, slots_of


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval that has a reading, or for which something was approved."""

    start_ms: Milliseconds
    raw: SlotView | None
    """Its reading; None where none came."""
    newest: CorrectedSlot | None
    """The newest approved correction; None where there is none."""

    @property
    def in_force(self) -> CorrectedSlot | None:
        """Returns the correction that counts, or None where the reading does."""
        return None if self.newest is None or self.newest.amount is None else self.newest

    @property
    def effective_amount(self) -> int | None:
        """Returns what counts, base units; None where nothing does."""
        if self.in_force is not None:
            return self.in_force.amount
        return None if self.raw is None else self.raw.amount

    @property
    def effective_quality(self) -> Quality:
        """Returns the quality of what counts; MISSING where nothing does."""
        if self.in_force is not None:
            return self.in_force.quality
        return Quality.MISSING if self.raw is None else self.raw.quality

    @property
    def has_factor(self) -> bool:
        """Returns whether the emissions of what counts are counted, or there is nothing to."""
        if self.in_force is not None:
            return self.in_force.has_factor
        return self.raw is None or not self.raw.failed & NO_FACTOR


def intervals_of(
    meter: Meter, page_ms: Milliseconds, page: ReadingPage, corrected: CorrectedPage | None
) -> tuple[Interval, ...]:
    """Returns the intervals of a page of which something is known, by time."""
    raw = {slot.start_ms: slot for slot in slots_of(meter, page_ms, page)}
    newest = {
        page_ms + each.slot * meter.interval_ms: each
        for each in (() if corrected is None else corrected.slots)
    }
    return tuple(
        Interval(start_ms, raw.get(start_ms), newest.get(start_ms))
        for start_ms in sorted({*raw, *newest})
    )
