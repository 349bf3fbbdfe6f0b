"""The baseline: what a meter is expected to measure, by which model, and how well that fits.

A baseline is a consensus object: each validator computes it anew from the readings of the window
that the transaction names, with its CV(RMSE) and NMBE (ASHRAE Guideline 14), and one that does not
qualify never comes into force (carbon.md, What decides the design, 5).

A *profile* expects an amount of each interval by its local hour. A *day model* expects the energy
of a local day, or of a month's mean day, by the outdoor temperature or by what was produced.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import I64, U16, U32, U64, Identifier, Length, Milliseconds, PublicKey, Text
from contracts.alert import AlertId
from contracts.calendars import DayType

HOURS: Final = 24
WEEKDAYS: Final = 7
CELLS_MAX: Final = WEEKDAYS * HOURS
"""Cells of the largest profile, one for each hour of the week."""
LEVELS_MAX: Final = 3
"""Levels of a day model: workdays, Saturdays, Sundays with holidays."""
IN_FORCE_MAX: Final = 256
"""Baselines of a kind that a meter can have in force one after the other."""
SLOPE_SCALE: Final = 1_000_000
"""A slope is held in millionths of a base unit for each unit of what drives it."""
_CELL_BYTES: Final = 8

Cells = Annotated[bytes, Length(0, _CELL_BYTES * CELLS_MAX)]
"""Signed 64 bits for each cell, in base units an interval; empty of a day model."""


class Model(IntEnum):
    """How the expectation is made; a number is never reused."""

    DAY_TYPE_HOUR = 1
    """Profile: median and MAD of each local hour of workday, Saturday, Sunday, holiday."""
    HOUR_OF_WEEK = 2
    """Profile: median and MAD of each of the 168 local hours of a week; holidays are Sundays."""
    DEGREE_DAY = 3
    """Heating and cooling degree days about one base temperature, summed over the day's readings
    of it."""
    HEATING_3P = 4
    """A level, and a slope below one change point of the day's mean temperature."""
    COOLING_3P = 5
    """A level, and a slope above one change point."""
    CHANGE_POINT_4P = 6
    """A slope on either side of one change point."""
    CHANGE_POINT_5P = 7
    """A slope below the heating point, a level, and a slope above the cooling point."""
    PRODUCTION = 8
    """A level, and an amount for each unit produced on the day: the intensity."""


PROFILES: Final = (Model.DAY_TYPE_HOUR, Model.HOUR_OF_WEEK)
CELL_COUNTS: Final = {Model.DAY_TYPE_HOUR: len(DayType) * HOURS, Model.HOUR_OF_WEEK: CELLS_MAX}


class Resolution(IntEnum):
    """What one point of the fit and of its measures is."""

    INTERVAL = 1
    DAY = 2
    """A local day's amount."""
    MONTH = 3
    """The mean day of a local month."""


