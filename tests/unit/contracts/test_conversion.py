from dataclasses import replace

import pytest

from contracts.conversion import Conversion, conversion_of
from contracts.meter import Unit
from tests.unit.contracts.reading_world import COUNTER


@pytest.mark.parametrize(
    ("unit", "scale", "ratio", "multiplier", "expected"),
    [
        (Unit.WATT_HOUR, 0, (1, 1), (1, 1), Conversion(1, 1)),
        (Unit.KILOWATT_HOUR, -2, (1, 1), (1, 1), Conversion(10, 1)),
        (Unit.WATT_HOUR, -2, (1, 1), (1, 1), Conversion(1, 100)),
        (Unit.MEGAWATT_HOUR, 1, (400, 5), (3, 2), Conversion(1_200_000_000, 1)),
        (Unit.WATT_HOUR, 0, (1, 3), (1, 2), Conversion(1, 6)),
    ],
)
def test_scale_unit_and_ratios_make_one_fraction_in_lowest_terms(
    unit: Unit,
    scale: int,
    ratio: tuple[int, int],
    multiplier: tuple[int, int],
    expected: Conversion,
) -> None:
    meter = replace(COUNTER, unit=unit, scale=scale, transformer_ratio=ratio, multiplier=multiplier)
    assert conversion_of(meter) == expected


@pytest.mark.parametrize(("submitted", "amount"), [(149, 1), (150, 2), (250, 2), (-150, -2)])
def test_an_amount_between_two_is_rounded_half_even(submitted: int, amount: int) -> None:
    assert Conversion(1, 100).amount(submitted) == amount


def test_what_registers_cut_off_never_adds_up() -> None:
    conversion = Conversion(1, 100)
    steps = [conversion.advance(before, 33) for before in range(0, 3_300, 33)]
    assert set(steps) == {0, 1}
    assert sum(steps) == 33


def test_the_resolution_is_at_least_one_base_unit() -> None:
    assert Conversion(10, 1).resolution == 10
    assert Conversion(1, 100).resolution == 1
