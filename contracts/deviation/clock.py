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

_END: Final = StampConvention.END
_LIVE: Final = MeterMode.LIVE


def tolerance_of(interval_ms: int) -> int:
    """Returns how far a stamp may be off a grid."""
    return min(SNAP_MS, interval_ms // SNAP_DIVISOR)


def interval_start_of(meter: Meter, stamp_ms: int) -> int | None:
    """Returns the start of the interval that a stamp names, or None where it is off the grid."""
    interval_ms = meter.interval_ms
    snapped = snapped_to(interval_ms, tolerance_of(interval_ms), stamp_ms)
    if snapped is None:
        return None
    return snapped - interval_ms if meter.stamp is _END else snapped


def snapped_to(interval_ms: int, tolerance_ms: int, stamp_ms: int) -> int | None:
    """Returns the moment of a grid that a stamp is near, or None where it is near none."""
    off = stamp_ms % interval_ms
    if off <= tolerance_ms:
        return stamp_ms - off
    if interval_ms - off <= tolerance_ms:
        return stamp_ms - off + interval_ms
    return None


def lateness(meter: Meter, start_ms: int, block_time_ms: int, allowed_ms: int) -> Verdict:
    """Judges how long after its interval a reading came, in milliseconds.

    Only of LIVE meters: in BACKFILL block time says nothing of when it was measured.
    """
    if meter.mode is not _LIVE:
        return PASSED
    late_ms = block_time_ms - start_ms - meter.interval_ms
    return Deviation(late_ms, allowed_ms) if late_ms > allowed_ms else PASSED


def kept_ms_of(meter: Meter, stamp_ms: int) -> int:
    """Returns the moment by which a reading is filed: its interval's start, or what it would be."""
    start_ms = interval_start_of(meter, stamp_ms)
    if start_ms is not None:
        return start_ms
    return stamp_ms - meter.interval_ms if meter.stamp is _END else stamp_ms
