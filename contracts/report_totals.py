"""Totals of a report: site-months added up, undivided; the one place where they are rounded.

Validators and whoever builds a document use the same function, so a headline that is anchored is
the one that the document shows.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from chain.state import State
from contracts.emissions import GRAMS_DENOMINATOR, Scope, pack_numerator, rounded_half_even
from contracts.report import FactorUse, Headline
from contracts.site_month import LineKind, SiteMonth, Sums, site_month_key, sums_of

GRAMS_IN_TONNE: Final = 1_000_000
GRAMS_IN_KILOGRAM: Final = 1_000


def months_of(state: State, site_id: str, from_month: int, to_month: int) -> list[SiteMonth]:
    """Returns the months of a site that hold anything, by time; ``to_month`` is inclusive."""
    found = (
        state.get(SiteMonth, site_month_key(site_id, month))
        for month in range(from_month, to_month + 1)
    )
    return [month for month in found if month is not None]


def sum_of(months: Iterable[SiteMonth]) -> Sums:
    """Returns the totals over site-months."""
    total = Sums()
    for month in months:
        total.add(sums_of(month))
    return total


def emission_of(sums: Sums, scope: Scope) -> int:
    """Returns what a scope emits, 1e-10 g CO2e; scope 2 location-based."""
    return sum(
        co2e
        for (of_scope, _, _, _, kind), (_, co2e) in sums.lines.items()
        if of_scope is scope and kind is LineKind.EMISSION
    )


def of_kind(sums: Sums, kind: LineKind) -> int:
    """Returns what lines of a kind add up to, 1e-10 g CO2e."""
    return sum(co2e for (*_, of_line), (_, co2e) in sums.lines.items() if of_line is kind)


def headline_of(sums: Sums) -> Headline:
    """Returns the totals that an anchor states."""
    return Headline(
        direct=pack_numerator(emission_of(sums, Scope.DIRECT)),
        location_based=pack_numerator(sums.location),
        market_based=pack_numerator(sums.market),
        value_chain=pack_numerator(emission_of(sums, Scope.VALUE_CHAIN)),
        biogenic=pack_numerator(of_kind(sums, LineKind.BIOGENIC)),
        removals=pack_numerator(of_kind(sums, LineKind.REMOVAL)),
    )


def factors_of(months: Sequence[SiteMonth]) -> tuple[FactorUse, ...]:
    """Returns the versions of factors that totals were computed with, in order, each once."""
    used = {
        (stream.factor_id, stream.valid_from_ms, stream.version)
        for month in months
        for stream in month.streams
    }
    used |= {
        (month.market.factor_id, month.market.valid_from_ms, month.market.version)
        for month in months
        if month.market is not None
    }
    return tuple(
        FactorUse(factor_id=factor_id, valid_from_ms=valid_from_ms, version=version)
        for factor_id, valid_from_ms, version in sorted(used)
    )


def grams(numerator: int) -> str:
    """Returns whole grams, rounded once, half to even."""
    return str(rounded_half_even(numerator, GRAMS_DENOMINATOR))


def tonnes(numerator: int) -> str:
    """Returns tonnes to the kilogram, rounded once from the numerator, half to even."""
    kilograms = rounded_half_even(numerator, GRAMS_DENOMINATOR * GRAMS_IN_KILOGRAM)
    whole, rest = divmod(abs(kilograms), 1_000)
    return f"{'-' if kilograms < 0 else ''}{whole}.{rest:03d}"


def whole_tonnes(numerator: int) -> str:
    """Returns whole tonnes, rounded once from the numerator, half to even."""
    return str(rounded_half_even(numerator, GRAMS_DENOMINATOR * GRAMS_IN_TONNE))
