"""Baselines: what the gate accepts and refuses, who sets one in force, and check 11 against it."""

from dataclasses import replace

import pytest

from contracts import baselines
from contracts.baseline import (
    IN_FORCE_MAX,
    Baseline,
    BaselineLine,
    Model,
    Reason,
    Resolution,
    cell_of,
    cells_of,
    line_key,
)
from contracts.baseline_fit import WINDOW_INTERVALS_MAX
from contracts.baseline_lookup import get_baseline, get_line
from contracts.baselines import METHODS, FitBaseline, FitResult, SetBaseline
from contracts.calendars import DayType
from contracts.check import Check, bit
from contracts.check_settings import DEFAULTS
from contracts.checks import ConfigureChecks, configure
from contracts.deviation.observation import BaselineCell
from contracts.deviation.off_baseline import sigma_of, tenths_outside
from contracts.meter_quality import MeterQuality
from contracts.meters import RegisterMeter
from contracts.reading import Quality, RawReading
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
from tests.unit.contracts.registry_world import ADMIN, OPERATOR, OTHER_ADMIN

FORTNIGHT = 14 * 96
WINDOW = FitBaseline(meter_id="main", from_ms=DAY, to_ms=DAY + 14 * DAY_MS)
IN_FORCE = SetBaseline(meter_id="main", version=1, from_ms=DAY + 14 * DAY_MS)


def load(number: int) -> int:
    """1,000 Wh by night and 2,000 Wh by day, by UTC hours, with a ripple of 20 Wh."""
    return (2_000 if number // 4 % 24 < 12 else 1_000) + 10 * (number % 3 - 1)


def trained(meter: RegisterMeter = AMOUNTS, count: int = FORTNIGHT) -> ReadingWorld:
    world = ReadingWorld(meter)
    for start in range(0, count, 96):
        world.send(*(amount(number, load(number)) for number in range(start, start + 96)))
    world.next_block()
    return world


def fit(world: ReadingWorld, window: FitBaseline = WINDOW, sender: bytes = OPERATOR) -> FitResult:
    return FitResult.decode(baselines.fit(world.context(sender), window))


def baseline_of(world: ReadingWorld, version: int = 1) -> Baseline:
    baseline = get_baseline(world.state, "main", version)
    assert baseline is not None
    return baseline


@pytest.fixture(scope="module")
def entries() -> dict[bytes, bytes]:
    """The state of a trained meter, from which each test makes its own world."""
    return trained().reader.entries


@pytest.fixture
def world(entries: dict[bytes, bytes]) -> ReadingWorld:
    """A meter with a fortnight of readings."""
    world = ReadingWorld()
    world.reader.entries = dict(entries)
    world.next_block()
    return world


def in_force(world: ReadingWorld) -> ReadingWorld:
    assert fit(world).accepted
    world.call(baselines.set_in_force, IN_FORCE, sender=ADMIN)
    world.next_block()
    return world


def test_a_steady_meter_gets_a_baseline(world: ReadingWorld) -> None:
    assert fit(world) == FitResult(
        meter_id="main",
        version=1,
        model=Model.DAY_TYPE_HOUR,
        resolution=Resolution.INTERVAL,
        accepted=True,
        reason=None,
        cv_rmse_permille=7,  # 6.26, rounded up
        nmbe_permille=3,  # 2.35
        fsu_permille=3,  # 2.68 by t 1.003, n' 670 of 1344
        interval_count=1_344,
        coverage_permille=1_000,
    )
    assert world.event_kinds == ["baseline.accepted"]
    baseline = baseline_of(world)
    assert baseline.qualifies
    assert baseline.fitted_by == OPERATOR
    medians = cells_of(baseline.medians)
    # Ten hours ahead of UTC: the day's load begins at 10:00 and ends at 22:00.
    assert [medians[cell_of(DayType.WORKDAY, hour)] for hour in (9, 10, 21, 22)] == [
        1_000,
        1_990,
        2_000,
        990,
    ]
    sigmas = cells_of(baseline.sigmas)
    assert [sigmas[cell_of(DayType.WORKDAY, hour)] for hour in (9, 10)] == [14, 0]
    for hour in range(24):
        holiday, sunday = cell_of(DayType.HOLIDAY, hour), cell_of(DayType.SUNDAY, hour)
        assert (medians[holiday], sigmas[holiday]) == (medians[sunday], sigmas[sunday])


def test_a_fitted_baseline_is_not_in_force(world: ReadingWorld) -> None:
    fit(world)
    line = get_line(world.state, "main")
    assert line == BaselineLine(last_version=1, in_force=())
    world.send(amount(FORTNIGHT, 9_000))
    assert not world.slots[FORTNIGHT].applied & bit(Check.BASELINE)


def test_a_refusal_is_recorded_and_does_not_fail_the_transaction() -> None:
    world = ReadingWorld()
    for start in range(0, FORTNIGHT, 96):
        loads = (50_000 if number * 7 % 10 == 0 else 100 for number in range(start, start + 96))
        world.send(*(amount(start + place, each) for place, each in enumerate(loads)))
    result = fit(world)
    assert not result.accepted
    assert result.reason is Reason.SCATTER_TOO_HIGH
    assert result.cv_rmse_permille > 300
    assert world.event_kinds[-1] == "baseline.refused"
    assert not baseline_of(world).qualifies
    code, detail = world.refusal_of(baselines.set_in_force, IN_FORCE)
    assert code == "WRONG_STATE"
    assert detail.endswith("expected one that qualified, got one refused for SCATTER_TOO_HIGH")


def test_a_window_has_two_weeks_and_four_fifths_of_its_intervals(world: ReadingWorld) -> None:
    short = fit(world, replace(WINDOW, to_ms=WINDOW.to_ms - 1))
    assert short.reason is Reason.WINDOW_TOO_SHORT
    thin = fit(world, replace(WINDOW, to_ms=DAY + 18 * DAY_MS))
    assert (thin.reason, thin.coverage_permille) == (Reason.COVERAGE_TOO_LOW, 777)
    enough = fit(world, replace(WINDOW, to_ms=DAY + 17 * DAY_MS))
    assert (enough.reason, enough.coverage_permille) == (None, 823)
    assert enough.version == 3


def test_a_meter_without_readings_has_no_coverage() -> None:
    result = fit(ReadingWorld())
    assert (result.reason, result.interval_count) == (Reason.COVERAGE_TOO_LOW, 0)


def test_a_meter_that_counts_nothing_has_no_measures() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, 0) for number in range(700)))
    world.send(*(amount(number, 0) for number in range(700, FORTNIGHT)))
    assert fit(world).reason is Reason.NO_CONSUMPTION


