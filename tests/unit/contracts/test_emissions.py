from dataclasses import replace
from datetime import date

import pytest

from contracts import meters
from contracts.emissions import (
    AMOUNT_MAX,
    NUMERATOR_BYTES,
    Scope,
    co2e_of,
    month_of_day,
    numerator_of,
    pack_numerator,
    scope_of,
)
from contracts.meter import Direction, Quantity
from tests.unit.contracts.reading_world import AMOUNTS, DAY, DAY_MS, ReadingWorld, amount

EPOCH = date(1970, 1, 1)


def test_months_follow_the_gregorian_calendar() -> None:
    for day in range(0, 60_000, 7):
        moment = date.fromordinal(EPOCH.toordinal() + day)
        assert month_of_day(day) == (moment.year - 1970) * 12 + moment.month - 1


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("1970-01-01", 0),
        ("1970-01-31", 0),
        ("1970-02-01", 1),
        ("2000-02-29", 361),
        ("2024-12-31", 659),
    ],
)
def test_a_month_is_counted_from_january_1970(text: str, month: int) -> None:
    assert month_of_day((date.fromisoformat(text) - EPOCH).days) == month


@pytest.mark.parametrize(
    ("amount_wh", "factor", "expected"),
    [(1_000, 5_000, 5_000_000), (-1, 5_000, 0), (None, 5_000, 0), (1_000, None, 0)],
)
def test_emissions_are_amount_times_factor_and_never_below_zero(
    amount_wh: int | None, factor: int | None, expected: int
) -> None:
    assert co2e_of(amount_wh, factor) == expected


def test_a_numerator_holds_the_largest_amounts_times_the_largest_factor() -> None:
    largest = AMOUNT_MAX * (2**64 - 1) * 2**48
    for value in (0, 1, -1, largest, -largest):
        packed = pack_numerator(value)
        assert len(packed) == NUMERATOR_BYTES
        assert numerator_of(packed) == value


def test_bought_energy_is_scope_two_and_fuel_scope_one() -> None:
    assert scope_of(Quantity.ELECTRICITY) is Scope.PURCHASED_ENERGY
    assert scope_of(Quantity.STEAM) is Scope.PURCHASED_ENERGY
    assert scope_of(Quantity.GAS) is Scope.DIRECT


OCTOBER = (2023 - 1970) * 12 + 9


def test_a_site_total_holds_what_its_topmost_meters_import() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    assert world.site_total(OCTOBER, Scope.PURCHASED_ENERGY) == 1_000 * 4_306
    assert world.site_total(OCTOBER, Scope.DIRECT) == 0


def test_an_export_is_left_out_of_the_site_total() -> None:
    world = ReadingWorld(replace(AMOUNTS, direction=Direction.EXPORT))
    world.send(amount(0, 1_000))
    assert world.meter_total(OCTOBER) == (1_000, 1_000 * 4_306)
    assert world.site_total(OCTOBER, Scope.PURCHASED_ENERGY) is None


def test_a_sub_meter_is_left_out_of_the_site_total() -> None:
    world = ReadingWorld(replace(AMOUNTS, meter_id="parent"))
    sub_meter = replace(AMOUNTS, parent="parent")
    world.call(meters.register, sub_meter)
    world.send(amount(0, 1_000))
    assert world.site_total(OCTOBER, Scope.PURCHASED_ENERGY) is None


def test_months_begin_at_local_midnight() -> None:
    # The calendar is ten hours ahead of UTC; 2023-11-01 00:00 there is 14:00 UTC the day before.
    world = ReadingWorld()
    first_ms = DAY + 15 * DAY_MS + 14 * 3_600_000
    assert first_ms == 1_698_760_800_000
    number = (first_ms - DAY) // 900_000
    world.send(amount(number - 1, 5), amount(number, 7))
    assert world.meter_total(OCTOBER) == (5, 5 * 4_306)
    assert world.meter_total(OCTOBER + 1) == (7, 7 * 4_306)
