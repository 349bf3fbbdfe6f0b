from dataclasses import replace

import pytest

from chain.errors import ContractRefusal
from contracts import calendars
from contracts.calendars import Calendar, DayType, LocalTime, RegisterCalendar
from tests.unit.contracts.registry_world import CALENDAR, OTHER_ADMIN, World

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
NEW_YORK = Calendar(
    calendar_id="new-york",
    version=1,
    source="IANA tzdata 2025b, America/New_York",
    # Winter time ends on 2018-03-11 and comes back on 2018-11-04.
    transitions=((1_509_861_600_000, -18_000), (1_520_751_600_000, -14_400)),
    holidays=(17_532,),
)


def test_an_offset_holds_from_its_moment_on() -> None:
    assert calendars.offset_ms_at(NEW_YORK, 1_520_751_600_000 - 1) == -5 * HOUR_MS
    assert calendars.offset_ms_at(NEW_YORK, 1_520_751_600_000) == -4 * HOUR_MS


def test_the_first_offset_also_holds_for_all_time_before() -> None:
    assert calendars.offset_ms_at(NEW_YORK, 0) == -5 * HOUR_MS


def test_local_time_crosses_midnight_with_the_offset() -> None:
    # 2018-01-02 04:59 UTC is 23:59 on New Year's Day in New York.
    assert calendars.local_time_of(NEW_YORK, 1_514_869_140_000) == LocalTime(
        day=17_532, hour=23, day_type=DayType.HOLIDAY
    )
    assert calendars.local_time_of(NEW_YORK, 1_514_869_200_000) == LocalTime(
        day=17_533, hour=0, day_type=DayType.WORKDAY
    )


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (0, DayType.WORKDAY),
        (1, DayType.WORKDAY),
        (2, DayType.SATURDAY),
        (3, DayType.SUNDAY),
        (4, DayType.WORKDAY),
        (-5, DayType.SATURDAY),
        (17_531, DayType.SUNDAY),
        (17_532, DayType.HOLIDAY),
        (17_533, DayType.WORKDAY),
    ],
)
def test_day_types_follow_the_week_and_the_holidays(day: int, kind: DayType) -> None:
    assert calendars.day_type_of(NEW_YORK, day) is kind


def test_an_admin_registers_a_calendar_for_all() -> None:
    world = World()

    world.call(calendars.register, CALENDAR)

    assert calendars.get_calendar(world.state, ("seoul", 1)) == CALENDAR.calendar
    assert [(event.kind, event.subject, event.content) for event in world.events] == [
        ("calendar.registered", "seoul", CALENDAR.calendar.encode())
    ]


def test_another_version_may_come_from_another_organisation() -> None:
    world = World()
    world.add_calendar()
    second = replace(CALENDAR.calendar, version=2, holidays=())

    world.call(calendars.register, RegisterCalendar(calendar=second), sender=OTHER_ADMIN)

    assert calendars.require_calendar(world.state, ("seoul", 1)) == CALENDAR.calendar
    assert calendars.require_calendar(world.state, ("seoul", 2)) == second


def test_a_version_never_changes() -> None:
    world = World()
    world.add_calendar()

    assert world.refusal_of(calendars.register, CALENDAR) == (
        "ALREADY_EXISTS",
        (
            "calendar.version: expected a version that is not registered; what is registered never "
            "changes, got seoul version 1"
        ),
    )


@pytest.mark.parametrize(
    ("calendar", "detail"),
    [
        (
            replace(CALENDAR.calendar, source=" "),
            "calendar.source: expected where the calendar comes from, got an empty text",
        ),
        (
            replace(CALENDAR.calendar, transitions=((0, 0), (5, 0), (5, 60))),
            "calendar.transitions[2]: expected more than 5, for they ascend, got 5",
        ),
        (
            replace(CALENDAR.calendar, holidays=(3, 2)),
            "calendar.holidays[1]: expected more than 3, for they ascend, got 2",
        ),
    ],
)
def test_a_calendar_out_of_order_or_without_source_is_refused(
    calendar: Calendar, detail: str
) -> None:
    arguments = RegisterCalendar(calendar=calendar)

    assert World().refusal_of(calendars.register, arguments) == ("INVALID_ARGUMENTS", detail)


def test_an_unknown_version_is_named() -> None:
    world = World()
    world.add_calendar()

    with pytest.raises(ContractRefusal) as caught:
        calendars.require_calendar(world.state, ("seoul", 2))

    assert caught.value.code == "UNKNOWN_CALENDAR"
    assert caught.value.detail == (
        "calendar: expected a registered version; register it with calendar.register, "
        "got seoul version 2"
    )