def test_a_biased_profile_is_refused() -> None:
    world = ReadingWorld()
    for start in range(0, FORTNIGHT, 96):
        loads = (1_000 if number % 4 < 2 else 1_270 for number in range(start, start + 96))
        world.send(*(amount(start + place, each) for place, each in enumerate(loads)))
    result = fit(world)
    assert (result.reason, result.nmbe_permille) == (Reason.BIAS_TOO_HIGH, 126)
    assert result.cv_rmse_permille <= 300


def test_a_window_is_not_empty_and_not_too_long() -> None:
    world = ReadingWorld()
    code, _ = world.refusal_of(
        baselines.fit, replace(WINDOW, to_ms=DAY + QUARTER_MS - 1), sender=OPERATOR
    )
    assert code == "INVALID_ARGUMENTS"
    longest = replace(WINDOW, to_ms=DAY + WINDOW_INTERVALS_MAX * QUARTER_MS)
    assert fit(world, longest).reason is Reason.COVERAGE_TOO_LOW
    code, _ = world.refusal_of(
        baselines.fit, replace(longest, to_ms=longest.to_ms + QUARTER_MS), sender=OPERATOR
    )
    assert code == "LIMIT_REACHED"


def test_only_the_meters_organisation_fits_and_sets(world: ReadingWorld) -> None:
    code, _ = world.refusal_of(baselines.fit, WINDOW, sender=OTHER_ADMIN)
    assert code == "NOT_PERMITTED"
    fit(world)
    code, _ = world.refusal_of(baselines.set_in_force, IN_FORCE, sender=OTHER_ADMIN)
    assert code == "NOT_PERMITTED"


def test_whoever_fitted_a_baseline_does_not_set_it(world: ReadingWorld) -> None:
    fit(world, sender=ADMIN)
    code, detail = world.refusal_of(baselines.set_in_force, IN_FORCE, sender=ADMIN)
    assert code == "NOT_PERMITTED"
    assert detail == (
        "baseline 1 of main: expected another account than the one that fitted it, got the same"
    )


