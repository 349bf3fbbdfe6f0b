"""What people ask of readings: the raw ones out of their transactions, with what the state knows.

Raw readings stand in blocks. A node finds the transactions through its readings index
(:func:`contracts.readings.index_key`, one key for each UTC day of stamps) and hands over arguments
and results; here they are joined with the pages of the state.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from chain.codec import Record
from chain.crypto import Domain, hash_of
from chain.state import State, StateReader
from chain.types import HASH_BYTES, Hash, Height, Milliseconds
from contracts.baseline import BASELINE_PREFIX, Baseline, BaselineLine, line_key
from contracts.calendars import DAY_MS
from contracts.conversion import conversion_of
from contracts.deviation.clock import SNAP_MS, interval_start_of, kept_ms_of
from contracts.emissions import MonthTotal, co2e_of, meter_month_key
from contracts.factors import factor_at
from contracts.meter import Meter
from contracts.meter_state import MeterState, meter_state_key
from contracts.reading import (
    AFTER_CLOSE,
    NO_CHECKS,
    NO_FACTOR,
    Outcome,
    RawReading,
    SubmitReadings,
    SubmitResult,
    emits,
    leaf_of,
)
from contracts.reading_page import (
    MutablePage,
    ReadingPage,
    page_key,
    page_start,
)
from contracts.readings import index_key

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A committed transaction of ``readings.submit`` that succeeded."""

    transaction_id: Hash
    height: Height
    arguments: bytes
    """Canonical bytes of :class:`SubmitReadings`."""
    result: bytes
    """Canonical bytes of :class:`SubmitResult`, from its receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """A raw reading with everything that is known of it."""

    reading: RawReading
    start_ms: Milliseconds | None
    """Start of its interval; None where it is off the grid."""
    outcome: Outcome
    applied: int | None
    """Mask of the checks that applied; None for a reading that is not its interval's value."""
    failed: int
    """Mask of the checks that it failed, without the bits that are of no check."""
    has_factor: bool
    """Whether a factor was valid where one is needed."""
    is_after_close: bool
    """Whether its month was closed when it came."""
    amount: int | None
    """Base units; None where it is unknown or another reading is the interval's value."""
    co2e: int | None
    """1e-10 g CO2e of that amount; None where there is none, or the meter has no factor."""
    leaf: Hash
    transaction_id: Hash
    height: Height
    position: int
    """Place in its transaction, from 0."""


def index_keys_between(
    meter: Meter, from_ms: Milliseconds, to_ms: Milliseconds
) -> tuple[bytes, ...]:
    """Returns the index keys whose transactions may hold readings of intervals in a span.

    Args:
        meter: its interval and stamp convention decide how far stamps lie from intervals.
        from_ms: first start of an interval.
        to_ms: exclusive last one.
    """
    first_day = max(from_ms - SNAP_MS, 0) // DAY_MS
    last_day = (to_ms + meter.interval_ms + SNAP_MS) // DAY_MS
    return tuple(index_key(meter.meter_id, day * DAY_MS) for day in range(first_day, last_day + 1))


def readings_between(
    reader: StateReader,
    meter: Meter,
    span: tuple[Milliseconds, Milliseconds],
    submissions: Iterable[Submission],
) -> Iterator[ReadingView]:
    """Yields the readings of a meter within a span, in the order of the submissions.

    Args:
        reader: committed state.
        meter: whose readings.
        span: from the first start of an interval to the exclusive last one.
        submissions: each once, in order of commit; those of other meters yield nothing.
    """
    state = State(reader)
    pages: dict[int, MutablePage] = {}
    from_ms, to_ms = span
    for submission in submissions:
        arguments = SubmitReadings.decode(submission.arguments)
        if arguments.meter_id != meter.meter_id:
            continue
        result = SubmitResult.decode(submission.result)
        for position, reading in enumerate(arguments.readings):
            if from_ms <= kept_ms_of(meter, reading.stamp_ms) < to_ms:
                outcome, failed = result.outcomes[position], result.failed[position]
                yield _view_of(
                    _Place(state, meter, pages, submission, position), reading, outcome, failed
                )


