"""The month of a site and of its organisation."""

from dataclasses import replace

from contracts import factors, meters, sites
from contracts.emissions import IsoCategory, Scope, numerator_of
from contracts.factor import EvidenceGrade
from contracts.factor_content import CO2E_OF_VALUE
from contracts.gas import Gas
from contracts.market import Allocation, MarketFactor, MarketRank
from contracts.month_draft import edit_site_month
from contracts.reading import RawReading, SubmitReadings
from contracts.readings import submit
from contracts.site_month import (
    LineKind,
    OrganisationMonth,
    SiteMonth,
    organisation_month_key,
    site_month_key,
    sums_of,
)
from contracts.totals import organisation_months, site_months, sum_of_months
from tests.unit.contracts.reading_world import AMOUNTS, ReadingWorld, amount
from tests.unit.contracts.registry_world import FACTOR, OPERATOR, SITE

OCTOBER = (2023 - 1970) * 12 + 9
GRID = 4_306 * CO2E_OF_VALUE
LINE = (Scope.PURCHASED_ENERGY, IsoCategory.IMPORTED_ENERGY, 0, Gas.UNSPLIT, LineKind.EMISSION)


def site_month(world: ReadingWorld, site: str = "plant", month: int = OCTOBER) -> SiteMonth:
    record = world.state.get(SiteMonth, site_month_key(site, month))
    assert record is not None
    return record


def organisation_month(world: ReadingWorld) -> OrganisationMonth:
    record = world.state.get(OrganisationMonth, organisation_month_key("steel", OCTOBER))
    assert record is not None
    return record


def test_a_site_month_holds_amounts_factors_and_what_follows_from_them() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000), amount(1, 500))
    record = site_month(world)
    (stream,) = record.streams
    assert (stream.factor_id, stream.version, numerator_of(stream.amount)) == ("kr-grid", 1, 1_500)
    assert stream.evidence is EvidenceGrade.SECONDARY
    sums = sums_of(record)
    assert sums.lines == {LINE: (1_500 * GRID // 10, 1_500 * GRID)}
    assert sums.location == sums.market == 1_500 * GRID
    assert (sums.electricity, sums.covered, sums.intervals) == (1_500, 0, 2)


def test_an_organisation_month_is_the_sum_of_its_sites() -> None:
    world = ReadingWorld()
    world.call(sites.register, replace(SITE, site_id="second"))
    world.call(meters.register, replace(AMOUNTS, meter_id="other", site="second"))
    world.send(amount(0, 1_000))
    send_to(world, "other", amount(0, 7))
    assert sums_of(organisation_month(world)).location == 1_007 * GRID
    world.next_block()
    world.send(amount(1, 20))
    assert sums_of(organisation_month(world)).location == 1_027 * GRID
    world.next_block()
    months = organisation_months(world.reader, "steel", OCTOBER - 1, OCTOBER + 1)
    (first,), (second,) = (
        site_months(world.reader, site, OCTOBER, OCTOBER) for site in ("plant", "second")
    )
    assert sum_of_months(months) == sum_of_months((first, second))


def send_to(world: ReadingWorld, meter_id: str, reading: RawReading) -> None:
    arguments = SubmitReadings(meter_id=meter_id, unit=world.main.unit, readings=(reading,))
    submit(world.context(OPERATOR), arguments)


def test_each_period_of_a_factor_has_a_stream() -> None:
    world = ReadingWorld()
    late = replace(FACTOR, factor_id="split", valid_from_ms=0, valid_to_ms=amount(1, 1).stamp_ms)
    world.call(factors.set_factor, late)
    world.call(
        factors.set_factor,
        replace(late, value=9, valid_from_ms=late.valid_to_ms, valid_to_ms=2**60),
    )
    world.call(meters.register, replace(AMOUNTS, meter_id="cut", factor="split"))
    for number, wh in enumerate((100, 10, 1)):
        send_to(world, "cut", amount(number, wh))
    amounts = [numerator_of(each.amount) for each in site_month(world).streams]
    assert amounts == [100, 11]
    assert sums_of(site_month(world)).location == (100 * 4_306 + 11 * 9) * CO2E_OF_VALUE


def test_what_instruments_cover_counts_by_their_factor_and_the_rest_by_the_residual_mix() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    draft = edit_site_month(world.state, "steel", "plant", OCTOBER)
    draft.allocations.append(allocation("b", 300, 5))
    draft.allocations.append(allocation("a", 100, 0))
    sums = draft.sums()
    assert (sums.covered, sums.market) == (400, 600 * GRID + 300 * 5)
    draft.market = MarketFactor(
        rank=MarketRank.RESIDUAL_MIX,
        factor_id="residual",
        valid_from_ms=0,
        version=1,
        co2e_per_unit=7,
        evidence=EvidenceGrade.CONFIRMED,
    )
    assert draft.sums().market == 600 * 7 + 300 * 5
    assert draft.sums().location == 1_000 * GRID
    assert sums_of(organisation_month(world)).market == 600 * 7 + 300 * 5


def test_more_instruments_than_electricity_cover_what_there_is() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    draft = edit_site_month(world.state, "steel", "plant", OCTOBER)
    draft.allocations.append(allocation("a", 900, 1))
    draft.allocations.append(allocation("b", 900, 2))
    sums = draft.sums()
    assert (sums.covered, sums.market) == (1_000, 900 + 100 * 2)


def allocation(name: str, amount_wh: int, co2e_per_unit: int) -> Allocation:
    return Allocation(
        instrument_id=name,
        rank=MarketRank.CERTIFICATE,
        amount_wh=amount_wh,
        co2e_per_unit=co2e_per_unit,
        evidence=EvidenceGrade.CONFIRMED,
    )
