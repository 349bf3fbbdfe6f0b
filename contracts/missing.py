"""Silence of LIVE meters: found by block time, without any reading to notice it.

A reading that ends a gap finds it by itself (:mod:`contracts.deviation.missing`). That a meter has
gone silent for good only time tells: the due queue asks here, and is told when to ask again. A
reading never writes to the queue.
"""

from typing import Final

from chain.types import HASH_BYTES, Milliseconds
from contracts.alert import Occurrence
from contracts.alerts import raise_alert
from contracts.check import Check, bit
from contracts.check_settings import is_on, settings_at
from contracts.context import Context
from contracts.meter import Meter, MeterMode
from contracts.meter_state import Memory, get_meter_state, meter_state_key
from contracts.meters import get_meter

BACKOFF_DIVISOR: Final = 4
"""While a meter stays silent it is looked at again after this part of its silence."""


def on_due(context: Context, meter_id: str) -> Milliseconds | None:
    """Looks whether a meter has gone silent, and raises check 4 once when it has.

    Args:
        context: the block's own work.
        meter_id: subject of the entry.

    Returns:
        Block time at which to look again; None for a meter that is not LIVE or was removed.
    """
    meter = get_meter(context.state, meter_id)
    if meter is None or meter.mode is not MeterMode.LIVE or meter.live_from_ms is None:
        return None
    if meter.installed_to_ms is not None and meter.installed_to_ms <= context.time_ms:
        return None
    memory = Memory(get_meter_state(context.state, meter_id))
    heard_until_ms = _heard_until(meter, memory)
    silent_ms = context.time_ms - heard_until_ms
    missing = silent_ms // meter.interval_ms
    settings = settings_at(context.state, meter_id)
    tolerated = settings.missing_tolerated
    if missing <= tolerated:
        return heard_until_ms + (tolerated + 1) * meter.interval_ms
    if is_on(settings, Check.MISSING) and not memory.alerting & bit(Check.MISSING):
        occurrence = Occurrence(
            check=Check.MISSING,
            interval_start_ms=heard_until_ms,
            observed=missing,
            expected=tolerated,
            leaf=bytes(HASH_BYTES),
        )
        raise_alert(context, meter, occurrence)
        memory.alerting |= bit(Check.MISSING)
        context.state.put(meter_state_key(meter_id), memory.record())
    return context.time_ms + max(meter.interval_ms, silent_ms // BACKOFF_DIVISOR)


def _heard_until(meter: Meter, memory: Memory) -> Milliseconds:
    """Returns until when readings are there: the newest interval's end, or going live."""
    assert meter.live_from_ms is not None, "a LIVE meter went live at some time"
    if memory.newest_ms is None:
        return meter.live_from_ms
    return max(memory.newest_ms + meter.interval_ms, meter.live_from_ms)
