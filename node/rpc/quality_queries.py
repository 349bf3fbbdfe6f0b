"""Reading what readings are held against and how good they are: settings, months, comparisons."""

from typing import Final

from aiohttp import web

from chain.state import State
from contracts import queries
from contracts.bills import Bill, bill_prefix
from contracts.calendars import require_calendar
from contracts.check import LABELS, READING_CHECKS, RUNNING, Check, bit, checks_in
from contracts.check_settings import (
    DEFAULTS,
    PARAMETERS,
    CheckSettings,
    Settings,
    get_settings_record,
    settings_of,
    version_prefix,
)
from contracts.check_source import get_sources
from contracts.comparison import Comparison, comparison_prefix
from contracts.meter import Meter
from contracts.meter_quality import MeterQuality, quality_prefix
from contracts.month import month_end_ms, month_name
from contracts.quality import MonthQuality, monitor_availability, quality_of_month
from contracts.queries import Cut, Page
from contracts.reading import Quality
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import parse_identifier
from node.rpc.presentation import present
from node.rpc.problems import unknown
from node.rpc.registry_queries import list_of
from node.rpc.strict_json import Json
from node.rpc.total_queries import parse_month

MONTHS_SHOWN_MAX: Final = 1_200
"""Months of one meter in one answer: a century."""


async def default_checks(_context: RpcContext, request: web.Request) -> web.Response:
    """Shows all checks with their parameters: defaults and bounds."""
    assert not request.query, "the server refuses what a route does not take"
    return answer({"version": 0, "checks": _checks(DEFAULTS)})


async def meter_checks(context: RpcContext, request: web.Request) -> web.Response:
    """Shows the checks of a meter: which are on, and how strictly."""
    meter_id = parse_identifier(request.match_info["id"], "id")

    def read() -> dict[str, Json]:
        state = State(context.store)
        meter = _require(context, meter_id)
        record = get_settings_record(state, meter.meter_id)
        return {
            "meter_id": meter_id,
            "version": 0 if record is None else record.version,
            "configured": present(record),
            "sources": present(get_sources(state, meter_id)),
            "checks": _checks(settings_of(record)),
        }

    return answer(await context.read(read))


async def check_versions(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the versions of a meter's settings: who, when and why."""
    meter_id = parse_identifier(request.match_info["id"], "id")

    def read(cut: Cut) -> Page[CheckSettings]:
        return queries.list_records(context.store, CheckSettings, version_prefix(meter_id), cut)

    return answer(await context.read(list_of, "versions", read, request.query))


async def meter_quality(context: RpcContext, request: web.Request) -> web.Response:
    """Shows the quality of a meter's readings by month; of one month where asked, in full."""
    meter_id = parse_identifier(request.match_info["id"], "id")
    text = request.query.get("month")
    month = None if text is None else parse_month(text, "month")
    now_ms = context.service.status().head_time_ms

    def read() -> dict[str, Json]:
        state, meter = State(context.store), _require(context, meter_id)
        calendar = require_calendar(state, meter.calendar)
        if month is not None:
            until_ms = min(month_end_ms(calendar, month), now_ms)
            document = _month(quality_of_month(state, meter, calendar, month, now_ms))
            document["monitor_availability"] = _availability(state, meter, until_ms)
            return {"meter_id": meter_id, "months": [document]}
        prefix = quality_prefix(meter_id)
        months = [int(key[len(prefix) :]) for key, _ in state.iterate(MeterQuality, prefix)]
        return {
            "meter_id": meter_id,
            "months": [
                _month(quality_of_month(state, meter, calendar, each, now_ms))
                for each in months[-MONTHS_SHOWN_MAX:]
            ],
        }

    return answer(await context.read(read))


async def comparisons(context: RpcContext, request: web.Request) -> web.Response:
    """Lists how a meter's months compared with bills, a second meter and peers."""
    meter_id = parse_identifier(request.match_info["id"], "id")

    def read(cut: Cut) -> Page[Comparison]:
        return queries.list_records(context.store, Comparison, comparison_prefix(meter_id), cut)

    return answer(await context.read(list_of, "comparisons", read, request.query))


async def bills(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the bills of a meter by month, the newest of a month first."""
    meter_id = parse_identifier(request.match_info["id"], "id")

    def read(cut: Cut) -> Page[Bill]:
        return queries.list_records(context.store, Bill, bill_prefix(meter_id), cut)

    return answer(await context.read(list_of, "bills", read, request.query))


def _require(context: RpcContext, meter_id: str) -> Meter:
    meter = queries.find_meter(context.store, meter_id)
    if meter is None:
        raise unknown("UNKNOWN_METER", "id", meter_id)
    return meter


def _checks(settings: Settings) -> list[Json]:
    return [
        {
            "number": int(check),
            "name": check.name,
            "label": LABELS[check],
            "is_on": settings.enabled & bit(check) != 0,
            "runs": check in RUNNING,
            "parameters": [
                {
                    "name": parameter.name,
                    "value": getattr(settings, parameter.attribute),
                    "default": parameter.default,
                    "minimum": parameter.minimum,
                    "maximum": parameter.maximum,
                    "unit": parameter.unit,
                    "meaning": parameter.meaning,
                }
                for parameter in PARAMETERS.values()
                if parameter.check is check
            ],
        }
        for check in READING_CHECKS
    ]


def _month(quality: MonthQuality) -> dict[str, Json]:
    counts = quality.counts
    return {
        "month": month_name(quality.month),
        "expected": quality.expected,
        "present": counts.present,
        "availability_permille": quality.availability_permille,
        "score_permille": quality.score_permille,
        "qualities": {each.name: counts.qualities[each - 1] for each in Quality},
        "flagged": counts.flagged,
        "aside": counts.aside,
        "off": [check.name for check in checks_in(counts.off)],
        "checks": [
            {
                "number": number,
                "name": Check(number).name,
                "applied": applied,
                "failed": failed,
            }
            for number, (applied, failed) in enumerate(
                zip(counts.applied, counts.failed, strict=True), 1
            )
            if applied
        ],
    }


def _availability(state: State, meter: Meter, before_ms: int) -> Json:
    found = monitor_availability(state, meter, before_ms)
    return {"hours": found.hours, "assured": found.assured, "permille": found.permille}
