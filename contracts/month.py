"""The month: a number since 1970-01, its days, and when it begins by a site's calendar.

A local day begins at the first moment from which on no clock at the place shows an earlier date;
a clock that is set back over midnight does not begin it twice. All dates are proleptic Gregorian.
"""

from typing import Annotated, Final

from chain.types import Milliseconds, Range
from contracts.calendars import DAY_MS, Calendar, local_time_of
from contracts.emissions import month_of_day

MONTHS_MAX: Final = 96_359
"""December of 9999."""

Month = Annotated[int, Range(0, MONTHS_MAX)]
"""Months since 1970-01: 576 is 2018-01."""
Year = Annotated[int, Range(1970, 9999)]
"""Calendar year, each of whose months is a :data:`Month`."""


def year_of(month: int) -> int:
    """Returns the year of a month."""
    return 1970 + month // 12


def january_of(year: int) -> int:
    """Returns the first month of a year, as months since 1970-01."""
    return (year - 1970) * 12


def first_day_of(month: int) -> int:
    """Returns the first day of a month as days since 1970-01-01.

    The inverse of :func:`contracts.emissions.month_of_day` (H. Hinnant, days_from_civil).
    """
    year, month_of_year = divmod(month, 12)
    march_month = (month_of_year - 2) % 12
    march_year = 1970 + year - (month_of_year < 2)
    era, year_of_era = divmod(march_year, 400)
    day_of_year = (153 * march_month + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    day: int = era * 146_097 + day_of_era - 719_468
    assert month_of_day(day) == month, "one is the inverse of the other"
    return day


def day_start_ms(calendar: Calendar, day: int) -> Milliseconds:
    """Returns the moment at which a local day begins, milliseconds UTC.

    Args:
        calendar: tells local time.
        day: local date as days since 1970-01-01, not before it.
    """
    local_ms = day * DAY_MS
    offsets = [(from_ms, local_ms - offset_s * 1_000) for from_ms, offset_s in calendar.transitions]
    before = [index for index, (from_ms, start_ms) in enumerate(offsets) if from_ms < start_ms]
    # The last offset that was in force before the day; the first holds for all time before it.
    in_force = before[-1] if before else 0
    start_ms = offsets[in_force][1]
    if in_force + 1 < len(offsets):
        # A clock may be set forward over midnight: then the day begins as it is set.
        start_ms = min(start_ms, offsets[in_force + 1][0])
    return max(start_ms, 0)


def month_at(calendar: Calendar, moment_ms: Milliseconds) -> int:
    """Returns the local month of a moment."""
    return month_of_day(local_time_of(calendar, moment_ms).day)


def month_start_ms(calendar: Calendar, month: int) -> Milliseconds:
    """Returns the moment at which a local month begins, milliseconds UTC."""
    return day_start_ms(calendar, first_day_of(month))


def month_end_ms(calendar: Calendar, month: int) -> Milliseconds:
    """Returns the moment at which a local month is over, milliseconds UTC."""
    return month_start_ms(calendar, month + 1)


def month_name(month: int) -> str:
    """Returns a month as ISO 8601 writes it, such as ``2018-01``."""
    return f"{year_of(month):04d}-{month % 12 + 1:02d}"
