"""Check 4, missing: more than two intervals between one reading and the next."""

from typing import Final

from contracts.deviation.observation import Deviation, Verdict

TOLERATED_INTERVALS: Final = 2
"""Intervals that may be missing; one or two are lost by any gateway now and then."""


def check_gap(newest_ms: int | None, start_ms: int, interval_ms: int) -> Verdict:
    """Counts the intervals between the newest so far and a newer one.

    Args:
        newest_ms: start of the newest interval with a value; None before the first.
        start_ms: start of the interval of a reading that may be newer.
        interval_ms: length of both.
    """
    if newest_ms is None or start_ms <= newest_ms:
        return None
    missing = (start_ms - newest_ms) // interval_ms - 1
    return Deviation(missing, TOLERATED_INTERVALS) if missing > TOLERATED_INTERVALS else True
