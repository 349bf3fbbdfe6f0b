"""Reading reports: what is anchored, closed, planned and deposited; and documents built anew."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from aiohttp import web

from chain import jcs
from chain.codec import Record
from chain.state import State
from contracts import queries
from contracts.annual_filing import (
    AnnualClock,
    AnnualFiling,
    annual_clock_key,
    filing_prefix,
)
from contracts.deposit import (
    Deposit,
    DepositClock,
    Submission,
    clock_key,
    deposit_prefix,
    submission_prefix as submissions_prefix,
)
from contracts.equity import EquityDeclaration, equity_prefix
from contracts.inventory_design import InventoryDesign, design_prefix
from contracts.monitoring_plan import MonitoringPlan, plan_prefix
from contracts.month import month_name
from contracts.month_restatement import (
    MonthRestatement,
    RestatementProposal,
    proposal_prefix,
    restatement_prefix,
)
from contracts.period import ClosedMonth, closed_site_prefix
from contracts.queries import Cut, Page
from contracts.report import (
    REPORT_PREFIX,
    Report,
    ReportKind,
    ReportPlace,
    place_key,
    report_key,
    report_prefix,
)
from contracts.report_document import ComputedAt, ReportRequest, build_document
from node.rpc.chain_queries import read_record
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import malformed, parse_hash, parse_identifier, parse_integer
from node.rpc.presentation import present, present_object
from node.rpc.problems import Problem, ProblemError, unknown
from node.rpc.registry_queries import list_of
from node.rpc.strict_json import Json
from node.rpc.total_queries import parse_month

RecordT = TypeVar("RecordT", bound=Record)

ATTEMPTS_MAX: Final = 5
"""A document is read from one state: where a block comes in between, it is built again."""


async def reports(context: RpcContext, request: web.Request) -> web.Response:
    """Lists anchored reports by organisation and number."""
    organisation = request.query.get("organisation")
    prefix = REPORT_PREFIX
    if organisation is not None:
        prefix = report_prefix(parse_identifier(organisation, "organisation"))
    return answer(await context.read(_list, context, "reports", Report, prefix, request.query))


async def report(context: RpcContext, request: web.Request) -> web.Response:
    """Shows an anchored report by organisation and number."""
    organisation = parse_identifier(request.match_info["organisation"], "organisation")
    number = parse_integer(request.match_info["number"], "number", minimum=1, maximum=2**32 - 1)
    found = await context.read(read_record, context, Report, report_key(organisation, number))
    if found is None:
        raise unknown("UNKNOWN_REPORT", "number", f"{organisation}/{number}")
    return answer(_present_report(found))


async def report_of_document(context: RpcContext, request: web.Request) -> web.Response:
    """Shows the anchored report of a document by its SHA-256."""
    document = parse_hash(request.match_info["hash"], "hash")

    def read() -> Report | None:
        place = read_record(context, ReportPlace, place_key(document))
        if place is None:
            return None
        return read_record(context, Report, report_key(place.organisation, place.number))

    found = await context.read(read)
    if found is None:
        raise unknown("UNKNOWN_REPORT", "hash", document.hex())
    return answer(_present_report(found))


async def report_document(context: RpcContext, request: web.Request) -> web.Response:
    """Builds the document of a report from the newest state, as canonical JSON."""
    query = request.query
    wanted = ReportRequest(
        kind=_kind_of(query.get("kind", "")),
        organisation=parse_identifier(query.get("organisation", ""), "organisation"),
        from_month=parse_month(query.get("from"), "from"),
        to_month=parse_month(query.get("to"), "to"),
    )
    body = await context.read(_build, context, wanted)
    digest = hashlib.sha256(body).hexdigest()
    return web.Response(
        body=body, content_type="application/json", headers={"X-Document-SHA256": digest}
    )


async def closed_months(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the closed months of a site, with the totals and quality that the close froze."""
    return await _of_site(context, request, "closed_months", ClosedMonth, closed_site_prefix)


