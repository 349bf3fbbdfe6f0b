"""Counts of a month against a count over its pages; expected intervals; percent availability."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from contracts.calendars import require_calendar
from contracts.check import READING_CHECKS, Check
from contracts.checks import ConfigureChecks, configure
from contracts.emissions import month_of_day
from contracts.meter_quality import (
    MeterQuality,
    MutableQuality,
    count_later,
    quality_key,
    quality_prefix,
)
from contracts.quality import (
    MonthQuality,
    expected_intervals,
    monitor_availability,
    quality_of_month,
)
from contracts.reading import Channel, Quality, RawReading
from contracts.site_quality import NO_QUALITY, added, site_quality
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

CAPPED = replace(AMOUNTS, nameplate_w=400, co2_check=(4_585, 10))


def recorded(world: ReadingWorld) -> dict[int, MeterQuality]:
    prefix = quality_prefix("main")
    return {
        int(key[len(prefix) :]): record for key, record in world.state.iterate(MeterQuality, prefix)
    }


def packed(counts: Iterable[int]) -> bytes:
    return b"".join(count.to_bytes(4, "big") for count in counts)


def counted(world: ReadingWorld) -> dict[int, MeterQuality]:
    """The same, counted anew from the pages."""
    months = defaultdict(list)
    calendar = require_calendar(world.state, world.main.calendar)
    for slot in world.slots.values():
        local_day = (slot.start_ms + calendar.transitions[0][1] * 1_000) // DAY_MS
        months[month_of_day(local_day)].append(slot)
    return {
        month: MeterQuality(
            present=len(slots),
            packed_qualities=packed(
                sum(slot.quality is each for slot in slots) for each in Quality
            ),
            packed_applied=packed(
                sum(slot.applied >> (check - 1) & 1 for slot in slots) for check in READING_CHECKS
            ),
            packed_failed=packed(
                sum(slot.failed >> (check - 1) & 1 for slot in slots) for check in READING_CHECKS
            ),
            flagged=0,
            aside=0,
            off=0,
        )
        for month, slots in months.items()
    }


READINGS = st.lists(
    st.builds(
        amount,
        st.integers(0, 40).map(lambda place: place * 96),
        st.sampled_from([5, 100, 111, 5_000, -3]),
        channels=st.sampled_from([{Channel.REPORTED_CO2_G: 0}, {Channel.REPORTED_CO2_G: 50}]),
        quality=st.sampled_from([Quality.MEASURED, Quality.ESTIMATED, Quality.SUBSTITUTE]),
        sequence=st.sampled_from([None, 1, 2, 9]),
        off_ms=st.sampled_from([0, 0, 0, 400_000]),
    ),
    min_size=1,
    max_size=30,
)


@given(readings=READINGS, cut=st.integers(0, 30))
@settings(max_examples=60)
def test_the_counts_are_those_of_the_bits_in_the_pages(
    readings: list[RawReading], cut: int
) -> None:
    world = ReadingWorld(CAPPED)
    for part in (readings[:cut], readings[cut:]):
        if part:
            world.send(*part)
            world.next_block(after_ms=0)
    found = {
        month: replace(record, flagged=0, aside=0)
        for month, record in recorded(world).items()
        if record.present
    }
    assert found == counted(world)
    aside = sum(record.aside for record in recorded(world).values())
    assert aside == sum(page.off_grid_count for page in world.pages)


def test_flagged_counts_intervals_whose_value_failed_when_it_came() -> None:
    world = ReadingWorld(CAPPED)
    world.send(amount(0, 100), amount(1, 111), amount(2, 5), amount(2, 6))
    ((_, quality),) = recorded(world).items()
    assert quality.flagged == 1
    assert quality.failed[Check.DUPLICATE - 1] == 1
    assert quality.present == 3


def test_checks_that_were_off_are_named() -> None:
    world = ReadingWorld(CAPPED)
    world.send(amount(0, 111))
    change = ConfigureChecks(
        meter_id="main", replaces=0, off=(Check.PHYSICAL_CAP,), parameters=(), reason="a trial"
    )
    world.call(configure, change)
    ((month, quality),) = recorded(world).items()
    assert quality.off == 0
    world.send(amount(1, 111))
    quality = recorded(world)[month]
    assert quality.off == 1 << (Check.PHYSICAL_CAP - 1)
    assert quality.applied[Check.PHYSICAL_CAP - 1] == quality.failed[Check.PHYSICAL_CAP - 1] == 1
    world.next_block()
    assert recorded(world)[month].off == quality.off


def test_the_score_is_passed_of_applicable() -> None:
    quality = MutableQuality()
    quality.count(0b111, 0b001, Quality.MEASURED)
    quality.count(0b111, 0b000, Quality.MEASURED)
    quality.count(0b1000, 0b1000)
    view = MonthQuality(meter_id="main", month=1, expected=3, counts=quality.record())
    assert view.score_permille == 5 * 1_000 // 7
    assert view.availability_permille == 666
    assert (quality.present, quality.flagged, quality.qualities[0]) == (2, 1, 2)


def test_nothing_expected_and_nothing_applied_give_no_figure() -> None:
    view = MonthQuality(meter_id="main", month=1, expected=0, counts=MutableQuality().record())
    assert view.score_permille is view.availability_permille is None


def test_a_later_verdict_is_counted_and_can_be_taken_back() -> None:
    world = ReadingWorld()
    count_later(world.state, "main", 600, Check.BILL, 0, 1)
    count_later(world.state, "main", 600, Check.BILL, 1, -1)
    record = world.state.get(MeterQuality, quality_key("main", 600))
    assert record is not None
    assert (record.applied[Check.BILL - 1], record.failed[Check.BILL - 1]) == (1, 0)


def test_a_substitute_moves_the_count_of_its_interval() -> None:
    quality = MutableQuality()
    quality.count(1, 0, Quality.MEASURED)
    quality.move(Quality.MEASURED, Quality.SUBSTITUTE)
    quality.move(0, Quality.SUBSTITUTE)
    quality.move(Quality.SUBSTITUTE, 0)
    assert quality.record().qualities == (0, 0, 0, 1, 0)
    assert quality.record().present == 1


@pytest.mark.parametrize(
    ("month", "installed", "until_ms", "expected"),
    [
        (576, (0, None), 2**60, 31 * 96),
        (578, (0, None), 2**60, 31 * 96 - 4),  # the clocks are set forward
        (586, (0, None), 2**60, 30 * 96 + 4),  # and back again
        (576, (0, None), 1_514_782_800_000 + QUARTER_MS, 1),  # Saturday 05:00 UTC is midnight
        (576, (0, None), 1_514_782_800_000 + QUARTER_MS - 1, 0),
        (576, (1_514_782_800_001, None), 2**60, 31 * 96 - 1),
        (576, (0, 1_514_782_800_001), 2**60, 1),
        (576, (0, 1_514_000_000_000), 2**60, 0),
    ],
)
def test_expected_are_the_intervals_of_the_local_month_while_the_meter_is_installed(
    month: int, installed: tuple[int, int | None], until_ms: int, expected: int
) -> None:
    world = ReadingWorld()
    meter = replace(world.main, installed_from_ms=installed[0], installed_to_ms=installed[1])
    calendar = require_calendar(world.state, meter.calendar)
    eastern = replace(
        calendar,
        transitions=((0, -18_000), (1_520_751_600_000, -14_400), (1_541_311_200_000, -18_000)),
    )
    assert expected_intervals(meter, eastern, month, until_ms) == expected


def test_the_quality_of_a_month_without_readings_is_that_of_nothing() -> None:
    world = ReadingWorld()
    calendar = require_calendar(world.state, world.main.calendar)
    view = quality_of_month(world.state, world.main, calendar, 576, 2**60)
    assert (view.counts.present, view.availability_permille, view.score_permille) == (0, 0, None)


def test_hours_are_counted_by_their_intervals() -> None:
    world = ReadingWorld(CAPPED)
    good = [amount(place, 50 + place % 7) for place in range(24)]
    good[5] = amount(5, 50, quality=Quality.ESTIMATED)
    good[9] = amount(9, 111)
    del good[14]
    world.send(*good)
    found = monitor_availability(world.state, world.main, DAY + 6 * HOUR_MS + 5)
    assert (found.hours, found.assured, found.permille) == (6, 5, 833)
    assert monitor_availability(world.state, world.main, DAY + 8 * HOUR_MS).permille == 625
    assert monitor_availability(world.state, world.main, DAY).permille is None


def test_hours_without_operation_do_not_count() -> None:
    world = ReadingWorld(replace(AMOUNTS, interval_ms=HOUR_MS))
    world.send(amount(0, 50), *(amount(4 * place, 0) for place in range(1, 6)), amount(28, 60))
    found = monitor_availability(world.state, world.main, DAY + 8 * HOUR_MS)
    assert (found.hours, found.assured) == (3, 2)


def test_only_the_trailing_hours_count() -> None:
    world = ReadingWorld(replace(AMOUNTS, interval_ms=HOUR_MS))
    world.send(*(amount(4 * place, 50 + place % 7) for place in range(48)))
    later_ms = DAY + 8_784 * HOUR_MS
    found = monitor_availability(world.state, world.main, later_ms)
    assert (found.hours, found.assured) == (8_760, 24)


def test_intervals_that_do_not_divide_an_hour_count_by_themselves() -> None:
    world = ReadingWorld(replace(AMOUNTS, interval_ms=4 * HOUR_MS))
    world.send(amount(0, 50), amount(16, 60), amount(48, 70))
    found = monitor_availability(world.state, world.main, DAY + DAY_MS)
    assert (found.hours, found.assured) == (24, 12)


def test_a_meter_that_has_sent_nothing_has_no_availability() -> None:
    world = ReadingWorld(COUNTER)
    assert monitor_availability(world.state, world.main, DAY).permille is None
    world.send(register(0, 5))
    assert monitor_availability(world.state, world.main, DAY + HOUR_MS).assured == 0


def test_what_was_off_is_in_the_quality_of_the_site() -> None:
    world = ReadingWorld(CAPPED)
    change = ConfigureChecks(
        meter_id="main", replaces=0, off=(Check.SPIKE,), parameters=(), reason="a trial"
    )
    world.call(configure, change)
    world.send(amount(0, 100))
    ((month, _),) = recorded(world).items()
    assert site_quality(world.state, "plant", month, 2**60).off == 1 << (Check.SPIKE - 1)
    assert added(NO_QUALITY, site_quality(world.state, "plant", month - 1, 2**60)).off == 0
