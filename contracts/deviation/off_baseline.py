"""Check 11, baseline: away from the accepted baseline of the hour and day type, in two tiers.

Eight sigma for an hour, or five sigma for four hours on end. Sigma has a floor of 8 % of the level:
the training window of a quiet hour may have hardly any spread. The tiers were scored on hourly
readings (carbon.md 4.1), where the first is a single reading; of finer ones as many must agree as
make the hour, for a quarter hour off by eight sigma is a door that opened early.
"""

from contracts.deviation.observation import (
    PASSED,
    BaselineCell,
    Deviation,
    Observation,
    Verdict,
)


def sigma_tenths(cell: BaselineCell, amount: int, floor_percent: int) -> int:
    """Returns the distance of an amount from the baseline in tenths of sigma."""
    sigma = max(cell.sigma, abs(cell.median) * floor_percent // 100, 1)
    return abs(amount - cell.median) * 10 // sigma


def check_baseline(observation: Observation) -> Verdict:
    """Compares the amount with the baseline in force; remembers since when it is away from it.

    A reading that comes late is not judged: what lies around it may not be there yet.
    """
    cell, amount, memory = observation.baseline, observation.amount, observation.memory
    if cell is None or amount is None or not observation.is_newest:
        return None
    settings = observation.settings
    distance = sigma_tenths(cell, amount, settings.baseline_floor_percent)
    if not observation.is_contiguous:
        memory.far_baseline_ms = memory.off_baseline_ms = None
    end_ms = observation.start_ms + observation.meter.interval_ms
    if distance < settings.baseline_away_sigma_tenths:
        memory.far_baseline_ms = memory.off_baseline_ms = None
        return PASSED
    if memory.off_baseline_ms is None:
        memory.off_baseline_ms = observation.start_ms
    if distance < settings.baseline_far_sigma_tenths:
        memory.far_baseline_ms = None
    elif memory.far_baseline_ms is None:
        memory.far_baseline_ms = observation.start_ms
    far_ms = 0 if memory.far_baseline_ms is None else end_ms - memory.far_baseline_ms
    off_ms = end_ms - memory.off_baseline_ms
    is_away = far_ms >= settings.baseline_far_ms or off_ms >= settings.baseline_away_ms
    return Deviation(amount, cell.median) if is_away else PASSED
