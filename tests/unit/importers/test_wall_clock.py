"""Stamps without offset, and the night when an hour comes twice."""

from datetime import datetime

import pytest

from client.importers.wall_clock import (
    NoSuchTime,
    UnknownZone,
    WallClock,
    is_repeated,
    tzdata_version,
    utc_ms,
    zone_of,
)

NEW_YORK = zone_of("America/New_York")
QUARTER_MS = 900_000
ONE_O_CLOCK_MS = 1_414_904_400_000
"""2014-11-02 05:00 UTC: the first 01:00 in New York; the second is an hour later."""


def wall(text: str) -> datetime:
    return datetime.fromisoformat(f"2014-11-02 {text}")


def test_a_wall_time_becomes_a_moment() -> None:
    assert (
        utc_ms(datetime.fromisoformat("2018-01-01 09:00"), zone_of("Asia/Seoul"), fold=0)
        == 1_514_764_800_000
    )


def test_a_time_that_the_clocks_skipped_is_refused() -> None:
    with pytest.raises(NoSuchTime, match="2014-03-09 02:30:00 in America/New_York"):
        utc_ms(datetime.fromisoformat("2014-03-09 02:30"), NEW_YORK, fold=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00:59:59", False), ("01:00:00", True), ("01:59:59", True), ("02:00:00", False)],
)
def test_only_the_hour_from_one_to_two_comes_twice(text: str, expected: object) -> None:
    assert is_repeated(wall(text), NEW_YORK) is expected


def test_the_second_row_of_a_slot_is_of_the_second_pass() -> None:
    clock = WallClock(NEW_YORK, QUARTER_MS)

    moments = [clock.read(wall(text)) for text in ("01:00:00", "01:15:00", "01:00:00", "01:15:00")]

    assert [moment - ONE_O_CLOCK_MS for moment in moments] == [0, 900_000, 3_600_000, 4_500_000]


def test_a_row_some_seconds_off_the_grid_still_belongs_to_its_slot() -> None:
    clock = WallClock(NEW_YORK, QUARTER_MS)

    moments = [clock.read(wall(text)) for text in ("01:00:00", "01:00:01")]

    assert [moment - ONE_O_CLOCK_MS for moment in moments] == [0, 3_601_000]


def test_rows_outside_the_repeated_hour_have_no_second_pass() -> None:
    clock = WallClock(NEW_YORK, QUARTER_MS)

    assert clock.read(wall("00:15:00")) == clock.read(wall("00:15:00"))


def test_each_meter_has_its_own_first_pass() -> None:
    first, second = (WallClock(NEW_YORK, QUARTER_MS) for _ in range(2))

    assert first.read(wall("01:00:00")) == second.read(wall("01:00:00")) == ONE_O_CLOCK_MS


@pytest.mark.parametrize("name", ["Mars/Olympus", "../zone.tab", "", "Asia", "Asia/Seoul/x"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone, match="expected a name of the IANA list such as Asia/Seoul"):
        zone_of(name)


def test_a_time_at_the_end_of_the_calendar_is_refused() -> None:
    with pytest.raises(NoSuchTime, match="0001-01-01 00:00:00 in Asia/Tokyo: expected a time"):
        utc_ms(datetime.fromisoformat("0001-01-01"), zone_of("Asia/Tokyo"), fold=0)


def test_the_rules_name_their_release() -> None:
    year, letter = tzdata_version()[:4], tzdata_version()[4:]

    assert int(year) >= 2025
    assert letter.isalpha()
