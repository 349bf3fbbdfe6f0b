"""Reading what meters are held against: baselines, qualified and refused, and their approvals."""

from collections.abc import Mapping

from aiohttp import web

from contracts.baseline import (
    BASELINE_PREFIX,
    HOURS,
    PROFILES,
    WEEKDAYS,
    Approval,
    Baseline,
    Model,
    approval_prefix,
    cells_of,
)
from contracts.calendars import DayType
from node.ports import BlockStore
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import page_limit, parse_identifier
from node.rpc.presentation import present_object
from node.rpc.strict_json import Json

_WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
assert len(_WEEK) == WEEKDAYS, "a profile of the week has a row for each of its days"


async def baselines(context: RpcContext, request: web.Request) -> web.Response:
    """Lists baselines by meter and version, qualified and refused; of one meter where asked."""
    return answer(await context.read(_document, context.store, request.query))


def _document(store: BlockStore, query: Mapping[str, str]) -> dict[str, Json]:
    meter_id = query.get("meter")
    prefix = BASELINE_PREFIX
    if meter_id is not None:
        prefix += parse_identifier(meter_id, "meter").encode() + b"/"
    after = query.get("after", "")
    # A zero byte more is the first key that can follow.
    start = prefix + after.encode(errors="replace") + b"\x00" if after else prefix
    limit = page_limit(query)
    found: list[Json] = []
    approvals: dict[str, list[Approval]] = {}
    last = ""
    for key, stored in store.iterate(prefix, start):
        if len(found) == limit:
            return {"baselines": found, "after": last}
        last = key[len(prefix) :].decode()
        baseline = Baseline.decode(stored)
        if baseline.meter_id not in approvals:
            approvals[baseline.meter_id] = _approvals_of(store, baseline.meter_id)
        found.append(_present(baseline, approvals[baseline.meter_id]))
    return {"baselines": found, "after": None}


def _approvals_of(store: BlockStore, meter_id: str) -> list[Approval]:
    return [Approval.decode(stored) for _, stored in store.iterate(approval_prefix(meter_id))]


def _present(baseline: Baseline, approvals: list[Approval]) -> dict[str, Json]:
    members = present_object(baseline)
    members["qualifies"] = baseline.qualifies
    for name, packed in (("medians", baseline.medians), ("sigmas", baseline.sigmas)):
        members[name] = _present_cells(baseline, packed) if baseline.model in PROFILES else None
    del members["known_cells"]
    members["approvals"] = [
        present_object(each) for each in approvals if each.version == baseline.version
    ]
    return members


def _present_cells(baseline: Baseline, packed: bytes) -> dict[str, Json]:
    """Returns 24 hours for each kind of day; null where the window says nothing."""
    names = _WEEK if baseline.model is Model.HOUR_OF_WEEK else tuple(each.name for each in DayType)
    known = int.from_bytes(baseline.known_cells, "big")
    cells = [value if known >> cell & 1 else None for cell, value in enumerate(cells_of(packed))]
    return {
        name: list(cells[place * HOURS : (place + 1) * HOURS]) for place, name in enumerate(names)
    }
