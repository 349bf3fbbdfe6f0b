"""Records of the chain for a command, read from the committed state by their keys."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from chain.codec import Record
from client.errors import MalformedAnswer
from commands.output import fail
from contracts.meter import Meter, meter_key
from contracts.meter_state import MeterState, meter_state_key
from contracts.reading_page import ReadingPage, SlotView, page_key, page_start, slots_of

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


def newest_interval_ms(client: "SyncTanlianClient", meter_id: str) -> int | None:
    """Returns the start of a meter's newest interval with a value, or None before the first."""
    memory = read_state(client, MeterState, meter_state_key(meter_id))
    return None if memory is None else memory.newest_ms


def slots_backwards(client: "SyncTanlianClient", meter: Meter) -> Iterator[SlotView]:
    """Yields the intervals of a meter that have a value, the newest first."""
    memory = read_state(client, MeterState, meter_state_key(meter.meter_id))
    page_ms = None if memory is None else memory.newest_page_ms
    while page_ms is not None:
        page = read_state(client, ReadingPage, page_key(meter.meter_id, page_ms))
        assert page is not None, "a page that is named exists"
        yield from reversed(slots_of(meter, page_ms, page))
        page_ms = page.previous_ms


def slot_at(client: "SyncTanlianClient", meter: Meter, at_ms: int) -> SlotView | None:
    """Returns the interval of a meter that a moment lies in, or None where it has no value."""
    page_ms = page_start(meter.interval_ms, at_ms)
    page = read_state(client, ReadingPage, page_key(meter.meter_id, page_ms))
    if page is None:
        return None
    start_ms = at_ms - at_ms % meter.interval_ms
    slots = slots_of(meter, page_ms, page)
    return next((slot for slot in slots if slot.start_ms == start_ms), None)
