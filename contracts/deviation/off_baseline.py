"""Check 11, baseline: a run of readings that are away from the accepted baseline.

What is expected of an interval is the profile's median of its hour, scaled by how high the meter
ran in the last days (:mod:`contracts.deviation.day_ratio`). Schedules shift: half of the way to the
medians of the hours beside it is no distance. A reading that is away is also compared with the same
hour a week ago, and only what is away from both is away: what has come again is how the building
runs now.

A run begins with the first reading that is 2.5 sigma away and goes on while readings are, to the
same side. It is a deviation once an hour of it is ten sigma away, or once what is beyond two sigma
adds up to fifteen sigma hours, such as four hours of six sigma. Then it marks its beginning too,
and what follows up to its end. Sigma has a floor of 8 % of what is expected and of 5 % of the mean
of the profile: the training window of a quiet hour may have hardly any spread.
"""

from typing import Final

from contracts.calendars import DAY_MS, HOUR_MS
from contracts.check import Check, bit
from contracts.check_settings import Settings
from contracts.deviation.day_ratio import PERMILLE, scale_of
from contracts.deviation.observation import (
    PASSED,
    BaselineCell,
    Deviation,
    Observation,
    Verdict,
)
from contracts.meter_state import Memory

WEEK_MS: Final = 7 * DAY_MS
NO_REFERENCE: Final = (
    bit(Check.REGISTER)
    | bit(Check.PHYSICAL_CAP)
    | bit(Check.UNIT_SLIP)
    | bit(Check.STUCK)
    | bit(Check.ZERO_DROP)
    | bit(Check.SPIKE)
    | bit(Check.BASELINE)
)
"""An amount that failed one of these says nothing of what is usual."""
SCORE_MAX: Final = 2**63
DISTANCE_MAX: Final = 10_000
"""Tenths of sigma that one reading counts for at most."""


def check_baseline(observation: Observation) -> Verdict:
    """Compares the amount with the baseline in force; remembers the run that it belongs to.

    A reading that comes late is not judged: what lies around it may not be there yet.
    """
    cell, amount, memory = observation.baseline, observation.amount, observation.memory
    if cell is None or amount is None or not observation.is_newest:
        return None
    settings = observation.settings
    expected = cell.median * scale_of(memory) // PERMILLE
    distance = _distance(observation, cell, amount, settings)
    side = 1 if distance > 0 else -1
    if abs(distance) < settings.baseline_leave_sigma_tenths:
        end_run(memory)
        return PASSED
    if memory.run_side != side or not observation.is_contiguous:
        end_run(memory)
        memory.run_side, memory.off_baseline_ms = side, observation.start_ms
    is_first = not memory.is_run_confirmed
    if is_first:
        _add_to_run(observation, memory, abs(distance))
    if not memory.is_run_confirmed:
        return PASSED
    return Deviation(amount, expected, memory.off_baseline_ms if is_first else None)


def end_run(memory: Memory) -> None:
    """Forgets the run: what comes next does not belong to it."""
    memory.run_side = memory.run_score = 0
    memory.is_run_confirmed = False
    memory.off_baseline_ms = memory.far_baseline_ms = None


def _add_to_run(observation: Observation, memory: Memory, distance: int) -> None:
    """Counts how far away the reading is; confirms the run where it is enough."""
    settings, interval_ms = observation.settings, observation.meter.interval_ms
    if distance < settings.baseline_far_sigma_tenths:
        memory.far_baseline_ms = None
    elif memory.far_baseline_ms is None:
        memory.far_baseline_ms = observation.start_ms
    end_ms = observation.start_ms + interval_ms
    far_ms = 0 if memory.far_baseline_ms is None else end_ms - memory.far_baseline_ms
    beyond = max(min(distance, DISTANCE_MAX) - settings.baseline_allowance_tenths, 0)
    # Readings further apart than an hour count as one hour: they are one piece of evidence each.
    memory.run_score = min(memory.run_score + beyond * min(interval_ms, HOUR_MS), SCORE_MAX)
    memory.is_run_confirmed = (
        far_ms >= settings.baseline_far_ms
        or memory.run_score >= settings.baseline_run_tenths * HOUR_MS
    )


def _distance(observation: Observation, cell: BaselineCell, amount: int, settings: Settings) -> int:
    """Returns the distance from what is expected in tenths of sigma; below 0 where it is less."""
    scale = scale_of(observation.memory)
    sigma = sigma_of(cell, scale, settings)
    distance = tenths_outside(cell, scale, sigma, amount)
    if abs(distance) < settings.baseline_leave_sigma_tenths:
        return distance
    before = _usual_amount(observation)
    if before is None:
        return distance
    if distance > 0:
        return min(distance, max(amount - before, 0) * 10 // sigma)
    return -min(-distance, max(before - amount, 0) * 10 // sigma)


def _usual_amount(observation: Observation) -> int | None:
    """Returns the amount of the same hour in the latest week in which nothing was wrong with it.

    What was flagged excuses nothing. Only where it has come for weeks it is how the building runs
    now, and the latest of them is returned.
    """
    latest: int | None = None
    for weeks in range(1, observation.settings.baseline_settled_weeks + 1):
        judged = observation.judged_before(observation.start_ms - weeks * WEEK_MS)
        if judged is None:
            return None
        amount, failed = judged
        if not failed & NO_REFERENCE:
            return amount
        if latest is None:
            latest = amount
    return latest


def sigma_of(cell: BaselineCell, scale: int, settings: Settings) -> int:
    """Returns the standard deviation of an interval at a scale in permille, with its floors."""
    floors = max(
        abs(cell.median) * settings.baseline_floor_percent,
        abs(cell.level) * settings.baseline_level_floor_percent,
    )
    return max(max(cell.sigma, floors // 100) * scale // PERMILLE, 1)


def tenths_outside(cell: BaselineCell, scale: int, sigma: int, amount: int) -> int:
    """Returns how far an amount is outside of what is expected, in tenths of sigma."""
    highest = (cell.median + cell.highest) * scale // (2 * PERMILLE)
    if amount > highest:
        return (amount - highest) * 10 // sigma
    lowest = (cell.median + cell.lowest) * scale // (2 * PERMILLE)
    return -((lowest - amount) * 10 // sigma) if amount < lowest else 0
