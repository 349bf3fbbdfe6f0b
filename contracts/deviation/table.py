"""The rules that an interval's value is held against, in their order.

Before them come, in this order and because each needs what the one before decides: the grid
(check 2), duplicates (check 3), and the register between its neighbours in time (check 5). The
Forrestal night shows why: any other order invents register faults.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from contracts.check import Check, bit
from contracts.check_settings import ALL_CHECKS
from contracts.deviation.drift import check_cusum, check_ewma
from contracts.deviation.energy_co2 import check_energy_co2
from contracts.deviation.observation import Deviation, Observation, Verdict
from contracts.deviation.off_baseline import check_baseline
from contracts.deviation.physical_cap import check_physical_cap
from contracts.deviation.power_factor import check_power_factor
from contracts.deviation.register_demand import check_register_demand
from contracts.deviation.spike import check_spike
from contracts.deviation.stuck import check_stuck
from contracts.deviation.unit_slip import check_unit_slip
from contracts.deviation.volt_ampere import check_volt_ampere
from contracts.deviation.weather import check_weather
from contracts.deviation.zero_drop import check_zero_drop
from contracts.meter import Meter, Quantity, ValueKind


class Rule(NamedTuple):
    """One check as a function of what is known of a reading."""

    check: Check
    check_bit: int
    judge: Callable[[Observation], Verdict]


def _rule(check: Check, judge: Callable[[Observation], Verdict]) -> Rule:
    return Rule(check, bit(check), judge)


RULES: Final = (
    _rule(Check.REGISTER, lambda observation: observation.register_verdict),
    _rule(Check.PHYSICAL_CAP, check_physical_cap),
    _rule(Check.UNIT_SLIP, check_unit_slip),
    _rule(Check.STUCK, check_stuck),
    _rule(Check.ZERO_DROP, check_zero_drop),
    _rule(Check.SPIKE, check_spike),
    _rule(Check.BASELINE, check_baseline),
    _rule(Check.CUSUM, check_cusum),
    _rule(Check.EWMA, check_ewma),
    _rule(Check.WEATHER, check_weather),
    _rule(Check.REGISTER_DEMAND, check_register_demand),
    _rule(Check.VOLT_AMPERE, check_volt_ampere),
    _rule(Check.ENERGY_CO2, check_energy_co2),
    _rule(Check.POWER_FACTOR, check_power_factor),
)

CHANNEL_RULES: Final = tuple(
    rule
    for rule in RULES
    if rule.check in {Check.VOLT_AMPERE, Check.ENERGY_CO2, Check.POWER_FACTOR}
)
"""Rules that also run when a supplement brings the channels that they need."""

_OF_CONSUMPTION: Final = frozenset({Check.UNIT_SLIP, Check.STUCK, Check.ZERO_DROP, Check.SPIKE})
"""Checks that say nothing of temperatures."""
_OF_CHANNELS: Final = frozenset(
    {Check.REGISTER_DEMAND, Check.VOLT_AMPERE, Check.ENERGY_CO2, Check.POWER_FACTOR}
)
"""Checks that say nothing without channels."""

Failure = tuple[Check, Deviation]


def rules_of(
    meter: Meter, *, has_channels: bool, has_baseline: bool, enabled: int = ALL_CHECKS
) -> tuple[Rule, ...]:
    """Returns the rules that can apply to a meter's readings, in their order.

    Each rule decides for itself whether it applies. Those left out here always decide that they
    do not, so that they need not be asked at every reading.

    Args:
        meter: its kind and quantity decide.
        has_channels: whether the reading's interval has any.
        has_baseline: whether the meter has one in force at any time.
        enabled: mask of the checks that are on.
    """
    silent: set[Check] = set()
    if meter.kind is ValueKind.INTERVAL:
        silent |= {Check.REGISTER, Check.REGISTER_DEMAND}
    if meter.quantity is Quantity.TEMPERATURE:
        silent |= _OF_CONSUMPTION
    if not has_channels:
        silent |= _OF_CHANNELS
    if not has_baseline:
        silent |= {Check.BASELINE, Check.CUSUM, Check.EWMA, Check.WEATHER}
    return tuple(rule for rule in RULES if rule.check not in silent and enabled & rule.check_bit)


def run_rules(
    observation: Observation, rules: tuple[Rule, ...], *, without: int = 0
) -> tuple[int, list[Failure]]:
    """Runs rules in order.

    Args:
        observation: the reading.
        rules: some of :data:`RULES`, or :data:`CHANNEL_RULES`.
        without: mask of checks that have had their say already.

    Returns:
        Mask of the checks that applied, and the failures in the order of the rules.
    """
    applied = 0
    failures: list[Failure] = []
    for check, check_bit, judge in rules:
        if without & check_bit:
            continue
        verdict = judge(observation)
        if verdict is True:
            applied |= check_bit
        elif verdict is not None:
            applied |= check_bit
            failures.append((check, verdict))
    return applied, failures
