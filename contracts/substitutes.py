"""Substitutes as a contract: whoever asks names a window, and the contract computes the amounts.

Nobody chooses a substitute: it follows from what the state holds by :mod:`contracts.part75`, and
the result tells what it was computed from. It counts once a second account approves it, like any
other correction.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.types import HASH_BYTES, I64, U32, Identifier, Length, Milliseconds, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import HOUR_MS
from contracts.context import Context
from contracts.correction import INTERVALS_MAX, PAGES_MAX, CorrectedInterval, CorrectionKind
from contracts.corrections import check_reason, check_starts, propose
from contracts.meter import Direction, Meter, Quantity, ValueKind
from contracts.meter_timeline import MeterTimeline, timeline_of
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.part75 import LOOK_BACK_MS, USUAL_LOOK_BACK_MS, Gap, History, substitute_of
from contracts.reading import MethodCode, Quality
from contracts.reading_page import page_start, slots_per_page
from contracts.refusal import Code, refusal
from contracts.statistics import divide_up

SUBSTITUTE_WORK: Final = 8_000
"""Work units: to look at three years of pages costs about what 8,000 readings do."""
INTERVAL_MS_MIN: Final = 15 * 60_000
"""Shortest interval of a meter that three years can be looked back on for: 1,095 pages."""
AFTER_PAGES: Final = 40
"""Pages after the window in which a gap must have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstituteReadings(Record):
    """Arguments of ``reading.substitute``."""

    meter_id: Identifier
    from_ms: Milliseconds
    """Start of the window's first interval."""
    to_ms: Milliseconds
    """End of its last one, exclusive."""
    reason: Text
    """Not empty: why the intervals are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledGap(Record):
    """A gap, what its substitute was computed from, and the substitute."""

    from_ms: Milliseconds
    to_ms: Milliseconds
    """The whole gap, also where it reaches beyond the window."""
    operating: U32
    """Intervals of the trailing year of operating, the gap included."""
    assured: U32
    """Quality-assured ones among them; the availability is their share."""
    recent: U32
    """Quality-assured intervals that percentile and maximum are taken of."""
    before: I64 | None
    """Amount of the last of them, base units; None where there is none."""
    after: I64
    """Amount of the first quality-assured interval after the gap."""
    amount: I64
    """Substitute for each interval of the gap."""
    method_code: MethodCode


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstituteResult(Record):
    """Result of ``reading.substitute``; the proposal itself is in ``correction.proposed``."""

    gaps: Annotated[tuple[FilledGap, ...], Length(1, INTERVALS_MAX)]


def substitute(context: Context, arguments: SubstituteReadings) -> bytes:
    """Proposes substitutes for the missing intervals of a window; returns how they come about.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``; ``INVALID_ARGUMENTS`` for no reason,
            a window that is none, or a meter that the rules do not fit; ``LIMIT_REACHED`` for too
            many intervals; ``WRONG_STATE`` where nothing is missing, a gap has not ended, the
            register after it counts it already, or the nameplate that it needs is unknown.
    """
    meter = require_meter(context.state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    check_reason(arguments.reason)
    _check_meter(meter)
    _check_window(context, meter, arguments)
    intervals, gaps = _fill(context, meter, arguments)
    propose(
        context,
        meter,
        kind=CorrectionKind.SUBSTITUTE,
        intervals=intervals,
        why=(arguments.reason, bytes(HASH_BYTES)),
    )
    return SubstituteResult(gaps=gaps).encode()


def _fill(
    context: Context, meter: Meter, arguments: SubstituteReadings
) -> tuple[tuple[CorrectedInterval, ...], tuple[FilledGap, ...]]:
    """Returns the window's missing intervals with their substitutes, and how they come about."""
    known, gaps = _look_around(context, meter, arguments, USUAL_LOOK_BACK_MS)
    if not all(gap.is_settled(meter.interval_ms) for gap in gaps):
        known, gaps = _look_around(context, meter, arguments, LOOK_BACK_MS)
    first, end = _place(known, arguments.from_ms), _place(known, arguments.to_ms)
    intervals: list[CorrectedInterval] = []
    filled: list[FilledGap] = []
    missing = sum(1 for place in range(first, end) if known.timeline.amounts[place] is None)
    if not 1 <= missing <= INTERVALS_MAX:
        raise refusal(
            Code.LIMIT_REACHED if missing else Code.WRONG_STATE,
            "from_ms to to_ms",
            expected=f"a window with 1 to {INTERVALS_MAX} missing intervals",
            got=str(missing),
        )
    for gap in gaps:
        record = _fill_gap(meter, known, gap)
        filled.append(record)
        intervals += (
            CorrectedInterval(
                start_ms=known.from_ms + place * meter.interval_ms,
                amount=record.amount,
                quality=Quality.SUBSTITUTE,
                method_code=record.method_code,
            )
            for place in range(max(gap.first, first), min(gap.end, end))
        )
    return tuple(intervals), tuple(filled)


