"""Day models as a contract: fitted on chain from two meters, approved, and held against days."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts import baselines, checks, meters
from contracts.baseline import (
    Approval,
    Baseline,
    Model,
    Reason,
    Resolution,
    approval_key,
    version_at,
)
from contracts.baseline_fit import WINDOW_DAYS_MAX
from contracts.baseline_lookup import WAITED_DAYS, get_baseline, get_line
from contracts.baselines import FitBaseline, FitResult, SetBaseline
from contracts.check import Check, bit
from contracts.meter import Quantity, Unit
from contracts.meters import RegisterMeter
from contracts.reading import SubmitReadings, SubmitResult
from contracts.readings import submit
from tests.unit.contracts.reading_world import AMOUNTS, DAY, DAY_MS, HOUR_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import (
    ADMIN,
    CERTIFIER,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
)

TRAINED_DAYS = 29
"""Enough for 28 whole local days, which begin ten hours before UTC's."""
HOURLY = replace(AMOUNTS, interval_ms=HOUR_MS)
OUTDOOR = replace(
    HOURLY,
    meter_id="outdoor",
    quantity=Quantity.TEMPERATURE,
    unit=Unit.DECI_CELSIUS,
    factor=None,
)
OUTPUT = replace(
    HOURLY, meter_id="output", quantity=Quantity.PRODUCTION, unit=Unit.PIECE, factor=None
)
FIT = FitBaseline(
    meter_id="main",
    from_ms=DAY,
    to_ms=DAY + TRAINED_DAYS * DAY_MS,
    model=Model.COOLING_3P,
    temperature="outdoor",
)
IN_FORCE = SetBaseline(meter_id="main", version=1, from_ms=FIT.to_ms)

Hourly = Callable[[int], int]


def local_day(hour: int) -> int:
    """Number of the local day that an hour from DAY lies in."""
    return (hour + 10) // 24


def temperature(hour: int) -> int:
    """12 to 23 degrees, one for each local day."""
    return 120 + 10 * (7 * local_day(hour) % 12)


def load(hour: int) -> int:
    """1,000 Wh an hour and 5 Wh for each tenth above 18 degrees, with a ripple by day."""
    ripple = local_day(hour) * 3 % 5 - 2
    return 1_000 + 5 * max(0, temperature(hour) - 180) + 4 * ripple


def send(world: ReadingWorld, meter: RegisterMeter, hours: range, value: Hourly) -> list[int]:
    """Sends hours of a meter in calls of two days; returns the masks of what failed."""
    failed: list[int] = []
    for start in range(hours.start, hours.stop, 48):
        part = range(start, min(start + 48, hours.stop))
        arguments = SubmitReadings(
            meter_id=meter.meter_id,
            unit=meter.unit,
            readings=tuple(amount(4 * hour, value(hour)) for hour in part),
        )
        result = submit(world.context(OPERATOR), SubmitReadings.decode(arguments.encode()))
        failed += SubmitResult.decode(result).failed
    return failed


def trained_world(value: Hourly = load, *, outdoor: Hourly = temperature) -> ReadingWorld:
    world = ReadingWorld(HOURLY)
    world.call(meters.register, OUTDOOR)
    world.call(meters.register, OUTPUT)
    send(world, OUTDOOR, range(24 * TRAINED_DAYS), outdoor)
    send(world, HOURLY, range(24 * TRAINED_DAYS), value)
    world.next_block(after_ms=90 * DAY_MS)
    return world


@pytest.fixture(scope="module")
def entries() -> dict[bytes, bytes]:
    """The state of four weeks, from which each test makes its own world."""
    return trained_world().reader.entries


@pytest.fixture
def world(entries: dict[bytes, bytes]) -> ReadingWorld:
    world = ReadingWorld()
    world.reader.entries = dict(entries)
    world.next_block(after_ms=90 * DAY_MS)
    return world


def fit(world: ReadingWorld, arguments: FitBaseline = FIT) -> FitResult:
    received = FitBaseline.decode(arguments.encode())
    return FitResult.decode(baselines.fit(world.context(OPERATOR), received))


def baseline_of(world: ReadingWorld, version: int = 1) -> Baseline:
    found = get_baseline(world.state, "main", version)
    assert found is not None
    return found


