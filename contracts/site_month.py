"""The month of a site: what it used by factor, and what that emitted by scope, category and gas.

One record a site and local month holds everything that a report reads, so one state proof shows it
all: the amounts (*streams*), the factors as they were applied, and the totals that follow. A block
adds to amounts only; totals are computed when the block is done, from the amounts, so they
cannot disagree. The month of an organisation is the sum of its sites' and follows them.

**Scope 2, twice.** Location-based is amount times the grid's factor. Market-based takes what
instruments cover off the electricity, in the order of the factors, and counts the rest by the
site's market factor, where it has one, and else by the grid's (carbon.md 3.2).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import I64, U32, U64, Identifier, Length, Milliseconds, Range
from contracts.emissions import IsoCategory, Numerator, Scope, numerator_of, pack_numerator
from contracts.factor import EvidenceGrade
from contracts.gas import Gas, Gases
from contracts.market import Allocation, MarketFactor
from contracts.meter import Unit

STREAMS_MAX: Final = 4_096
"""Factor periods and categories of one month of one site."""
ALLOCATIONS_MAX: Final = 256
"""Instruments that cover one month of one site."""
LINES_MAX: Final = 2_048
"""Scopes (3) by category (6), scope 3 category (16), gas (8) and kind (3), far from all used."""


class LineKind(IntEnum):
    """On which side a line stands."""

    EMISSION = 1
    BIOGENIC = 2
    """CO2 from biomass: reported apart, in no total."""
    REMOVAL = 3
    """Taken out of the air: reported apart, in no total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking(Record):
    """Where emissions belong."""

    scope: Scope
    category: IsoCategory
    s3_category: Annotated[int, Range(0, 15)]
    """Category of the GHG Protocol's scope 3; 0 in the other scopes."""
    is_removal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(Record):
    """What a site used under one version of one period of a factor, for one booking."""

    booking: Booking
    factor_id: Identifier
    valid_from_ms: Milliseconds
    version: U32
    base_unit: Unit
    evidence: EvidenceGrade
    gases: Gases
    amount: Numerator
    """Base units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Record):
    """Emissions of one gas for one booking."""

    scope: Scope
    category: IsoCategory
    s3_category: Annotated[int, Range(0, 15)]
    gas: Gas
    kind: LineKind
    mass: Numerator
    """1e-9 g of the gas."""
    co2e: Numerator
    """1e-10 g; scope 2 location-based."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope2(Record):
    """Purchased energy, both ways."""

    location_based: Numerator
    """1e-10 g CO2e."""
    market_based: Numerator
    """1e-10 g CO2e; heat and steam as in ``location_based``."""
    electricity_wh: Numerator
    covered_wh: Numerator
    """Of it, what instruments cover."""


