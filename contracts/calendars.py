"""Calendars: local time and day types as objects in state.

Contracts never ask a time-zone database, because two hosts with different versions would fork. A
calendar lists the moments at which the offset from UTC changes, and the holidays, as registered by
transaction with source and version (architecture.md, Decisions). A change of law is a new version.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import I64, Identifier, Length, Milliseconds, Range, Text
from contracts.account import Role
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

OffsetSeconds = Annotated[int, Range(-86_400, 86_400)]
Version = Annotated[int, Range(1, 65_535)]
CalendarReference = tuple[Identifier, Version]


class DayType(IntEnum):
    """Kind of a local day, for baselines."""

    WORKDAY = 0
    SATURDAY = 1
    SUNDAY = 2
    HOLIDAY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Record):
    """Offsets and holidays of one place; identifier and version together never change content."""

    calendar_id: Identifier
    version: Version
    source: Text
    """Where it comes from; not empty, such as ``IANA tzdata 2026b, America/New_York``."""
    transitions: Annotated[tuple[tuple[I64, OffsetSeconds], ...], Length(1, 1_024)]
    """(from_utc_ms, offset_s), ascending; the first also holds for all time before it."""
    holidays: Annotated[tuple[I64, ...], Length(0, 4_096)]
    """Local dates as days since 1970-01-01, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCalendar(Record):
    """Arguments of ``calendar.register``."""

    calendar: Calendar
    """A version that does not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """A moment as the wall clock at a site shows it."""

    day: int
    """Local date as days since 1970-01-01."""
    hour: int
    """0 to 23."""
    day_type: DayType


def offset_ms_at(calendar: Calendar, utc_ms: Milliseconds) -> int:
    """Returns the offset of local time from UTC at a moment, in milliseconds."""
    position = bisect_right(calendar.transitions, utc_ms, key=lambda transition: transition[0])
    return calendar.transitions[max(position - 1, 0)][1] * 1_000


def local_time_of(calendar: Calendar, utc_ms: Milliseconds) -> LocalTime:
    """Returns local date, hour and day type of a moment."""
    local_ms = utc_ms + offset_ms_at(calendar, utc_ms)
    day, within_day = divmod(local_ms, DAY_MS)
    return LocalTime(day=day, hour=within_day // HOUR_MS, day_type=day_type_of(calendar, day))


def day_type_of(calendar: Calendar, day: int) -> DayType:
    """Returns the kind of a local date given as days since 1970-01-01."""
    position = bisect_right(calendar.holidays, day)
    if position and calendar.holidays[position - 1] == day:
        return DayType.HOLIDAY
    # 1970-01-01 was a Thursday, so day 2 is the first Saturday.
    match (day - 2) % 7:
        case 0:
            return DayType.SATURDAY
        case 1:
            return DayType.SUNDAY
        case _:
            return DayType.WORKDAY


CALENDAR_PREFIX: Final = b"calendar/"


def calendar_key(calendar_id: str, version: int) -> bytes:
    """Returns the state key of one version of a calendar."""
    return CALENDAR_PREFIX + f"{calendar_id}/{version:05d}".encode()


def get_calendar(state: State, reference: CalendarReference) -> Calendar | None:
    """Returns one version of a calendar, or None where it is not registered."""
    return state.get(Calendar, calendar_key(*reference))


def require_calendar(state: State, reference: CalendarReference) -> Calendar:
    """Returns the calendar that arguments name.

    Raises:
        ContractRefusal: ``UNKNOWN_CALENDAR``.
    """
    calendar = get_calendar(state, reference)
    if calendar is None:
        calendar_id, version = reference
        raise refusal(
            Code.UNKNOWN_CALENDAR,
            "calendar",
            expected="a registered version; register it with calendar.register",
            got=f"{calendar_id} version {version}",
        )
    return calendar


def register(context: Context, arguments: RegisterCalendar) -> bytes:
    """Registers one version of a calendar for good; emits ``calendar.registered``.

    Versions belong to nobody: a site and a meter name theirs, so another version of the same
    name changes nothing for them.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for transitions or holidays out of order or an
            empty source, ``ALREADY_EXISTS``.
    """
    calendar = arguments.calendar
    if not calendar.source.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "calendar.source",
            expected="where the calendar comes from",
            got="an empty text",
        )
    moments = [moment for moment, _ in calendar.transitions]
    _check_ascending("calendar.transitions", moments)
    _check_ascending("calendar.holidays", calendar.holidays)
    key = calendar_key(calendar.calendar_id, calendar.version)
    if context.state.get(Calendar, key) is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "calendar.version",
            expected="a version that is not registered; what is registered never changes",
            got=f"{calendar.calendar_id} version {calendar.version}",
        )
    context.state.put(key, calendar)
    context.emit("calendar.registered", calendar.calendar_id, calendar)
    return b""


def _check_ascending(field: str, values: Sequence[int]) -> None:
    for index, (earlier, later) in enumerate(pairwise(values), 1):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"{field}[{index}]",
                expected=f"more than {earlier}, for they ascend",
                got=str(later),
            )


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "calendar.register",
        RegisterCalendar,
        register,
        roles=frozenset({Role.ADMIN, Role.CERTIFIER}),
    ),
)
