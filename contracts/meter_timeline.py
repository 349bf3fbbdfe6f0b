"""The timeline of a meter: what counts for each of its intervals, and whether it is assured.

An amount is quality-assured where its source measured or calculated it and it failed none of the
checks that speak against the meter; a corrected amount where it was read again or calculated. Of a
register it must also follow on from the interval before, else it is the sum of several.
"""

from dataclasses import dataclass
from typing import Final

from chain.state import State
from chain.types import Milliseconds
from contracts.check import Check, bit
from contracts.conversion import conversion_of
from contracts.correction import corrected_slots
from contracts.meter import Meter, ValueKind
from contracts.part75 import Timeline
from contracts.reading import Quality
from contracts.reading_page import MutablePage, ReadingPage, page_key, page_prefix, page_start

INVALIDATING: Final = (
    bit(Check.DUPLICATE)
    | bit(Check.REGISTER)
    | bit(Check.PHYSICAL_CAP)
    | bit(Check.UNIT_SLIP)
    | bit(Check.STUCK)
)
"""A value that failed one of these is not quality-assured. The others ask whether consumption is
usual or agrees with other sources, and say nothing against the meter by themselves."""
_ASSURED: Final = (Quality.MEASURED, Quality.CALCULATED)
_IS_ASSURED: Final = bytes(quality in _ASSURED for quality in range(max(Quality) + 1))


@dataclass(frozen=True, slots=True)
class MeterTimeline:
    """A timeline, and where it begins."""

    from_ms: Milliseconds
    """Start of its first interval."""
    timeline: Timeline
    linked: bytearray
    """Whether the register of the interval is one that the next is compared with, as 0 or 1."""


def timeline_of(
    state: State,
    meter: Meter,
    from_ms: Milliseconds,
    to_ms: Milliseconds,
    *,
    since_known: Milliseconds,
) -> MeterTimeline:
    """Returns what is known of a meter's intervals within a span of whole intervals.

    Args:
        state: committed or of a block.
        meter: the meter.
        from_ms: start of a page.
        to_ms: end, exclusive.
        since_known: the timeline begins with the first interval that is known, and no later
            than here: a meter is not missing before it sent anything.
    """
    interval_ms = meter.interval_ms
    count = (to_ms - from_ms) // interval_ms
    amounts: list[int | None] = [None] * count
    assured, linked = bytearray(count), bytearray(count)
    conversion = conversion_of(meter)
    prefix = page_prefix(meter.meter_id)
    first_key = page_key(meter.meter_id, page_start(interval_ms, from_ms))
    for key, record in state.iterate(ReadingPage, prefix, first_key):
        page_ms = int(key[len(prefix) :])
        if page_ms >= to_ms:
            break
        page = MutablePage(meter, conversion, page_ms, record)
        offset = (page_ms - from_ms) // interval_ms
        _take_page(page, offset, (amounts, assured, linked))
        if page.corrected:
            _lay_over(state, meter, page, (offset, amounts, assured))
    if meter.kind is ValueKind.REGISTER:
        for place in range(count - 1, 0, -1):
            assured[place] &= linked[place - 1]
    latest = (since_known - from_ms) // interval_ms
    start = next((place for place in range(latest) if amounts[place] is not None), latest)
    return MeterTimeline(
        from_ms + start * interval_ms,
        Timeline(interval_ms, amounts[start:], assured[start:]),
        linked[start:],
    )


def _take_page(
    page: MutablePage, offset: int, into: tuple[list[int | None], bytearray, bytearray]
) -> None:
    """Takes what the readings of a page say, from a place of the timeline on."""
    amounts, assured, linked = into
    known, qualities, failed = page.amount_known, page.qualities, page.failed
    for slot in range(max(-offset, 0), min(page.present.bit_length(), len(amounts) - offset)):
        place = offset + slot
        linked[place] = page.linked >> slot & 1
        if known >> slot & 1:
            amount = amounts[place] = page.amount_at(slot)
            assured[place] = (
                amount is not None
                and amount >= 0
                and _IS_ASSURED[qualities[slot]]
                and not failed[slot] & INVALIDATING
            )


def _lay_over(
    state: State,
    meter: Meter,
    page: MutablePage,
    into: tuple[int, list[int | None], bytearray],
) -> None:
    """Lays what was approved for a page over what its readings say."""
    offset, amounts, assured = into
    for slot, newest in corrected_slots(state, meter.meter_id, page.start_ms).items():
        place = offset + slot
        if newest.amount is not None and 0 <= place < len(amounts):
            amounts[place], assured[place] = newest.amount, newest.quality in _ASSURED