Lines = Annotated[tuple[Line, ...], Length(0, LINES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMonth(Record):
    """One local month of a site."""

    organisation: Identifier
    site: Identifier
    month: U32
    """Months since 1970-01."""
    lines: Lines
    """By scope, category, gas and kind."""
    scope2: Scope2
    interval_count: U64
    """Intervals with a value of the meters that count for the site."""
    flagged_count: U64
    """Of them, those that failed a check."""
    without_factor_count: I64
    """Of them, those without a valid factor: an exclusion that a report must state. Below zero only
    where a closed month is counted apart."""
    streams: Annotated[tuple[Stream, ...], Length(0, STREAMS_MAX)]
    allocations: Annotated[tuple[Allocation, ...], Length(0, ALLOCATIONS_MAX)]
    market: MarketFactor | None
    """None where the grid's factors serve the market-based total too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationMonth(Record):
    """The sum of one local month over the sites of an organisation."""

    organisation: Identifier
    month: U32
    lines: Lines
    scope2: Scope2
    interval_count: U64
    flagged_count: U64
    without_factor_count: I64


def site_month_key(site_id: str, month: int) -> bytes:
    """Returns the state key of a site's month; months since 1970-01."""
    return site_month_prefix(site_id) + b"%06d" % month


def site_month_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's months."""
    return f"site-month/{site_id}/".encode()


def organisation_month_key(organisation: str, month: int) -> bytes:
    """Returns the state key of an organisation's month; months since 1970-01."""
    return f"organisation-month/{organisation}/{month:06d}".encode()


LineKey = tuple[Scope, IsoCategory, int, Gas, LineKind]


@dataclass(slots=True)
class Sums:
    """Totals as integers, to be added up."""

    lines: dict[LineKey, tuple[int, int]] = field(default_factory=dict)
    """Mass and CO2e."""
    location: int = 0
    market: int = 0
    electricity: int = 0
    covered: int = 0
    intervals: int = 0
    flagged: int = 0
    without_factor: int = 0

    def add_line(self, key: LineKey, mass: int, co2e: int) -> None:
        """Adds to one line."""
        before = self.lines.get(key, (0, 0))
        self.lines[key] = (before[0] + mass, before[1] + co2e)

    def add(self, other: "Sums", sign: int = 1) -> None:
        """Adds other totals, or takes them off."""
        for key, (mass, co2e) in other.lines.items():
            self.add_line(key, sign * mass, sign * co2e)
        self.location += sign * other.location
        self.market += sign * other.market
        self.electricity += sign * other.electricity
        self.covered += sign * other.covered
        self.intervals += sign * other.intervals
        self.flagged += sign * other.flagged
        self.without_factor += sign * other.without_factor

    def line_records(self) -> tuple[Line, ...]:
        """Returns the lines that are not zero, in order."""
        return tuple(
            Line(
                scope=scope,
                category=category,
                s3_category=s3_category,
                gas=gas,
                kind=kind,
                mass=pack_numerator(mass),
                co2e=pack_numerator(co2e),
            )
            for (scope, category, s3_category, gas, kind), (mass, co2e) in sorted(
                self.lines.items()
            )
            if mass or co2e
        )

    def scope2_record(self) -> Scope2:
        """Returns purchased energy as a record."""
        return Scope2(
            location_based=pack_numerator(self.location),
            market_based=pack_numerator(self.market),
            electricity_wh=pack_numerator(self.electricity),
            covered_wh=pack_numerator(self.covered),
        )


def sums_of(record: SiteMonth | OrganisationMonth) -> Sums:
    """Returns the totals of a month as integers."""
    scope2 = record.scope2
    return Sums(
        lines={
            (line.scope, line.category, line.s3_category, line.gas, line.kind): (
                numerator_of(line.mass),
                numerator_of(line.co2e),
            )
            for line in record.lines
        },
        location=numerator_of(scope2.location_based),
        market=numerator_of(scope2.market_based),
        electricity=numerator_of(scope2.electricity_wh),
        covered=numerator_of(scope2.covered_wh),
        intervals=record.interval_count,
        flagged=record.flagged_count,
        without_factor=record.without_factor_count,
    )


ZERO: Final = pack_numerator(0)
NO_ENERGY: Final = Scope2(
    location_based=ZERO, market_based=ZERO, electricity_wh=ZERO, covered_wh=ZERO
)


def empty_site_month(organisation: str, site_id: str, month: int) -> SiteMonth:
    """Returns the month of a site before anything is counted."""
    return SiteMonth(
        organisation=organisation,
        site=site_id,
        month=month,
        lines=(),
        scope2=NO_ENERGY,
        interval_count=0,
        flagged_count=0,
        without_factor_count=0,
        streams=(),
        allocations=(),
        market=None,
    )


def empty_organisation_month(organisation: str, month: int) -> OrganisationMonth:
    """Returns the month of an organisation before anything is counted."""
    return OrganisationMonth(
        organisation=organisation,
        month=month,
        lines=(),
        scope2=NO_ENERGY,
        interval_count=0,
        flagged_count=0,
        without_factor_count=0,
    )
