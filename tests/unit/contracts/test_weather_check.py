"""Check 14: a day is judged once, when it is over and its temperature is known."""

from dataclasses import replace

import pytest

from contracts import baselines, checks
from contracts.baseline_lookup import WAITED_DAYS
from contracts.check import Check, bit
from tests.unit.contracts.day_world import (
    HOURLY,
    IN_FORCE,
    OUTDOOR,
    TRAINED_DAYS,
    fit,
    in_force,
    load,
    send,
    temperature,
    trained_world,
)
from tests.unit.contracts.reading_world import DAY, DAY_MS, HOUR_MS, ReadingWorld
from tests.unit.contracts.registry_world import (
    ADMIN,
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


@pytest.mark.parametrize("hours_a_call", [1, 7, 96])
def test_how_readings_are_cut_into_calls_and_blocks_changes_nothing(
    entries: dict[bytes, bytes], hours_a_call: int
) -> None:
    told = []
    for is_cut in (False, True):
        world = ReadingWorld()
        world.reader.entries = dict(entries)
        world.next_block(after_ms=90 * DAY_MS)
        in_force(world)
        for start in range(0, len(AFTER), hours_a_call):
            part = AFTER[start : start + hours_a_call]
            send(world, OUTDOOR, part, temperature)
            send(world, HOURLY, part, lambda hour: load(hour) * 3 // 2)
            if is_cut:
                world.next_block(after_ms=0)
        told.append((judged(world), world.memory.judged_day))
    assert told[0] == told[1]
    assert [fails for _, fails in told[0][0]] == [True] * 3
