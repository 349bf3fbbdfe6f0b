"""Reading what meters measured: intervals.

Intervals come from the pages in state, so a list of them is what the checks and totals went by:
one reading for each interval, and what was approved in its place. Every raw reading, repeats and
conflicts too, is in its transaction.
"""

from aiohttp import web

from chain.state import State
from chain.types import U64_MAX
from contracts import queries
from contracts.check import checks_in
from contracts.correction import CorrectedPage, corrected_page_key
from contracts.emissions import co2e_of
from contracts.factors import factor_at
from contracts.interval import Interval, intervals_of
from contracts.meter import Meter, base_unit_of
from contracts.reading import AFTER_CLOSE, Channel, emits
from contracts.reading_page import ReadingPage, page_key, page_prefix, page_start
from node.ports import BlockStore
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import page_limit, parse_identifier, parse_integer
from node.rpc.presentation import add_member, present
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
        corrected = state.get(CorrectedPage, corrected_page_key(meter_id, page_ms))
        for each in intervals_of(meter, page_ms, ReadingPage.decode(stored), corrected):
            if not first_ms <= each.start_ms < end_ms:
                continue
            if len(found) == limit:
                document["next_from_ms"] = each.start_ms
                return document
            found.append(_present_interval(state, meter, each))
    return document


def _present_interval(state: State, meter: Meter, interval: Interval) -> dict[str, Json]:
    members: dict[str, Json] = {}
    raw, newest = interval.raw, interval.newest
    add_member(members, "start_ms", interval.start_ms)
    add_member(members, "end_ms", interval.start_ms + meter.interval_ms)
    add_member(members, "submitted", None if raw is None else raw.submitted)
    add_member(members, "amount", None if raw is None else raw.amount)
    members["quality"] = None if raw is None else raw.quality.name
    add_member(members, "effective_amount", interval.effective_amount)
    members["effective_quality"] = interval.effective_quality.name
    # Grams are never rounded here: numbers are exact in 1e-10 of a gram.
    add_member(members, "co2e_1e10_g", _co2e(state, meter, interval))
    members["has_factor"] = interval.has_factor
    members["is_after_close"] = raw is not None and raw.failed & AFTER_CLOSE != 0
    members["failed_checks"] = [check.name for check in checks_in(raw.failed if raw else 0)]
    members["applied_checks"] = [check.name for check in checks_in(raw.applied if raw else 0)]
    channels: dict[str, Json] = {}
    for number, value in raw.channels.items() if raw else ():
        add_member(channels, Channel(number).name.lower(), value)
    members["channels"] = channels
    members["correction"] = None if newest is None else present(newest)
    return members


def _co2e(state: State, meter: Meter, interval: Interval) -> int | None:
    """Returns the emissions that stand in the totals for an interval; None where none can."""
    amount = interval.effective_amount
    if not emits(meter) or amount is None or not interval.has_factor:
        return None
    assert meter.factor is not None, "a meter that emits names a factor"
    factor = factor_at(state, meter.factor, interval.start_ms)
    return None if factor is None else co2e_of(amount, factor.co2e_per_unit)
