"""Recounting readings that came before their factor was set.

Such readings are kept, flagged NO_FACTOR and counted without emissions. Once a factor covers them
they are counted by ``reading.recount``, page by page, as if it had always been there. An interval
that a correction counts for is left to the next correction; a closed month to its restatement.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Identifier, Milliseconds, Range
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import require_calendar
from contracts.context import Context
from contracts.emissions import month_of_day
from contracts.intake import begin_intake
from contracts.ledger import Counted, mark_factor
from contracts.local_clock import LocalClock
from contracts.meter import Meter
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.month import month_name
from contracts.period import closed_at
from contracts.reading import NO_FACTOR
from contracts.reading_page import ReadingPage, page_key, page_prefix, page_start, slots_per_page
from contracts.refusal import Code, refusal
from contracts.revisions import Revision, RevisionKind, record_revision

PAGES_MAX: Final = 31
"""Pages of one call; a page of quarter hours is a day."""
_WORK_PER_PAGE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountReadings(Record):
    """Arguments of ``reading.recount``."""

    meter_id: Identifier
    from_ms: Milliseconds
    """A moment in the first page that is looked at."""
    page_count: Annotated[int, Range(1, PAGES_MAX)]
    """Pages with readings, from there on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted(Record):
    """What a recount found; result of the method and content of its event."""

    meter_id: Identifier
    counted: U32
    """Intervals that have a factor now."""
    left: U32
    """Intervals that still have none."""
    next_ms: Milliseconds | None
    """Where to go on; None where no page follows."""


def recount(context: Context, arguments: RecountReadings) -> bytes:
    """Counts readings whose factor was set after them; emits ``reading.recounted``.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``WRONG_STATE`` for a closed month.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    prefix = page_prefix(meter.meter_id)
    start = page_key(meter.meter_id, page_start(meter.interval_ms, arguments.from_ms))
    found = islice(state.iterate(ReadingPage, prefix, start), arguments.page_count + 1)
    pages = [int(key[len(prefix) :]) for key, _ in found]
    after = pages[arguments.page_count :]
    pages = pages[: arguments.page_count]
    for page_ms in pages:
        _check_open(state, meter, page_ms)
    counted = [_recount_page(context, meter, page_ms) for page_ms in pages]
    times = [start_ms for each, _ in counted for start_ms in each]
    result = Recounted(
        meter_id=meter.meter_id,
        counted=len(times),
        left=sum(left for _, left in counted),
        next_ms=after[0] if after else None,
    )
    context.emit("reading.recounted", meter.meter_id, result)
    if times:
        revision = Revision(
            organisation=meter.organisation,
            site=meter.site,
            from_ms=times[0],
            to_ms=times[-1] + meter.interval_ms,
            subject=f"recount/{meter.meter_id}",
            kind=RevisionKind.RESTATEMENT,
        )
        record_revision(context, revision)
    return result.encode()


def _check_open(state: State, meter: Meter, page_ms: int) -> None:
    clock = LocalClock(require_calendar(state, meter.calendar))
    last_ms = page_ms + meter.interval_ms * (slots_per_page(meter.interval_ms) - 1)
    for at_ms in (page_ms, last_ms):
        clock.hour_at(at_ms)
        month = month_of_day(clock.day)
        closed_ms = closed_at(state, meter.site, month)
        if closed_ms is not None:
            raise refusal(
                Code.WRONG_STATE,
                f"month {month_name(month)} of site {meter.site}",
                expected="an open month",
                got=f"one closed at {closed_ms}",
            )


def _recount_page(context: Context, meter: Meter, page_ms: int) -> tuple[list[int], int]:
    """Counts a page; returns the starts of what has a factor now, and how many have none."""
    intake = begin_intake(context, meter)
    page = intake.book.open(page_ms)
    counted: list[int] = []
    left = 0
    for slot in range(slots_per_page(meter.interval_ms)):
        if not page.failed[slot] & NO_FACTOR or page.is_corrected(slot):
            continue
        start_ms, amount = page_ms + slot * meter.interval_ms, page.amount_at(slot)
        before = Counted(amount, has_factor=False)
        has_factor = intake.ledger.replace(start_ms, before, amount)
        mark_factor(page, slot, has_factor=has_factor)
        if has_factor:
            counted.append(start_ms)
        else:
            left += 1
    return counted, left


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "reading.recount",
        RecountReadings,
        recount,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
        work=lambda arguments: _WORK_PER_PAGE * arguments.page_count,
    ),
)
