import pytest

from contracts.meter import (
    BASE_UNITS,
    UNITS_OF,
    Meter,
    Quantity,
    Unit,
    base_unit_of,
    base_units_in,
    meter_key,
)
from tests.unit.contracts.registry_world import World


@pytest.mark.parametrize(
    ("unit", "base", "count"),
    [
        (Unit.WATT_HOUR, Unit.WATT_HOUR, 1),
        (Unit.KILOWATT_HOUR, Unit.WATT_HOUR, 1_000),
        (Unit.MEGAWATT_HOUR, Unit.WATT_HOUR, 1_000_000),
        (Unit.KILOJOULE, Unit.KILOJOULE, 1),
        (Unit.GIGAJOULE, Unit.KILOJOULE, 1_000_000),
        (Unit.CUBIC_DECIMETRE, Unit.CUBIC_DECIMETRE, 1),
        (Unit.CUBIC_METRE, Unit.CUBIC_DECIMETRE, 1_000),
        (Unit.GRAM, Unit.GRAM, 1),
        (Unit.KILOGRAM, Unit.GRAM, 1_000),
        (Unit.TONNE, Unit.GRAM, 1_000_000),
        (Unit.DECI_CELSIUS, Unit.DECI_CELSIUS, 1),
    ],
)
def test_each_unit_is_a_whole_number_of_base_units(unit: Unit, base: Unit, count: int) -> None:
    assert base_unit_of(unit) is base
    assert base_units_in(unit) == count


def test_base_units_are_those_that_the_state_counts_in() -> None:
    assert BASE_UNITS == (
        Unit.WATT_HOUR,
        Unit.KILOJOULE,
        Unit.CUBIC_DECIMETRE,
        Unit.GRAM,
        Unit.DECI_CELSIUS,
        Unit.PERSON_KILOMETRE,
        Unit.TONNE_KILOMETRE,
        Unit.CENT,
        Unit.PIECE,
    )


def test_every_quantity_has_units() -> None:
    assert list(UNITS_OF) == list(Quantity)
    assert UNITS_OF[Quantity.ELECTRICITY] == (
        Unit.WATT_HOUR,
        Unit.KILOWATT_HOUR,
        Unit.MEGAWATT_HOUR,
    )
    assert UNITS_OF[Quantity.HEAT] == UNITS_OF[Quantity.STEAM]


def test_a_meter_survives_its_encoding() -> None:
    meter = World().add_meter()

    assert Meter.decode(meter.encode()) == meter
    assert meter_key("main") == b"meter/main"
