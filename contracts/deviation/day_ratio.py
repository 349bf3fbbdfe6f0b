"""The ratio of whole local days to the profile in force: how high the meter runs these days.

A profile is of weeks, and a building runs higher in a hot week with nothing wrong. So what is
expected of an hour is scaled by the median ratio of the last days, and what is slow is looked for
in the ratios themselves (checks 12 and 13). Nothing is divided per reading but when a day ends.
"""

from struct import Struct
from typing import Final

from contracts.calendars import DAY_MS
from contracts.deviation.observation import Observation
from contracts.meter_state import RATIOS_MAX, Memory
from contracts.statistics import median, robust_sigma

PERMILLE: Final = 1_000
SCALE_DAYS: Final = 5
"""Days whose median ratio scales the profile."""
SCALE_DAYS_MIN: Final = 3
SCALE_MIN: Final = 600
SCALE_MAX: Final = 1_600
"""Permille: what is further away is no level of the same use any more."""
COVERAGE_PERCENT: Final = 80
"""Part of a day that must be known for its ratio."""
RATIO_MAX: Final = 100 * PERMILLE
SCORE_DAYS_MIN: Final = 14
"""Days before the one that is scored: two of each day of the week."""
SCORE_MAX: Final = 3_000
"""Thousandths of sigma: a single wild day is not a drift, and counts as three sigma at most."""
_RATIO_BYTES: Final = 4
_RATIOS: Final = [Struct(f">{count}I") for count in range(RATIOS_MAX + 1)]


def ratios_of(memory: Memory) -> tuple[int, ...]:
    """Returns the ratios of the latest days in permille, newest last."""
    return _RATIOS[len(memory.ratios) // _RATIO_BYTES].unpack(memory.ratios)


def scale_of(memory: Memory) -> int:
    """Returns what the profile is scaled by these days, in permille."""
    known = ratios_of(memory)[-SCALE_DAYS:]
    if len(known) < SCALE_DAYS_MIN:
        return PERMILLE
    return min(max(median(known), SCALE_MIN), SCALE_MAX)


def follow_day(observation: Observation) -> None:
    """Adds a newest reading with a baseline to its local day; scores the day before it ends.

    A ratio is against the profile of its time. When another profile comes into force the ratios are
    turned into ratios to that one, so the level that they say stays what it is.
    """
    cell, amount, memory = observation.baseline, observation.amount, observation.memory
    if cell is None or amount is None:
        return
    if memory.profile_level != cell.level:
        _change_profile(memory, cell.level)
    if memory.ratio_day != observation.local_day:
        _end_day(observation, memory)
        memory.ratio_day = observation.local_day
    memory.ratio_amount += amount
    memory.ratio_expected += cell.median
    memory.ratio_ms += observation.meter.interval_ms


def _end_day(observation: Observation, memory: Memory) -> None:
    is_whole = memory.ratio_ms * 100 >= COVERAGE_PERCENT * DAY_MS
    if is_whole and memory.ratio_expected > 0:
        ratio = min(max(memory.ratio_amount * PERMILLE // memory.ratio_expected, 0), RATIO_MAX)
        before = ratios_of(memory)
        if len(before) >= SCORE_DAYS_MIN:
            observation.day_score = _score(ratio, before, observation.settings.drift_floor_permille)
        _keep(memory, (*before, ratio)[-RATIOS_MAX:])
    memory.ratio_amount = memory.ratio_expected = memory.ratio_ms = 0


def _score(ratio: int, before: tuple[int, ...], floor_permille: int) -> int:
    """Returns how far a day is from those before it, in thousandths of their sigma."""
    centre = median(before)
    sigma = max(robust_sigma(before, centre), centre * floor_permille // PERMILLE, 1)
    distance = abs(ratio - centre) * 1_000 // sigma
    return min(distance, SCORE_MAX) if ratio > centre else -min(distance, SCORE_MAX)


def _change_profile(memory: Memory, level: int) -> None:
    before = memory.profile_level
    if before > 0 and level > 0:
        ratios = [min(ratio * before // level, RATIO_MAX) for ratio in ratios_of(memory)]
        memory.ratio_expected = memory.ratio_expected * level // before
    else:
        ratios = []
    _keep(memory, tuple(ratios))
    memory.profile_level = level


def _keep(memory: Memory, ratios: tuple[int, ...]) -> None:
    memory.ratios = _RATIOS[len(ratios)].pack(*ratios)
