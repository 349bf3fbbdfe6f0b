"""Fitting a profile of local hours and day types, and measuring how well it fits.

The expectation of a cell is the median of its amounts. CV(RMSE) and NMBE (ASHRAE Guideline 14) are
computed at the meter's own resolution over the same amounts, as exact fractions: validators must
agree on which side of the gate a baseline lies (carbon.md 4.2 and 4.4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.baseline import CELLS, HOURS, cell_of
from contracts.calendars import DayType
from contracts.statistics import divide_up, median_of_sorted, robust_sigma, root_up

CELL_VALUES_MIN: Final = 2
"""Amounts that a cell needs to say anything."""
HOLIDAYS_MIN: Final = 4
"""Holidays from which on they are a day type of their own; fewer count as Sundays."""
PERMILLE: Final = 1_000


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
    measures: tuple[int, int] | None
    """CV(RMSE) and NMBE in permille, rounded away from zero; None where they are not defined."""


def fit_profile(values_by_cell: Mapping[int, Sequence[int]], holiday_count: int) -> ProfileFit:
    """Fits a profile to amounts.

    Args:
        values_by_cell: amounts of the window in base units.
        holiday_count: local holidays that the amounts are of.
    """
    cells = {cell: list(values) for cell, values in values_by_cell.items()}
    shares_sunday = holiday_count < HOLIDAYS_MIN
    if shares_sunday:
        _count_holidays_as_sundays(cells)
    medians, sigmas, known = [0] * CELLS, [0] * CELLS, 0
    residuals: list[int] = []
    total = parameters = 0
    for cell in sorted(cells):
        values = sorted(cells[cell])
        if len(values) < CELL_VALUES_MIN:
            continue
        centre = median_of_sorted(values)
        medians[cell], sigmas[cell] = centre, robust_sigma(values, centre)
        known |= 1 << cell
        parameters += 1
        total += sum(values)
        residuals += [value - centre for value in values]
    if shares_sunday:
        known |= _copy_sundays(medians, sigmas, known)
    return ProfileFit(
        medians=tuple(medians),
        sigmas=tuple(sigmas),
        known_cells=known,
        value_count=len(residuals),
        measures=measures_of(residuals, total, parameters),
    )


def measures_of(residuals: Sequence[int], total: int, parameters: int) -> tuple[int, int] | None:
    """Returns CV(RMSE) and NMBE in permille, rounded away from zero.

    Rounded so, a measure is within a limit of whole permille exactly where the fraction is.

    Args:
        residuals: readings less expectations.
        total: sum of the readings.
        parameters: numbers that were fitted.

    Returns:
        None where the mean is not above zero or there are no degrees of freedom.
    """
    count = len(residuals)
    freedom = count - parameters
    if freedom <= 0 or total <= 0:
        return None
    squares = sum([residual * residual for residual in residuals])
    cv_rmse = root_up(divide_up(squares * count**2 * PERMILLE**2, freedom * total**2))
    bias = sum(residuals)
    nmbe = divide_up(abs(bias) * count * PERMILLE, freedom * total)
    return cv_rmse, -nmbe if bias < 0 else nmbe


def _count_holidays_as_sundays(cells: dict[int, list[int]]) -> None:
    for hour in range(HOURS):
        values = cells.pop(cell_of(DayType.HOLIDAY, hour), None)
        if values:
            cells.setdefault(cell_of(DayType.SUNDAY, hour), []).extend(values)


def _copy_sundays(medians: list[int], sigmas: list[int], known: int) -> int:
    """Gives holidays the Sundays' profile; returns the bits of the cells that this makes known."""
    added = 0
    for hour in range(HOURS):
        sunday, holiday = cell_of(DayType.SUNDAY, hour), cell_of(DayType.HOLIDAY, hour)
        if known >> sunday & 1:
            medians[holiday], sigmas[holiday] = medians[sunday], sigmas[sunday]
            added |= 1 << holiday
    return added
