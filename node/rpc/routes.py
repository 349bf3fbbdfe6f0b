"""The table of routes: what is served, described once for the server and for its description."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from contracts import queries
from contracts.alert import AlertState
from node.rpc import (
    alert_queries,
    baseline_queries,
    certificate_queries,
    chain_queries,
    health,
    proof_files,
    quality_queries,
    reading_queries,
    registry_queries,
    report_queries,
    streams,
    submission,
    total_queries,
)
from node.rpc.context import RpcContext
from node.rpc.limits import PAGE_DEFAULT, PAGE_MAX, WAIT_DEFAULT_MS, WAIT_MAX_MS

Handler = Callable[[RpcContext, web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query parameter."""

    name: str
    words: str
    """What it means and which values it takes."""
    is_integer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path and method."""

    path: str
    handler: Handler
    answers: str
    """What a good answer holds."""
    method: str = "GET"
    query: tuple[Parameter, ...] = ()
    """All that it takes; any other parameter is refused, because it is a misspelt filter."""
    media_types: tuple[str, ...] = ("application/json",)
    """Of a good answer."""

    @property
    def label(self) -> str:
        """Returns the name under which requests are counted."""
        return f"{self.method} {self.path}"

    @property
    def summary(self) -> str:
        """Returns what it does, in a line: the handler's own words."""
        return (self.handler.__doc__ or "").partition("\n")[0].strip()


_LIMIT: Final = Parameter(
    name="limit",
    words=f"Entries of a page, default {PAGE_DEFAULT}, at most {queries.PAGE_MAX}.",
    is_integer=True,
)
_ROWS: Final = Parameter(
    name="limit",
    words=f"Entries of a page, default {PAGE_DEFAULT}, at most {PAGE_MAX}.",
    is_integer=True,
)
_PAGE: Final = (
    Parameter(name="after", words="Where the last page ended, as its `after` says."),
    _LIMIT,
)
_ORGANISATION: Final = Parameter(name="organisation", words="Of this organisation only.")
_MONTHS: Final = (
    Parameter(name="from", words="First month, such as 2018-01."),
    Parameter(name="to", words="Last month, inclusive."),
)
_METER: Final = Parameter(name="meter", words="Of this meter only.")
_SITE: Final = Parameter(name="site", words="Of this site only.")
_SERIES: Final = Parameter(name="factor", words="Of this series only.")
_BODY: Final = Parameter(name="body", words="Of this certification body only.")
_LIST: Final = "The entries, and `after`: null, or where to go on."


