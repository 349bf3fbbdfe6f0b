"""The shipped tables of factors as the chain takes them."""

from pathlib import Path

import pytest

from client.importers.published_factors import (
    ImportPlan,
    Published,
    grade_of,
    read_published,
    year_ms,
)
from client.importers.source_file import SourceError
from contracts import factors, potentials
from contracts.factor import EvidenceGrade, Factor, FactorBasis
from contracts.factors import SetFactor, factor_at
from contracts.gas import Gas
from tests.unit.contracts.registry_world import World

DATA = Path(__file__).parents[3] / "examples" / "data" / "factors"
TABLES = (
    *("grid_factors.csv", "fuel_factors_cn.csv", "fuel_factors_us_epa.csv"),
    *("ipcc_gwp.csv", "gwp_further.csv"),
)


def published(*names: str, plan: ImportPlan | None = None) -> Published:
    return read_published([DATA / name for name in names], plan or ImportPlan())


def series(found: Published, factor_id: str) -> list[SetFactor]:
    return [each for each in found.factors if each.factor_id == factor_id]


@pytest.fixture(scope="module")
def world() -> World:
    """A chain that has taken everything that ships."""
    world = World()
    found = published(*TABLES)
    for each in found.sets:
        world.call(potentials.register_factor_set, each)
    for gwp in found.gwp_sets:
        world.call(potentials.register_gwp_set, gwp)
    for factor in found.factors:
        world.call(factors.set_factor, factor)
    return world


def factor_of(world: World, factor_id: str, year: int = 2023) -> Factor:
    factor = factor_at(world.state, factor_id, year_ms(year) + 1)
    assert factor is not None
    return factor


def test_all_106_grid_factors_are_taken() -> None:
    found = published("grid_factors.csv")
    assert len(found.factors) == 106
    assert len({(each.factor_id, each.valid_from_ms) for each in found.factors}) == 106


@pytest.mark.parametrize(
    ("factor_id", "year", "value"),
    [
        ("cn-average", 2023, 5_306),
        ("cn-residual", 2023, 6_096),
        ("cn-ets", 2022, 5_703),
        ("cn-grid-north-average", 2021, 7_120),
        ("cn-grid-southwest-average", 2023, 2_472),
        ("cn-sc-average", 2023, 1_564),
        ("gb-average", 2024, 2_070),
    ],
)
def test_published_values_hold_in_their_year(
    world: World, factor_id: str, year: int, value: int
) -> None:
    assert factor_of(world, factor_id, year).value == value


def test_natural_gas_is_the_worked_example(world: World) -> None:
    gas = factor_of(world, "cn-fuel-natural-gas")
    assert gas.co2e_per_unit == 21_621_888_090
    assert (gas.value, gas.evidence) == (21_622, EvidenceGrade.SECONDARY)


@pytest.mark.parametrize(
    ("fuel", "grams_per_kilogram"), [("diesel", 3_096), ("gasoline", 2_925), ("lpg", 3_101)]
)
def test_fuels_agree_with_what_the_table_derived(
    world: World, fuel: str, grams_per_kilogram: int
) -> None:
    factor = factor_of(world, f"cn-fuel-{fuel}")
    assert abs(factor.value - 10 * grams_per_kilogram) <= 10
    assert factor.evidence is EvidenceGrade.UNCONFIRMED


def test_heat_is_0_11_t_per_gj(world: World) -> None:
    heat = factor_of(world, "cn-fuel-purchased-heat")
    assert (heat.value, heat.gases[0].gas) == (1_100, Gas.CO2)


def test_epa_gases_are_per_kilojoule(world: World) -> None:
    by_species = {gas.species: gas for gas in factor_of(world, "us-epa-ng").gases}
    assert by_species["co2"].mass == 50_249_355  # 0.05844 short tons a million Btu: 50.25 kg a GJ
    assert by_species["ch4"].potential == 280
    wood = factor_of(world, "us-epa-wds")
    assert [gas.is_biogenic for gas in wood.gases] == [True, True, True]
    assert wood.value < 100


def test_potentials_are_those_of_the_reports(world: World) -> None:
    ar6 = potentials.get_gwp_set(world.state, "ar6")
    assert ar6 is not None
    by_species = {each.species: each for each in ar6.potentials}
    assert by_species["ch4"].potential == 279
    assert by_species["sf6"].evidence is EvidenceGrade.UNCONFIRMED
    assert ar6.evidence is EvidenceGrade.UNCONFIRMED


def test_a_chinese_year_begins_at_midnight_in_china() -> None:
    first = series(published("grid_factors.csv"), "cn-average")[0]
    assert first.valid_from_ms == 1_609_430_400_000  # 2020-12-31 16:00 UTC
    assert (first.is_co2, first.basis) == (True, FactorBasis.LOCATION_BASED)


def test_the_latest_row_is_applied_to_later_years_only_where_asked() -> None:
    plan = ImportPlan(until_year=2026)
    latest = series(published("grid_factors.csv", plan=plan), "cn-average")[-1]
    assert latest.valid_to_ms == year_ms(2027, 8)
    assert "applied until 2026" in latest.source
    assert series(published("grid_factors.csv"), "cn-average")[-1].valid_to_ms == year_ms(2024, 8)


@pytest.mark.parametrize(
    ("words", "grade"),
    [
        ("model knowledge; value seen in GitHub code", EvidenceGrade.UNCONFIRMED),
        ("GitHub code id 1 (single secondary source)", EvidenceGrade.SECONDARY),
        ("confirmed: somewhere", EvidenceGrade.SECONDARY),
        ("", EvidenceGrade.UNCONFIRMED),
        ("heard of it", EvidenceGrade.UNCONFIRMED),
    ],
)
def test_no_row_is_graded_higher_than_its_evidence(words: str, grade: EvidenceGrade) -> None:
    assert grade_of(words) is grade


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"expected the header of grid_factors\.csv"):
        read_published([path], ImportPlan())
    with pytest.raises(SourceError, match="expected a readable file"):
        read_published([tmp_path / "none.csv"], ImportPlan())
