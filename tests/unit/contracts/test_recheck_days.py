"""The re-check of checks that judge whole days: drift (12, 13), and weather or production (14)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from contracts import baselines, remedies
from contracts.alert import Alert, AlertState
from contracts.baselines import SetBaseline
from contracts.check import Check
from contracts.reading import RawReading
from contracts.remedies import RebaselineCase
from tests.unit.contracts import test_baselines as profiles
from tests.unit.contracts.case_world import (
    alert_of,
    approved,
    correct,
    correction,
    explain,
    explained,
    looked_at,
    rebaseline,
)
from tests.unit.contracts.day_world import (
    FIT,
    HOURLY,
    OUTDOOR,
    TRAINED_DAYS,
    fit,
    in_force,
    load,
    send,
    temperature,
    trained_world,
)
from tests.unit.contracts.reading_world import DAY, DAY_MS, HOUR_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import ADMIN, OPERATOR

DRIFT = (Check.CUSUM, Check.EWMA)
CHANGED = 32
"""Day from which on the building runs higher."""


def usual(hour: int) -> int:
    return profiles.load(4 * hour)


def hours_of(day: int) -> range:
    return range(24 * day, 24 * day + 24)


def day_of(day: int, percent: int = 100) -> list[RawReading]:
    return [amount(4 * hour, usual(hour) * percent // 100) for hour in hours_of(day)]


def ready_world() -> ReadingWorld:
    """A fortnight with a baseline on it, and the days until :data:`CHANGED`, all as usual."""
    world = ReadingWorld(HOURLY)
    world.next_block(after_ms=90 * DAY_MS)
    for day in range(CHANGED):
        if day == 14:
            assert profiles.fit(world).accepted
            world.call(baselines.set_in_force, profiles.IN_FORCE, sender=ADMIN)
            world.next_block()
        world.send(*day_of(day))
    world.next_block()
    return world


READY = ready_world().reader.entries
"""Its state, from which each test makes its own world."""


def world_at(entries: dict[bytes, bytes]) -> ReadingWorld:
    world = ReadingWorld(HOURLY)
    world.reader.entries = dict(entries)
    world.next_block(after_ms=120 * DAY_MS)
    return world


def drifted_world(percent: int = 125, days: int = 14) -> ReadingWorld:
    world = world_at(READY)
    for day in range(CHANGED, CHANGED + days):
        world.send(*day_of(day, percent))
    world.next_block()
    return world


def put_right(world: ReadingWorld, days: range, percent: int = 100) -> int:
    """Has days corrected, one correction each; returns the number of the last."""
    number = 0
    for day in days:
        each = ((DAY + hour * HOUR_MS, usual(hour) * percent // 100) for hour in hours_of(day))
        number = approved(world, "main", *each)
    return number


def last_day_of(alert: Alert) -> int:
    """Day that the alert's first reading ended, by the local clock ten hours ahead."""
    return (alert.first_interval_ms - DAY) // DAY_MS


@pytest.mark.parametrize("check", DRIFT)
def test_days_that_were_put_right_drift_no_more(check: Check) -> None:
    world = drifted_world()
    alert = explained(world, check)
    number = put_right(world, range(CHANGED, last_day_of(alert) + 1))

    found = correct(world, alert, number)

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, check).state is AlertState.VERIFIED


@pytest.mark.parametrize("check", DRIFT)
def test_one_day_that_was_put_right_is_no_end_of_a_drift(check: Check) -> None:
    world = drifted_world()
    alert = explained(world, check)
    number = put_right(world, range(CHANGED, CHANGED + 1), 120)

    assert correct(world, alert, number).failed == 1
    assert alert_of(world, check).state is AlertState.INVESTIGATING


@pytest.mark.parametrize("check", DRIFT)
def test_a_sum_that_is_reached_a_day_earlier_still_fails(check: Check) -> None:
    world = drifted_world()
    alert = explained(world, check)
    number = put_right(world, range(CHANGED, CHANGED + 5), 150)

    assert correct(world, alert, number).failed == 1


def second_version(world: ReadingWorld, first_day: int) -> None:
    window = replace(
        profiles.WINDOW, from_ms=DAY + first_day * DAY_MS, to_ms=DAY + (first_day + 14) * DAY_MS
    )
    assert profiles.fit(world, window).accepted
    arguments = SetBaseline(
        meter_id="main", version=2, from_ms=window.to_ms, reason="a second shift"
    )
    world.call(baselines.set_in_force, arguments, sender=ADMIN)
    world.next_block()


@pytest.mark.parametrize("check", DRIFT)
@pytest.mark.parametrize(("first_day", "failed"), [(CHANGED, 0), (CHANGED - 14, 1)])
def test_a_baseline_of_what_is_usual_now_explains_a_drift(
    check: Check, first_day: int, failed: int
) -> None:
    world = drifted_world()
    alert = explained(world, check)
    second_version(world, first_day)

    found = rebaseline(world, alert, 2)

    assert (found.checked, found.failed) == (1, failed)


