"""Shares of a site: parts of all holders are the whole, each within one unit of the fraction."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, strategies as st

from contracts.consolidation import part_of_month
from contracts.emissions import IsoCategory, Scope, numerator_of, pack_numerator
from contracts.equity import WHOLE_PPM, DeclareEquity, EquityDeclaration, Holding, Part, part_in
from contracts.gas import Gas
from contracts.report_totals import emission_of, headline_of, of_kind, sum_of
from contracts.site_month import (
    Line,
    LineKind,
    Scope2,
    SiteMonth,
    Sums,
    empty_site_month,
    sums_of,
)

NUMERATORS = st.integers(-(10**9), 10**24)


@st.composite
def declarations(draw: st.DrawFn) -> EquityDeclaration:
    """Holders that have everything."""
    cuts = draw(st.sets(st.integers(1, WHOLE_PPM - 1), max_size=6))
    edges = [0, *sorted(cuts), WHOLE_PPM]
    holders = tuple(
        Holding(organisation=f"holder-{index}", share_ppm=end - begin)
        for index, (begin, end) in enumerate(pairwise(edges))
    )
    arguments = DeclareEquity(
        site="plant", from_month=0, holders=holders, reason="drawn", evidence=bytes(32)
    )
    return EquityDeclaration.from_value((*arguments.to_value(), 1, bytes(32), 0))


@st.composite
def months(draw: st.DrawFn) -> SiteMonth:
    """A month whose totals follow from its lines, as those of a site do."""
    sums = Sums()
    for scope in Scope:
        for kind in LineKind:
            for gas in draw(st.sets(st.sampled_from(Gas), max_size=2)):
                key = (scope, IsoCategory.OTHER, 0, gas, kind)
                sums.add_line(key, draw(NUMERATORS), draw(NUMERATORS))
    sums.location = emission_of(sums, Scope.PURCHASED_ENERGY)
    sums.market = sums.location + draw(NUMERATORS)
    sums.covered = draw(st.integers(0, 10**15))
    sums.electricity = sums.covered + draw(st.integers(0, 10**15))
    drawn = empty_site_month("steel", "plant", 600)
    return SiteMonth.from_value(
        (
            *drawn.to_value()[:3],
            tuple(line.to_value() for line in sums.line_records()),
            sums.scope2_record().to_value(),
            *drawn.to_value()[5:],
        )
    )


def parts(declaration: EquityDeclaration) -> list[Part]:
    return [part_in(declaration, holding.organisation) for holding in declaration.holders]


@given(declarations(), st.integers(-(10**30), 10**30))
def test_parts_are_the_whole_and_near_the_fraction(
    declaration: EquityDeclaration, whole: int
) -> None:
    found = [part.of(whole) for part in parts(declaration)]
    assert sum(found) == whole
    for holding, part in zip(declaration.holders, found, strict=True):
        assert abs(part - Fraction(whole * holding.share_ppm, WHOLE_PPM)) < 1


@given(declarations(), months())
def test_months_of_all_holders_add_up_to_the_month(
    declaration: EquityDeclaration, month: SiteMonth
) -> None:
    found = [part_of_month(month, part) for part in parts(declaration)]
    together, whole = sum_of(found), sums_of(month)
    assert headline_of(together) == headline_of(whole)
    assert together.line_records() == whole.line_records()
    assert (together.electricity, together.covered) == (whole.electricity, whole.covered)


@given(declarations(), months())
def test_lines_of_a_part_add_up_to_its_totals(
    declaration: EquityDeclaration, month: SiteMonth
) -> None:
    line_count = len(month.lines)
    for part in parts(declaration):
        sums = sums_of(part_of_month(month, part))
        assert emission_of(sums, Scope.PURCHASED_ENERGY) == sums.location
        assert 0 <= sums.covered <= sums.electricity
        for kind in LineKind:
            exact = Fraction(of_kind(sums_of(month), kind) * part.share_ppm, WHOLE_PPM)
            assert abs(of_kind(sums, kind) - exact) <= line_count


@given(declarations(), NUMERATORS)
def test_without_instruments_both_totals_of_scope_2_stay_equal(
    declaration: EquityDeclaration, co2e: int
) -> None:
    line = Line(
        scope=Scope.PURCHASED_ENERGY,
        category=IsoCategory.IMPORTED_ENERGY,
        s3_category=0,
        gas=Gas.CO2,
        kind=LineKind.EMISSION,
        mass=pack_numerator(co2e),
        co2e=pack_numerator(co2e),
    )
    zero = pack_numerator(0)
    energy = Scope2(
        location_based=line.co2e, market_based=line.co2e, electricity_wh=zero, covered_wh=zero
    )
    drawn = empty_site_month("steel", "plant", 600)
    month = SiteMonth.from_value(
        (*drawn.to_value()[:3], (line.to_value(),), energy.to_value(), *drawn.to_value()[5:])
    )
    for part in parts(declaration):
        scope2 = part_of_month(month, part).scope2
        assert scope2.location_based == scope2.market_based
        assert numerator_of(scope2.location_based) == part.of(co2e)