def in_force(world: ReadingWorld) -> ReadingWorld:
    assert fit(world).accepted
    world.call(baselines.set_in_force, IN_FORCE)
    world.next_block()
    return world


def test_a_model_of_days_is_fitted_to_whole_local_days(world: ReadingWorld) -> None:
    result = fit(world)
    assert (result.accepted, result.reason) == (True, None)
    assert (result.model, result.resolution) == (Model.COOLING_3P, Resolution.DAY)
    assert (result.interval_count, result.coverage_permille) == (28, 965)
    assert result.cv_rmse_permille == 6
    baseline = baseline_of(world)
    assert (baseline.driver, baseline.medians, baseline.known_cells) == ("outdoor", b"", b"")
    assert baseline.parameter_count == 5  # three levels, a slope, a point
    model = baseline.day_model
    assert model is not None
    assert model.cooling_point == 180
    assert abs(model.cooling_slope - 24 * 5 * 10**6) < 5 * 10**6
    assert (model.driver_min, model.driver_max) == (120, 230)
    assert model.levels[0] is not None
    assert abs(model.levels[0] - 24_000) < 100


def test_degree_days_come_from_the_readings_of_the_day() -> None:
    def swing(hour: int) -> int:
        return local_day(hour) % 3 * 30

    def swinging(hour: int) -> int:
        return temperature(hour) + (swing(hour) if (hour + 10) % 24 < 12 else -swing(hour))

    def by_degrees(hour: int) -> int:
        both = (temperature(hour) + swing(hour), temperature(hour) - swing(hour))
        above = sum(max(0, each - 170) for each in both) // 2
        below = sum(max(0, 170 - each) for each in both) // 2
        return 500 + 3 * above + 2 * below

    world = trained_world(by_degrees, outdoor=swinging)
    result = fit(world, replace(FIT, model=Model.DEGREE_DAY))
    assert result.reason is None
    assert (result.accepted, result.cv_rmse_permille) == (True, 0)
    model = baseline_of(world).day_model
    assert model is not None
    assert (model.heating_point, model.cooling_point) == (170, 170)
    assert (model.heating_slope, model.cooling_slope) == (48 * 10**6, 72 * 10**6)
    # The day's mean alone cannot tell a swinging day from an even one.
    assert fit(world, replace(FIT, model=Model.CHANGE_POINT_4P)).cv_rmse_permille > 10


def test_the_week_has_a_profile_of_its_own(world: ReadingWorld) -> None:
    arguments = replace(FIT, model=Model.HOUR_OF_WEEK, temperature=None)
    assert fit(world, arguments).accepted
    baseline = baseline_of(world)
    assert baseline.parameter_count == 168
    assert len(baseline.medians) == 8 * 168
    world.call(baselines.set_in_force, IN_FORCE)
    send(world, HOURLY, range(24 * TRAINED_DAYS, 24 * TRAINED_DAYS + 30), load)
    assert world.slots[24 * TRAINED_DAYS].applied & bit(Check.BASELINE)
    assert not world.slots[24 * TRAINED_DAYS + 20].applied & bit(Check.WEATHER)


def test_intensity_is_fitted_to_what_was_produced() -> None:
    def output(hour: int) -> int:
        return 10 + local_day(hour) * 5 % 9

    world = trained_world(lambda hour: 400 + 30 * output(hour))
    send(world, OUTPUT, range(24 * TRAINED_DAYS), output)
    arguments = replace(FIT, model=Model.PRODUCTION, temperature=None, production="output")
    result = fit(world, arguments)
    assert (result.accepted, result.cv_rmse_permille) == (True, 0)
    model = baseline_of(world).day_model
    assert model is not None
    assert (model.cooling_slope, model.levels) == (30 * 10**6, (9_600,) * 3)


