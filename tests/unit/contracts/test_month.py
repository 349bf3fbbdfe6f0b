from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from contracts.calendars import DAY_MS, HOUR_MS, Calendar, local_time_of
from contracts.emissions import month_of_day
from contracts.month import (
    MONTHS_MAX,
    day_start_ms,
    first_day_of,
    month_end_ms,
    month_name,
    month_start_ms,
)

EPOCH = date(1970, 1, 1)


def calendar_of(*transitions: tuple[int, int]) -> Calendar:
    return Calendar(
        calendar_id="somewhere", version=1, source="made up", transitions=transitions, holidays=()
    )


@given(st.integers(0, MONTHS_MAX))
def test_the_first_day_is_that_of_the_gregorian_calendar(month: int) -> None:
    first = date(1970 + month // 12, month % 12 + 1, 1)
    assert first_day_of(month) == (first - EPOCH).days
    assert month_name(month) == first.isoformat()[:7]
    assert month_of_day(first_day_of(month)) == month
    assert month_of_day(first_day_of(month) - 1) == month - 1


def test_a_month_begins_at_midnight_of_its_place() -> None:
    shanghai = calendar_of((0, 28_800))
    start = first_day_of(576) * DAY_MS
    assert EPOCH + timedelta(days=first_day_of(576)) == date(2018, 1, 1)
    assert month_start_ms(shanghai, 576) == start - 8 * HOUR_MS
    assert month_end_ms(shanghai, 576) == start + 31 * DAY_MS - 8 * HOUR_MS


@pytest.mark.parametrize(
    ("change_ms", "before_s", "after_s", "start_ms"),
    [
        # Set forward at 23:30 to 00:30: the day begins as the clock is set.
        (10 * DAY_MS - HOUR_MS // 2, 0, 3_600, 10 * DAY_MS - HOUR_MS // 2),
        # Set back at 00:30 to 23:30: it begins at the second midnight.
        (10 * DAY_MS + HOUR_MS // 2, 0, -3_600, 10 * DAY_MS + HOUR_MS),
        # Set back at midnight itself, to 23:00.
        (10 * DAY_MS, 0, -3_600, 10 * DAY_MS + HOUR_MS),
        # Set forward at midnight itself, to 01:00.
        (10 * DAY_MS, 0, 3_600, 10 * DAY_MS),
    ],
)
def test_a_clock_that_is_set_at_midnight_begins_the_day_once(
    change_ms: int, before_s: int, after_s: int, start_ms: int
) -> None:
    assert day_start_ms(calendar_of((0, before_s), (change_ms, after_s)), 10) == start_ms


@given(
    st.lists(st.tuples(st.integers(0, 40 * 48), st.integers(-26, 28)), min_size=1, max_size=6),
    st.integers(1, 45),
)
def test_a_day_begins_where_no_earlier_date_follows(
    changes: list[tuple[int, int]], day: int
) -> None:
    half_hour = HOUR_MS // 2
    by_moment = dict(sorted(changes))
    calendar = calendar_of(
        *((moment * half_hour, offset * 1_800) for moment, offset in by_moment.items())
    )
    moments = range(0, 48 * DAY_MS, half_hour)
    early = [at for at in moments if local_time_of(calendar, at).day < day]
    assert day_start_ms(calendar, day) == (early[-1] + half_hour if early else 0)


def test_an_offset_holds_for_the_time_before_the_first_change() -> None:
    assert day_start_ms(calendar_of((20 * DAY_MS, 3_600)), 10) == 10 * DAY_MS - HOUR_MS
    assert day_start_ms(calendar_of((0, 3_600)), 0) == 0
