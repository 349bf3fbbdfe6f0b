"""Reading alerts, the stories of their cases, and the figures."""

from collections.abc import Mapping
from enum import IntEnum
from typing import TypeVar

from aiohttp import web

from contracts import queries
from contracts.alert import Alert, AlertState, Severity
from contracts.case_figures import CaseCounts, CaseTimes, Spent
from contracts.case_queries import AGE_BOUNDS_HOURS, OpenAges, find_figures
from contracts.month import month_name
from contracts.queries import AlertFilter, Cut, Page
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import malformed
from node.rpc.presentation import add_member, present, present_object
from node.rpc.problems import quoted, unknown
from node.rpc.registry_queries import list_of, optional_identifier
from node.rpc.strict_json import Json

EnumT = TypeVar("EnumT", bound=IntEnum)


async def alerts(context: RpcContext, request: web.Request) -> web.Response:
    """Lists alerts; of one state, severity, meter, site or organisation where asked."""
    query = request.query
    wanted = AlertFilter(
        state=_optional_name(query, "state", AlertState),
        severity=_optional_name(query, "severity", Severity),
        organisation=optional_identifier(query, "organisation"),
        site=optional_identifier(query, "site"),
        meter=optional_identifier(query, "meter"),
        is_escalated=_optional_flag(query, "escalated"),
    )

    def read(cut: Cut) -> Page[Alert]:
        return queries.list_alerts(context.store, cut, wanted)

    return answer(await context.read(list_of, "alerts", read, query))


async def alert(context: RpcContext, request: web.Request) -> web.Response:
    """Shows an alert by its id, with the story of its case."""
    return answer(await context.read(_alert_document, context, request.match_info["id"]))


def _alert_document(context: RpcContext, alert_id: str) -> dict[str, Json]:
    found = queries.find_alert(context.store, alert_id)
    if found is None:
        raise unknown("UNKNOWN_ALERT", "id", quoted(alert_id))
    document = present_object(found)
    story = queries.list_case_entries(context.store, alert_id, Cut(limit=queries.PAGE_MAX))
    document["story"] = [present(entry) for entry in story.records]
    return document


async def figures(context: RpcContext, request: web.Request) -> web.Response:
    """Shows how many cases wait, for how long, and how long people took; of one site or all."""
    site = optional_identifier(request.query, "site")

    def read() -> dict[str, Json]:
        if site is not None and queries.find_site(context.store, site) is None:
            raise unknown("UNKNOWN_SITE", "site", site)
        head = context.store.head()
        at_ms = 0 if head is None else head[0].time_ms
        found = find_figures(context.store, at_ms, site)
        document: dict[str, Json] = {}
        add_member(document, "at_ms", at_ms)
        document["age_bounds_hours"] = list(AGE_BOUNDS_HOURS)
        document["counts"] = [_counts(each) for each in found.counts]
        document["open_by_age"] = [_ages(each) for each in found.ages]
        document["times"] = [_times(each) for each in found.times]
        document["is_complete"] = found.is_complete
        return document

    return answer(await context.read(read))


def _counts(counts: CaseCounts) -> dict[str, Json]:
    by_state = {state.name: counts.by_state[state - 1] for state in AlertState}
    return {"site": counts.site, "cause": present(counts.cause), "by_state": {**by_state}}


def _ages(ages: OpenAges) -> dict[str, Json]:
    return {"site": ages.site, "cause": present(ages.cause), "by_age": present(ages.by_age)}


def _times(times: CaseTimes) -> dict[str, Json]:
    return {
        "site": times.site,
        "month": month_name(times.month),
        "cause": present(times.cause),
        "acknowledge": _spent(times.acknowledge),
        "explain": _spent(times.explain),
        "close": _spent(times.close),
    }


def _spent(spent: Spent) -> Json:
    """Returns times with their mean, rounded down to the millisecond."""
    mean_ms = spent.sum_ms // spent.count if spent.count else None
    return {**present_object(spent), "mean_ms": present(mean_ms)}


def _optional_name(query: Mapping[str, str], name: str, names: type[EnumT]) -> EnumT | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return names[text.upper()]
    except KeyError:
        words = ", ".join(each.name for each in names)
        raise malformed(name, f"one of {words}", text) from None


def _optional_flag(query: Mapping[str, str], name: str) -> bool | None:
    text = query.get(name)
    if text not in {None, "true", "false"}:
        raise malformed(name, "true or false", text)
    return None if text is None else text == "true"