def test_months_are_mean_days_and_need_a_year(world: ReadingWorld) -> None:
    result = fit(world, replace(FIT, is_monthly=True))
    assert (result.resolution, result.reason) == (Resolution.MONTH, Reason.WINDOW_TOO_SHORT)


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (
            replace(FIT, temperature=None),
            "INVALID_ARGUMENTS",
            "temperature: expected a meter of TEMP",
        ),
        (replace(FIT, temperature="none-such"), "UNKNOWN_METER", "temperature"),
        (
            replace(FIT, temperature="main"),
            "INVALID_ARGUMENTS",
            "temperature: expected a meter of TEMP",
        ),
        (
            replace(FIT, temperature="output"),
            "INVALID_ARGUMENTS",
            "temperature: expected a meter of TEMP",
        ),
        (replace(FIT, production="output"), "INVALID_ARGUMENTS", "production: expected none"),
        (replace(FIT, model=Model.PRODUCTION), "INVALID_ARGUMENTS", "temperature: expected none"),
        (replace(FIT, model=Model.HOUR_OF_WEEK), "INVALID_ARGUMENTS", "temperature: expected none"),
        (
            replace(FIT, model=Model.HOUR_OF_WEEK, temperature=None, is_monthly=True),
            "INVALID_ARGUMENTS",
            "is_monthly: expected no",
        ),
        (
            replace(FIT, meter_id="outdoor"),
            "INVALID_ARGUMENTS",
            "meter_id: expected a meter of amounts",
        ),
        (
            replace(FIT, to_ms=DAY + WINDOW_DAYS_MAX * DAY_MS + 1),
            "LIMIT_REACHED",
            f"to_ms: expected at most {WINDOW_DAYS_MAX} days",
        ),
    ],
)
def test_what_a_model_cannot_use_is_refused(
    world: ReadingWorld, arguments: FitBaseline, code: str, field: str
) -> None:
    found, detail = world.refusal_of(baselines.fit, arguments, sender=OPERATOR)
    assert found == code
    assert detail.startswith(field)


def test_the_longest_window_is_read(world: ReadingWorld) -> None:
    longest = replace(FIT, to_ms=DAY + WINDOW_DAYS_MAX * DAY_MS)
    assert fit(world, longest).reason is Reason.COVERAGE_TOO_LOW


def test_a_temperature_of_another_organisation_is_none_of_ours(world: ReadingWorld) -> None:
    code, _ = world.refusal_of(baselines.fit, FIT, sender=OTHER_OPERATOR)
    assert code == "NOT_PERMITTED"


def test_a_meter_of_seconds_gets_no_baseline(world: ReadingWorld) -> None:
    world.call(meters.register, replace(AMOUNTS, meter_id="quick", interval_ms=30_000))
    arguments = FitBaseline(meter_id="quick", from_ms=DAY, to_ms=DAY + DAY_MS)
    code, detail = world.refusal_of(baselines.fit, arguments, sender=OPERATOR)
    assert (code, detail) == (
        "LIMIT_REACHED",
        "interval of meter quick: expected at least 60000 ms, for a baseline, got 30000 ms",
    )


def test_a_window_without_its_temperature_is_not_covered() -> None:
    world = ReadingWorld(HOURLY)
    world.call(meters.register, OUTDOOR)
    send(world, HOURLY, range(24 * TRAINED_DAYS), load)
    send(world, OUTDOOR, range(24 * 20), temperature)
    result = fit(world)
    assert (result.reason, result.interval_count) == (Reason.COVERAGE_TOO_LOW, 19)


def test_temperatures_that_cannot_be_outdoors_drive_nothing() -> None:
    world = trained_world()
    send(world, OUTDOOR, range(24 * TRAINED_DAYS, 24 * TRAINED_DAYS + 96), lambda _: 5_000)
    send(world, HOURLY, range(24 * TRAINED_DAYS, 24 * TRAINED_DAYS + 96), load)
    assert fit(world, replace(FIT, to_ms=FIT.to_ms + 4 * DAY_MS)).interval_count == 28


def test_fewer_than_four_weeks_of_days_are_too_short(world: ReadingWorld) -> None:
    assert fit(world, replace(FIT, to_ms=DAY + 28 * DAY_MS - 1)).reason is Reason.WINDOW_TOO_SHORT
    assert fit(world, replace(FIT, to_ms=DAY + 28 * DAY_MS)).reason is None


def test_a_scattered_plant_has_no_model_of_the_weather() -> None:
    world = trained_world(
        lambda hour: 200 + 3_000 * (local_day(hour) * 5 % 7 < 3) + load(hour) // 10
    )
    assert fit(world).reason is Reason.SCATTER_TOO_HIGH


