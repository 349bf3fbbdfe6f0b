"""Check 18, energy against CO2: what the source reports is its energy times its factor, exactly.

A tolerance of one reporting step would miss three of the steel plant's 47 bad intervals, and
without one nothing else of its year is flagged (carbon.md 4.1).
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.reading import Channel
from contracts.statistics import divide_half_up

FACTOR_DENOMINATOR: Final = 10_000
"""Of factors in 1e-4 kg per kWh, that is in 1e-4 g per Wh."""
_REPORTED_CO2_G: Final = Channel.REPORTED_CO2_G


def check_energy_co2(observation: Observation) -> Verdict:
    """Compares reported grams with watt hours times the factor, rounded half up to the step."""
    terms = observation.meter.co2_check
    reported = observation.channels.get(_REPORTED_CO2_G)
    if terms is None or reported is None or observation.amount is None:
        return None
    factor, step_g = terms
    expected = divide_half_up(observation.amount * factor, FACTOR_DENOMINATOR * step_g) * step_g
    tolerance_g = observation.settings.energy_co2_tolerance_steps * step_g
    is_same = abs(reported - expected) <= tolerance_g
    return PASSED if is_same else Deviation(reported, expected)
