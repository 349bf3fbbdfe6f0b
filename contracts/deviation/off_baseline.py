"""Check 11, baseline: away from the accepted baseline of the hour and day type, in two tiers.

Eight sigma at once, or five sigma for four hours on end. Sigma has a floor of 8 % of the level:
the training window of a quiet hour may have hardly any spread (carbon.md 4.1, scored).
"""

from typing import Final

from contracts.calendars import HOUR_MS
from contracts.deviation.observation import BaselineCell, Deviation, Observation, Verdict

SINGLE_SIGMA_TENTHS: Final = 80
LONG_SIGMA_TENTHS: Final = 50
LONG_MS: Final = 4 * HOUR_MS
FLOOR_PERCENT: Final = 8


def sigma_tenths(cell: BaselineCell, amount: int) -> int:
    """Returns the distance of an amount from the baseline in tenths of sigma."""
    sigma = max(cell.sigma, abs(cell.median) * FLOOR_PERCENT // 100, 1)
    return abs(amount - cell.median) * 10 // sigma


def check_baseline(observation: Observation) -> Verdict:
    """Compares the amount with the baseline in force; remembers since when it is away from it."""
    cell, amount, memory = observation.baseline, observation.amount, observation.memory
    if cell is None or amount is None:
        return None
    distance = sigma_tenths(cell, amount)
    if not observation.is_newest:
        is_away = distance >= SINGLE_SIGMA_TENTHS
        return Deviation(amount, cell.median) if is_away else True
    if distance < LONG_SIGMA_TENTHS:
        memory.off_baseline_ms = None
        return True
    if memory.off_baseline_ms is None or not observation.is_contiguous:
        memory.off_baseline_ms = observation.start_ms
    away_ms = observation.start_ms + observation.meter.interval_ms - memory.off_baseline_ms
    is_away = distance >= SINGLE_SIGMA_TENTHS or away_ms >= LONG_MS
    return Deviation(amount, cell.median) if is_away else True