def running_hash_of(leaves: Iterable[Hash]) -> Hash:
    """Returns the running hash of a page that got exactly these leaves, in order of commit.

    Equal to the page's own, it proves each of them and that there is no other.
    """
    running = bytes(HASH_BYTES)
    for leaf in leaves:
        running = hash_of(Domain.READING_DAY, running, leaf)
    return running


def find_page(reader: StateReader, meter: Meter, start_ms: Milliseconds) -> ReadingPage | None:
    """Returns the page that an interval belongs to, or None."""
    key = page_key(meter.meter_id, page_start(meter.interval_ms, start_ms))
    return _find(reader, ReadingPage, key)


def find_meter_state(reader: StateReader, meter_id: str) -> MeterState | None:
    """Returns what is remembered of a meter, or None where it has sent nothing."""
    return _find(reader, MeterState, meter_state_key(meter_id))


def find_meter_month(reader: StateReader, meter_id: str, month: int) -> MonthTotal | None:
    """Returns a meter's total of a local month, given as months since 1970-01, or None."""
    return _find(reader, MonthTotal, meter_month_key(meter_id, month))


def find_baseline_line(reader: StateReader, meter_id: str) -> BaselineLine | None:
    """Returns which baselines of a meter are in force from when, or None where none was fitted."""
    return _find(reader, BaselineLine, line_key(meter_id))


def list_baselines(reader: StateReader, meter_id: str) -> tuple[Baseline, ...]:
    """Returns all baselines of a meter, qualified and refused, by version."""
    prefix = BASELINE_PREFIX + f"{meter_id}/".encode()
    return tuple(Baseline.decode(stored) for _, stored in reader.iterate(prefix))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reading stands, and what is needed to look at it."""

    state: State
    meter: Meter
    pages: dict[int, MutablePage]
    """Pages looked at before, by start."""
    submission: Submission
    position: int


def _view_of(place: _Place, reading: RawReading, outcome: Outcome, failed: int) -> ReadingView:
    meter = place.meter
    start_ms = interval_start_of(meter, reading.stamp_ms)
    applied, amount = None, None
    if start_ms is not None and outcome in {Outcome.ACCEPTED, Outcome.LATE}:
        page_ms = page_start(meter.interval_ms, start_ms)
        page = _page_at(place, page_ms)
        slot = (start_ms - page_ms) // meter.interval_ms
        applied, amount, failed = page.applied[slot], page.amount_at(slot), page.failed[slot]
    return ReadingView(
        reading=reading,
        start_ms=start_ms,
        outcome=outcome,
        applied=applied,
        failed=failed & ~NO_CHECKS,
        has_factor=not failed & NO_FACTOR,
        is_after_close=failed & AFTER_CLOSE != 0,
        amount=amount,
        co2e=_co2e_at(place, start_ms, amount),
        leaf=leaf_of(meter.meter_id, meter.unit, reading),
        transaction_id=place.submission.transaction_id,
        height=place.submission.height,
        position=place.position,
    )


def _page_at(place: _Place, page_ms: Milliseconds) -> MutablePage:
    page = place.pages.get(page_ms)
    if page is None:
        meter = place.meter
        record = place.state.get(ReadingPage, page_key(meter.meter_id, page_ms))
        assert record is not None, "an accepted reading has its page"
        page = place.pages[page_ms] = MutablePage(meter, conversion_of(meter), page_ms, record)
    return page


def _co2e_at(place: _Place, start_ms: Milliseconds | None, amount: int | None) -> int | None:
    meter = place.meter
    if start_ms is None or amount is None or meter.factor is None or not emits(meter):
        return None
    factor = factor_at(place.state, meter.factor, start_ms)
    return None if factor is None else co2e_of(amount, factor.co2e_per_unit)


def _find(reader: StateReader, cls: type[RecordT], key: bytes) -> RecordT | None:
    stored = reader.get(key)
    return None if stored is None else cls.decode(stored)
