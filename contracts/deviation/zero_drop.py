"""Check 9, zero or drop: far below the trailing week, and lower than its lowest hour.

Every building is far below its median at night. The trailing week itself is the schedule: what
is less than half of its lowest hour is outside of it. A plant that stands still for an hour of
the week has no such floor, and the check does not apply.
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.meter import Quantity

_TEMPERATURE: Final = Quantity.TEMPERATURE


def check_zero_drop(observation: Observation) -> Verdict:
    """Compares the amount with median and lowest hour of the trailing week."""
    amount, week = observation.amount, observation.memory.level_summary
    if amount is None or week is None or not observation.is_newest:
        return None
    if observation.meter.quantity is _TEMPERATURE:
        return None
    if week.lowest <= 0:
        return None
    settings = observation.settings
    by_median = week.median * settings.zero_drop_median_percent
    expected = min(by_median, week.lowest * settings.zero_drop_lowest_percent) // 100
    return Deviation(amount, expected) if amount < expected else PASSED
