"""Reading the registry and the alerts: bounded pages over :mod:`contracts.queries`."""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import TypeVar

from aiohttp import web

from chain.codec import Record
from contracts import queries
from contracts.account import Account
from contracts.calendars import Calendar
from contracts.correction import Correction
from contracts.exchange import Exchange
from contracts.factor import Factor
from contracts.meter import Meter
from contracts.organisations import Organisation
from contracts.queries import Cut, Page
from contracts.revision import RecordedRevision
from contracts.sites import Site
from node.rpc.context import RpcContext, answer
from node.rpc.limits import PAGE_DEFAULT
from node.rpc.parameters import parse_identifier, parse_integer
from node.rpc.presentation import present, present_object
from node.rpc.problems import unknown
from node.rpc.strict_json import Json

RecordT = TypeVar("RecordT", bound=Record)
EnumT = TypeVar("EnumT", bound=IntEnum)


async def meters(context: RpcContext, request: web.Request) -> web.Response:
    """Lists meters by id; of one organisation or site where asked."""
    query = request.query
    organisation = optional_identifier(query, "organisation")
    site = optional_identifier(query, "site")

    def read(cut: Cut) -> Page[Meter]:
        return queries.list_meters(context.store, cut, organisation=organisation, site=site)

    return answer(await context.read(list_of, "meters", read, query))


async def meter(context: RpcContext, request: web.Request) -> web.Response:
    """Shows a meter, and the exchange that waits for its second signature."""
    meter_id = parse_identifier(request.match_info["id"], "id")
    return answer(await context.read(_meter_document, context, meter_id))


def _meter_document(context: RpcContext, meter_id: str) -> dict[str, Json]:
    found = queries.find_meter(context.store, meter_id)
    if found is None:
        raise unknown("UNKNOWN_METER", "id", meter_id)
    document = present_object(found)
    document["proposed_exchange"] = present(queries.find_proposal(context.store, meter_id))
    return document


async def exchanges(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the exchanges of a meter by time."""
    meter_id = parse_identifier(request.match_info["id"], "id")

    def read(cut: Cut) -> Page[Exchange]:
        return queries.list_exchanges(context.store, meter_id, cut)

    return answer(await context.read(list_of, "exchanges", read, request.query))


async def corrections(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the corrections and substitutes of a meter by number, proposed and approved."""
    meter_id = parse_identifier(request.match_info["id"], "id")

    def read(cut: Cut) -> Page[Correction]:
        return queries.list_corrections(context.store, meter_id, cut)

    return answer(await context.read(list_of, "corrections", read, request.query))


async def revisions(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the revisions of a site by number: spans whose numbers have changed."""
    site_id = parse_identifier(request.match_info["id"], "id")

    def read(cut: Cut) -> Page[RecordedRevision]:
        return queries.list_revisions(context.store, site_id, cut)

    return answer(await context.read(list_of, "revisions", read, request.query))


async def factors(context: RpcContext, request: web.Request) -> web.Response:
    """Lists emission factors by series and time; of one series where asked."""
    factor_id = optional_identifier(request.query, "factor")

    def read(cut: Cut) -> Page[Factor]:
        return queries.list_factors(context.store, cut, factor_id=factor_id)

    return answer(await context.read(list_of, "factors", read, request.query))


async def sites(context: RpcContext, request: web.Request) -> web.Response:
    """Lists sites by id; of one organisation where asked."""
    organisation = optional_identifier(request.query, "organisation")

    def read(cut: Cut) -> Page[Site]:
        return queries.list_sites(context.store, cut, organisation=organisation)

    return answer(await context.read(list_of, "sites", read, request.query))


async def organisations(context: RpcContext, request: web.Request) -> web.Response:
    """Lists organisations by id."""

    def read(cut: Cut) -> Page[Organisation]:
        return queries.list_organisations(context.store, cut)

    return answer(await context.read(list_of, "organisations", read, request.query))


async def accounts(context: RpcContext, request: web.Request) -> web.Response:
    """Lists accounts by public key; of one organisation where asked."""
    organisation = optional_identifier(request.query, "organisation")

    def read(cut: Cut) -> Page[Account]:
        return queries.list_accounts(context.store, cut, organisation=organisation)

    return answer(await context.read(list_of, "accounts", read, request.query))


async def calendars(context: RpcContext, request: web.Request) -> web.Response:
    """Lists calendars by id and version."""

    def read(cut: Cut) -> Page[Calendar]:
        return queries.list_calendars(context.store, cut)

    return answer(await context.read(list_of, "calendars", read, request.query))


def cut_of(query: Mapping[str, str]) -> Cut:
    """Returns which part of a list a query asks for.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    limit = parse_integer(
        query.get("limit", str(PAGE_DEFAULT)), "limit", minimum=1, maximum=queries.PAGE_MAX
    )
    return Cut(after=query.get("after", ""), limit=limit)


def list_of(
    name: str, read: Callable[[Cut], Page[RecordT]], query: Mapping[str, str]
) -> dict[str, Json]:
    """Returns one page of a list as a document."""
    page = read(cut_of(query))
    return {name: [present(record) for record in page.records], "after": page.after}


def optional_identifier(query: Mapping[str, str], name: str) -> str | None:
    """Returns an identifier that a query names, or None where it names none.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    text = query.get(name)
    return None if text is None else parse_identifier(text, name)
