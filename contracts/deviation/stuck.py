"""Check 8, stuck: a value that repeats where values do not repeat.

Seven equal amounts are a fault only of a meter whose amounts differ as a rule. A coarse register
under a constant load repeats itself all night; the amounts before the run say which kind it is.
"""

from typing import Final

from contracts.check import Check, bit
from contracts.check_settings import Settings
from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.meter import Quantity

_STUCK_BIT: Final = bit(Check.STUCK)
_TEMPERATURE: Final = Quantity.TEMPERATURE


def check_stuck(observation: Observation) -> Verdict:
    """Counts equal non-zero amounts without a gap, this one included."""
    amount, memory = observation.amount, observation.memory
    if amount is None or not observation.is_newest:
        return None
    if amount == 0 or observation.meter.quantity is _TEMPERATURE:
        return None
    if not observation.is_contiguous:
        return PASSED
    recent = memory.recent
    if recent[-1] != amount:
        return PASSED
    count, equal_min = memory.equal_count + 1, observation.settings.stuck_equal_min
    if count < equal_min:
        return PASSED
    if count > equal_min:
        return Deviation(count, equal_min) if memory.alerting & _STUCK_BIT else PASSED
    begin_ms = observation.start_ms - (count - 1) * observation.meter.interval_ms
    return _judge_run(recent[: -memory.equal_count], observation.settings, begin_ms)


def _judge_run(history: list[int], settings: Settings, begin_ms: int) -> Verdict:
    """Judges a run that has just become long enough by the amounts before it.

    Where more than a fifth of their pairs are equal, a run says nothing.
    """
    pairs = len(history) - 1
    if pairs < settings.stuck_history_min:
        return PASSED
    equal = sum(1 for index in range(pairs) if history[index] == history[index + 1])
    if equal * 100 > pairs * settings.stuck_natural_percent:
        return PASSED
    return Deviation(settings.stuck_equal_min, settings.stuck_equal_min, begin_ms)
