"""What reports, certificates and people ask of the quality of readings.

Availability of a month is a read of its record. The percentage of 40 CFR 75 looks at the hours
themselves, because it goes by the trailing 8,760 of them and not by months.
"""

from dataclasses import dataclass
from typing import Final

from chain.state import State
from chain.types import Milliseconds
from contracts.calendars import HOUR_MS, Calendar
from contracts.meter import Meter
from contracts.meter_quality import MeterQuality, MutableQuality, quality_key
from contracts.meter_timeline import timeline_of
from contracts.month import month_end_ms, month_start_ms
from contracts.part75 import LOOK_BACK_MS, USUAL_LOOK_BACK_MS, Availability, History
from contracts.reading_page import page_start
from contracts.statistics import divide_up

_NOTHING: Final = MutableQuality().record()


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
    """Hours of operation: the trailing 8,760, or those since the meter's first value."""
    assured: int
    """Quality-assured ones of them."""

    @property
    def permille(self) -> int | None:
        """Returns assured of all hours, rounded down; None where there is no hour."""
        return _permille(self.assured, self.hours)


def monitor_availability(
    state: State, meter: Meter, before_ms: Milliseconds
) -> MonitorAvailability:
    """Counts the quality-assured hours among the trailing ones, as substitutes do.

    An hour is as many intervals as the meter has (:mod:`contracts.part75`); one that is the
    plant's, with a quality-assured amount of 0, is no hour of operation.

    Args:
        state: committed or of a block; one look for each page of a year, of three at most.
        meter: the meter.
        before_ms: the hours end with the last interval that is over then.
    """
    interval_ms = meter.interval_ms
    last_ms = before_ms - before_ms % interval_ms
    found = Availability(operating=0, assured=0)
    for look_back_ms in (USUAL_LOOK_BACK_MS, LOOK_BACK_MS):
        from_ms = page_start(interval_ms, max(last_ms - look_back_ms, 0))
        known = timeline_of(state, meter, from_ms, last_ms, since_known=last_ms)
        found = History(known.timeline).availability(len(known.timeline.amounts))
        if found.is_settled(interval_ms):
            break
    return MonitorAvailability(
        hours=found.operating * interval_ms // HOUR_MS,
        assured=found.assured * interval_ms // HOUR_MS,
    )


def _permille(part: int, whole: int) -> int | None:
    return part * 1_000 // whole if whole else None
