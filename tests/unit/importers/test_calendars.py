"""Calendars from zone rules and lists of holidays."""

from datetime import date
from pathlib import Path

import pytest

from client.importers.calendars import (
    build_calendar,
    holiday_source,
    read_holidays,
    transitions_of,
)
from client.importers.source_file import SourceError
from client.importers.wall_clock import zone_of
from contracts.calendars import Calendar, DayType, day_type_of, local_time_of

CALENDARS = Path(__file__).parents[3] / "examples" / "data" / "calendars"


def korea() -> Calendar:
    return build_calendar(
        calendar_id="kr",
        version=1,
        zone_name="Asia/Seoul",
        years=range(2018, 2020),
        holidays=(date(2018, 5, 7), date(2018, 1, 1), date(2018, 1, 1)),
        holiday_source="decree",
    )


def test_a_zone_without_summer_time_has_one_entry() -> None:
    assert transitions_of(zone_of("Asia/Seoul"), range(2018, 2020)) == (
        (1_514_764_800_000, 32_400),
    )


def test_each_change_of_the_clocks_stands_at_its_second() -> None:
    assert transitions_of(zone_of("America/New_York"), range(2014, 2015)) == (
        (1_388_534_400_000, -18_000),
        (1_394_348_400_000, -14_400),
        (1_414_908_000_000, -18_000),
    )


def test_holidays_ascend_each_once() -> None:
    assert korea().holidays == (17_532, 17_658)


def test_the_source_names_rules_and_holidays() -> None:
    assert korea().source.endswith(", Asia/Seoul; holidays: decree")


def test_the_chain_reads_the_calendar_as_the_wall_shows_it() -> None:
    # 2018-05-06 23:00 UTC is the substitute holiday's morning in Seoul.
    local = local_time_of(korea(), 1_525_647_600_000)

    assert (local.hour, local.day_type) == (8, DayType.HOLIDAY)


def test_the_shipped_lists_are_read() -> None:
    assert date(2013, 9, 2) in read_holidays(CALENDARS / "holidays-us-federal.csv")
    assert len(read_holidays(CALENDARS / "holidays-us-federal.csv")) == 20
    assert len(read_holidays(CALENDARS / "holidays-kr.csv")) == 19
    assert holiday_source(CALENDARS / "holidays-us-federal.csv") == "5 U.S.C. 6103(a) and (b)"


def test_new_years_day_is_a_holiday_of_both() -> None:
    assert day_type_of(korea(), 17_532) is DayType.HOLIDAY


def test_a_date_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "holidays.csv"
    path.write_text("date,name,source\n7/5/2018,x,y\n", encoding="utf-8")

    with pytest.raises(SourceError, match="line 2, date: expected a date such as 2018-05-07"):
        read_holidays(path)


def test_an_empty_list_names_no_source(tmp_path: Path) -> None:
    path = tmp_path / "holidays.csv"
    path.write_text("date,name,source\n", encoding="utf-8")

    with pytest.raises(SourceError, match="expected holidays, got none"):
        holiday_source(path)
