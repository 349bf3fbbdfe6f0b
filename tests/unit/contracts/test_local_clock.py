from hypothesis import given, strategies as st

from contracts.calendars import Calendar, DayType, local_time_of
from contracts.emissions import month_of_day
from contracts.local_clock import LocalClock

HOUR_MS = 3_600_000
CALENDAR = Calendar(
    calendar_id="somewhere",
    version=1,
    source="made up",
    transitions=((50 * HOUR_MS, -18_000), (100 * HOUR_MS, 7_200), (101 * HOUR_MS, 19_800)),
    holidays=(3, 5),
)


@given(st.lists(st.integers(0, 200 * HOUR_MS), min_size=1, max_size=30))
def test_a_clock_tells_what_its_calendar_says_in_whatever_order_it_is_asked(
    moments: list[int],
) -> None:
    clock = LocalClock(CALENDAR)
    for moment in moments:
        expected = local_time_of(CALENDAR, moment)
        assert clock.hour_at(moment) == expected.hour
        assert (clock.day, clock.day_type) == (expected.day, expected.day_type)
        assert clock.month == month_of_day(expected.day)


def test_the_offset_changes_at_the_very_moment() -> None:
    clock = LocalClock(CALENDAR)
    assert [clock.hour_at(100 * HOUR_MS + off) for off in (-1, 0)] == [22, 6]
    assert clock.day_type is DayType.WORKDAY  # Monday, the 5th
