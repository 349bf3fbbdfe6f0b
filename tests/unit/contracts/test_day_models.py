"""Day models as a contract: fitted on chain from two meters, approved, and held against days."""

from dataclasses import replace

import pytest

from contracts import baselines, meters
from contracts.baseline import (
    Approval,
    Model,
    Reason,
    Resolution,
    approval_key,
    version_at,
)
from contracts.baseline_fit import WINDOW_DAYS_MAX
from contracts.baseline_lookup import get_line
from contracts.baselines import FitBaseline, SetBaseline
from contracts.check import Check, bit
from tests.unit.contracts.day_world import (
    FIT,
    HOURLY,
    IN_FORCE,
    OUTDOOR,
    OUTPUT,
    TRAINED_DAYS,
    baseline_of,
    fit,
    in_force,
    load,
    local_day,
    send,
    temperature,
    trained_world,
)
from tests.unit.contracts.reading_world import AMOUNTS, DAY, DAY_MS, ReadingWorld
from tests.unit.contracts.registry_world import (
    CERTIFIER,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
)


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
