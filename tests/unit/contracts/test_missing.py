"""Missing readings: gaps, judged when late ones had time; and silence by block time."""

from dataclasses import replace

from contracts.check import Check, bit
from contracts.meter import meter_key
from contracts.meters import GoLive, go_live
from contracts.missing import on_due
from contracts.reading import RawReading
from tests.unit.contracts.reading_world import (
    DAY,
    NOW_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
)

MINUTE_MS = 60_000


def row(*numbers: int) -> list[RawReading]:
    return [amount(number, 100 + number) for number in numbers]


def test_two_missing_intervals_are_no_fault() -> None:
    world = ReadingWorld()
    world.send(*row(0, 3, *range(4, 20)))
    assert world.alerts == []


def test_three_missing_intervals_are_found_eight_intervals_later() -> None:
    world = ReadingWorld()
    flags = world.flags(*row(0, *range(4, 13)))
    assert flags == [()] * 9 + [(Check.MISSING,)]
    (alert,) = world.alerts
    assert (alert.observed, alert.expected) == (3, 2)
    assert alert.first_interval_ms == DAY + QUARTER_MS
    assert alert.leaf == bytes(32)
    assert alert.cleared_ms == DAY + 12 * QUARTER_MS


def test_a_gap_that_is_filled_in_time_is_no_fault() -> None:
    world = ReadingWorld()
    world.send(*row(0, 4, 1, 5, 2, 6, *range(7, 30)))
    assert world.alerts == []


def test_a_gap_is_judged_by_what_is_still_missing_of_it() -> None:
    world = ReadingWorld()
    world.send(*row(0, 7, 3, 5, *range(8, 16)))
    assert [alert.observed for alert in world.alerts] == [4]


def test_a_second_gap_ends_the_waiting_for_the_first() -> None:
    world = ReadingWorld()
    flags = world.flags(*row(0, 10, 200))
    assert flags == [(), (), (Check.MISSING,)]
    assert world.alerts[0].observed == 9
    assert world.memory.gap_count == 189


def test_the_check_applies_to_readings_in_order_only() -> None:
    world = ReadingWorld()
    world.send(*row(0, 2, 1))
    applied = [slot.applied & bit(Check.MISSING) for _, slot in sorted(world.slots.items())]
    assert applied == [0, 0, bit(Check.MISSING)]


def live_world() -> ReadingWorld:
    world = ReadingWorld()
    world.call(go_live, GoLive(meter_id="main"))
    return world


def due(world: ReadingWorld, minutes: int) -> int | None:
    """Asks at this many minutes after going live; returns when to ask again, in minutes."""
    world.next_block(after_ms=NOW_MS + minutes * MINUTE_MS - world.time_ms)
    again_ms = on_due(world.context(), "main")
    return None if again_ms is None else (again_ms - NOW_MS) // MINUTE_MS


def test_a_meter_that_is_not_live_is_not_asked_again() -> None:
    assert due(ReadingWorld(), 0) is None


def test_an_unknown_meter_is_not_asked_again() -> None:
    assert on_due(ReadingWorld().context(), "none") is None


def test_a_live_meter_is_silent_when_three_intervals_have_passed() -> None:
    world = live_world()
    assert due(world, 44) == 45
    assert world.alerts == []
    assert due(world, 45) == 60
    (alert,) = world.alerts
    assert (alert.check, alert.observed, alert.expected) == (Check.MISSING, 3, 2)
    assert alert.first_interval_ms == NOW_MS


def test_a_silent_meter_raises_one_alert_and_is_asked_ever_less_often() -> None:
    world = live_world()
    due(world, 45)
    assert due(world, 60) == 75
    assert due(world, 400) == 500
    assert len(world.alerts) == 1
    assert world.alerts[0].occurrences == 1


def test_a_meter_that_is_heard_is_asked_three_intervals_after_its_newest() -> None:
    world = live_world()
    world.next_block(after_ms=30 * MINUTE_MS)
    world.send(amount(30 * 96, 5))
    world.send(amount(30 * 96 + 1, 6))
    assert due(world, 45) == 75
    assert world.alerts == []


def test_readings_that_come_again_end_the_silence_without_a_second_alert() -> None:
    world = live_world()
    world.send(amount(30 * 96 - 1, 5))
    due(world, 60)
    assert world.alerts[0].observed == 4
    world.next_block(after_ms=15 * MINUTE_MS)
    numbers = range(30 * 96 + 4, 30 * 96 + 5)
    world.send(*row(*numbers))
    assert len(world.alerts) == 1
    assert world.alerts[0].cleared_ms == NOW_MS + 60 * MINUTE_MS
    assert world.memory.gap_ms is None


def test_a_removed_meter_is_not_asked_again() -> None:
    world = live_world()
    meter = world.main
    world.state.put(meter_key("main"), replace(meter, installed_to_ms=NOW_MS + MINUTE_MS))
    assert due(world, 0) == 45
    assert due(world, 1) is None