def test_an_approval_is_a_record_with_its_reason(world: ReadingWorld) -> None:
    fit(world)
    world.call(baselines.set_in_force, IN_FORCE, sender=CERTIFIER)
    assert world.event_kinds[-1] == "baseline.set"
    approval = world.state.get(Approval, approval_key("main", 1))
    assert approval is not None
    assert (approval.version, approval.from_ms) == (1, IN_FORCE.from_ms)
    assert (approval.case, approval.reason) == (None, "")
    assert (approval.approved_by, approval.approved_ms) == (CERTIFIER, world.time_ms)
    line = get_line(world.state, "main")
    assert line is not None
    assert (line.in_force, line.days_in_force) == ((), ((IN_FORCE.from_ms, 1),))


def test_an_adjustment_needs_its_reason_and_a_case_of_the_meter(world: ReadingWorld) -> None:
    fit(world)
    world.call(baselines.set_in_force, IN_FORCE)
    later = replace(IN_FORCE, from_ms=IN_FORCE.from_ms + DAY_MS)
    code, detail = world.refusal_of(baselines.set_in_force, later)
    assert (code, detail.split(":")[0]) == ("INVALID_ARGUMENTS", "reason")
    reasoned = replace(later, reason="a second shift", case="main.14.000001")
    assert world.refusal_of(baselines.set_in_force, reasoned)[0] == "UNKNOWN_ALERT"
    world.call(baselines.set_in_force, replace(reasoned, case=None))
    approval = world.state.get(Approval, approval_key("main", 2))
    assert approval is not None
    assert approval.reason == "a second shift"


def test_a_case_of_another_meter_explains_nothing(world: ReadingWorld) -> None:
    in_force(world)
    later = range(24 * TRAINED_DAYS, 24 * TRAINED_DAYS + 60)
    send(world, OUTDOOR, later, temperature)
    send(world, HOURLY, later, lambda hour: 2 * load(hour))
    (alert,) = [each for each in world.alerts if each.check is Check.WEATHER]
    side = replace(HOURLY, meter_id="side")
    world.call(meters.register, side)
    send(world, side, range(24 * TRAINED_DAYS), load)
    assert fit(world, replace(FIT, meter_id="side")).accepted
    arguments = SetBaseline(
        meter_id="side", version=1, from_ms=FIT.to_ms, case=alert.alert_id, reason="theirs"
    )
    code, detail = world.refusal_of(baselines.set_in_force, arguments)
    assert (code, detail) == (
        "INVALID_ARGUMENTS",
        "case: expected an alert of side, got one of main",
    )
    fit(world)
    adjusted = replace(
        IN_FORCE, version=2, from_ms=FIT.to_ms + 9 * DAY_MS, case=alert.alert_id, reason="ours"
    )
    world.call(baselines.set_in_force, adjusted)


def test_an_admin_of_another_organisation_approves_nothing(world: ReadingWorld) -> None:
    fit(world)
    assert world.refusal_of(baselines.set_in_force, IN_FORCE, sender=OTHER_ADMIN)[0] == (
        "NOT_PERMITTED"
    )


def test_an_operator_fits_and_another_role_approves() -> None:
    roles = {method.name: {role.name for role in method.roles} for method in baselines.METHODS}
    assert roles == {"baseline.fit": {"OPERATOR"}, "baseline.set": {"ADMIN", "CERTIFIER"}}


def test_the_version_in_force_is_the_newest_that_has_begun() -> None:
    assert [version_at(((10, 1), (20, 3)), moment) for moment in (9, 10, 19, 20, 99)] == [
        0,
        1,
        1,
        3,
        3,
    ]


AFTER = range(24 * TRAINED_DAYS, 24 * TRAINED_DAYS + 4 * 24)
"""Four days in force, of which the first local day began before."""


def judged(world: ReadingWorld) -> list[tuple[int, bool]]:
    """Hours of AFTER at which a day was judged, from its first, and whether it failed."""
    return [
        (number - AFTER.start, bool(slot.failed & bit(Check.WEATHER)))
        for number, slot in sorted(world.slots.items())
        if slot.applied & bit(Check.WEATHER)
    ]


def test_a_day_is_judged_once_at_the_first_reading_of_the_next(world: ReadingWorld) -> None:
    in_force(world)
    send(world, OUTDOOR, AFTER, temperature)
    send(world, HOURLY, AFTER, load)
    # Local days end at 14:00 UTC; the first that began in force ends on the second day.
    assert judged(world) == [(38, False), (62, False), (86, False)]
    assert [each for each in world.alerts if each.check is Check.WEATHER] == []


