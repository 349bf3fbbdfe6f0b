"""Check 17, volts and amperes against power: the sum of V times I times PF is the demand.

Within 10 % an interval; on the Forrestal's clean day the 99th percentile is 8.8 %. So one interval
in a hundred is beyond it by the coarseness of the channels alone, and a run of them is asked for.
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.reading import Channel

MICROWATTS_DENOMINATOR: Final = 100_000_000
"""Milliamperes times hundredths of a volt times permille, in a watt."""

_DEMAND_W: Final = Channel.DEMAND_W
_POWER_FACTOR: Final = Channel.POWER_FACTOR_PERMILLE
_PHASES: Final = (
    (Channel.CURRENT_A_MA, Channel.VOLTAGE_AN_CV),
    (Channel.CURRENT_B_MA, Channel.VOLTAGE_BN_CV),
    (Channel.CURRENT_C_MA, Channel.VOLTAGE_CN_CV),
)


def check_volt_ampere(observation: Observation) -> Verdict:
    """Compares demand with the phases' power; remembers how often on end they disagree."""
    channels, memory = observation.channels, observation.memory
    demand_w = channels.get(_DEMAND_W)
    power_factor = channels.get(_POWER_FACTOR)
    if demand_w is None or power_factor is None or not observation.is_newest:
        return None
    product = 0
    for current, voltage in _PHASES:
        if current not in channels or voltage not in channels:
            return None
        product += channels[current] * channels[voltage]
    power_w = product * abs(power_factor) // MICROWATTS_DENOMINATOR
    tolerance_percent = observation.settings.volt_ampere_tolerance_percent
    if abs(power_w - demand_w) * 100 <= tolerance_percent * abs(demand_w):
        memory.volt_ampere_count = 0
        return PASSED
    memory.volt_ampere_count = min(memory.volt_ampere_count + 1, 65_535)
    if memory.volt_ampere_count < observation.settings.volt_ampere_count_min:
        return PASSED
    return Deviation(power_w, demand_w)
