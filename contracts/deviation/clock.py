"""Check 2, clock: which interval a stamp belongs to, and whether it came in time.

Stamps within half a minute of the grid are snapped to it *before* anything else is compared: on the
Forrestal night a poll two seconds late would otherwise be an interval of its own. What is
further off belongs to no interval; it is kept and flagged.
"""

from typing import Final

from contracts.deviation.observation import PASSED, Deviation, Verdict
from contracts.meter import Meter, MeterMode, StampConvention

SNAP_MS: Final = 30_000
"""Furthest that a stamp may be off the grid."""
SNAP_DIVISOR: Final = 4
"""It may be off by no more than this part of an interval either."""
SKEW_MS: Final = 120_000
"""How far an interval may end after block time: clocks differ."""
LATE_MS: Final = 48 * 3_600_000
"""How long after its end a reading of a LIVE meter may come."""


def interval_start_of(meter: Meter, stamp_ms: int) -> int | None:
    """Returns the start of the interval that a stamp names, or None where it is off the grid."""
    interval_ms = meter.interval_ms
    off = stamp_ms % interval_ms
    tolerance = min(SNAP_MS, interval_ms // SNAP_DIVISOR)
    if off <= tolerance:
        snapped = stamp_ms - off
    elif interval_ms - off <= tolerance:
        snapped = stamp_ms - off + interval_ms
    else:
        return None
    return snapped - interval_ms if meter.stamp is StampConvention.END else snapped


def is_future(meter: Meter, start_ms: int, block_time_ms: int) -> bool:
    """Returns whether an interval ends later than clocks may differ from block time."""
    return start_ms + meter.interval_ms - block_time_ms > SKEW_MS


def lateness(meter: Meter, start_ms: int, block_time_ms: int) -> Verdict:
    """Judges how long after its interval a reading came, in milliseconds.

    Only of LIVE meters: in BACKFILL block time says nothing of when it was measured.
    """
    if meter.mode is not MeterMode.LIVE:
        return PASSED
    late_ms = block_time_ms - start_ms - meter.interval_ms
    return Deviation(late_ms, LATE_MS) if late_ms > LATE_MS else PASSED


def kept_ms_of(meter: Meter, stamp_ms: int) -> int:
    """Returns the moment by which a reading is filed: its interval's start, or what it would be."""
    start_ms = interval_start_of(meter, stamp_ms)
    if start_ms is not None:
        return start_ms
    return stamp_ms - meter.interval_ms if meter.stamp is StampConvention.END else stamp_ms
