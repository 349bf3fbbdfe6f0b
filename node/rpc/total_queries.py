"""Reading totals and what they are made of: months, factor sets, instruments, activities."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from aiohttp import web

from chain.codec import Record
from chain.state import State
from contracts import queries, totals
from contracts.activity import Activity, activity_prefix
from contracts.emissions import grams_of, numerator_of
from contracts.instrument import (
    INSTRUMENT_PREFIX,
    Instrument,
    InstrumentTransfer,
    transfer_prefix,
)
from contracts.market import Allocation, MarketFactor, SiteMarket, market_key
from contracts.month import MONTHS_MAX, month_name
from contracts.potentials import FACTOR_SET_PREFIX, GWP_SET_PREFIX, FactorSet, GwpSet
from contracts.queries import Cut, Page
from contracts.restatement import (
    RESTATED_PREFIX,
    RESTATEMENT_PREFIX,
    MonthTotals,
    RestatedMonth,
    Restatement,
)
from contracts.site_month import (
    Line,
    Lines,
    OrganisationMonth,
    Scope2,
    SiteMonth,
    Stream,
    Sums,
)
from contracts.target import TARGET_PREFIX, Target, get_target, progress_of
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import malformed, parse_identifier, parse_integer
from node.rpc.presentation import present, present_object
from node.rpc.problems import unknown
from node.rpc.registry_queries import cut_of, list_of
from node.rpc.strict_json import Json

RecordT = TypeVar("RecordT", bound=Record)


async def site_totals(context: RpcContext, request: web.Request) -> web.Response:
    """Shows the months of a site by scope, category and gas, both scope 2 totals, and their sum."""
    site = parse_identifier(request.match_info["id"], "id")
    first, last = _span_of(request.query)

    def read() -> dict[str, Json]:
        if queries.find_site(context.store, site) is None:
            raise unknown("UNKNOWN_SITE", "id", site)
        months = totals.site_months(context.store, site, first, last)
        document = _months_document(months, first, last)
        document["market"] = _market(context, site)
        return document

    return answer(await context.read(read))


async def organisation_totals(context: RpcContext, request: web.Request) -> web.Response:
    """Shows the months of an organisation: the sums over its sites."""
    organisation = parse_identifier(request.match_info["id"], "id")
    first, last = _span_of(request.query)

    def read() -> dict[str, Json]:
        if queries.find_organisation(context.store, organisation) is None:
            raise unknown("UNKNOWN_ORGANISATION", "id", organisation)
        months = totals.organisation_months(context.store, organisation, first, last)
        return _months_document(months, first, last)

    return answer(await context.read(read))


async def factor_sets(context: RpcContext, request: web.Request) -> web.Response:
    """Lists publications of factors by id."""
    read = _reader_of(context, FactorSet, FACTOR_SET_PREFIX)
    return answer(await context.read(list_of, "factor_sets", read, request.query))


async def gwp_sets(context: RpcContext, request: web.Request) -> web.Response:
    """Lists sets of global warming potentials by id."""
    read = _reader_of(context, GwpSet, GWP_SET_PREFIX)
    return answer(await context.read(list_of, "gwp_sets", read, request.query))


async def restatements(context: RpcContext, request: web.Request) -> web.Response:
    """Lists restatements of factors by series and number; of one series where asked."""
    series = request.query.get("factor")
    part = b"" if series is None else parse_identifier(series, "factor").encode() + b"/"
    read = _reader_of(context, Restatement, RESTATEMENT_PREFIX + part)
    return answer(await context.read(list_of, "restatements", read, request.query))


async def restated_months(context: RpcContext, request: web.Request) -> web.Response:
    """Lists what restatements changed at a site: totals before and after, by month."""
    site = parse_identifier(request.match_info["id"], "id")
    prefix = RESTATED_PREFIX + site.encode() + b"/"

    def read() -> dict[str, Json]:
        page = queries.list_records(context.store, RestatedMonth, prefix, cut_of(request.query))
        entries: list[Json] = []
        for each in page.records:
            entry = present_object(each)
            entry["month"] = month_name(each.month)
            entry["before"], entry["after"] = _totals(each.before), _totals(each.after)
            entries.append(entry)
        return {"restated_months": entries, "after": page.after}

    return answer(await context.read(read))


async def instruments(context: RpcContext, request: web.Request) -> web.Response:
    """Lists instruments by id; of one organisation where asked."""
    text = request.query.get("organisation")
    wanted = None if text is None else parse_identifier(text, "organisation")
    read = _reader_of(
        context, Instrument, INSTRUMENT_PREFIX, lambda each: wanted in {None, each.organisation}
    )
    return answer(await context.read(list_of, "instruments", read, request.query))


async def instrument_transfers(context: RpcContext, request: web.Request) -> web.Response:
    """Lists who handed an instrument to whom, by number."""
    instrument_id = parse_identifier(request.match_info["id"], "id")
    read = _reader_of(context, InstrumentTransfer, transfer_prefix(instrument_id))
    return answer(await context.read(list_of, "transfers", read, request.query))


async def activities(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the activities of a site by id, withdrawn ones too."""
    site = parse_identifier(request.match_info["id"], "id")
    read = _reader_of(context, Activity, activity_prefix(site))
    return answer(await context.read(list_of, "activities", read, request.query))


async def targets(context: RpcContext, request: web.Request) -> web.Response:
    """Lists targets in force by site; of one organisation where asked."""
    text = request.query.get("organisation")
    wanted = None if text is None else parse_identifier(text, "organisation")
    read = _reader_of(
        context, Target, TARGET_PREFIX, lambda each: wanted in {None, each.organisation}
    )
    return answer(await context.read(list_of, "targets", read, request.query))