async def month_restatements(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the restatements of a site's closed months, with totals before and after."""
    return await _of_site(context, request, "restatements", MonthRestatement, restatement_prefix)


async def restatement_proposals(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the restatements of a site's closed months that wait for their second signature."""
    return await _of_site(context, request, "proposals", RestatementProposal, proposal_prefix)


async def plans(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the versions of a site's monitoring plan."""
    return await _of_site(context, request, "plans", MonitoringPlan, plan_prefix)


async def equity_declarations(context: RpcContext, request: web.Request) -> web.Response:
    """Lists who holds a site from which month on, by number; the newest that fits a month holds."""
    return await _of_site(context, request, "declarations", EquityDeclaration, equity_prefix)


async def deposits(context: RpcContext, request: web.Request) -> web.Response:
    """Lists a site's monthly deposits."""
    return await _of_site(context, request, "deposits", Deposit, deposit_prefix)


async def submissions(context: RpcContext, request: web.Request) -> web.Response:
    """Lists what was submitted for a site's monthly deposits, by month and number."""
    return await _of_site(context, request, "submissions", Submission, submissions_prefix)


async def deposit_clock(context: RpcContext, request: web.Request) -> web.Response:
    """Shows which step of a site's monthly deposits is due next."""
    return await _clock(context, request, DepositClock, clock_key)


async def annual_filings(context: RpcContext, request: web.Request) -> web.Response:
    """Lists a site's annual filings."""
    return await _of_site(context, request, "filings", AnnualFiling, filing_prefix)


async def annual_clock(context: RpcContext, request: web.Request) -> web.Response:
    """Shows which step of a site's annual filings is due next."""
    return await _clock(context, request, AnnualClock, annual_clock_key)


async def _clock(
    context: RpcContext,
    request: web.Request,
    record: type[Record],
    key_of: Callable[[str], bytes],
) -> web.Response:
    site = parse_identifier(request.match_info["id"], "id")
    found = await context.read(read_record, context, record, key_of(site))
    if found is None:
        raise unknown("UNKNOWN_DEPOSIT", "id", site)
    return answer(present(found))


async def designs(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the versions of an organisation's inventory design."""
    organisation = parse_identifier(request.match_info["id"], "id")
    prefix = design_prefix(organisation)
    listed = await context.read(_list, context, "designs", InventoryDesign, prefix, request.query)
    return answer(listed)


def _build(context: RpcContext, wanted: ReportRequest) -> bytes:
    """Builds a document while no block comes; the store commits each block at once."""
    for _ in range(ATTEMPTS_MAX):
        head = context.store.head()
        if head is None:
            raise ProblemError(
                Problem(
                    code="NO_BLOCK_YET",
                    detail="report: expected a committed block to compute it at, got none",
                )
            )
        header, _ = head
        at = ComputedAt(
            chain_id=context.service.chain_id,
            height=header.height,
            state_root=header.state_root,
            time_ms=header.time_ms,
        )
        body = jcs.encode(build_document(State(context.store), wanted, at))
        after = context.store.head()
        if after is not None and after[0].height == header.height:
            return body
    raise ProblemError(
        Problem(code="OVERLOADED", detail="blocks come faster than a report can be built; again")
    )


async def _of_site(
    context: RpcContext,
    request: web.Request,
    name: str,
    cls: type[RecordT],
    prefix_of: Callable[[str], bytes],
) -> web.Response:
    site = parse_identifier(request.match_info["id"], "id")
    return answer(await context.read(_list, context, name, cls, prefix_of(site), request.query))


def _list(
    context: RpcContext, name: str, cls: type[RecordT], prefix: bytes, query: Mapping[str, str]
) -> dict[str, Json]:
    def read(cut: Cut) -> Page[RecordT]:
        return queries.list_records(context.store, cls, prefix, cut)

    return list_of(name, read, query)


def _present_report(found: Report) -> dict[str, Json]:
    members = present_object(found)
    members["from"] = month_name(found.from_month)
    members["to"] = month_name(found.to_month)
    return members


def _kind_of(text: str) -> ReportKind:
    try:
        return ReportKind[text.upper()]
    except KeyError:
        words = ", ".join(kind.name for kind in ReportKind)
        raise malformed("kind", f"one of {words}", text) from None
