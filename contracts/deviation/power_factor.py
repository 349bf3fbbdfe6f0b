"""Check 19, power factor: active over apparent energy of the interval, to the digit reported.

PF = kWh / sqrt(kWh^2 + kvarh^2), of lagging and of leading reactive energy each. The steel plant
reports both to a hundredth of a percent, and all 35,040 rows agree to the last digit (carbon.md
4.1), so a row that does not was not computed from its own energies. Squares are compared, for
contracts know no roots: with P ten thousandths reported and A = kWh^2 + kvarh^2, the true factor
rounds to P where (2P - 1)^2 A <= (20000 kWh)^2 <= (2P + 1)^2 A.
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.reading import Channel
from contracts.statistics import root_down

SCALE: Final = 10_000
"""Power factors are in ten thousandths."""
_SIDES: Final = (
    (Channel.POWER_FACTOR_LAGGING_E4, Channel.REACTIVE_LAGGING_VARH),
    (Channel.POWER_FACTOR_LEADING_E4, Channel.REACTIVE_LEADING_VARH),
)


def agrees(active: int, reactive: int, reported: int, tolerance: int) -> bool:
    """Returns whether a power factor follows from energies.

    Args:
        active: Wh of the interval.
        reactive: varh of the interval; not zero where ``active`` is.
        reported: power factor in ten thousandths, without regard to its sign.
        tolerance: ten thousandths that it may be off beside rounding.
    """
    square = active * active + reactive * reactive
    doubled = 2 * SCALE * abs(active)
    lowest = max(2 * abs(reported) - 1 - 2 * tolerance, 0)
    highest = 2 * abs(reported) + 1 + 2 * tolerance
    return lowest * lowest * square <= doubled * doubled <= highest * highest * square


def check_power_factor(observation: Observation) -> Verdict:
    """Compares the power factors reported with those that follow from the energies."""
    channels, active = observation.channels, observation.amount
    if active is None or observation.span_ms != observation.meter.interval_ms:
        return None
    verdict: Verdict = None
    tolerance = observation.settings.power_factor_tolerance_e4
    for factor, energy in _SIDES:
        reported, reactive = channels.get(factor), channels.get(energy)
        if reported is None or reactive is None or not (active or reactive):
            continue
        if not agrees(active, reactive, reported, tolerance):
            square = active * active + reactive * reactive
            return Deviation(reported, root_down(SCALE * SCALE * active * active // square))
        verdict = PASSED
    return verdict
