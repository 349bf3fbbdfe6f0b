"""Reading what meters measured: intervals.

Intervals come from the pages in state, so a list of them is what the checks and totals went by:
one value for each interval. Every raw reading, repeats and conflicts too, is in its transaction.
"""

from aiohttp import web

from chain.state import State
from chain.types import U64_MAX
from contracts import queries
from contracts.check import checks_in
from contracts.emissions import co2e_of
from contracts.factors import factor_at
from contracts.meter import Meter, base_unit_of
from contracts.reading import AFTER_CLOSE, NO_FACTOR, Channel, emits
from contracts.reading_page import (
    ReadingPage,
    SlotView,
    page_key,
    page_prefix,
    page_start,
    slots_of,
)
from node.ports import BlockStore
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import page_limit, parse_identifier, parse_integer
from node.rpc.presentation import add_member
from node.rpc.problems import unknown
from node.rpc.strict_json import Json


async def readings(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the intervals of a meter by time: value, emissions and checks."""
    meter_id = parse_identifier(request.match_info["id"], "id")
    query = request.query
    first_ms = parse_integer(query.get("from", "0"), "from")
    end_ms = parse_integer(query.get("to", str(U64_MAX)), "to")
    document = await context.read(
        _readings_document, context.store, meter_id, first_ms, end_ms, page_limit(query)
    )
    return answer(document)


def _readings_document(
    store: BlockStore, meter_id: str, first_ms: int, end_ms: int, limit: int
) -> dict[str, Json]:
    meter = queries.find_meter(store, meter_id)
    if meter is None:
        raise unknown("UNKNOWN_METER", "id", meter_id)
    found: list[Json] = []
    # One overlay for the whole list: it keeps the few factors that are asked for again and again.
    state = State(store)
    prefix = page_prefix(meter_id)
    start = page_key(meter_id, page_start(meter.interval_ms, first_ms))
    document: dict[str, Json] = {
        "meter_id": meter_id,
        "unit": meter.unit.name,
        "base_unit": base_unit_of(meter.unit).name,
        "interval_ms": meter.interval_ms,
        "readings": found,
        "next_from_ms": None,
    }
    for key, stored in store.iterate(prefix, start):
        page_ms = int(key[len(prefix) :])
        if page_ms >= end_ms:
            break
        for slot in slots_of(meter, page_ms, ReadingPage.decode(stored)):
            if not first_ms <= slot.start_ms < end_ms:
                continue
            if len(found) == limit:
                document["next_from_ms"] = slot.start_ms
                return document
            found.append(_present_interval(state, meter, slot))
    return document


def _present_interval(state: State, meter: Meter, slot: SlotView) -> dict[str, Json]:
    members: dict[str, Json] = {}
    add_member(members, "start_ms", slot.start_ms)
    add_member(members, "end_ms", slot.start_ms + meter.interval_ms)
    add_member(members, "submitted", slot.submitted)
    add_member(members, "amount", slot.amount)
    members["quality"] = slot.quality.name
    # Grams are never rounded here: numbers are exact in ten-thousandths of a gram.
    add_member(members, "co2e_1e10_g", _co2e(state, meter, slot))
    members["has_factor"] = not slot.failed & NO_FACTOR
    members["is_after_close"] = slot.failed & AFTER_CLOSE != 0
    members["failed_checks"] = [check.name for check in checks_in(slot.failed)]
    members["applied_checks"] = [check.name for check in checks_in(slot.applied)]
    channels: dict[str, Json] = {}
    for number, value in slot.channels.items():
        add_member(channels, Channel(number).name.lower(), value)
    members["channels"] = channels
    return members


def _co2e(state: State, meter: Meter, slot: SlotView) -> int | None:
    """Returns the emissions that stand in the totals for an interval; None where none can."""
    if not emits(meter) or slot.amount is None or slot.failed & NO_FACTOR:
        return None
    assert meter.factor is not None, "a meter that emits names a factor"
    factor = factor_at(state, meter.factor, slot.start_ms)
    return None if factor is None else co2e_of(slot.amount, factor.co2e_per_unit)
