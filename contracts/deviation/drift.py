"""Checks 12 and 13, drift: days that are a little off, and go on being so.

Both go over the scores of whole days (:mod:`contracts.deviation.day_ratio`), because hours of a day
have too much in common to be counted as evidence one by one. CUSUM adds up what is beyond half a
sigma and finds a step; EWMA is a mean whose memory fades, and finds what creeps. Either begins anew
once it has said so, and speaks at the reading that ends a day: one alert, not a month of them.
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict

TENTH: Final = 100
"""Of a sigma, in its thousandths."""
EWMA_DIVISOR: Final = 5
"""1 over lambda 0.2; with it the steady limit of L sigma is L / 3: sqrt(0.2 / 1.8) is a third."""
LIMIT_DIVISOR: Final = 3


def check_cusum(observation: Observation) -> Verdict:
    """Adds a completed day to the sums of both sides; thousandths of sigma."""
    score, memory, settings = observation.day_score, observation.memory, observation.settings
    if score is None:
        return None
    allowance = settings.cusum_allowance_tenths * TENTH
    limit = settings.cusum_limit_tenths * TENTH
    memory.cusum_above = max(0, memory.cusum_above + score - allowance)
    memory.cusum_below = max(0, memory.cusum_below - score - allowance)
    reached = max(memory.cusum_above, memory.cusum_below)
    if reached <= limit:
        return PASSED
    memory.cusum_above = memory.cusum_below = 0
    return Deviation(reached, limit)


def check_ewma(observation: Observation) -> Verdict:
    """Moves the mean a fifth of the way to a completed day; thousandths of sigma."""
    score, memory = observation.day_score, observation.memory
    if score is None:
        return None
    step = score - memory.ewma
    memory.ewma += step // EWMA_DIVISOR if step >= 0 else -(-step // EWMA_DIVISOR)
    limit = observation.settings.ewma_limit_tenths * TENTH // LIMIT_DIVISOR
    if abs(memory.ewma) <= limit:
        return PASSED
    reached, memory.ewma = memory.ewma, 0
    return Deviation(reached, limit)