async def target(context: RpcContext, request: web.Request) -> web.Response:
    """Shows a site's target, and for a year where the site stood after each month of it."""
    site = parse_identifier(request.match_info["id"], "id")
    text = request.query.get("year")
    year = None if text is None else parse_integer(text, "year", minimum=1970, maximum=9998)

    def read() -> dict[str, Json]:
        state = State(context.store)
        found = get_target(state, site)
        if found is None:
            raise unknown("UNKNOWN_TARGET", "id", site)
        document: dict[str, Json] = {"target": present(found)}
        if year is not None:
            first = (year - 1970) * 12
            months = (progress_of(state, found, first + index) for index in range(12))
            document["progress"] = [
                {**present_object(each), "month": month_name(each.month)}
                for each in months
                if each is not None
            ]
        return document

    return answer(await context.read(read))


def _reader_of(
    context: RpcContext,
    cls: type[RecordT],
    prefix: bytes,
    is_wanted: Callable[[RecordT], bool] = lambda _: True,
) -> Callable[[Cut], Page[RecordT]]:
    return lambda cut: queries.list_records(context.store, cls, prefix, cut, is_wanted)


def _market(context: RpcContext, site: str) -> Json:
    stored = context.store.get(market_key(site))
    if stored is None:
        return []
    return [
        {
            **present_object(span),
            "from_month": month_name(span.from_month),
            "to_month": month_name(span.to_month),
        }
        for span in SiteMarket.decode(stored).spans
    ]


def _months_document(
    months: Sequence[SiteMonth] | Sequence[OrganisationMonth], first: int, last: int
) -> dict[str, Json]:
    sums = totals.sum_of_months(months)
    evidence = sorted(
        {
            each.evidence
            for month in months
            if isinstance(month, SiteMonth)
            for each in month.streams
        }
    )
    return {
        "from": month_name(first),
        "to": month_name(last),
        "months": [_month(each) for each in months],
        "total": _sums(sums),
        "weakest_evidence": evidence[-1].name if evidence else None,
    }


def _used_by(month: SiteMonth) -> tuple[Stream | Allocation | MarketFactor, ...]:
    market = () if month.market is None else (month.market,)
    return (*month.streams, *month.allocations, *market)


def _month(record: SiteMonth | OrganisationMonth) -> Json:
    document: dict[str, Json] = {
        "month": month_name(record.month),
        "lines": _lines(record.lines),
        "scope2": _scope2(record.scope2),
        "interval_count": record.interval_count,
        "flagged_count": record.flagged_count,
        "without_factor_count": record.without_factor_count,
    }
    if isinstance(record, SiteMonth):
        document["streams"] = [_stream(each) for each in record.streams]
        document["allocations"] = present(record.allocations)
        document["market"] = present(record.market)
    return document


def _totals(totals_of: MonthTotals) -> Json:
    return {"lines": _lines(totals_of.lines), "scope2": _scope2(totals_of.scope2)}


def _sums(sums: Sums) -> Json:
    return {
        "lines": _lines(sums.line_records()),
        "scope2": _scope2(sums.scope2_record()),
        "interval_count": sums.intervals,
        "flagged_count": sums.flagged,
        "without_factor_count": sums.without_factor,
    }


def _lines(lines: Lines) -> list[Json]:
    return [_line(each) for each in lines]


def _line(line: Line) -> Json:
    co2e = numerator_of(line.co2e)
    return {
        "scope": int(line.scope),
        "category": int(line.category),
        "s3_category": line.s3_category,
        "gas": line.gas.name,
        "kind": line.kind.name,
        "mass_1e9_g": str(numerator_of(line.mass)),
        "co2e_1e10_g": str(co2e),
        "co2e_g": grams_of(co2e),
    }


def _scope2(scope2: Scope2) -> Json:
    location, market = numerator_of(scope2.location_based), numerator_of(scope2.market_based)
    return {
        "location_based_1e10_g": str(location),
        "location_based_g": grams_of(location),
        "market_based_1e10_g": str(market),
        "market_based_g": grams_of(market),
        "electricity_wh": numerator_of(scope2.electricity_wh),
        "covered_wh": numerator_of(scope2.covered_wh),
    }


def _stream(stream: Stream) -> Json:
    return {
        **present_object(stream.booking),
        "scope": int(stream.booking.scope),
        "category": int(stream.booking.category),
        "factor_id": stream.factor_id,
        "valid_from_ms": stream.valid_from_ms,
        "version": stream.version,
        "base_unit": stream.base_unit.name,
        "evidence": stream.evidence.name,
        "gases": present(stream.gases),
        "amount": numerator_of(stream.amount),
    }


def _span_of(query: Mapping[str, str]) -> tuple[int, int]:
    first, last = (parse_month(query.get(name), name) for name in ("from", "to"))
    if not first <= last < first + totals.MONTHS_MAX:
        raise malformed(
            "to", f"a month from `from` on, at most {totals.MONTHS_MAX} in all", month_name(last)
        )
    return first, last


_MONTH_WORDS: Final = "a month such as 2018-01"


def parse_month(text: str | None, field: str) -> int:
    """Parses ``YYYY-MM``, from 1970 on.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    year, dash, month = (text or "").partition("-")
    is_month = dash and len(year) == 4 and len(month) == 2 and (year + month).isascii()
    if not is_month or not (year + month).isdigit() or not 1 <= int(month) <= 12:
        raise malformed(field, _MONTH_WORDS, text or "none")
    number = (int(year) - 1970) * 12 + int(month) - 1
    if not 0 <= number <= MONTHS_MAX:
        raise malformed(field, _MONTH_WORDS, text or "none")
    return number
