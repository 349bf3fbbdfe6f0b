"""How well a baseline fits, and the gate that it has to pass.

CV(RMSE) and NMBE (ASHRAE Guideline 14) go over the same points that the model was fitted to, with
the parameters as they are recorded, in integers: validators must agree on which side of the gate a
baseline lies (carbon.md 4.2 and 4.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from contracts.baseline import Reason, Resolution
from contracts.statistics import divide_half_even, divide_up, root_up

PERMILLE: Final = 1_000
LIMITS_PERMILLE: Final = {
    Resolution.INTERVAL: (300, 100),
    Resolution.DAY: (200, 50),
    Resolution.MONTH: (150, 50),
}
"""CV(RMSE) and NMBE that are still good enough. Intervals and months: ASHRAE Guideline 14, hourly
and monthly. Guideline 14 names none for days: theirs are those that carbon.md 4.2 gives for the
hours of the IPMVP, the stricter ones, of which the 5 % is not confirmed."""
SAVING_PERCENT: Final = 10
"""Saving that the uncertainty is told for."""
_T_PERMILLE: Final = (
    (60, 1_003),
    (20, 1_020),
    (10, 1_046),
    (7, 1_070),
    (5, 1_104),
    (4, 1_134),
    (3, 1_189),
    (2, 1_312),
    (1, 1_819),
)
"""Student's t at 68 % two-sided, with the degrees of freedom from which on it is used: between two
lines that of the smaller number, which is the larger t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitQuality:
    """Measures of a fit in permille."""

    cv_rmse: int
    """Rounded up."""
    nmbe: int
    """Rounded away from zero; positive where the readings are above what is expected."""
    fsu: int
    """Fractional savings uncertainty, rounded up."""


def quality_of(residuals: Sequence[int], total: int, parameters: int) -> FitQuality | None:
    """Returns the measures of a fit, or None where they are not defined.

    Args:
        residuals: readings less expectations, by time.
        total: sum of the readings.
        parameters: numbers that were fitted.
    """
    measures = measures_of(residuals, total, parameters)
    if measures is None:
        return None
    cv_rmse, nmbe = measures
    fsu = savings_uncertainty_of(residuals, cv_rmse, parameters)
    return FitQuality(cv_rmse=cv_rmse, nmbe=nmbe, fsu=fsu)


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


def savings_uncertainty_of(residuals: Sequence[int], cv_rmse: int, parameters: int) -> int:
    """Returns the uncertainty of a saving of a tenth, as permille of that saving, rounded up.

    ``t * 1.26 * CV * sqrt(n (1 + 2/n') / (n' m)) / F`` at 68 % for a reporting period as long as
    the window, ``m = n``, and ``F`` of 10 %. ``n' = n (1 - r) / (1 + r)`` counts the points as if
    they did not depend on the one before, ``r`` being the correlation of residuals that follow one
    another; it is rounded down and at least 1. Not confirmed at the source (carbon.md 4.2, K).

    Args:
        residuals: by time, at least one more than ``parameters``.
        cv_rmse: permille.
        parameters: numbers that were fitted.
    """
    squares = sum([residual * residual for residual in residuals])
    products = sum([before * after for before, after in pairwise(residuals)])
    correlation = divide_half_even(products * PERMILLE, squares) if squares else 0
    correlation = min(max(correlation, 0), PERMILLE - 1)
    count = len(residuals)
    independent = max(count * (PERMILLE - correlation) // (PERMILLE + correlation), 1)
    numerator = (student_t_permille(count - parameters) * 126 * cv_rmse) ** 2 * (independent + 2)
    scale = PERMILLE * 100 * SAVING_PERCENT // 100
    return root_up(divide_up(numerator, scale**2 * independent**2))


def student_t_permille(freedom: int) -> int:
    """Returns Student's t at 68 %, two-sided, of so many degrees of freedom, in permille."""
    return next(value for start, value in _T_PERMILLE if freedom >= start)


def gate(resolution: Resolution, cv_rmse: int, nmbe: int) -> Reason | None:
    """Returns which measure is beyond its limit, or None where both are within."""
    cv_rmse_max, nmbe_max = LIMITS_PERMILLE[resolution]
    if cv_rmse > cv_rmse_max:
        return Reason.SCATTER_TOO_HIGH
    return Reason.BIAS_TOO_HIGH if abs(nmbe) > nmbe_max else None