class Reason(IntEnum):
    """Why a fitted baseline does not qualify."""

    WINDOW_TOO_SHORT = 1
    """Readings span fewer days, or make fewer points, than the model needs."""
    COVERAGE_TOO_LOW = 2
    """Too many intervals or days of the window have no amount, or nothing that drives it."""
    SCATTER_TOO_HIGH = 3
    """CV(RMSE) above the gate."""
    BIAS_TOO_HIGH = 4
    """NMBE beyond the gate."""
    NO_CONSUMPTION = 5
    """The mean is not above zero, so neither measure is defined."""
    NO_RESPONSE = 6
    """The amounts do not rise with what should drive them, or it does not vary enough to tell."""
    OUT_OF_RANGE = 7
    """A parameter is too large to be one of a meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayModel(Record):
    """Parameters of a day model: what a day is expected to count.

    ``level + (heating_slope * max(0, heating_point - x) + cooling_slope * max(0, x -
    cooling_point)) / 1_000_000``, the quotient rounded half to even, where ``x`` is the day's mean
    temperature in tenths of a degree Celsius. Of PRODUCTION, ``x`` is what was produced in base
    units, and the cooling slope is that of the intensity above a point of 0.
    """

    levels: Annotated[tuple[I64 | None, ...], Length(LEVELS_MAX, LEVELS_MAX)]
    """Base units a day, of workdays, Saturdays, Sundays with holidays; None where the window has
    too few of them to say anything."""
    heating_slope: I64
    """1e-6 base units a day for each tenth of a degree below; 0 where the model has none."""
    heating_point: I64 | None
    """Tenths of a degree Celsius; None where the model has none."""
    cooling_slope: I64
    cooling_point: I64 | None
    sigma: U64
    """Standard deviation of a point from what is expected, base units a day, rounded up."""
    driver_min: I64
    driver_max: I64
    """Smallest and largest day's mean or sum that it was fitted to; beyond them it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Record):
    """One fitted baseline of a meter, qualified or refused; a version never changes content."""

    meter_id: Identifier
    version: U32
    """From 1, counted over qualified and refused ones."""
    model: Model
    resolution: Resolution
    driver: Identifier | None
    """Meter of the outdoor temperature or of the production; None of profiles."""
    from_ms: Milliseconds
    to_ms: Milliseconds
    """Exclusive end of the training window."""
    interval_count: U32
    """Points that were fitted: intervals of profiles, else days or months."""
    parameter_count: U16
    """Numbers that were fitted: p of the measures."""
    coverage_permille: U32
    cv_rmse_permille: U64
    """Rounded up, so that what is above the gate never shows as the gate."""
    nmbe_permille: I64
    """Rounded away from zero; positive where the baseline is below the readings."""
    fsu_permille: U64
    """Fractional savings uncertainty of a saving of a tenth (:mod:`contracts.fit_quality`); 0 where
    the measures are not defined."""
    reason: Reason | None
    """None where it qualifies."""
    medians: Cells
    sigmas: Cells
    """Standard deviation that the median absolute deviation stands for."""
    known_cells: Annotated[bytes, Length(0, CELLS_MAX // 8)]
    """Cells that the window says something of; the first is the lowest bit of the last byte."""
    day_model: DayModel | None
    """None of profiles, and where no parameters were found."""
    fitted_ms: Milliseconds
    """Block time."""
    fitted_by: PublicKey

    @property
    def qualifies(self) -> bool:
        """Returns whether it passed the gate."""
        return self.reason is None


InForce = Annotated[tuple[tuple[Milliseconds, U32], ...], Length(0, IN_FORCE_MAX)]
"""(from_ms, version), ascending by time of the readings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineLine(Record):
    """Which versions a meter has, and which are in force from when.

    A profile and a day model are in force side by side: one judges intervals, the other days.
    """

    last_version: U32
    in_force: InForce = ()
    """Profiles."""
    days_in_force: InForce = ()
    """Models of days."""
    approval_count: U32 = 0
    """Approvals so far; they are numbered from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Record):
    """That a version was brought into force: by whom, and why; content of ``baseline.set``."""

    meter_id: Identifier
    number: U32
    """Of the meter, from 1, in the order of the approvals."""
    version: U32
    from_ms: Milliseconds
    """Start of the first interval that is held against it."""
    case: AlertId | None
    """Alert whose explanation is that the meter's use has changed; None where none led to it."""
    reason: Text
    """Why; empty only where nothing was in force before and no case led to it."""
    approved_by: PublicKey
    approved_ms: Milliseconds
    """Block time."""


def version_at(in_force: Sequence[tuple[Milliseconds, int]], start_ms: Milliseconds) -> int:
    """Returns the version that was in force for an interval, or 0 for none.

    Args:
        in_force: of a :class:`BaselineLine`.
        start_ms: start of the interval.
    """
    # No version is as high, so what starts with the interval itself comes before.
    position = bisect_right(in_force, (start_ms, 2**32))
    return in_force[position - 1][1] if position else 0


def cell_of(day_type: DayType, hour: int) -> int:
    """Returns the place of a local hour of a day type in a profile of day types."""
    return day_type * HOURS + hour


def week_cell_of(day: int, day_type: DayType, hour: int) -> int:
    """Returns the place of a local hour in a profile of the week, which begins on Monday.

    Args:
        day: local date as days since 1970-01-01, a Thursday.
        day_type: of that date; a holiday is taken for a Sunday.
        hour: 0 to 23.
    """
    weekday = WEEKDAYS - 1 if day_type is DayType.HOLIDAY else (day + 3) % WEEKDAYS
    return weekday * HOURS + hour


def pack_cells(values: Sequence[int]) -> bytes:
    """Returns the cells of a profile as a record holds them."""
    return b"".join([value.to_bytes(_CELL_BYTES, "big", signed=True) for value in values])


def cells_of(packed: bytes) -> tuple[int, ...]:
    """Returns the cells of a profile."""
    return tuple(
        int.from_bytes(packed[start : start + _CELL_BYTES], "big", signed=True)
        for start in range(0, len(packed), _CELL_BYTES)
    )


BASELINE_PREFIX: Final = b"baseline/"


def baseline_key(meter_id: str, version: int) -> bytes:
    """Returns the state key of a baseline; those of a meter sort by version."""
    return BASELINE_PREFIX + f"{meter_id}/{version:06d}".encode()


def line_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's line of baselines."""
    return f"baseline-line/{meter_id}".encode()


def approval_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's approvals."""
    return f"baseline-approval/{meter_id}/".encode()


def approval_key(meter_id: str, number: int) -> bytes:
    """Returns the state key of an approval; those of a meter sort by number."""
    return approval_prefix(meter_id) + b"%06d" % number
