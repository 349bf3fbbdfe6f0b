"""Comparisons of whole months: a meter against its bill, a second meter, or the peers of its site.

Checks 20 and 21 do not judge readings but sums of a month, after it is over. A comparison is a
record of its own; where it is made anew, because the bill or the sum was put right, the counts of
the month's quality follow and the alert is cleared or raised again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import HASH_BYTES, I64, U32, Identifier, Milliseconds, Text
from contracts.alert import Occurrence
from contracts.alerts import clear_alert, raise_alert
from contracts.calendars import Calendar, require_calendar
from contracts.check import Check
from contracts.context import Context
from contracts.meter import Meter
from contracts.meter_quality import count_later
from contracts.meter_state import get_meter_state
from contracts.month import month_end_ms, month_start_ms


class ComparedWith(IntEnum):
    """What a month was held against."""

    BILL = 1
    """Check 20: the bill of the utility."""
    SECOND_METER = 2
    """Check 20: another meter of the same supply."""
    PEERS = 3
    """Check 21: other sites of the same use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Record):
    """How a meter's month compared; the newest judgement."""

    meter_id: Identifier
    month: U32
    """Local, since 1970-01."""
    compared_with: ComparedWith
    observed: I64
    """Base units; of PEERS, Wh per square metre of the site."""
    expected: I64
    """The same of the other side; of PEERS, the median of the others."""
    limit: I64
    """Largest distance that passes."""
    has_passed: bool
    source: Text
    """Number and sender of the bill, the second meter, or how many peers there were."""
    judged_ms: Milliseconds
    """Block time."""


_CHECKS: Final = {
    ComparedWith.BILL: Check.BILL,
    ComparedWith.SECOND_METER: Check.BILL,
    ComparedWith.PEERS: Check.PEER,
}
COMPARED_MAX: Final = 2**63 - 1


def comparison_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's comparisons; they sort by month."""
    return b"comparison/" + meter_id.encode() + b"/"


def comparison_key(meter_id: str, month: int, compared_with: ComparedWith) -> bytes:
    """Returns the state key of a comparison."""
    return comparison_prefix(meter_id) + b"%06d/%d" % (month, compared_with)


def get_comparison(
    state: State, meter_id: str, month: int, compared_with: ComparedWith
) -> Comparison | None:
    """Returns how a month compared, or None where nobody has looked."""
    return state.get(Comparison, comparison_key(meter_id, month, compared_with))


def comparisons_of(state: State, meter_id: str, month: int, check: Check) -> Iterator[Comparison]:
    """Yields how a month compared by a check, with each that it was held against."""
    for compared_with, of_check in _CHECKS.items():
        comparison = get_comparison(state, meter_id, month, compared_with)
        if of_check is check and comparison is not None:
            yield comparison


def within(value: int) -> int:
    """Returns the nearest number that a comparison can hold."""
    return min(max(value, -COMPARED_MAX), COMPARED_MAX)


def record_comparison(context: Context, meter: Meter, comparison: Comparison) -> None:
    """Records a comparison: its count, its alert; emits ``comparison.judged``.

    Nothing happens where the same was found before.
    """
    state, month = context.state, comparison.month
    check = _CHECKS[comparison.compared_with]
    key = comparison_key(meter.meter_id, month, comparison.compared_with)
    before = state.get(Comparison, key)
    if before is not None and _finding_of(before) == _finding_of(comparison):
        return
    passed, failed = int(comparison.has_passed), int(not comparison.has_passed)
    if before is not None:
        passed -= before.has_passed
        failed -= not before.has_passed
    count_later(state, meter.meter_id, month, check, passed, failed)
    state.put(key, comparison)
    calendar = require_calendar(state, meter.calendar)
    if comparison.has_passed:
        at_ms = month_end_ms(calendar, month)
        clear_alert(context, subject_id=meter.meter_id, check=check, at_ms=at_ms)
    else:
        occurrence = Occurrence(
            check=check,
            interval_start_ms=month_start_ms(calendar, month),
            observed=comparison.observed,
            expected=comparison.expected,
            leaf=bytes(HASH_BYTES),
        )
        raise_alert(context, meter, occurrence)
    context.emit("comparison.judged", meter.meter_id, comparison)


def is_heard_beyond(state: State, meter: Meter, calendar: Calendar, month: int) -> bool:
    """Returns whether a meter's newest reading lies at the end of a month or after it."""
    memory = get_meter_state(state, meter.meter_id)
    if memory is None or memory.newest_ms is None:
        return False
    return memory.newest_ms + meter.interval_ms >= month_end_ms(calendar, month)


def _finding_of(comparison: Comparison) -> tuple[int, int, int, bool]:
    return (comparison.observed, comparison.expected, comparison.limit, comparison.has_passed)
