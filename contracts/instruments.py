"""Instruments and markets as a contract: registered, retired once, and what the rest counts.

A transfer is one step, signed by the holder. It needs no acceptance, because an instrument counts
for nothing until its holder retires it: one that is not wanted harms nobody and goes back the same
way. What must not happen, that two organisations can use it, cannot: it has one holder.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Length, Text
from contracts.account import Role
from contracts.accounts import check_owner, sender_of
from contracts.context import Context
from contracts.factor_content import CO2E_OF_VALUE
from contracts.factors import get_series
from contracts.instrument import (
    MONTHS_MAX,
    Instrument,
    InstrumentProperties,
    InstrumentState,
    InstrumentTransfer,
    SerialSpan,
    Volume,
    get_instrument,
    instrument_key,
    serial_key,
    serial_prefix,
    transfer_key,
)
from contracts.market import (
    MARKET_SPANS_MAX,
    Allocation,
    MarketRank,
    MarketSpan,
    SiteMarket,
    market_key,
    market_of,
    span_at,
)
from contracts.meter import Unit
from contracts.method import Method, method_of
from contracts.month import Month, month_name
from contracts.month_draft import edit_site_month
from contracts.organisations import OrganisationKind, get_organisation
from contracts.period import closed_at
from contracts.refusal import Code, refusal
from contracts.restatement import UserKind, note_user
from contracts.site_month import ALLOCATIONS_MAX, SiteMonth, site_month_key
from contracts.sites import Site, require_site

MARKET_MONTHS_MAX: Final = 120
"""Months of one call of ``market.set``."""
_OF_INSTRUMENTS: Final = frozenset({MarketRank.CERTIFICATE, MarketRank.CONTRACT})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterInstrument(InstrumentProperties):
    """Arguments of ``instrument.register``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireInstrument(Record):
    """Arguments of ``instrument.retire``."""

    instrument_id: Identifier
    site: Identifier
    months: Annotated[tuple[tuple[Month, Volume], ...], Length(1, MONTHS_MAX)]
    """Wh by month, ascending; together the volume of the instrument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInstrument(Record):
    """Arguments of ``instrument.transfer``."""

    instrument_id: Identifier
    receiver: Identifier
    """Member that is to hold it."""
    reference: Text
    """Not empty: the contract, or the registry's own number of the transfer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMarket(MarketSpan):
    """Arguments of ``market.set``: what holds for a span of months."""

    site: Identifier


def register(context: Context, arguments: RegisterInstrument) -> bytes:
    """Registers an instrument for the sender's organisation; emits ``instrument.registered``.

    Raises:
        ContractRefusal: ``ALREADY_EXISTS`` for an id or serial numbers that are taken,
            ``INVALID_ARGUMENTS``.
    """
    state = context.state
    _check_properties(arguments)
    existing = get_instrument(state, arguments.instrument_id)
    if existing is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "instrument_id",
            expected="an id that no organisation uses",
            got=f"{arguments.instrument_id!r} of {existing.organisation}",
        )
    # Spans are kept by their last number and do not overlap, so the first that ends at or after
    # the beginning of this one is the only one that can.
    prefix = serial_prefix(arguments.registry)
    start = serial_key(arguments.registry, arguments.serial_first)
    taken = next(state.iterate(SerialSpan, prefix, start), None)
    if taken is not None and taken[1].first <= arguments.serial_last:
        raise refusal(
            Code.ALREADY_EXISTS,
            "serial_first",
            expected=f"serial numbers of {arguments.registry} that no instrument has",
            got=f"{taken[1].first} to {taken[1].last} of {taken[1].instrument_id}",
        )
    instrument = Instrument.from_value(
        (
            *arguments.to_value(),
            sender_of(context).organisation,
            int(InstrumentState.REGISTERED),
            context.time_ms,
            None,
            (),
            None,
            None,
            0,
        )
    )
    state.put(
        serial_key(arguments.registry, arguments.serial_last),
        SerialSpan(
            first=arguments.serial_first,
            last=arguments.serial_last,
            instrument_id=arguments.instrument_id,
        ),
    )
    state.put(instrument_key(instrument.instrument_id), instrument)
    context.emit("instrument.registered", instrument.instrument_id, instrument)
    return b""


def _check_properties(arguments: RegisterInstrument) -> None:
    for field, is_wrong, expected, got in (
        (
            "rank",
            arguments.rank not in _OF_INSTRUMENTS,
            "CERTIFICATE or CONTRACT",
            arguments.rank.name,
        ),
        (
            "serial_last",
            arguments.serial_last < arguments.serial_first,
            f"a number from serial_first {arguments.serial_first} on",
            str(arguments.serial_last),
        ),
        (
            "vintage_to_month",
            arguments.vintage_to_month < arguments.vintage_from_month,
            f"a month from vintage_from_month {arguments.vintage_from_month} on",
            str(arguments.vintage_to_month),
        ),
        ("source", not arguments.source.strip(), "issuer and document", "an empty text"),
    ):
        if is_wrong:
            raise refusal(Code.INVALID_ARGUMENTS, field, expected=expected, got=got)


