"""What meters measured in a window, as baselines take it up: amounts of intervals, days, months."""

from collections.abc import Iterator, Mapping
from typing import Final

from chain.state import State
from chain.types import Milliseconds
from contracts.baseline import Model
from contracts.calendars import DAY_MS, Calendar, DayType, day_type_of
from contracts.check import Check, bit
from contracts.conversion import conversion_of
from contracts.correction import CorrectedSlot, corrected_slots
from contracts.day_fit import DayPoint
from contracts.emissions import month_of_day
from contracts.local_clock import LocalClock
from contracts.meter import Meter, Quantity, ValueKind
from contracts.reading import Quality
from contracts.reading_page import MutablePage, ReadingPage, page_key, page_start, slots_per_page
from contracts.statistics import divide_half_even

COVERAGE_PERMILLE_MIN: Final = 800
"""Share of the intervals of a window or day that must have an amount."""
MONTH_DAYS_MIN: Final = 24
"""Days of a month that a mean day is made of at least."""
TEMPERATURE_MIN: Final = -900
"""Tenths of a degree Celsius; colder than it ever was outdoors."""
TEMPERATURE_MAX: Final = 600

_NOT_FOR_TRAINING: Final = (
    bit(Check.REGISTER) | bit(Check.PHYSICAL_CAP) | bit(Check.UNIT_SLIP) | bit(Check.STUCK)
)
"""An amount that failed one of these is no measurement of the meter's consumption."""
_MEASURED: Final = (int(Quality.MEASURED), int(Quality.CALCULATED))
_NONE: Final[Mapping[int, CorrectedSlot]] = {}


def amounts_between(
    state: State, meter: Meter, from_ms: Milliseconds, to_ms: Milliseconds
) -> Iterator[tuple[Milliseconds, int]]:
    """Yields start and amount of the intervals that a baseline may be fitted to, by time.

    What was corrected counts as it was corrected; what was estimated or substituted, and what
    failed a check that says it was not measured, does not count at all.

    Args:
        state: with the meter's pages.
        meter: whose intervals they are.
        from_ms: start of the window.
        to_ms: its exclusive end.
    """
    conversion, interval_ms = conversion_of(meter), meter.interval_ms
    page_ms = interval_ms * slots_per_page(interval_ms)
    is_register = meter.kind is ValueKind.REGISTER
    before_ms = -1
    # A register counts from the one before it, which may lie in the page before the window.
    first_ms = page_start(interval_ms, max(from_ms - interval_ms, 0))
    for start_of_page in range(first_ms, to_ms, page_ms):
        record = state.get(ReadingPage, page_key(meter.meter_id, start_of_page))
        if record is None:
            continue
        page = MutablePage(meter, conversion, start_of_page, record)
        corrected = _corrections_of(state, meter, page)
        present, qualities, failed = page.present, page.qualities, page.failed
        for slot in range((present | page.corrected).bit_length()):
            start_ms = start_of_page + slot * interval_ms
            has_value = present >> slot & 1
            # A register after a gap counts more than its own interval.
            is_own = not is_register or before_ms == start_ms - interval_ms
            if has_value:
                before_ms = start_ms
            if not from_ms <= start_ms < to_ms:
                continue
            amount: int | None = None
            if corrected and slot in corrected:
                if corrected[slot].quality in _MEASURED:
                    amount = corrected[slot].amount
            elif has_value and is_own and qualities[slot] in _MEASURED:
                amount = None if failed[slot] & _NOT_FOR_TRAINING else page.amount_at(slot)
            if amount is not None:
                yield start_ms, amount


def _corrections_of(state: State, meter: Meter, page: MutablePage) -> Mapping[int, CorrectedSlot]:
    """Returns what is to count instead of slots' own values, where anything is."""
    if not page.corrected:
        return _NONE
    found = corrected_slots(state, meter.meter_id, page.start_ms)
    return {slot: each for slot, each in found.items() if each.amount is not None}


