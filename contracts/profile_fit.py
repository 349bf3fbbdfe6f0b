"""Fitting a profile of local hours: the expectation of a cell is the median of its amounts.

The measures go over the same amounts at the meter's own resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.baseline import HOURS, cell_of
from contracts.calendars import DayType
from contracts.fit_quality import FitQuality, quality_of
from contracts.statistics import median_of_sorted, robust_sigma

CELL_VALUES_MIN: Final = 2
"""Amounts that a cell needs to say anything."""
HOLIDAYS_MIN: Final = 4
"""Holidays from which on they are a day type of their own; fewer count as Sundays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFit:
    """A profile with its measures."""

    medians: tuple[int, ...]
    """By cell, base units an interval; 0 where the cell is unknown."""
    sigmas: tuple[int, ...]
    known_cells: int
    """Bitmap of the cells that say something."""
    value_count: int
    """Amounts that the measures go over."""
    parameter_count: int
    """Cells that were fitted."""
    quality: FitQuality | None
    """None where the measures are not defined."""


def fit_profile(amounts: Sequence[tuple[int, int]], cell_count: int) -> ProfileFit:
    """Fits a profile to amounts.

    Args:
        amounts: cell and amount in base units, by time.
        cell_count: cells of the profile.
    """
    values_by_cell: list[list[int]] = [[] for _ in range(cell_count)]
    for cell, amount in amounts:
        values_by_cell[cell].append(amount)
    medians, sigmas, known = [0] * cell_count, [0] * cell_count, 0
    for cell, values in enumerate(values_by_cell):
        if len(values) < CELL_VALUES_MIN:
            continue
        values.sort()
        medians[cell] = median_of_sorted(values)
        sigmas[cell] = robust_sigma(values, medians[cell])
        known |= 1 << cell
    used = [(cell, amount) for cell, amount in amounts if known >> cell & 1]
    residuals = [amount - medians[cell] for cell, amount in used]
    total = sum([amount for _, amount in used])
    return ProfileFit(
        medians=tuple(medians),
        sigmas=tuple(sigmas),
        known_cells=known,
        value_count=len(residuals),
        parameter_count=known.bit_count(),
        quality=quality_of(residuals, total, known.bit_count()),
    )


def fit_day_types(
    amounts: Sequence[tuple[int, int]], cell_count: int, holiday_count: int
) -> ProfileFit:
    """Fits a profile of day types; few holidays are taken for Sundays, and Sundays for holidays.

    Args:
        amounts: cell and amount in base units, by time.
        cell_count: cells of the profile.
        holiday_count: local holidays that the amounts are of.
    """
    if holiday_count >= HOLIDAYS_MIN:
        return fit_profile(amounts, cell_count)
    distance = cell_of(DayType.HOLIDAY, 0) - cell_of(DayType.SUNDAY, 0)
    first = cell_of(DayType.HOLIDAY, 0)
    shared = [(cell - distance if cell >= first else cell, amount) for cell, amount in amounts]
    fit = fit_profile(shared, cell_count)
    sunday = cell_of(DayType.SUNDAY, 0)
    hours = (1 << HOURS) - 1
    return ProfileFit(
        medians=fit.medians[:first] + fit.medians[sunday:first],
        sigmas=fit.sigmas[:first] + fit.sigmas[sunday:first],
        known_cells=fit.known_cells | (fit.known_cells >> sunday & hours) << first,
        value_count=fit.value_count,
        parameter_count=fit.parameter_count,
        quality=fit.quality,
    )
