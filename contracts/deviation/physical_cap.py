"""Check 6, physical cap: no interval holds more than the nameplate can, or less than nothing."""

from typing import Final

from contracts.calendars import HOUR_MS
from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.emissions import AMOUNT_MAX
from contracts.meter import Quantity

_TEMPERATURE: Final = Quantity.TEMPERATURE


def cap_of(nameplate_w: int, span_ms: int, margin_percent: int) -> int:
    """Returns the most base units that a span can hold.

    Args:
        nameplate_w: base units an hour.
        span_ms: length of the span.
        margin_percent: of the nameplate; it is exceeded by some per cent for minutes.
    """
    return nameplate_w * span_ms * margin_percent // (HOUR_MS * 100)


def check_physical_cap(observation: Observation) -> Verdict:
    """Compares the amount with nameplate times span and margin; and with zero."""
    amount, meter = observation.amount, observation.meter
    if observation.excess is not None:
        return Deviation(observation.excess, AMOUNT_MAX)
    if amount is None or meter.quantity is _TEMPERATURE:
        return None
    if amount < 0:
        return Deviation(amount, 0)
    if meter.nameplate_w is None:
        return None
    margin_percent = observation.settings.physical_cap_margin_percent
    cap = cap_of(meter.nameplate_w, observation.span_ms, margin_percent)
    return Deviation(amount, cap) if amount > cap else PASSED