def _listing(path: str, handler: Handler, *filters: Parameter) -> Route:
    """Returns a route that answers entries, page by page."""
    return Route(path=path, handler=handler, answers=_LIST, query=(*filters, *_PAGE))


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/transactions",
        handler=submission.submit,
        answers="202 accepted, 200 all final, 207 with one result each where any was refused.",
        query=(
            Parameter(name="wait", words="`committed`: answer when they are final."),
            Parameter(
                name="timeout_ms",
                words=f"How long to wait, default {WAIT_DEFAULT_MS}, at most {WAIT_MAX_MS}.",
                is_integer=True,
            ),
        ),
        media_types=("application/json", "application/msgpack"),
    ),
    Route(
        path="/v1/transactions/{id}",
        handler=chain_queries.transaction,
        answers="The state, and for a final one its place, receipt and content.",
        query=(
            Parameter(
                name="valid_until_ms",
                words="Of the transaction; lets an unknown one be told from an expired one.",
                is_integer=True,
            ),
        ),
    ),
    Route(
        path="/v1/blocks/{height}",
        handler=chain_queries.block,
        answers="Header, certificate, transactions with receipts, and the block's own events; "
        "`latest` names the head.",
    ),
    Route(path="/v1/status", handler=chain_queries.status, answers="The node's status."),
    Route(path="/v1/genesis", handler=chain_queries.genesis, answers="The founding record."),
    _listing("/v1/organisations", registry_queries.organisations),
    _listing("/v1/accounts", registry_queries.accounts, _ORGANISATION),
    Route(path="/v1/accounts/{key}", handler=chain_queries.account, answers="The account."),
    _listing("/v1/sites", registry_queries.sites, _ORGANISATION),
    _listing("/v1/calendars", registry_queries.calendars),
    _listing("/v1/factors", registry_queries.factors, _SERIES),
    _listing("/v1/factor-sets", total_queries.factor_sets),
    _listing("/v1/gwp-sets", total_queries.gwp_sets),
    _listing("/v1/restatements", total_queries.restatements, _SERIES),
    _listing("/v1/instruments", total_queries.instruments, _ORGANISATION),
    _listing("/v1/instruments/{id}/transfers", total_queries.instrument_transfers),
    _listing("/v1/targets", total_queries.targets, _ORGANISATION),
    Route(
        path="/v1/sites/{id}/target",
        handler=total_queries.target,
        answers="The target in force, and the progress after each month of the year.",
        query=(Parameter(name="year", words="A year of the path.", is_integer=True),),
    ),
    Route(
        path="/v1/organisations/{id}/totals",
        handler=total_queries.organisation_totals,
        answers="Each month that holds anything, and the total over them.",
        query=_MONTHS,
    ),
    Route(
        path="/v1/sites/{id}/totals",
        handler=total_queries.site_totals,
        answers="Each month with its streams, the total over them, and the site's markets.",
        query=_MONTHS,
    ),
    _listing("/v1/reports", report_queries.reports, _ORGANISATION),
    Route(
        path="/v1/reports/{organisation}/{number}",
        handler=report_queries.report,
        answers="The report as it is anchored, and whether a revision has touched it.",
    ),
    Route(
        path="/v1/report-documents/{hash}",
        handler=report_queries.report_of_document,
        answers="The report that a document's SHA-256 is anchored by.",
    ),
    Route(
        path="/v1/report-document",
        handler=report_queries.report_document,
        answers="Canonical JSON (RFC 8785) of docs/reports.md; its SHA-256 in a header.",
        query=(
            Parameter(name="kind", words="GHG_INVENTORY, CN_MONTHLY_DEPOSIT or CN_ANNUAL."),
            Parameter(name="organisation", words="Whose report."),
            *_MONTHS,
        ),
    ),
    _listing("/v1/organisations/{id}/designs", report_queries.designs),
    _listing("/v1/sites/{id}/closed-months", report_queries.closed_months),
    _listing("/v1/sites/{id}/month-restatements", report_queries.month_restatements),
    _listing("/v1/sites/{id}/restatement-proposals", report_queries.restatement_proposals),
    _listing("/v1/sites/{id}/monitoring-plans", report_queries.plans),
    _listing("/v1/sites/{id}/equity-declarations", report_queries.equity_declarations),
    _listing("/v1/sites/{id}/deposits", report_queries.deposits),
    _listing("/v1/sites/{id}/deposit-submissions", report_queries.submissions),
    Route(
        path="/v1/sites/{id}/deposit-clock",
        handler=report_queries.deposit_clock,
        answers="The month and step whose deadline comes next.",
    ),
    _listing("/v1/sites/{id}/annual-filings", report_queries.annual_filings),
    Route(
        path="/v1/sites/{id}/annual-clock",
        handler=report_queries.annual_clock,
        answers="The year and step whose deadline comes next.",
    ),
    _listing("/v1/sites/{id}/restated-months", total_queries.restated_months),
    _listing("/v1/sites/{id}/activities", total_queries.activities),
    _listing(
        "/v1/meters",
        registry_queries.meters,
        _ORGANISATION,
        Parameter(name="site", words="At this site only."),
    ),
    Route(path="/v1/meters/{id}", handler=registry_queries.meter, answers="The meter."),
    Route(
        path="/v1/meters/{id}/readings",
        handler=reading_queries.readings,
        answers="The intervals, and `next_from_ms`: null, or where to go on with `from`.",
        query=(
            Parameter(
                name="from", words="First start, milliseconds since 1970 UTC.", is_integer=True
            ),
            Parameter(name="to", words="End of the starts, exclusive.", is_integer=True),
            _ROWS,
        ),
    ),
    _listing("/v1/meters/{id}/corrections", registry_queries.corrections),
    _listing("/v1/sites/{id}/revisions", registry_queries.revisions),
    Route(
        path="/v1/baselines",
        handler=baseline_queries.baselines,
        answers=_LIST,
        query=(
            _METER,
            Parameter(name="after", words="Where the last page ended, as its `after` says."),
            _ROWS,
        ),
    ),
    Route(
        path="/v1/checks",
        handler=quality_queries.default_checks,
        answers="All checks with their parameters.",
    ),
    Route(
        path="/v1/meters/{id}/checks",
        handler=quality_queries.meter_checks,
        answers="The version in force, sources, and all checks with their parameters.",
    ),
    _listing("/v1/meters/{id}/checks/versions", quality_queries.check_versions),
    Route(
        path="/v1/meters/{id}/quality",
        handler=quality_queries.meter_quality,
        answers="Availability, score and counts by month.",
        query=(Parameter(name="month", words="This month only, such as 2018-01, in full."),),
    ),
    _listing("/v1/meters/{id}/comparisons", quality_queries.comparisons),
    _listing("/v1/meters/{id}/bills", quality_queries.bills),
    _listing("/v1/meters/{id}/exchanges", registry_queries.exchanges),
    _listing(
        "/v1/alerts",
        alert_queries.alerts,
        Parameter(name="state", words=f"{', '.join(state.name for state in AlertState)}."),
        Parameter(name="severity", words="LOW, MEDIUM, HIGH or CRITICAL."),
        Parameter(name="escalated", words="`true`: a deadline has passed; or `false`."),
        _METER,
        _SITE,
        _ORGANISATION,
    ),
    Route(
        path="/v1/alerts/{id}",
        handler=alert_queries.alert,
        answers="The alert, and in `story` each entry of its case.",
    ),
    _listing("/v1/certifications", certificate_queries.certifications, _BODY, _ORGANISATION),
    Route(
        path="/v1/certifications/{id}",
        handler=certificate_queries.certification,
        answers="The engagement, and `misstatements`.",
    ),
    Route(
        path="/v1/certificates",
        handler=certificate_queries.certificates,
        answers="The entries, each with its `status`, and `after`: null, or where to go on.",
        query=(_BODY, _ORGANISATION, *_PAGE),
    ),
    Route(
        path="/v1/certificates/{id}",
        handler=certificate_queries.certificate,
        answers="The certificate, its `status`, and its `changes`.",
    ),
    Route(
        path="/v1/status-lists/{body}/{purpose}",
        handler=certificate_queries.status_list,
        answers="The indexes that are set, of `revocation` or `suspension`, as of a block.",
    ),
    Route(
        path="/v1/case-figures",
        handler=alert_queries.figures,
        answers="Counts by state, open cases by age, and times taken, by site and cause.",
        query=(_SITE,),
    ),
    Route(
        path="/v1/events",
        handler=streams.events,
        answers="A page of events and `next`; or a stream of them.",
        query=(
            Parameter(
                name="after",
                words="Cursor `<height>:<index>` of the last event seen, or `latest`; "
                "the beginning of the chain where it is left out.",
            ),
            Parameter(name="kind", words="Prefixes of the kinds wanted, such as `alert.,case.`"),
            Parameter(name="stream", words="`sse`: server-sent events."),
            _ROWS,
        ),
        media_types=("application/json", streams.EVENT_STREAM),
    ),
    Route(
        path="/v1/proofs/state/{key}",
        handler=chain_queries.state_proof,
        answers="Value or null, proof, header and certificate.",
    ),
    Route(
        path="/v1/proofs/transactions/{id}",
        handler=chain_queries.transaction_proof,
        answers="Transaction, receipt, their proofs, header and certificate.",
    ),
    *(
        Route(
            path=f"/v1/proofs/files/{path}",
            handler=handler,
            answers="A proof file (docs/proofs.md), to be verified without any node.",
        )
        for path, handler in (
            ("readings/{meter}/{at}", proof_files.reading),
            ("absences/{meter}/{at}", proof_files.absent_reading),
            ("alerts/{id}", proof_files.alert),
            ("certificates/{id}", proof_files.certificate),
            ("totals/{id}/{month}", proof_files.total),
            ("state/{key}", proof_files.state),
        )
    ),
    Route(path="/healthz", handler=health.alive, answers="`ok` while the process answers."),
    Route(
        path="/readyz",
        handler=health.ready,
        answers="200 where the node takes transactions; 503 with the reason where it does not.",
    ),
)
