"""The worked examples of docs/methodology.md are what the contracts compute."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from contracts import activities, instruments, restatements
from contracts.emissions import grams_of, numerator_of, rounded_half_even
from contracts.factor_content import co2_mass_of
from contracts.meter import Unit
from contracts.restatement import RestatedMonth, restated_month_key
from tests.unit.contracts.reading_world import ReadingWorld, amount
from tests.unit.contracts.registry_world import SECOND_ADMIN
from tests.unit.contracts.test_activities import GAS_FUEL, SUBMIT, ActivityWorld
from tests.unit.contracts.test_instruments import OCTOBER, RETIRE, MarketWorld
from tests.unit.contracts.test_restatements import APPLY, DECIDE, RESTATE

TEXT = (Path(__file__).parents[3] / "docs" / "methodology.md").read_text(encoding="utf-8")


def assert_told(number: str) -> None:
    """The methodology tells this number."""
    assert f"**{number}" in TEXT, number


def tonnes(grams: int) -> str:
    return f"{grams // 10**6}.{grams % 10**6:06d} t"


def test_the_steel_year_is_divided_once() -> None:
    assert_told(tonnes(grams_of(959_636_710 * 4_585 * 10**6)))


def test_natural_gas() -> None:
    mass = co2_mass_of(GAS_FUEL)
    assert_told(f"{mass:,}")
    assert_told(f"{rounded_half_even(mass, 10**5) / 10**4:.4f} kg per Nm3")


def test_natural_gas_by_the_heat_input_of_a_million_btu() -> None:
    per_kj = Fraction("0.05844") * Fraction("907184.74") / Fraction("1055055.85262") * 10**9
    assert_told(f"{rounded_half_even(per_kj.numerator, per_kj.denominator):,}")


def test_a_refrigerant() -> None:
    world = ActivityWorld()
    world.call(activities.submit, replace(SUBMIT, factor="r134a", unit=Unit.KILOGRAM, amount=2))
    ((_, co2e),) = world.sums().lines.values()
    assert_told(f"{tonnes(grams_of(co2e))} CO2e")


def test_scope_2_both_ways() -> None:
    world = MarketWorld()
    world.send(amount(0, 2_000_000))
    world.call(instruments.retire, RETIRE)
    assert_told(tonnes(grams_of(world.sums().location)))
    assert_told(tonnes(grams_of(world.sums().market)))


def test_a_restatement() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    world.call(restatements.restate, RESTATE)
    world.call(restatements.approve, DECIDE, sender=SECOND_ADMIN)
    world.call(restatements.apply, APPLY)
    restated = world.state.get(RestatedMonth, restated_month_key("plant", OCTOBER, "kr-grid", 1))
    assert restated is not None
    for each in (restated.before, restated.after):
        tenths = rounded_half_even(numerator_of(each.scope2.location_based), 10**9)
        assert_told(f"{tenths / 10:.1f} g")


@pytest.mark.parametrize("grams", [11_073, 60_284])
def test_a_target(grams: int) -> None:
    """Computed by test_the_base_year_tells_how_a_year_runs."""
    assert_told(f"{grams:,} g")
