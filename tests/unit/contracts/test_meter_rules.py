from dataclasses import replace

import pytest

from chain.errors import ContractRefusal
from contracts.meter import Quantity, Unit, ValueKind
from contracts.meter_rules import check_properties
from contracts.meters import RegisterMeter
from tests.unit.contracts.registry_world import INTERVAL_METER, METER

THERMOMETER = replace(
    INTERVAL_METER,
    quantity=Quantity.TEMPERATURE,
    unit=Unit.DECI_CELSIUS,
    co2_check=None,
    factor=None,
)


@pytest.mark.parametrize(
    "properties",
    [
        METER,
        INTERVAL_METER,
        THERMOMETER,
        replace(METER, register_modulus=None),
        replace(METER, register_modulus=2),
        replace(METER, nameplate_w=None),
        replace(METER, nameplate_w=1),
        replace(METER, co2_check=None),
        replace(METER, interval_ms=86_400_000),
        replace(METER, interval_ms=1_000),
        replace(METER, installed_from_ms=5, installed_to_ms=6),
        replace(INTERVAL_METER, quantity=Quantity.FUEL, unit=Unit.TONNE, co2_check=None),
        replace(INTERVAL_METER, quantity=Quantity.FUEL, unit=Unit.CUBIC_METRE, co2_check=None),
    ],
)
def test_properties_that_agree_pass(properties: RegisterMeter) -> None:
    check_properties(properties)


@pytest.mark.parametrize(
    ("properties", "detail"),
    [
        (
            replace(METER, unit=Unit.GIGAJOULE),
            (
                "unit: expected for ELECTRICITY one of WATT_HOUR, KILOWATT_HOUR, MEGAWATT_HOUR, "
                "got GIGAJOULE"
            ),
        ),
        (
            replace(METER, interval_ms=7_000_000),
            "interval_ms: expected a divisor of the 86400000 ms of a UTC day, got 7000000 ms",
        ),
        (
            replace(METER, installed_from_ms=5, installed_to_ms=5),
            "installed_to_ms: expected a moment after installed_from_ms 5, got 5",
        ),
        (
            replace(METER, transformer_ratio=(0, 1)),
            "transformer_ratio: expected two numbers above 0, got 0 and 1",
        ),
        (
            replace(METER, multiplier=(1, 0)),
            "multiplier: expected two numbers above 0, got 1 and 0",
        ),
        (
            replace(METER, co2_check=(0, 10)),
            "co2_check: expected two numbers above 0, got 0 and 10",
        ),
        (
            replace(METER, nameplate_w=0),
            "nameplate_w: expected more than 0, or none where it is unknown, got 0",
        ),
        (
            replace(METER, kind=ValueKind.INTERVAL),
            "register_modulus: expected none, for values of kind INTERVAL, got 1000000",
        ),
        (
            replace(METER, register_modulus=1),
            "register_modulus: expected at least 2, or none where it is unknown, got 1",
        ),
        (
            replace(METER, quantity=Quantity.GAS, unit=Unit.CUBIC_METRE),
            "co2_check: expected none, for it is per kWh of ELECTRICITY, got one for GAS",
        ),
        (
            replace(THERMOMETER, kind=ValueKind.REGISTER),
            "kind: expected INTERVAL, for a temperature does not count up, got REGISTER",
        ),
        (
            replace(THERMOMETER, factor="kr-grid"),
            "factor: expected none, for a temperature emits nothing, got 'kr-grid'",
        ),
        (
            replace(THERMOMETER, parent="main"),
            "parent: expected none, for temperatures do not add up, got 'main'",
        ),
    ],
)
def test_each_contradiction_is_refused_by_itself(properties: RegisterMeter, detail: str) -> None:
    with pytest.raises(ContractRefusal) as caught:
        check_properties(properties)

    assert caught.value.code == "INVALID_ARGUMENTS"
    assert caught.value.detail == detail
