"""The target: a yearly path of emissions that a site means to keep, and where it stands on it.

All figures are grams of CO2e. Where the months of the base year are on the chain, a year is
expected to run as that one did; else evenly (docs/methodology.md, Targets).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U64, U64_MAX, Identifier, Length, Milliseconds, PublicKey, Range, Text
from contracts.emissions import GRAMS_DENOMINATOR, Scope, grams_of, rounded_half_even
from contracts.month import Month, Year, january_of, year_of
from contracts.site_month import LineKind, SiteMonth, Sums, site_month_key, sums_of

YEARS_MAX: Final = 80
"""Years of one path, from now to any net zero."""
TOLERANCE_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTarget(Record):
    """What one year may come to."""

    year: Year
    grams: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProperties(Record):
    """What whoever sets a target says of it."""

    site: Identifier
    scopes: Annotated[tuple[Scope, ...], Length(1, 3)]
    """Ascending, each once."""
    is_market_based: bool
    """Whether scope 2 counts market-based."""
    base_year: Year
    base_grams: U64
    """Emissions of the base year, as the plan states them."""
    years: Annotated[tuple[YearTarget, ...], Length(1, YEARS_MAX)]
    """Ascending, after the base year."""
    tolerance_permille: Annotated[int, Range(0, TOLERANCE_MAX)]
    """A forecast above the year's target by more than this has left the path."""
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(TargetProperties):
    """A version of a site's target."""

    organisation: Identifier
    version: Annotated[int, Range(1, 65_535)]
    set_by: PublicKey
    set_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Record):
    """Where a site stands after a month of a year."""

    site: Identifier
    year: Year
    month: Month
    """Last month that is counted, since 1970-01."""
    target_grams: U64
    """Of the whole year."""
    actual_grams: U64
    """From January on."""
    path_grams: U64
    """What the path allows until then."""
    forecast_grams: U64 | None
    """Of the whole year; None where the base year had nothing until then."""
    is_seasonal: bool
    """Whether the base year's months tell how a year runs; else it runs evenly."""
    has_left: bool
    """Whether the forecast is above the target by more than its tolerance."""


TARGET_PREFIX: Final = b"target/"


def target_key(site_id: str) -> bytes:
    """Returns the state key of the version in force of a site's target."""
    return TARGET_PREFIX + site_id.encode()


def target_version_key(site_id: str, version: int) -> bytes:
    """Returns the state key of a version of a site's target."""
    return f"target-version/{site_id}/{version:05d}".encode()


def progress_key(site_id: str, month: int) -> bytes:
    """Returns the state key of a site's progress as a month was judged."""
    return f"target-progress/{site_id}/{month:06d}".encode()


def get_target(state: State, site_id: str) -> Target | None:
    """Returns a site's target in force, or None."""
    return state.get(Target, target_key(site_id))


def version_in_force(state: State, site_id: str, at_ms: Milliseconds) -> int:
    """Returns the version of a site's target that was in force at a block time; 0 for none."""
    newest = get_target(state, site_id)
    if newest is None or newest.set_ms <= at_ms:
        return 0 if newest is None else newest.version

    def set_ms(version: int) -> Milliseconds:
        target = state.get(Target, target_version_key(site_id, version))
        assert target is not None, "versions are numbered without a gap"
        return target.set_ms

    return bisect_right(range(1, newest.version), at_ms, key=set_ms)


def counted_of(target: TargetProperties, sums: Sums) -> int:
    """Returns what of a month's totals a target counts, 1e-10 g."""
    counted = sum(
        co2e
        for (scope, _, _, _, kind), (_, co2e) in sums.lines.items()
        if scope in target.scopes and kind is LineKind.EMISSION
    )
    if target.is_market_based and Scope.PURCHASED_ENERGY in target.scopes:
        counted += sums.market - sums.location
    return counted


def months_of_year(state: State, target: TargetProperties, year: int) -> tuple[int, ...]:
    """Returns what each month of a year counts, 1e-10 g."""
    first = january_of(year)
    counted: list[int] = []
    for month in range(first, first + 12):
        record = state.get(SiteMonth, site_month_key(target.site, month))
        counted.append(0 if record is None else counted_of(target, sums_of(record)))
    return tuple(counted)


def progress_of(state: State, target: TargetProperties, month: int) -> Progress | None:
    """Returns where a site stands after a month, or None where the path says nothing of its year.

    Args:
        state: months of this year and of the base year are read.
        target: the path.
        month: months since 1970-01.
    """
    year, last = year_of(month), month % 12
    wanted = next((each for each in target.years if each.year == year), None)
    if wanted is None:
        return None
    actual = sum(months_of_year(state, target, year)[: last + 1])
    part, whole, is_seasonal = _share_of(months_of_year(state, target, target.base_year), last)
    forecast = rounded_half_even(actual * whole, part * GRAMS_DENOMINATOR) if part else None
    limit = wanted.grams * (1_000 + target.tolerance_permille)
    return Progress(
        site=target.site,
        year=year,
        month=month,
        target_grams=wanted.grams,
        actual_grams=min(max(grams_of(actual), 0), U64_MAX),
        path_grams=rounded_half_even(wanted.grams * part, whole),
        forecast_grams=None if forecast is None else min(max(forecast, 0), U64_MAX),
        is_seasonal=is_seasonal,
        # Compared as fractions: what is printed is rounded, what is judged is not.
        has_left=actual * whole * 1_000 > limit * part * GRAMS_DENOMINATOR and part > 0,
    )


def _share_of(base: Sequence[int], last: int) -> tuple[int, int, bool]:
    """Returns the part of a year until a month as a fraction, and whether the base year gave it.

    A base year with a month without emissions is none to go by: half of it may be missing.
    """
    if min(base) <= 0:
        return last + 1, 12, False
    return sum(base[: last + 1]), sum(base), True