def retire(context: Context, arguments: RetireInstrument) -> bytes:
    """Retires an instrument into months of a site; emits ``instrument.retired``.

    Raises:
        ContractRefusal: ``UNKNOWN_INSTRUMENT``, ``UNKNOWN_SITE``, ``NOT_PERMITTED``,
            ``WRONG_STATE`` for one that is retired, a closed month or another market,
            ``INVALID_ARGUMENTS`` for months outside its vintage, out of order, or that do not add
            up to its volume; ``LIMIT_REACHED``.
    """
    state = context.state
    instrument = _require_held(context, arguments.instrument_id)
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {site.site_id}")
    _check_months(arguments, instrument)
    for month, _ in arguments.months:
        _check_month(state, site, instrument, month)
    retired = replace(
        instrument,
        state=InstrumentState.RETIRED,
        site=site.site_id,
        months=arguments.months,
        retired_ms=context.time_ms,
        retired_by=context.sender,
    )
    state.put(instrument_key(retired.instrument_id), retired)
    context.emit("instrument.retired", retired.instrument_id, retired)
    for month, amount_wh in arguments.months:
        draft = edit_site_month(state, site.organisation, site.site_id, month)
        draft.allocations.append(
            Allocation(
                instrument_id=instrument.instrument_id,
                rank=instrument.rank,
                amount_wh=amount_wh,
                co2e_per_unit=instrument.value * CO2E_OF_VALUE,
                evidence=instrument.evidence,
            )
        )
    return b""


def transfer(context: Context, arguments: TransferInstrument) -> bytes:
    """Hands an instrument to another member, whole; emits ``instrument.transferred``.

    Raises:
        ContractRefusal: ``UNKNOWN_INSTRUMENT``, ``NOT_PERMITTED`` for one that another organisation
            holds, ``WRONG_STATE`` for one that is retired, ``INVALID_ARGUMENTS`` for a receiver
            that is no other member, or no reference.
    """
    state = context.state
    instrument = _require_held(context, arguments.instrument_id)
    receiver = get_organisation(state, arguments.receiver)
    is_member = receiver is not None and receiver.kind is OrganisationKind.MEMBER
    if not is_member or arguments.receiver == instrument.organisation:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "receiver",
            expected=f"a member other than {instrument.organisation}, which holds it",
            got=repr(arguments.receiver),
        )
    if not arguments.reference.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "reference",
            expected="the contract, or the registry's number of the transfer",
            got="an empty text",
        )
    record = InstrumentTransfer(
        instrument_id=instrument.instrument_id,
        number=instrument.transfer_count + 1,
        giver=instrument.organisation,
        receiver=arguments.receiver,
        reference=arguments.reference,
        signed_by=context.sender,
        transferred_ms=context.time_ms,
    )
    handed_on = replace(
        instrument, organisation=arguments.receiver, transfer_count=instrument.transfer_count + 1
    )
    state.put(transfer_key(record.instrument_id, record.number), record)
    state.put(instrument_key(record.instrument_id), handed_on)
    context.emit("instrument.transferred", record.instrument_id, record)
    return b""


def _require_held(context: Context, instrument_id: str) -> Instrument:
    """Returns an instrument that the sender's organisation holds and nobody has used."""
    instrument = _require_instrument(context.state, instrument_id)
    name = f"instrument {instrument_id}"
    check_owner(context, instrument.organisation, name)
    if instrument.state is InstrumentState.RETIRED:
        raise refusal(
            Code.WRONG_STATE,
            name,
            expected="one that is not retired: it counts once",
            got=f"one retired at {instrument.retired_ms} for site {instrument.site}",
        )
    return instrument


def _require_instrument(state: State, instrument_id: str) -> Instrument:
    instrument = get_instrument(state, instrument_id)
    if instrument is None:
        raise refusal(
            Code.UNKNOWN_INSTRUMENT,
            "instrument_id",
            expected="a registered instrument; register it with instrument.register",
            got=repr(instrument_id),
        )
    return instrument


def _check_months(arguments: RetireInstrument, instrument: Instrument) -> None:
    for (earlier, _), (later, _) in pairwise(arguments.months):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "months",
                expected="each month once, ascending",
                got=f"{month_name(later)} after {month_name(earlier)}",
            )
    first, last = instrument.vintage_from_month, instrument.vintage_to_month
    for month, _ in arguments.months:
        if not first <= month <= last:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "months",
                expected=f"months of its vintage, {month_name(first)} to {month_name(last)}",
                got=month_name(month),
            )
    total = sum(amount for _, amount in arguments.months)
    if total != instrument.volume_wh:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "months",
            expected=f"together its volume, {instrument.volume_wh} Wh",
            got=f"{total} Wh",
        )


