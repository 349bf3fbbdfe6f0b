"""Local time of many moments near each other, without asking the calendar for each."""

from bisect import bisect_right

from chain.types import Milliseconds
from contracts.calendars import DAY_MS, HOUR_MS, Calendar, DayType, day_type_of
from contracts.emissions import month_of_day


class LocalClock:
    """Tells month, day type and hour by one calendar; remembers the offset and day it is in."""

    __slots__ = ("_calendar", "_day_type", "_from_ms", "_offset_ms", "_until_ms", "day", "month")

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._from_ms = self._until_ms = 0
        self._offset_ms = 0
        self.day = -(2**31)
        """Local date of the moment last asked for, as days since 1970-01-01."""
        self.month = 0
        """Months since 1970-01 of the moment last asked for."""
        self._day_type: DayType | None = None
        """Of ``day``; None until somebody asks."""

    @property
    def day_type(self) -> DayType:
        """Returns the day type of the moment last asked for."""
        if self._day_type is None:
            self._day_type = day_type_of(self._calendar, self.day)
        return self._day_type

    def hour_at(self, utc_ms: Milliseconds) -> int:
        """Returns the local hour, 0 to 23, and sets date and month."""
        if not self._from_ms <= utc_ms < self._until_ms:
            self._find_offset(utc_ms)
        day, within_day = divmod(utc_ms + self._offset_ms, DAY_MS)
        if day != self.day:
            self.day = day
            self.month = month_of_day(day)
            self._day_type = None
        return within_day // HOUR_MS

    def _find_offset(self, utc_ms: Milliseconds) -> None:
        transitions = self._calendar.transitions
        # No offset comes after this one, so what starts at the moment itself comes before.
        position = bisect_right(transitions, (utc_ms, DAY_MS))
        in_force = max(position - 1, 0)
        self._offset_ms = transitions[in_force][1] * 1_000
        self._from_ms = transitions[in_force][0] if position else 0
        is_last = position >= len(transitions)
        self._until_ms = 2**64 if is_last else transitions[position][0]
