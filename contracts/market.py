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
from contracts.factor import EvidenceGrade

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
    """The market factor of a site for a span of months."""

    from_month: U32
    """Months since 1970-01."""
    to_month: U32
    """Inclusive."""
    market: Identifier
    """Market that instruments must be of, such as ``cn`` or ``eu-kr``."""
    factor: MarketFactor | None
    """None where the grid's average serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMarket(Record):
    """The market factors of a site."""

    spans: Annotated[tuple[MarketSpan, ...], Length(1, MARKET_SPANS_MAX)]
    """By month, without overlap."""


def market_key(site_id: str) -> bytes:
    """Returns the state key of a site's market factors."""
    return f"site-market/{site_id}".encode()


def span_at(state: State, site_id: str, month: int) -> MarketSpan | None:
    """Returns the span of a site's market that a month lies in, or None."""
    market = state.get(SiteMarket, market_key(site_id))
    if market is None:
        return None
    return next((each for each in market.spans if each.from_month <= month <= each.to_month), None)


def market_of(state: State, site_id: str, month: int) -> MarketFactor | None:
    """Returns the market factor of a site's month, or None where the grid's average serves."""
    span = span_at(state, site_id, month)
    return None if span is None else span.factor
