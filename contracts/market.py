"""What electricity counts by contract and not by the grid: a site's market factors, by month.

The hierarchy of the GHG Protocol's Scope 2 Guidance goes from certificates and contracts over the
supplier's factor and the residual mix down to the grid's average (carbon.md 3.2). The first two are
instruments (:mod:`contracts.instrument`); the next two are series that a site names here; the last
is what remains where it names none.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, U64, Identifier, Length, Milliseconds
from contracts.calendars import require_calendar
from contracts.factor import EvidenceGrade, Factor
from contracts.factors import factor_at
from contracts.month import Month, month_start_ms
from contracts.sites import require_site

MARKET_SPANS_MAX: Final = 256
"""Spans of months of one site."""


class MarketRank(IntEnum):
    """Place in the hierarchy of market-based factors.

    The order is the one of the GHG Protocol's Scope 2 Guidance as generally known; not confirmed
    against its text (carbon.md 3.2).
    """

    CERTIFICATE = 1
    CONTRACT = 2
    SUPPLIER = 3
    RESIDUAL_MIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation(Record):
    """What a retired instrument covers of the month's electricity."""

    instrument_id: Identifier
    rank: MarketRank
    amount_wh: U64
    co2e_per_unit: U64
    """1e-10 g per Wh."""
    evidence: EvidenceGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFactor(Record):
    """What electricity counts that no instrument covers."""

    rank: MarketRank
    factor_id: Identifier
    valid_from_ms: Milliseconds
    version: U32
    co2e_per_unit: U64
    """1e-10 g per Wh: of the period that holds when the month begins."""
    evidence: EvidenceGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpan(Record):
    """The market of a site for a span of months."""

    from_month: Month
    to_month: Month
    """Inclusive."""
    market: Identifier
    """Market that instruments must be of, such as ``cn`` or ``eu-kr``."""
    series: Identifier | None
    """Factor series for what no instrument covers; None where the grid's average serves."""
    rank: MarketRank
    """SUPPLIER or RESIDUAL_MIX; says nothing without a series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMarket(Record):
    """The markets of a site."""

    spans: Annotated[tuple[MarketSpan, ...], Length(0, MARKET_SPANS_MAX)]
    """By month, without overlap."""


def market_key(site_id: str) -> bytes:
    """Returns the state key of a site's markets."""
    return f"site-market/{site_id}".encode()


def market_factor_of(factor: Factor, rank: MarketRank) -> MarketFactor:
    """Returns a factor as a month's market factor."""
    return MarketFactor(
        rank=rank,
        factor_id=factor.factor_id,
        valid_from_ms=factor.valid_from_ms,
        version=factor.version,
        co2e_per_unit=factor.co2e_per_unit,
        evidence=factor.evidence,
    )


def span_at(state: State, site_id: str, month: int) -> MarketSpan | None:
    """Returns the span of a site's market that a month lies in, or None."""
    market = state.get(SiteMarket, market_key(site_id))
    if market is None:
        return None
    return next((each for each in market.spans if each.from_month <= month <= each.to_month), None)


def market_of(state: State, site_id: str, month: int) -> MarketFactor | None:
    """Returns the market factor of a site's month, or None where the grid's average serves.

    It is the one that holds when the month begins at the site.
    """
    span = span_at(state, site_id, month)
    if span is None or span.series is None:
        return None
    site = require_site(state, site_id)
    begins_ms = month_start_ms(require_calendar(state, site.calendar), month)
    factor = factor_at(state, span.series, begins_ms)
    return None if factor is None else market_factor_of(factor, span.rank)
