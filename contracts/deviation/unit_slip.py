"""Check 7, unit slip: a value that is another by a power of ten or by 3.6.

A register creeps, so one that stands at a thousand times the last has slipped (it did when a
gateway restarted and sent 6239.432 for 6239433). An interval's amount wanders, and passes ten
times the amount before it now and then; it has slipped only where it also leaves the trailing
week's range, and it stays so while the ratio taken back puts it into that range again.
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.deviation.physical_cap import cap_of
from contracts.meter import Quantity
from contracts.meter_state import LevelSummary

RATIOS: Final = (
    (10, 1),
    (100, 1),
    (1_000, 1),
    (1, 10),
    (1, 100),
    (1, 1_000),
    (18, 5),
    (5, 18),
)
"""Ten to the powers of -3 to 3, and 3.6 both ways: kWh for MJ."""
NEAR_FACTOR: Final = 3
"""Two values within this factor of each other differ by none of the ratios."""
_TEMPERATURE: Final = Quantity.TEMPERATURE


def slip_ratio(before: int, after: int, tolerance_percent: int) -> int:
    """Returns the place, from 1, of the ratio that two values differ by; 0 for none."""
    if before <= 0 or after <= 0:
        return 0
    if after <= before * NEAR_FACTOR and before <= after * NEAR_FACTOR:
        return 0  # as nearly always
    for place, (numerator, denominator) in enumerate(RATIOS, 1):
        scaled = before * numerator
        if abs(after * denominator - scaled) * 100 <= tolerance_percent * scaled:
            return place
    return 0


def is_outside(amount: int, week: LevelSummary, range_percent: int) -> bool:
    """Returns whether an amount lies outside the range of the trailing week.

    That is, with 200 percent, above twice its highest hours or below half its lowest.
    """
    return (
        amount * 100 > range_percent * week.third_highest
        or range_percent * amount < 100 * week.lowest
    )


def check_unit_slip(observation: Observation) -> Verdict:
    """Looks for a slip of the register, or of the amounts against the trailing week."""
    if not observation.is_newest or observation.meter.quantity is _TEMPERATURE:
        return None
    if observation.register is not None:
        return _register_slip(observation)
    amount, week = observation.amount, observation.memory.level_summary
    if amount is None or week is None:
        return None
    memory, settings = observation.memory, observation.settings
    range_percent = settings.unit_slip_range_percent
    if not is_outside(amount, week, range_percent):
        memory.unit_slip = 0
        return PASSED
    if memory.unit_slip:
        numerator, denominator = RATIOS[memory.unit_slip - 1]
        if not is_outside(amount * denominator // numerator, week, range_percent):
            return Deviation(amount, amount * denominator // numerator)
        memory.unit_slip = 0
        return PASSED
    if not observation.is_contiguous:
        return PASSED
    memory.unit_slip = slip_ratio(memory.recent[-1], amount, settings.unit_slip_tolerance_percent)
    return Deviation(amount, memory.recent[-1]) if memory.unit_slip else PASSED


def _register_slip(observation: Observation) -> Verdict:
    before, after = observation.register_before, observation.register
    nameplate_w, settings = observation.meter.nameplate_w, observation.settings
    if before is None or after is None:
        return None
    if not slip_ratio(before, after, settings.unit_slip_tolerance_percent):
        return PASSED
    if after < before and observation.register_verdict is PASSED:
        return PASSED  # it rolled over, or the device was exchanged
    if after > before:
        # A young counter multiplies by counting; only what the nameplate forbids has slipped.
        amount = observation.amount
        if nameplate_w is None:
            return None
        cap = cap_of(nameplate_w, observation.span_ms, settings.physical_cap_margin_percent)
        if amount is not None and amount <= cap:
            return PASSED
    return Deviation(after, before)