@pytest.mark.parametrize(("percent", "times"), [(122, 3), (78, 3), (115, 0), (85, 0)], ids=str)
def test_a_day_four_sigma_away_to_either_side_fails(
    world: ReadingWorld, percent: int, times: int
) -> None:
    fails = times > 0
    in_force(world)
    send(world, OUTDOOR, AFTER, temperature)
    failed = send(world, HOURLY, AFTER, lambda hour: load(hour) * percent // 100)
    assert judged(world) == [(38, fails), (62, fails), (86, fails)]
    assert bool(failed[38] & bit(Check.WEATHER)) is fails
    alerts = [each for each in world.alerts if each.check is Check.WEATHER]
    assert len(alerts) == times  # a day apart, they are no repeats of one another
    if fails:
        assert alerts[0].first_interval_ms == DAY + (AFTER.start + 38) * HOUR_MS
        hours = range(AFTER.start + 14, AFTER.start + 38)
        assert alerts[0].observed == sum(load(hour) * percent // 100 for hour in hours)


def test_how_far_is_away_is_a_setting_of_the_meter(world: ReadingWorld) -> None:
    in_force(world)
    arguments = checks.ConfigureChecks(
        meter_id="main",
        replaces=0,
        off=(),
        parameters=(("weather.sigma_tenths", 10),),
        reason="stricter",
    )
    world.call(checks.configure, arguments)
    send(world, OUTDOOR, AFTER, temperature)
    send(world, HOURLY, AFTER, lambda hour: load(hour) * 107 // 100)
    assert [fails for _, fails in judged(world)] == [True] * 3


def test_a_day_waits_for_its_temperature_and_is_judged_when_it_has_come(
    world: ReadingWorld,
) -> None:
    in_force(world)
    send(world, HOURLY, AFTER[:48], load)
    assert judged(world) == []
    send(world, OUTDOOR, AFTER, temperature)
    send(world, HOURLY, AFTER[48:], load)
    assert judged(world) == [(48, False), (62, False), (86, False)]


def test_a_day_whose_temperature_never_comes_is_left_out(world: ReadingWorld) -> None:
    in_force(world)
    days = range(AFTER.start, AFTER.start + 24 * (WAITED_DAYS + 3))
    gap = range(days.start + 14, days.start + 38)
    send(world, HOURLY, days[:38], load)
    send(world, OUTDOOR, range(gap.stop, days.stop), temperature)
    for start in range(38, len(days), 12):
        send(world, HOURLY, days[start : start + 12], load)
    numbers = [hour for hour, _ in judged(world)]
    assert numbers
    assert 38 not in numbers
    assert world.memory.judged_day > 0


def test_a_day_beyond_what_the_model_has_seen_is_not_judged(world: ReadingWorld) -> None:
    in_force(world)
    send(world, OUTDOOR, AFTER, lambda _: 300)
    send(world, HOURLY, AFTER, load)
    assert judged(world) == []


def test_a_day_that_lacks_more_than_a_fifth_is_not_judged(world: ReadingWorld) -> None:
    in_force(world)
    send(world, OUTDOOR, AFTER, temperature)
    send(world, HOURLY, AFTER[:20], load)
    send(world, HOURLY, AFTER[30:], load)
    assert judged(world) == [(62, False), (86, False)]


def test_a_day_that_lacks_less_is_judged_by_the_mean_of_its_hours(world: ReadingWorld) -> None:
    in_force(world)
    send(world, OUTDOOR, AFTER, temperature)
    send(world, HOURLY, AFTER[:20], load)
    send(world, HOURLY, AFTER[22:], load)
    assert judged(world) == [(38, False), (62, False), (86, False)]


def test_days_before_the_model_was_in_force_are_not_judged(world: ReadingWorld) -> None:
    assert fit(world).accepted
    later = replace(IN_FORCE, from_ms=IN_FORCE.from_ms + 2 * DAY_MS)
    world.call(baselines.set_in_force, later, sender=ADMIN)
    send(world, OUTDOOR, AFTER, temperature)
    send(world, HOURLY, AFTER, load)
    assert judged(world) == [(86, False)]
