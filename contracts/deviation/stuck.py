"""Check 8, stuck: a value that repeats where values do not repeat.

Seven equal amounts are a fault only of a meter whose amounts differ as a rule. A coarse register
under a constant load repeats itself all night; the amounts before the run say which kind it is.
"""

from typing import Final

from contracts.check import Check, bit
from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.meter import Quantity

EQUAL_MIN: Final = 7
HISTORY_MIN: Final = 12
"""Pairs of amounts before the run that must be known."""
NATURAL_DIVISOR: Final = 5
"""Where more than a fifth of those pairs are equal, a run says nothing."""
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
    count = memory.equal_count + 1
    if count < EQUAL_MIN:
        return PASSED
    if count > EQUAL_MIN:
        return Deviation(count, EQUAL_MIN) if memory.alerting & _STUCK_BIT else PASSED
    return _judge_run(recent[: -memory.equal_count])


def _judge_run(history: list[int]) -> Verdict:
    pairs = len(history) - 1
    if pairs < HISTORY_MIN:
        return PASSED
    equal = sum(1 for index in range(pairs) if history[index] == history[index + 1])
    return PASSED if equal * NATURAL_DIVISOR > pairs else Deviation(EQUAL_MIN, EQUAL_MIN)
