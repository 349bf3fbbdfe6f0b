"""Check 16, register against demand: what the counter counts is what the power adds up to.

Compared over 22 hours of intervals that have both: a register of whole kWh says little about a
quarter of an hour, and a day makes a window although its first register has none before it and some
rows are lost. On the Forrestal's clean day the two
agree within 2.07 % (carbon.md 4.1).
"""

from typing import Final

from contracts.calendars import HOUR_MS
from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.emissions import AMOUNT_MAX
from contracts.meter import Quantity, ValueKind
from contracts.reading import Channel

_DEMAND_W: Final = Channel.DEMAND_W
_REGISTER: Final = ValueKind.REGISTER
_ELECTRICITY: Final = Quantity.ELECTRICITY


def check_register_demand(observation: Observation) -> Verdict:
    """Adds an interval to the window, and judges the window when it is long enough."""
    meter, memory, amount = observation.meter, observation.memory, observation.amount
    demand_w = observation.channels.get(_DEMAND_W)
    if meter.kind is not _REGISTER or meter.quantity is not _ELECTRICITY:
        return None
    if demand_w is None or amount is None or not observation.is_newest:
        return None
    if amount < 0 or observation.span_ms != meter.interval_ms:
        return None
    if not 0 <= demand_w * observation.span_ms <= AMOUNT_MAX * HOUR_MS:
        return Deviation(demand_w, AMOUNT_MAX)
    memory.demand_amount += amount
    memory.demand_integral += demand_w * observation.span_ms // HOUR_MS
    memory.demand_ms += observation.span_ms
    settings = observation.settings
    if memory.demand_ms < settings.register_demand_window_ms:
        return None
    counted, integral = memory.demand_amount, memory.demand_integral
    memory.demand_amount = memory.demand_integral = memory.demand_ms = 0
    tolerance = counted * settings.register_demand_tolerance_permille // 1_000
    tolerance += settings.register_demand_resolution_units * observation.resolution
    return Deviation(counted, integral) if abs(counted - integral) > tolerance else PASSED
