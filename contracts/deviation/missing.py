"""Check 4, missing: more than two intervals between one reading and the next.

Files and gateways are in order roughly, not exactly: the rows of the hour that the clocks repeat
lie between those of the hour before. So a gap is remembered when it opens and judged eight
intervals later, by what is still missing of it then.
"""

from typing import Final, NamedTuple

from contracts.check_settings import Settings
from contracts.deviation.observation import PASSED, Deviation, Verdict
from contracts.meter_state import Memory


class GapFinding(NamedTuple):
    """What a reading says of the gaps before it."""

    verdict: Verdict
    first_missing_ms: int
    """Start of the gap that was judged; 0 where none was."""


_NOTHING_JUDGED: Final = GapFinding(PASSED, 0)
_DOES_NOT_APPLY: Final = GapFinding(None, 0)


def follow_gaps(memory: Memory, start_ms: int, interval_ms: int, settings: Settings) -> GapFinding:
    """Remembers, fills and judges gaps, before a reading becomes the newest.

    Args:
        memory: of the meter; holds at most one gap that is not judged yet.
        start_ms: start of the reading's interval, which had no value before.
        interval_ms: its length.
        settings: of the meter's checks.

    Returns:
        Deviations count the intervals that are still missing.
    """
    if memory.newest_ms is None:
        return _DOES_NOT_APPLY
    if start_ms <= memory.newest_ms:
        if memory.gap_ms is not None and memory.gap_ms <= start_ms < memory.gap_until_ms:
            memory.gap_count -= 1
        return _DOES_NOT_APPLY
    missing = (start_ms - memory.newest_ms) // interval_ms - 1
    tolerated = settings.missing_tolerated  # any gateway loses one or two now and then
    opens = missing > tolerated
    finding = _NOTHING_JUDGED
    if memory.gap_ms is not None and (
        opens or start_ms >= memory.gap_until_ms + settings.missing_grace * interval_ms
    ):
        if memory.gap_count > tolerated:
            verdict = Deviation(memory.gap_count, tolerated)
            finding = GapFinding(verdict, memory.gap_ms)
        forget_gap(memory)
    if opens:
        memory.gap_ms = memory.newest_ms + interval_ms
        memory.gap_until_ms = start_ms
        memory.gap_count = min(missing, 2**32 - 1)
    return finding


def forget_gap(memory: Memory) -> None:
    """Ends the waiting for readings of a gap."""
    memory.gap_ms, memory.gap_until_ms, memory.gap_count = None, 0, 0
