"""Records of the chain for a command, read from the committed state by their keys."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from chain.codec import Record
from client.errors import MalformedAnswer
from commands.output import fail
from contracts.correction import (
    CorrectedPage,
    Correction,
    corrected_page_key,
    correction_key,
)
from contracts.interval import Interval, intervals_of
from contracts.meter import Meter, meter_key
from contracts.meter_state import MeterState, meter_state_key
from contracts.reading_page import ReadingPage, page_key, page_start

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient

RecordT = TypeVar("RecordT", bound=Record)


def read_state(client: "SyncTanlianClient", cls: type[RecordT], key: bytes) -> RecordT | None:
    """Returns the committed record under a state key, or None."""
    value = client.state_proof(key)["value"]
    if value is None:
        return None
    if not isinstance(value, str):
        raise MalformedAnswer(f"value: expected hexadecimal text, got {value!r:.60}")
    return cls.decode(bytes.fromhex(value))


def meter_of(client: "SyncTanlianClient", meter_id: str) -> Meter:
    """Returns a meter.

    Raises:
        CommandFailed: there is none of this id.
    """
    meter = read_state(client, Meter, meter_key(meter_id))
    if meter is None:
        fail(
            f"meter: expected the id of a registered meter, got {meter_id!a}; see "
            "`tanlian meter list`"
        )
    return meter


def correction_of(client: "SyncTanlianClient", meter_id: str, number: int) -> Correction:
    """Returns a correction of a meter, whatever has become of it.

    Raises:
        CommandFailed: there is none of this number.
    """
    correction = read_state(client, Correction, correction_key(meter_id, number))
    if correction is None:
        fail(
            f"number: expected a correction of {meter_id}, got {number}; see "
            f"`tanlian reading corrections {meter_id}`"
        )
    return correction


def newest_interval_ms(client: "SyncTanlianClient", meter_id: str) -> int | None:
    """Returns the start of a meter's newest interval with a value, or None before the first."""
    memory = read_state(client, MeterState, meter_state_key(meter_id))
    return None if memory is None else memory.newest_ms


def intervals_backwards(client: "SyncTanlianClient", meter: Meter) -> Iterator[Interval]:
    """Yields the intervals of a meter of which something is known, the newest first."""
    memory = read_state(client, MeterState, meter_state_key(meter.meter_id))
    page_ms = None if memory is None else memory.newest_page_ms
    while page_ms is not None:
        page = read_state(client, ReadingPage, page_key(meter.meter_id, page_ms))
        assert page is not None, "a page that is named exists"
        yield from reversed(_intervals_of(client, meter, page_ms, page))
        page_ms = page.previous_ms


def interval_at(client: "SyncTanlianClient", meter: Meter, at_ms: int) -> Interval | None:
    """Returns the interval of a meter that a moment lies in, or None where nothing is known."""
    start_ms = at_ms - at_ms % meter.interval_ms
    found = page_intervals(client, meter, page_start(meter.interval_ms, at_ms))
    return next((each for each in found if each.start_ms == start_ms), None)


def page_intervals(client: "SyncTanlianClient", meter: Meter, page_ms: int) -> tuple[Interval, ...]:
    """Returns the intervals of a page of which something is known."""
    page = read_state(client, ReadingPage, page_key(meter.meter_id, page_ms))
    return () if page is None else _intervals_of(client, meter, page_ms, page)


def corrections_of(
    client: "SyncTanlianClient", meter: Meter, interval: Interval
) -> Iterator[Correction]:
    """Yields the approved corrections of an interval, the newest first."""
    number = None if interval.newest is None else interval.newest.number
    while number is not None:
        correction = read_state(client, Correction, correction_key(meter.meter_id, number))
        assert correction is not None, "a correction that is named exists"
        yield correction
        starts = [each.start_ms for each in correction.intervals]
        number = correction.replaced[starts.index(interval.start_ms)].number


def _intervals_of(
    client: "SyncTanlianClient", meter: Meter, page_ms: int, page: ReadingPage
) -> tuple[Interval, ...]:
    # Where no bit is set a correction may have been withdrawn; its trace still counts.
    key = corrected_page_key(meter.meter_id, page_ms)
    return intervals_of(meter, page_ms, page, read_state(client, CorrectedPage, key))
