"""The rules that an interval's value is held against, in their order.

Before them come, in this order and because each needs what the one before decides: the grid
(check 2), duplicates (check 3), and the register between its neighbours in time (check 5). The
Forrestal night shows why: any other order invents register faults.
"""

from collections.abc import Callable
from typing import Final

from contracts.check import Check
from contracts.deviation.energy_co2 import check_energy_co2
from contracts.deviation.observation import Deviation, Observation, Verdict
from contracts.deviation.off_baseline import check_baseline
from contracts.deviation.physical_cap import check_physical_cap
from contracts.deviation.register_demand import check_register_demand
from contracts.deviation.spike import check_spike
from contracts.deviation.stuck import check_stuck
from contracts.deviation.unit_slip import check_unit_slip
from contracts.deviation.volt_ampere import check_volt_ampere
from contracts.deviation.zero_drop import check_zero_drop

Rule = Callable[[Observation], Verdict]

RULES: Final[tuple[tuple[Check, Rule], ...]] = (
    (Check.REGISTER, lambda observation: observation.register_verdict),
    (Check.PHYSICAL_CAP, check_physical_cap),
    (Check.UNIT_SLIP, check_unit_slip),
    (Check.STUCK, check_stuck),
    (Check.ZERO_DROP, check_zero_drop),
    (Check.SPIKE, check_spike),
    (Check.BASELINE, check_baseline),
    (Check.REGISTER_DEMAND, check_register_demand),
    (Check.VOLT_AMPERE, check_volt_ampere),
    (Check.ENERGY_CO2, check_energy_co2),
)

CHANNEL_RULES: Final = tuple(
    (check, rule) for check, rule in RULES if check in {Check.VOLT_AMPERE, Check.ENERGY_CO2}
)
"""Rules that also run when a supplement brings the channels that they need."""

Failure = tuple[Check, Deviation]


def run_rules(
    observation: Observation, rules: tuple[tuple[Check, Rule], ...], *, without: int = 0
) -> tuple[int, list[Failure]]:
    """Runs rules in order.

    Args:
        observation: the reading.
        rules: :data:`RULES` or :data:`CHANNEL_RULES`.
        without: mask of checks that have had their say already.

    Returns:
        Mask of the checks that applied, and the failures in the order of the rules.
    """
    applied = 0
    failures: list[Failure] = []
    for check, rule in rules:
        check_bit = 1 << (check - 1)
        if without & check_bit:
            continue
        verdict = rule(observation)
        if verdict is None:
            continue
        applied |= check_bit
        if verdict is not True:
            failures.append((check, verdict))
    return applied, failures
