"""Baselines of the LBNL office by every model that its data allows, and days held against one."""

from dataclasses import replace

import pytest

from client.importers.lbnl import (
    INTERVAL_MS,
    TEMPERATURE_INTERVAL_MS,
    read_lbnl,
    read_lbnl_temperature,
)
from client.importers.raw import raw_reading
from contracts import baselines
from contracts.alert import ALERT_PREFIX, Alert
from contracts.baseline import PROFILES, Model, Reason
from contracts.baseline_lookup import get_baseline
from contracts.baseline_window import points_of_days, values_by_day
from contracts.baselines import FitBaseline, FitResult, SetBaseline
from contracts.calendars import require_calendar
from contracts.check import Check
from contracts.day_fit import fit_days
from contracts.local_clock import LocalClock
from contracts.meter import Quantity, StampConvention, Unit
from contracts.reading import RawReading
from tests.unit.contracts.registry_world import ADMIN, INTERVAL_METER, OPERATOR
from tests.unit.contracts.test_readings_real_data import (
    DATA,
    DAY_MS,
    OFFICE_START_MS,
    RealWorld,
)

END_MS = OFFICE_START_MS + 28 * DAY_MS
OFFICE = replace(
    INTERVAL_METER,
    unit=Unit.WATT_HOUR,
    stamp=StampConvention.START,
    nameplate_w=None,
    co2_check=None,
)
HOURLY = replace(OFFICE, meter_id="hourly", interval_ms=TEMPERATURE_INTERVAL_MS)
OUTDOOR = replace(
    HOURLY,
    meter_id="outdoor",
    quantity=Quantity.TEMPERATURE,
    unit=Unit.DECI_CELSIUS,
    scale=0,
    factor=None,
)


def by_hour(readings: tuple[RawReading, ...]) -> tuple[RawReading, ...]:
    """Sums of the hours that have all their quarters."""
    hours: dict[int, list[int]] = {}
    for each in readings:
        start_ms = each.stamp_ms - each.stamp_ms % TEMPERATURE_INTERVAL_MS
        hours.setdefault(start_ms, []).append(each.amount or 0)
    quarters = TEMPERATURE_INTERVAL_MS // INTERVAL_MS
    return tuple(
        raw_reading(stamp_ms=start_ms, amount=sum(values))
        for start_ms, values in hours.items()
        if len(values) == quarters
    )


def office_world() -> tuple[RealWorld, tuple[RawReading, ...]]:
    """Four weeks of the office and all of its weather; and what came after."""
    world = RealWorld("America/Los_Angeles", range(2013, 2015))
    readings = read_lbnl(DATA / "lbnl" / "kw.csv.gz")
    world.replay(OUTDOOR, read_lbnl_temperature(DATA / "lbnl" / "temperature.csv.gz"))
    trained = tuple(each for each in readings if each.stamp_ms < END_MS)
    world.replay(OFFICE, trained)
    world.replay(HOURLY, by_hour(trained))
    return world, tuple(each for each in readings if each.stamp_ms >= END_MS)


@pytest.fixture(scope="module")
def office() -> RealWorld:
    world, _ = office_world()
    return world


def fit(world: RealWorld, model: Model, meter_id: str = "main") -> FitResult:
    arguments = FitBaseline(
        meter_id=meter_id,
        from_ms=OFFICE_START_MS,
        to_ms=END_MS,
        model=model,
        temperature=None if model in PROFILES else "outdoor",
    )
    return FitResult.decode(baselines.fit(world.context(OPERATOR), arguments))


@pytest.mark.parametrize(
    ("meter_id", "model", "permille", "points"),
    [
        ("main", Model.DAY_TYPE_HOUR, (266, 32, 130), 2_656),
        ("hourly", Model.DAY_TYPE_HOUR, (227, 31, 329), 659),
        ("main", Model.HOUR_OF_WEEK, (274, 38, 132), 2_656),
        ("hourly", Model.HOUR_OF_WEEK, (260, 58, 368), 659),
        ("main", Model.DEGREE_DAY, (61, -1, 175), 27),
        ("main", Model.COOLING_3P, (62, 1, 193), 27),
        ("main", Model.CHANGE_POINT_4P, (60, -1, 198), 27),
    ],
)
def test_the_office_qualifies(
    office: RealWorld, meter_id: str, model: Model, permille: tuple[int, int, int], points: int
) -> None:
    result = fit(office, model, meter_id)
    assert (result.accepted, result.reason) == (True, None)
    assert (result.cv_rmse_permille, result.nmbe_permille, result.fsu_permille) == permille
    assert result.interval_count == points


@pytest.mark.parametrize("model", [Model.HEATING_3P, Model.CHANGE_POINT_5P])
def test_in_august_nothing_is_heated(office: RealWorld, model: Model) -> None:
    assert fit(office, model).reason is Reason.NO_RESPONSE


def test_the_office_is_cooled_above_fourteen_and_a_half_degrees(office: RealWorld) -> None:
    result = fit(office, Model.COOLING_3P)
    baseline = get_baseline(office.state, "main", result.version)
    assert baseline is not None
    model = baseline.day_model
    assert model is not None
    assert model.cooling_point == 145
    assert model.cooling_slope == 774_734_467  # 7.75 kWh a day for each degree
    assert model.levels == (183_066, 82_432, 82_300)  # Wh of workdays, Saturdays, Sundays


def held_against_its_weather(raised_percent: int) -> list[Alert]:
    """Alerts of check 14 in the weeks after, every amount of the second raised."""
    world, later = office_world()
    version = fit(world, Model.COOLING_3P).version
    arguments = SetBaseline(meter_id="main", version=version, from_ms=END_MS)
    world.call(baselines.set_in_force, arguments, sender=ADMIN)
    world.next_block()
    second_week = range(END_MS + 7 * DAY_MS, END_MS + 14 * DAY_MS)
    raised = tuple(
        replace(each, amount=(each.amount or 0) * (100 + raised_percent) // 100)
        if each.stamp_ms in second_week
        else each
        for each in later
    )
    replayed = world.replay(OFFICE, raised)
    alerts = [alert for _, alert in world.state.iterate(Alert, ALERT_PREFIX)]
    assert len(replayed.rows_failing(Check.WEATHER)) == sum(
        alert.occurrences for alert in alerts if alert.check is Check.WEATHER
    )
    return [alert for alert in alerts if alert.check is Check.WEATHER]


def test_clean_weeks_open_no_alert_against_the_weather() -> None:
    assert held_against_its_weather(0) == []


def test_a_week_of_a_third_more_is_found() -> None:
    alerts = held_against_its_weather(33)
    assert alerts
    assert all(alert.observed > alert.expected for alert in alerts)
    first = END_MS + 8 * DAY_MS
    assert all(first <= alert.first_interval_ms < first + 7 * DAY_MS for alert in alerts)


def test_without_a_level_for_days_off_no_model_of_the_weather_qualifies(office: RealWorld) -> None:
    meters = (office.meter("main"), office.meter("outdoor"))
    calendar = require_calendar(office.state, meters[0].calendar)
    days = [
        values_by_day(office.state, each, LocalClock(calendar), OFFICE_START_MS, END_MS)
        for each in meters
    ]
    points = points_of_days(Model.COOLING_3P, calendar, (meters[0], days[0]), (meters[1], days[1]))
    one_level = fit_days(Model.COOLING_3P, [each._replace(level=0) for each in points.values()])
    assert one_level.quality is not None
    assert one_level.quality.cv_rmse == 296