def test_a_profile_explains_no_weather_and_a_model_of_days_no_drift() -> None:
    world = weather_world()
    alert = explained(world, Check.WEATHER)
    profile = replace(FIT, model=profiles.WINDOW.model, temperature=None)
    assert fit(world, profile).accepted
    named = SetBaseline(meter_id="main", version=2, from_ms=profile.to_ms, reason="by hours")
    world.call(baselines.set_in_force, named, sender=ADMIN)
    arguments = RebaselineCase(alert_id=alert.alert_id, version=2, note="")

    code, detail = world.refusal_of(remedies.rebaseline, arguments, sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith("version: expected a model of days, for the alert is of WEATHER")


@given(
    st.lists(st.sampled_from([75, 90, 100, 110, 115, 120, 125, 130, 150]), min_size=6, max_size=30)
)
@settings(max_examples=20)
def test_a_drift_that_nothing_was_done_about_fails_again(percents: list[int]) -> None:
    world = world_at(READY)
    for day, percent in enumerate(percents, CHANGED):
        world.send(*day_of(day, percent))
    world.next_block()

    for alert in world.alerts:
        if alert.check is Check.CUSUM:
            assert looked_at(world, alert).failed > 0


# Check 14

FIRST_DAY = 24 * TRAINED_DAYS + 14
"""Hour at which the first local day begins that is judged."""
TRAINED = trained_world().reader.entries


def weather_world(*, late: bool = False) -> ReadingWorld:
    """Four local days, of which the second one is of 40 % more.

    Args:
        late: whether its temperature comes eight hours after it is over.
    """
    world = in_force(world_at(TRAINED))
    over = FIRST_DAY + 48
    if late:
        send(world, OUTDOOR, range(24 * TRAINED_DAYS, FIRST_DAY + 24), temperature)
        send(world, HOURLY, range(24 * TRAINED_DAYS, over + 8), raised)
        send(world, OUTDOOR, range(FIRST_DAY + 24, over + 8), temperature)
        send(world, HOURLY, range(over + 8, over + 20), raised)
    else:
        send(world, OUTDOOR, range(24 * TRAINED_DAYS, over + 20), temperature)
        send(world, HOURLY, range(24 * TRAINED_DAYS, over + 20), raised)
    world.next_block()
    return world


def raised(hour: int) -> int:
    is_second = FIRST_DAY + 24 <= hour < FIRST_DAY + 48
    return load(hour) * (140 if is_second else 100) // 100


def weather_correction(world: ReadingWorld, count: int, percent: int = 100) -> int:
    hours = range(FIRST_DAY + 24, FIRST_DAY + 24 + count)
    return approved(
        world, "main", *((DAY + hour * HOUR_MS, load(hour) * percent // 100) for hour in hours)
    )


@pytest.mark.parametrize("late", [False, True], ids=["in time", "temperature came late"])
def test_a_day_that_was_put_right_is_what_its_temperature_explains(*, late: bool) -> None:
    world = weather_world(late=late)
    alert = explained(world, Check.WEATHER)
    assert alert.first_interval_ms == DAY + (FIRST_DAY + 48 + 8 * late) * HOUR_MS
    assert looked_at(world, alert).failed == 1
    assert correct(world, alert, weather_correction(world, 4)).failed == 1
    explain(world, alert.alert_id)

    found = correct(world, alert, weather_correction(world, 24))

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, Check.WEATHER).state is AlertState.VERIFIED


def test_a_thermometer_that_was_wrong_is_corrected_itself() -> None:
    world = in_force(world_at(TRAINED))
    hours = range(24 * TRAINED_DAYS, FIRST_DAY + 60)
    send(world, OUTDOOR, hours, lambda hour: 120 if FIRST_DAY <= hour < FIRST_DAY + 24 else 230)
    send(world, HOURLY, hours, lambda _: 1_000 + 5 * 50)
    world.next_block()
    alert = explained(world, Check.WEATHER)
    days = range(FIRST_DAY, FIRST_DAY + 24)
    number = approved(world, "outdoor", *((DAY + hour * HOUR_MS, 230) for hour in days))

    found = correct(world, alert, number, meter="outdoor")

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, Check.WEATHER).remedy_meter == "outdoor"


def test_a_meter_that_drives_nothing_answers_no_weather() -> None:
    world = weather_world()
    alert = explained(world, Check.WEATHER)

    assert world.refusal_of(remedies.correct, correction(alert, 1, "output"), sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        "meter: expected main or outdoor, for the alert is of WEATHER, got 'output'",
    )