def _check_month(state: State, site: Site, instrument: Instrument, month: int) -> None:
    _check_open(state, site, month)
    span = span_at(state, site.site_id, month)
    if span is None or span.market != instrument.market:
        raise refusal(
            Code.WRONG_STATE,
            f"market of site {site.site_id} in {month_name(month)}",
            expected=f"{instrument.market}, the market of the instrument; see market.set",
            got="none" if span is None else span.market,
        )
    record = state.get(SiteMonth, site_month_key(site.site_id, month))
    if record is not None and len(record.allocations) >= ALLOCATIONS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"month {month_name(month)} of site {site.site_id}",
            expected=f"at most {ALLOCATIONS_MAX} instruments",
            got=f"{ALLOCATIONS_MAX} already",
        )


def _check_open(state: State, site: Site, month: int) -> None:
    closed_ms = closed_at(state, site.site_id, month)
    if closed_ms is not None:
        raise refusal(
            Code.WRONG_STATE,
            f"month {month_name(month)} of site {site.site_id}",
            expected="an open month",
            got=f"one closed at {closed_ms}",
        )


def set_market(context: Context, arguments: SetMarket) -> bytes:
    """Sets a site's market for a span of months, existing ones too; emits ``market.set``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``UNKNOWN_FACTOR``,
            ``INVALID_ARGUMENTS``, ``WRONG_STATE`` for a closed month or one that holds instruments
            of another market, ``LIMIT_REACHED``.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {site.site_id}")
    _check_market(state, arguments)
    months = range(arguments.from_month, arguments.to_month + 1)
    for month in months:
        _check_open(state, site, month)
        _check_allocations(state, site, arguments, month)
    span = MarketSpan(
        from_month=arguments.from_month,
        to_month=arguments.to_month,
        market=arguments.market,
        series=arguments.series,
        rank=arguments.rank,
    )
    spans = _spans_with(state.get(SiteMarket, market_key(site.site_id)), span)
    if len(spans) > MARKET_SPANS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"market of site {site.site_id}",
            expected=f"at most {MARKET_SPANS_MAX} spans",
            got=str(len(spans)),
        )
    state.put(market_key(site.site_id), SiteMarket(spans=spans))
    if span.series is not None:
        note_user(state, span.series, UserKind.SITE, site.site_id)
    context.emit("market.set", site.site_id, span)
    for month in months:
        if state.get(SiteMonth, site_month_key(site.site_id, month)) is not None:
            draft = edit_site_month(state, site.organisation, site.site_id, month)
            draft.market = market_of(state, site.site_id, month)
    return b""


def _check_market(state: State, arguments: SetMarket) -> None:
    last = arguments.from_month + MARKET_MONTHS_MAX - 1
    if not arguments.from_month <= arguments.to_month <= last:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to_month",
            expected=f"a month from {arguments.from_month} to {last}",
            got=str(arguments.to_month),
        )
    if arguments.rank in _OF_INSTRUMENTS:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "rank",
            expected="SUPPLIER or RESIDUAL_MIX; certificates and contracts are instruments",
            got=arguments.rank.name,
        )
    if arguments.series is None:
        return
    series = get_series(state, arguments.series)
    if series is None or series.base_unit is not Unit.WATT_HOUR:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "series",
            expected="a series with a factor per WATT_HOUR; set one with factor.set",
            got=repr(arguments.series) if series is None else f"one per {series.base_unit.name}",
        )


def _check_allocations(state: State, site: Site, arguments: SetMarket, month: int) -> None:
    record = state.get(SiteMonth, site_month_key(site.site_id, month))
    span = span_at(state, site.site_id, month)
    if record is None or not record.allocations or span is None or span.market == arguments.market:
        return
    raise refusal(
        Code.WRONG_STATE,
        f"month {month_name(month)} of site {site.site_id}",
        expected=f"market {span.market}, of which instruments are retired into it",
        got=arguments.market,
    )


def _spans_with(before: SiteMarket | None, new: MarketSpan) -> tuple[MarketSpan, ...]:
    """Returns the spans of a market with a new one, which takes its months from the others."""
    spans = [new]
    for each in before.spans if before is not None else ():
        if each.from_month < new.from_month:
            spans.append(replace(each, to_month=min(each.to_month, new.from_month - 1)))
        if each.to_month > new.to_month:
            spans.append(replace(each, from_month=max(each.from_month, new.to_month + 1)))
    return tuple(sorted(spans, key=lambda span: span.from_month))


_ADMIN: Final = frozenset({Role.ADMIN})
METHODS: Final[tuple[Method, ...]] = (
    method_of("instrument.register", RegisterInstrument, register, roles=_ADMIN),
    method_of("instrument.transfer", TransferInstrument, transfer, roles=_ADMIN),
    method_of(
        "instrument.retire",
        RetireInstrument,
        retire,
        roles=_ADMIN,
        work=lambda arguments: 1 + len(arguments.months),
    ),
    method_of(
        "market.set",
        SetMarket,
        set_market,
        roles=_ADMIN,
        work=lambda arguments: 1 + min(abs(arguments.to_month - arguments.from_month), 120),
    ),
)