def _look_around(
    context: Context, meter: Meter, arguments: SubstituteReadings, look_back_ms: int
) -> tuple[MeterTimeline, tuple[Gap, ...]]:
    """Returns the timeline from the look-back, or the first known interval, on; and the gaps."""
    interval_ms = meter.interval_ms
    page_ms = interval_ms * slots_per_page(interval_ms)
    from_ms = page_start(interval_ms, max(arguments.from_ms - look_back_ms, 0))
    until_ms = min(arguments.to_ms + AFTER_PAGES * page_ms, context.time_ms)
    until_ms = max(until_ms - until_ms % interval_ms, arguments.to_ms)
    known = timeline_of(context.state, meter, from_ms, until_ms, since_known=arguments.from_ms)
    ends = _place(known, arguments.from_ms), _place(known, arguments.to_ms)
    return known, History(known.timeline).gaps_within(*ends)


def _place(known: MeterTimeline, at_ms: Milliseconds) -> int:
    return (at_ms - known.from_ms) // known.timeline.interval_ms


def _fill_gap(meter: Meter, known: MeterTimeline, gap: Gap) -> FilledGap:
    interval_ms = meter.interval_ms
    from_ms = known.from_ms + gap.first * interval_ms
    to_ms = known.from_ms + gap.end * interval_ms
    name = f"gap from {from_ms} to {to_ms}"
    if gap.after is None or gap.end == len(known.timeline.amounts):
        raise refusal(
            Code.WRONG_STATE,
            name,
            expected=f"a quality-assured interval after it, within {AFTER_PAGES} pages",
            got="none yet",
        )
    # A register counts on while nobody reads it: the first amount after the gap holds it all,
    # unless it begins anew with the gap's last interval, whose own amount is unknown.
    if meter.kind is ValueKind.REGISTER and not known.linked[gap.end - 1]:
        raise refusal(
            Code.WRONG_STATE,
            name,
            expected="one that no register counts; correct the interval after it as well, with "
            "reading.correct",
            got=f"a register whose amount from {to_ms} on counts it",
        )
    found = substitute_of(gap, interval_ms, _maximum_potential(meter))
    if found is None:
        raise refusal(
            Code.WRONG_STATE,
            "nameplate_w",
            expected=f"a nameplate, from which the substitute of the {name} follows",
            got="a meter without",
        )
    amount, method_code = found
    return FilledGap(
        from_ms=from_ms,
        to_ms=to_ms,
        operating=gap.availability.operating,
        assured=gap.availability.assured,
        recent=len(gap.recent),
        before=gap.before,
        after=gap.after,
        amount=amount,
        method_code=method_code,
    )


def _maximum_potential(meter: Meter) -> int | None:
    if meter.nameplate_w is None:
        return None
    return divide_up(meter.nameplate_w * meter.interval_ms, HOUR_MS)


def _check_meter(meter: Meter) -> None:
    faults = (
        (
            meter.quantity is Quantity.TEMPERATURE,
            "a meter of consumption or emissions",
            "one of TEMPERATURE",
        ),
        (
            meter.direction is Direction.EXPORT,
            "a meter of imports; too high a substitute would make an export too good",
            "one of EXPORT",
        ),
        (
            meter.interval_ms < INTERVAL_MS_MIN,
            f"intervals of at least {INTERVAL_MS_MIN} ms, so that three years can be looked at",
            f"{meter.interval_ms} ms",
        ),
    )
    for is_fault, expected, got in faults:
        if is_fault:
            name = f"meter {meter.meter_id}"
            raise refusal(Code.INVALID_ARGUMENTS, name, expected=expected, got=got)


def _check_window(context: Context, meter: Meter, arguments: SubstituteReadings) -> None:
    interval_ms = meter.interval_ms
    if arguments.to_ms <= arguments.from_ms or arguments.to_ms % interval_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to_ms",
            expected=f"the end of an interval after from_ms {arguments.from_ms}, divisible by "
            f"{interval_ms}",
            got=str(arguments.to_ms),
        )
    if arguments.from_ms < meter.installed_from_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "from_ms",
            expected=f"a moment since the meter is installed, {meter.installed_from_ms}",
            got=str(arguments.from_ms),
        )
    page_ms = interval_ms * slots_per_page(interval_ms)
    last_ms = arguments.to_ms - interval_ms
    pages = (last_ms - page_start(interval_ms, arguments.from_ms)) // page_ms + 1
    if pages > PAGES_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "to_ms",
            expected=f"a window of at most {PAGES_MAX} pages of {page_ms} ms; ask for several",
            got=f"{pages} pages",
        )
    check_starts(context, meter, [*dict.fromkeys((arguments.from_ms, last_ms))])


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "reading.substitute",
        SubstituteReadings,
        substitute,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
        work=lambda _: SUBSTITUTE_WORK,
    ),
)
