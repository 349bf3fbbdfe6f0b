"""What a window offers a baseline: corrected amounts, whole days, months."""

from dataclasses import replace

import pytest

from contracts import baselines, meters
from contracts.baseline import Model, Reason, Resolution
from contracts.baseline_lookup import get_baseline
from contracts.baseline_window import (
    MONTH_DAYS_MIN,
    amounts_between,
    day_amount,
    driver_of,
    level_of,
    points_of_months,
    samples_of,
)
from contracts.baselines import FitBaseline, FitResult, SetBaseline
from contracts.calendars import DayType
from contracts.day_fit import DayPoint
from contracts.meter import Quantity, Unit
from contracts.reading import MethodCode, Quality, RawReading, SubmitReadings
from contracts.readings import submit
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    DAY_MS,
    HOUR_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)
from tests.unit.contracts.registry_world import OPERATOR
from tests.unit.contracts.test_corrections import CorrectedWorld

DAILY = replace(AMOUNTS, interval_ms=DAY_MS)
OUTDOOR = replace(
    DAILY,
    meter_id="outdoor",
    quantity=Quantity.TEMPERATURE,
    unit=Unit.DECI_CELSIUS,
    factor=None,
)


def trained_on(world: ReadingWorld, start: int = 0, stop: int = 96) -> dict[int, int]:
    """Amounts by number of the interval from DAY, of a part of the intervals from DAY."""
    window = (DAY + start * QUARTER_MS, DAY + stop * QUARTER_MS)
    found = amounts_between(world.state, world.main, *window)
    return {(start_ms - DAY) // QUARTER_MS: each for start_ms, each in found}


def test_the_newest_approved_correction_is_what_was_measured() -> None:
    world = CorrectedWorld()
    world.send(amount(0, 10), amount(1, 20), amount(2, 30), amount(4, 50))
    world.correct((1, 25), (3, 40))
    # What stands for a reading that never came is a substitute, whoever found it out.
    assert trained_on(world) == {0: 10, 1: 25, 2: 30, 4: 50}
    world.correct((1, None))
    assert trained_on(world) == {0: 10, 1: 20, 2: 30, 4: 50}


def test_what_was_only_proposed_or_estimated_trains_nothing() -> None:
    world = CorrectedWorld()
    world.send(amount(0, 10), amount(1, 20), amount(2, 30, quality=Quality.ESTIMATED))
    world.propose((0, 99))
    assert trained_on(world) == {0: 10, 1: 20}
    world.approve(world.propose((1, 99), method_code=MethodCode.ESTIMATED))
    assert trained_on(world) == {0: 10}
    world.approve(world.propose((2, 33), method_code=MethodCode.INVOICE))
    assert trained_on(world) == {0: 10, 2: 33}


def test_a_window_has_its_start_and_not_its_end() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, number + 1) for number in range(200)))
    assert list(trained_on(world, 95, 98)) == [95, 96, 97]


def test_the_first_register_of_a_window_counts_from_the_page_before() -> None:
    world = ReadingWorld(COUNTER)
    world.send(*(register(number, 10 * number) for number in range(100)))
    assert trained_on(world, 96, 98) == {96: 10, 97: 10}
    assert 0 not in trained_on(world, 0, 4)


def test_a_day_with_gaps_counts_by_the_mean_of_what_is_known() -> None:
    world = ReadingWorld(replace(AMOUNTS, interval_ms=HOUR_MS))
    assert day_amount(world.main, (10,) * 24) == 240
    assert day_amount(world.main, (10, 11) * 10) == 252
    assert day_amount(world.main, (10,) * 25) == 240


@pytest.mark.parametrize(("values", "mean"), [((10, 11), 10), ((11, 12), 12), ((-1, -2), -2)])
def test_a_mean_temperature_is_rounded_half_to_even(values: tuple[int, ...], mean: int) -> None:
    world = ReadingWorld()
    world.call(meters.register, OUTDOOR)
    assert driver_of(world.meter("outdoor"), values) == mean


def test_only_degree_days_look_at_the_readings_of_a_day() -> None:
    assert samples_of(Model.DEGREE_DAY, 20, (30, 10)) == (10, 30)
    assert samples_of(Model.COOLING_3P, 20, (30, 10)) == (20,)


def test_holidays_are_sundays() -> None:
    assert [level_of(each) for each in DayType] == [0, 1, 2, 2]


def test_a_month_is_its_mean_day_and_needs_most_of_its_days() -> None:
    january = {day: DayPoint(day % 3, 100 + day, 10 + day, (day, day + 1)) for day in range(31)}
    february = {day: DayPoint(0, 7, 7, (7,)) for day in range(31, 31 + MONTH_DAYS_MIN - 1)}
    (point,) = points_of_months(Model.COOLING_3P, january | february)
    assert point == DayPoint(0, 115, 25, (25,))
    (detailed,) = points_of_months(Model.DEGREE_DAY, january | february)
    assert detailed.samples == tuple(sorted([*range(31), *range(1, 32)]))


def daily(day: int, value: int) -> RawReading:
    return amount(96 * day, value)


def year_world(days: int) -> ReadingWorld:
    """Daily meters of 400 days before block time: cooling above 15 degrees."""
    world = ReadingWorld(DAILY)
    world.call(meters.register, OUTDOOR)
    world.next_block(after_ms=400 * DAY_MS)
    temperatures = [-50 + 10 * (day // 30 * 5 % 31) + day * 7 % 11 for day in range(days)]
    for start in range(0, days, 100):
        part = range(start, min(start + 100, days))
        readings = tuple(daily(day, temperatures[day]) for day in part)
        arguments = SubmitReadings(meter_id="outdoor", unit=Unit.DECI_CELSIUS, readings=readings)
        submit(world.context(OPERATOR), SubmitReadings.decode(arguments.encode()))
        world.send(
            *(
                daily(day, 20_000 + day * 7 % 5 + 30 * max(0, temperatures[day] - 150))
                for day in part
            )
        )
    return world


def fit_months(world: ReadingWorld, days: int) -> FitResult:
    arguments = FitBaseline(
        meter_id="main",
        from_ms=DAY,
        to_ms=DAY + days * DAY_MS,
        model=Model.COOLING_3P,
        is_monthly=True,
        temperature="outdoor",
    )
    return FitResult.decode(baselines.fit(world.context(OPERATOR), arguments))


def test_a_year_of_months_has_a_model_that_judges_no_day() -> None:
    world = year_world(380)
    result = fit_months(world, 380)
    assert (result.accepted, result.reason) == (True, None)
    assert (result.resolution, result.interval_count) == (Resolution.MONTH, 12)
    baseline = get_baseline(world.state, "main", 1)
    assert baseline is not None
    model = baseline.day_model
    assert model is not None
    assert model.levels[1:] == (None, None)
    assert baseline.parameter_count == 3
    arguments = SetBaseline(meter_id="main", version=1, from_ms=DAY + 380 * DAY_MS)
    world.call(baselines.set_in_force, arguments)
    world.send(*(daily(day, 90_000) for day in range(380, 390)))
    assert world.memory.judged_day > 0
    assert {slot.applied >> 13 & 1 for slot in world.slots.values()} == {0}


def test_months_need_a_year() -> None:
    world = year_world(340)
    assert fit_months(world, 340).reason is Reason.WINDOW_TOO_SHORT