def values_by_day(
    state: State, meter: Meter, clock: LocalClock, from_ms: Milliseconds, to_ms: Milliseconds
) -> dict[int, tuple[int, ...]]:
    """Returns the amounts of each local day that has enough of them, by day.

    Args:
        state: with the meter's pages.
        meter: whose amounts they are; temperatures that cannot be outdoors are left out.
        clock: tells the local day.
        from_ms: start of the window.
        to_ms: its exclusive end.
    """
    found: dict[int, list[int]] = {}
    is_temperature = meter.quantity is Quantity.TEMPERATURE
    for start_ms, amount in amounts_between(state, meter, from_ms, to_ms):
        if is_temperature and not TEMPERATURE_MIN <= amount <= TEMPERATURE_MAX:
            continue
        clock.hour_at(start_ms)
        day = clock.day
        if day in found:
            found[day].append(amount)
        else:
            found[day] = [amount]
    least = intervals_a_day(meter) * COVERAGE_PERMILLE_MIN
    return {day: tuple(each) for day, each in found.items() if len(each) * 1_000 >= least}


def intervals_a_day(meter: Meter) -> int:
    """Returns how many intervals a day of 24 hours has."""
    return DAY_MS // meter.interval_ms


def day_amount(meter: Meter, values: tuple[int, ...]) -> int:
    """Returns what a day of 24 hours counts by the mean of the values that there are.

    Of a day that lacks none and has 24 hours, this is their sum.
    """
    return divide_half_even(sum(values) * intervals_a_day(meter), len(values))


def driver_of(meter: Meter, values: tuple[int, ...]) -> int:
    """Returns a day's mean temperature, rounded half to even, or what was produced on it."""
    if meter.quantity is Quantity.TEMPERATURE:
        return divide_half_even(sum(values), len(values))
    return day_amount(meter, values)


def samples_of(model: Model, driver: int, values: tuple[int, ...]) -> tuple[int, ...]:
    """Returns what the degree days of a day are the mean of, ascending."""
    return tuple(sorted(values)) if model is Model.DEGREE_DAY else (driver,)


def level_of(day_type: DayType) -> int:
    """Returns the level of a day model for a day: holidays are Sundays."""
    return DayType.SUNDAY if day_type is DayType.HOLIDAY else int(day_type)


def points_of_days(
    model: Model,
    calendar: Calendar,
    of_meter: tuple[Meter, Mapping[int, tuple[int, ...]]],
    of_driver: tuple[Meter, Mapping[int, tuple[int, ...]]],
) -> dict[int, DayPoint]:
    """Returns the points of the days that both meters know, by day."""
    (meter, amounts), (driver_meter, drivers) = of_meter, of_driver
    points: dict[int, DayPoint] = {}
    for day in sorted(amounts):
        if day in drivers:
            driver = driver_of(driver_meter, drivers[day])
            points[day] = DayPoint(
                level_of(day_type_of(calendar, day)),
                day_amount(meter, amounts[day]),
                driver,
                samples_of(model, driver, drivers[day]),
            )
    return points


def points_of_months(model: Model, points: Mapping[int, DayPoint]) -> list[DayPoint]:
    """Returns the mean day of each month that has enough of them, by time."""
    by_month: dict[int, list[DayPoint]] = {}
    for day, point in points.items():
        by_month.setdefault(month_of_day(day), []).append(point)
    months: list[DayPoint] = []
    for days in by_month.values():
        if len(days) < MONTH_DAYS_MIN:
            continue
        driver = divide_half_even(sum([day.driver for day in days]), len(days))
        samples: tuple[int, ...] = (driver,)
        if model is Model.DEGREE_DAY:
            samples = tuple(sorted([each for day in days for each in day.samples]))
        amount = divide_half_even(sum([day.amount for day in days]), len(days))
        months.append(DayPoint(0, amount, driver, samples))
    return months