def test_a_baseline_that_was_not_fitted_is_unknown(world: ReadingWorld) -> None:
    fit(world)
    code, _ = world.refusal_of(baselines.set_in_force, replace(IN_FORCE, version=2))
    assert code == "UNKNOWN_BASELINE"


def test_baselines_follow_one_another_and_none_judges_its_own_window(world: ReadingWorld) -> None:
    fit(world)
    early = replace(IN_FORCE, from_ms=IN_FORCE.from_ms - 1)
    assert world.refusal_of(baselines.set_in_force, early)[0] == "INVALID_ARGUMENTS"
    world.call(baselines.set_in_force, IN_FORCE)
    assert world.refusal_of(baselines.set_in_force, IN_FORCE)[0] == "INVALID_ARGUMENTS"
    later = replace(IN_FORCE, from_ms=IN_FORCE.from_ms + 1, reason="a second shift works now")
    world.call(baselines.set_in_force, later)
    line = get_line(world.state, "main")
    assert line is not None
    assert line.in_force == ((IN_FORCE.from_ms, 1), (IN_FORCE.from_ms + 1, 1))


def test_a_meter_has_no_more_baselines_in_force_than_its_record_holds(
    world: ReadingWorld,
) -> None:
    fit(world)
    full = BaselineLine(last_version=1, in_force=tuple((each, 1) for each in range(IN_FORCE_MAX)))
    world.state.put(line_key("main"), full)
    assert world.refusal_of(baselines.set_in_force, IN_FORCE)[0] == "LIMIT_REACHED"


def test_estimates_and_failed_amounts_train_nothing() -> None:
    world = ReadingWorld(replace(AMOUNTS, nameplate_w=40_000))
    for start in range(0, FORTNIGHT, 96):
        numbers = range(start, start + 96)
        world.send(*(amount(number, load(number)) for number in numbers if number % 10))
        estimated = (amount(number, 9_000, quality=Quality.ESTIMATED) for number in numbers)
        world.send(*(each for number, each in zip(numbers, estimated, strict=True) if number % 20))
    result = fit(world)
    assert result.interval_count == 1_209
    assert result.cv_rmse_permille == 7  # 6.20


def test_a_register_after_a_gap_trains_nothing() -> None:
    world = ReadingWorld(COUNTER)
    numbers = [number for number in range(FORTNIGHT) if number % 10]
    for start in range(0, len(numbers), 200):
        part = numbers[start : start + 200]
        world.send(*(register(number, 1_000 * number) for number in part))
    result = fit(world)
    assert result.interval_count == 1_074
    assert cells_of(baseline_of(world).medians)[cell_of(DayType.WORKDAY, 3)] == 1_000


@pytest.mark.parametrize(
    ("value", "sigma", "tenths"),
    [
        (1_000, 50, 0),
        (1_400, 50, 50),
        (1_640, 50, 80),
        (1_639, 50, 79),
        (600, 50, -50),
        (2_000, 200, 50),
    ],
)
def test_a_distance_is_in_tenths_of_a_sigma_of_at_least_eight_per_cent(
    value: int, sigma: int, tenths: int
) -> None:
    cell = BaselineCell(1_000, sigma, 1_000, 1_000, 1_000)
    assert tenths_outside(cell, 1_000, sigma_of(cell, 1_000, DEFAULTS), value) == tenths


@pytest.mark.parametrize(
    ("value", "tenths"), [(1_101, 0), (1_300, 20), (900, 0), (899, 0), (700, -20)]
)
def test_half_of_the_way_to_the_hours_beside_is_no_distance(value: int, tenths: int) -> None:
    cell = BaselineCell(1_000, 100, 800, 1_200, 1_000)
    assert tenths_outside(cell, 1_000, 100, value) == tenths


def test_sigma_has_a_floor_of_the_level_and_follows_the_scale() -> None:
    quiet = BaselineCell(100, 1, 100, 100, 1_000)
    assert sigma_of(quiet, 1_000, DEFAULTS) == 50
    assert sigma_of(quiet, 1_500, DEFAULTS) == 75
    assert sigma_of(BaselineCell(0, 0, 0, 0, 0), 1_000, DEFAULTS) == 1


