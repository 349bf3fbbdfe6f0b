"""What reports, certificates and people ask of the quality of readings.

Availability of a month is a read of its record. The percentage of 40 CFR 75 looks at the hours
themselves, because it goes by the trailing 8,760 of them and not by months.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from chain.state import State
from chain.types import Milliseconds
from contracts.calendars import HOUR_MS, Calendar
from contracts.check import Check, bit
from contracts.meter import Meter
from contracts.meter_quality import MeterQuality, MutableQuality, quality_key
from contracts.month import month_end_ms, month_start_ms
from contracts.reading import Quality
from contracts.reading_page import ReadingPage, page_key, page_prefix, page_start
from contracts.statistics import divide_up

TRAILING_HOURS: Final = 8_760
"""Hours of operation that the percentage of 40 CFR 75.32 goes by."""
INVALIDATING: Final = (
    bit(Check.DUPLICATE)
    | bit(Check.REGISTER)
    | bit(Check.PHYSICAL_CAP)
    | bit(Check.UNIT_SLIP)
    | bit(Check.STUCK)
)
"""A value that failed one of these is not quality-assured. The others ask whether consumption is
usual or agrees with other sources, and say nothing against the meter by themselves."""
_NOTHING: Final = MutableQuality().record()
_ASSURED: Final = (Quality.MEASURED, Quality.CALCULATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthQuality:
    """The quality of one meter's local month."""

    meter_id: str
    month: int
    expected: int
    """Intervals of the month during which the meter was installed."""
    counts: MeterQuality

    @property
    def availability_permille(self) -> int | None:
        """Returns present of expected intervals, rounded down; None where none is expected."""
        return _permille(self.counts.present, self.expected)

    @property
    def score_permille(self) -> int | None:
        """Returns passed of applicable checks, rounded down; None where none applied."""
        applied = sum(self.counts.applied)
        return _permille(applied - sum(self.counts.failed), applied)


def quality_of_month(
    state: State, meter: Meter, calendar: Calendar, month: int, until_ms: Milliseconds
) -> MonthQuality:
    """Returns the quality of a meter's month.

    Args:
        state: committed or of a block.
        meter: the meter.
        calendar: its own, which tells its months.
        month: local, since 1970-01.
        until_ms: intervals that end later are not expected yet, such as block time.
    """
    counts = state.get(MeterQuality, quality_key(meter.meter_id, month)) or _NOTHING
    return MonthQuality(
        meter_id=meter.meter_id,
        month=month,
        expected=expected_intervals(meter, calendar, month, until_ms),
        counts=counts,
    )


def expected_intervals(meter: Meter, calendar: Calendar, month: int, until_ms: Milliseconds) -> int:
    """Returns how many intervals of a local month a meter has to report.

    Args:
        meter: its grid and when it was installed.
        calendar: its own.
        month: local, since 1970-01; an interval belongs to the month in which it starts.
        until_ms: intervals that end later are not expected yet.
    """
    interval_ms = meter.interval_ms
    from_ms = max(month_start_ms(calendar, month), meter.installed_from_ms)
    to_ms = min(month_end_ms(calendar, month), until_ms - interval_ms + 1)
    if meter.installed_to_ms is not None:
        to_ms = min(to_ms, meter.installed_to_ms)
    return max(divide_up(to_ms, interval_ms) - divide_up(from_ms, interval_ms), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorAvailability:
    """Percent monitor availability (40 CFR 75.32), of hours before a moment."""

    hours: int
    """Hours looked at: the trailing 8,760, or those since the meter was installed."""
    assured: int
    """Those of them of which every interval has a quality-assured value."""

    @property
    def permille(self) -> int | None:
        """Returns assured of all hours, rounded down; None where there is no hour."""
        return _permille(self.assured, self.hours)


def monitor_availability(
    state: State, meter: Meter, before_ms: Milliseconds
) -> MonitorAvailability:
    """Counts the quality-assured hours among the trailing ones.

    A meter of energy is expected to run all the time, so every hour of the clock from the one of
    its first reading on is an hour of operation: a building that is shut still has a meter. An
    hour is quality-assured where each of its intervals has a value that was measured or
    calculated and failed none of the checks in :data:`INVALIDATING`. Of intervals longer than an
    hour, each hour is what its interval is.

    Args:
        state: committed or of a block; one look for each page of a year.
        meter: the meter.
        before_ms: the hours end with the last that is over then.
    """
    group_ms = meter.interval_ms if HOUR_MS % meter.interval_ms else HOUR_MS
    last_ms = before_ms - before_ms % group_ms
    prefix = page_prefix(meter.meter_id)
    earliest = next(state.iterate(ReadingPage, prefix), None)
    if earliest is None:
        return MonitorAvailability(hours=0, assured=0)
    key, page = earliest
    present = int.from_bytes(page.present, "big")
    first_slot = (present & -present).bit_length() - 1 if present else 0
    begun_ms = int(key[len(prefix) :]) + first_slot * meter.interval_ms
    trailing_ms = last_ms - TRAILING_HOURS * HOUR_MS
    first_ms = max(begun_ms - begun_ms % group_ms, trailing_ms - trailing_ms % group_ms)
    assured: dict[int, int] = {}
    for start_ms in _assured_intervals(state, meter, max(first_ms, 0), last_ms):
        group = start_ms // group_ms
        assured[group] = assured.get(group, 0) + 1
    whole = group_ms // meter.interval_ms
    groups = sum(1 for count in assured.values() if count == whole)
    return MonitorAvailability(
        hours=max(last_ms - first_ms, 0) // HOUR_MS, assured=groups * group_ms // HOUR_MS
    )


def _assured_intervals(
    state: State, meter: Meter, from_ms: Milliseconds, to_ms: Milliseconds
) -> Iterator[Milliseconds]:
    """Yields the starts of the intervals of a span that have a quality-assured value."""
    prefix = page_prefix(meter.meter_id)
    first = page_key(meter.meter_id, page_start(meter.interval_ms, from_ms))
    for key, page in state.iterate(ReadingPage, prefix, first):
        page_ms = int(key[len(prefix) :])
        if page_ms >= to_ms:
            return
        for slot in range(len(page.qualities)):
            start_ms = page_ms + slot * meter.interval_ms
            failed = int.from_bytes(page.failed[4 * slot : 4 * slot + 4], "big")
            is_assured = page.qualities[slot] in _ASSURED and not failed & INVALIDATING
            if is_assured and from_ms <= start_ms < to_ms:
                yield start_ms


def _permille(part: int, whole: int) -> int | None:
    return part * 1_000 // whole if whole else None
