"""Check 10, spike: a jump beyond the usual rate of change, to a height that the week does not know.

A furnace that is switched on jumps by a hundred times its median change every morning. So a
jump of six times the median change is a spike only where it also ends more than 180 % above the
third highest hour of the trailing week, as validation of meter data has it (carbon.md 4.1).
"""

from itertools import pairwise
from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.meter import Quantity
from contracts.statistics import median

_TEMPERATURE: Final = Quantity.TEMPERATURE


def check_spike(observation: Observation) -> Verdict:
    """Compares height and change with the trailing week and the recent changes."""
    amount, week = observation.amount, observation.memory.level_summary
    if amount is None or week is None or not observation.is_contiguous:
        return None
    if observation.meter.quantity is _TEMPERATURE:
        return None
    recent, settings = observation.memory.recent, observation.settings
    if len(recent) <= settings.spike_changes_min:
        return None
    highest = max(week.third_highest, 0) * settings.spike_height_percent // 100
    if amount <= max(highest, 1):
        return PASSED
    usual = median([abs(later - earlier) for earlier, later in pairwise(recent)])
    is_jump = abs(amount - recent[-1]) >= settings.spike_change_factor * max(usual, 1)
    return Deviation(amount, highest) if is_jump else PASSED