def off(start: int, count: int, factor_percent: int) -> list[RawReading]:
    return [
        amount(number, load(number) * factor_percent // 100)
        for number in range(start, start + count)
    ]


def test_ten_sigma_for_an_hour_are_a_deviation(world: ReadingWorld) -> None:
    flags = in_force(world).flags(*off(FORTNIGHT, 5, 200), amount(FORTNIGHT + 5, 2_000))
    assert flags == [(), (), (), (Check.BASELINE,), (Check.BASELINE,), ()]
    (alert,) = world.alerts
    assert alert.expected == 1_990
    assert alert.first_interval_ms == DAY + 14 * DAY_MS
    assert alert.last_interval_ms == DAY + 14 * DAY_MS + 4 * QUARTER_MS
    assert alert.occurrences == 5
    assert alert.cleared_ms == DAY + 14 * DAY_MS + 5 * QUARTER_MS


def test_a_confirmed_run_marks_its_beginning_in_the_pages_and_the_month(
    world: ReadingWorld,
) -> None:
    in_force(world).send(*off(FORTNIGHT, 5, 200), amount(FORTNIGHT + 5, 2_000))
    marked = [
        number
        for number, slot in world.slots.items()
        if slot.failed & bit(Check.BASELINE) and slot.applied & bit(Check.BASELINE)
    ]
    assert marked == [FORTNIGHT + place for place in range(5)]
    failed = sum(
        quality.failed[Check.BASELINE - 1]
        for _, quality in world.state.iterate(MeterQuality, b"meter-quality/main/")
    )
    assert failed == 5


def test_fifteen_sigma_hours_beyond_two_are_a_deviation(world: ReadingWorld) -> None:
    # 5.6 sigma: 3.6 beyond the allowance, so 17 quarter hours are 15.3 sigma hours.
    flags = in_force(world).flags(*off(FORTNIGHT, 18, 145))
    assert flags == [()] * 16 + [(Check.BASELINE,)] * 2
    assert all(world.slots[FORTNIGHT + place].failed & bit(Check.BASELINE) for place in range(18))


def test_less_than_two_and_a_half_sigma_is_none_however_long(world: ReadingWorld) -> None:
    assert in_force(world).flags(*off(FORTNIGHT, 90, 119)) == [()] * 90


def test_the_other_side_is_another_run(world: ReadingWorld) -> None:
    readings = [*off(FORTNIGHT, 3, 200), *off(FORTNIGHT + 3, 3, 55), *off(FORTNIGHT + 6, 3, 200)]
    assert in_force(world).flags(*readings) == [()] * 9


def weeks_of_nights(world: ReadingWorld, *percents: int) -> list[list[tuple[Check, ...]]]:
    """Sends weeks that begin with five hours of a share of the usual load; returns their flags."""
    week, flags = 7 * 96, []
    for place, percent in enumerate(percents):
        begin = FORTNIGHT + week * place
        flags.append(world.flags(*off(begin, 20, percent)))
        for start in range(begin + 20, begin + week, 96):
            world.send(*off(start, min(96, begin + week - start), 100))
        world.next_block(after_ms=7 * DAY_MS)
    return flags


def test_what_came_at_the_same_hour_a_week_ago_is_usual(world: ReadingWorld) -> None:
    # 2.4 sigma each week is no deviation, and what is 3 sigma away is no further from it.
    assert weeks_of_nights(in_force(world), 118, 124) == [[()] * 20] * 2


def test_what_was_flagged_excuses_nothing_until_it_has_come_for_three_weeks(
    world: ReadingWorld,
) -> None:
    flags = weeks_of_nights(in_force(world), 200, 200, 200, 200)
    assert [each[-1] for each in flags] == [(Check.BASELINE,)] * 3 + [()]
    assert flags[3] == [()] * 20


def test_what_was_flagged_in_between_does_not_hide_the_week_before_it(world: ReadingWorld) -> None:
    flags = weeks_of_nights(in_force(world), 118, 200, 118, 200)
    assert [each[-1] for each in flags] == [(), (Check.BASELINE,), (), (Check.BASELINE,)]


def test_one_week_of_a_deviation_is_enough_where_it_is_configured(world: ReadingWorld) -> None:
    change = ConfigureChecks(
        meter_id="main",
        replaces=0,
        off=(),
        parameters=(("baseline.settled_weeks", 1),),
        reason="its use changes weekly",
    )
    world.call(configure, change, sender=ADMIN)
    flags = weeks_of_nights(in_force(world), 200, 200)
    assert [each[-1] for each in flags] == [(Check.BASELINE,), ()]


def test_one_reading_that_agrees_begins_the_hour_anew(world: ReadingWorld) -> None:
    readings = [*off(FORTNIGHT, 3, 200), *off(FORTNIGHT + 3, 1, 100), *off(FORTNIGHT + 4, 3, 200)]
    assert in_force(world).flags(*readings) == [()] * 7


def test_a_late_reading_is_not_held_against_the_baseline(world: ReadingWorld) -> None:
    in_force(world).send(amount(FORTNIGHT + 1, 2_000), amount(FORTNIGHT, 2_000))
    assert world.slots[FORTNIGHT + 1].applied & bit(Check.BASELINE)
    assert not world.slots[FORTNIGHT].applied & bit(Check.BASELINE)


def test_readings_before_the_time_in_force_are_not_held_against_it(world: ReadingWorld) -> None:
    assert fit(world).accepted
    later = replace(IN_FORCE, from_ms=IN_FORCE.from_ms + HOUR_MS)
    world.call(baselines.set_in_force, later, sender=ADMIN)
    world.send(*off(FORTNIGHT, 8, 100))
    applied = [world.slots[FORTNIGHT + place].applied & bit(Check.BASELINE) for place in (3, 4)]
    assert applied == [0, bit(Check.BASELINE)]


def test_a_single_hour_of_an_hourly_meter_is_enough() -> None:
    hourly = replace(AMOUNTS, interval_ms=HOUR_MS)
    world = ReadingWorld(hourly)
    numbers = range(14 * 24)
    world.send(*(amount(4 * number, 4 * load(4 * number)) for number in numbers))
    fit(world)
    world.call(baselines.set_in_force, IN_FORCE, sender=ADMIN)
    start = 4 * 14 * 24
    assert world.flags(amount(start, 4 * 4_400)) == [(Check.BASELINE,)]


@pytest.mark.parametrize(
    ("days", "model", "work"),
    [
        (1, Model.DAY_TYPE_HOUR, 360),
        (14, Model.DAY_TYPE_HOUR, 2_440),
        (31, Model.HOUR_OF_WEEK, 5_160),
        (365, Model.HOUR_OF_WEEK, 5_160),
        (365, Model.HEATING_3P, 5_890),
        (1_100, Model.CHANGE_POINT_5P, 9_360),
        (10**6, Model.CHANGE_POINT_5P, 9_360),
        (-1, Model.DAY_TYPE_HOUR, 200),
    ],
)
def test_the_work_of_a_fit_follows_from_its_window_and_model(
    days: int, model: Model, work: int
) -> None:
    window = replace(WINDOW, to_ms=max(DAY + days * DAY_MS, 0), model=model)
    (method,) = [each for each in METHODS if each.name == "baseline.fit"]
    assert method.work(window) == work


def test_holidays_of_the_calendar_count_as_sundays_and_unknown_days_are_not_judged() -> None:
    world = ReadingWorld()
    first = -DAY // QUARTER_MS  # 1970-01-01; its 2nd and 3rd are holidays of the calendar
    for day in range(21):
        local_day = [(number + 40) // 96 for number in range(96 * day, 96 * day + 96)]
        # Neither the Sundays nor the Saturday that is no holiday is sent; holidays have more load.
        sent = [
            amount(first + 96 * day + place, 1_300 if each in {1, 2} else 1_000)
            for place, each in enumerate(local_day)
            if each in {1, 2} or each % 7 not in {2, 3}
        ]
        if sent:
            world.send(*[reading for reading in sent if reading.stamp_ms >= QUARTER_MS])
    window = FitBaseline(meter_id="main", from_ms=0, to_ms=16 * DAY_MS)
    result = fit(world, window)
    medians = cells_of(baseline_of(world).medians)
    assert medians[cell_of(DayType.SUNDAY, 12)] == medians[cell_of(DayType.HOLIDAY, 12)] == 1_300
    assert result.reason is Reason.COVERAGE_TOO_LOW


def test_an_hour_that_the_window_says_nothing_of_is_not_judged() -> None:
    world = ReadingWorld()
    for start in range(0, FORTNIGHT, 96):
        world.send(*(amount(number, 1_000) for number in range(start + 4, start + 96)))
    in_force(world)
    world.send(amount(FORTNIGHT, 9_000), amount(FORTNIGHT + 4, 9_000))
    applied = [world.slots[FORTNIGHT + place].applied & bit(Check.BASELINE) for place in (0, 4)]
    assert applied == [0, bit(Check.BASELINE)]
