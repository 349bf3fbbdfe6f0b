"""What the baselines in force say of the intervals and days of one meter, within one block."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from chain.state import State
from contracts.baseline import (
    HOURS,
    Baseline,
    BaselineLine,
    Model,
    Resolution,
    baseline_key,
    cell_of,
    cells_of,
    line_key,
    version_at,
    week_cell_of,
)
from contracts.baseline_window import (
    day_amount,
    driver_of,
    level_of,
    samples_of,
    values_by_day,
)
from contracts.calendars import day_type_of, get_calendar
from contracts.day_fit import expected_of
from contracts.deviation.observation import BaselineCell, DayCell
from contracts.local_clock import LocalClock
from contracts.meter import Meter, meter_key
from contracts.meter_state import Memory
from contracts.month import day_start_ms

_PROFILES_MAX: Final = 1_024
"""Profiles whose cells are kept, 20 KB each."""
WAITED_DAYS: Final = 3
"""Local days that a day waits for the readings of its temperature; then it is not judged."""


def get_baseline(state: State, meter_id: str, version: int) -> Baseline | None:
    """Returns a version of a meter's baseline, qualified or refused, or None."""
    return state.get(Baseline, baseline_key(meter_id, version))


def get_line(state: State, meter_id: str) -> BaselineLine | None:
    """Returns the line of a meter's baselines, or None where none was fitted."""
    return state.get(BaselineLine, line_key(meter_id))


@lru_cache(maxsize=_PROFILES_MAX)
def _cells_of(medians: bytes, sigmas: bytes, known_cells: bytes) -> tuple[BaselineCell | None, ...]:
    """Returns what a profile says of each of its cells; None where it says nothing."""
    known = int.from_bytes(known_cells, "big")
    centres, spreads = cells_of(medians), cells_of(sigmas)
    count = len(centres)
    says = [known >> cell & 1 == 1 for cell in range(count)]
    level = sum([centres[cell] for cell in range(count) if says[cell]]) // max(sum(says), 1)
    cells: list[BaselineCell | None] = []
    for cell in range(count):
        if not says[cell]:
            cells.append(None)
            continue
        midnight = cell - cell % HOURS
        beside = [midnight + (cell + shift) % HOURS for shift in (-1, 0, 1)]
        around = [centres[each] for each in beside if says[each]]
        cells.append(BaselineCell(centres[cell], spreads[cell], min(around), max(around), level))
    return tuple(cells)


class BaselineLookup:
    """Tells what the profile in force says of intervals, and the day model of days."""

    __slots__ = (
        "_cells",
        "_in_force",
        "_is_week",
        "_line",
        "_line_key",
        "_meter_id",
        "_state",
        "_tried_day",
        "_version",
    )

    def __init__(self, state: State, meter_id: str) -> None:
        self._state = state
        self._meter_id = meter_id
        self._line_key = line_key(meter_id)
        self._line = _NO_LINE
        self._in_force = _NO_LINE.in_force
        self._version = 0
        self._is_week = False
        self._cells: tuple[BaselineCell | None, ...] = ()
        self._tried_day: int | None = None

    def begin_call(self) -> None:
        """Lets days that wait for their readings be looked up once more."""
        self._tried_day = None

    def look_up(self) -> None:
        """Finds out which versions are in force."""
        self._line = self._state.get(BaselineLine, self._line_key) or _NO_LINE
        self._in_force = self._line.in_force

    def hold_against(self, version: int) -> None:
        """Lets one version speak for all time, until the next :meth:`look_up`."""
        baseline = get_baseline(self._state, self._meter_id, version)
        assert baseline is not None, "a version that was approved exists"
        always = ((0, version),)
        if baseline.resolution is Resolution.DAY:
            self._line = replace(self._line, days_in_force=always)
        else:
            self._in_force = always

    @property
    def is_any(self) -> bool:
        """Returns whether the meter has a baseline in force at any time."""
        return bool(self._in_force or self._line.days_in_force)

    @property
    def is_daily(self) -> bool:
        """Returns whether the meter has a day model in force at any time."""
        return bool(self._line.days_in_force)

    def cell_at(self, start_ms: int, clock: LocalClock) -> BaselineCell | None:
        """Returns what is expected of an interval, or None where no baseline says anything."""
        version = version_at(self._in_force, start_ms)
        if not version:
            return None
        if version != self._version:
            self._load(version)
        hour = clock.hour_at(start_ms)
        if self._is_week:
            cell = week_cell_of(clock.day, clock.day_type, hour)
        else:
            cell = cell_of(clock.day_type, hour)
        return self._cells[cell]

    def _load(self, version: int) -> None:
        baseline = get_baseline(self._state, self._meter_id, version)
        assert baseline is not None, "what is in force exists"
        self._version = version
        self._is_week = baseline.model is Model.HOUR_OF_WEEK
        self._cells = _cells_of(baseline.medians, baseline.sigmas, baseline.known_cells)

    def completed_day(
        self, meter: Meter, memory: Memory, start_ms: int, clock: LocalClock
    ) -> DayCell | None:
        """Returns a local day that is over and was not judged yet, or None where there is none.

        It is asked at the newest reading, and remembers in the meter's memory what it answered. A
        day waits for the readings of what drives it, and is then looked up once a call and local
        day.

        Args:
            meter: whose days they are.
            memory: of the meter.
            start_ms: start of the reading's interval; its own day is not over.
            clock: of the meter's calendar.
        """
        clock.hour_at(start_ms)
        today = clock.day
        if memory.judged_day >= today or self._tried_day == today:
            return None
        day = max(memory.judged_day, today - WAITED_DAYS)
        memory.judged_day = day + 1
        calendar = get_calendar(self._state, meter.calendar)
        assert calendar is not None, "a meter's calendar is registered before it"
        from_ms, to_ms = day_start_ms(calendar, day), day_start_ms(calendar, day + 1)
        version = version_at(self._line.days_in_force, from_ms)
        baseline = get_baseline(self._state, self._meter_id, version) if version else None
        if baseline is None or baseline.resolution is not Resolution.DAY:
            return None
        assert baseline.driver is not None, "a day model has a driver"
        driver = self._state.get(Meter, meter_key(baseline.driver))
        assert driver is not None, "a meter never vanishes"
        local = LocalClock(calendar)
        values = values_by_day(self._state, driver, local, from_ms, to_ms).get(day)
        if values is None:
            memory.judged_day = day
            self._tried_day = today
            return None
        amounts = values_by_day(self._state, meter, local, from_ms, to_ms).get(day)
        if amounts is None:
            return None
        level = level_of(day_type_of(calendar, day))
        return day_cell_of(baseline, level, day_amount(meter, amounts), (driver, values))


def day_cell_of(
    baseline: Baseline, level: int, amount: int, of_driver: tuple[Meter, tuple[int, ...]]
) -> DayCell | None:
    """Returns a day beside what its model expects, or None where that says nothing of such days.

    Args:
        baseline: a model of days.
        level: of the day.
        amount: that the day counted.
        of_driver: meter of what drives the model, and its values of the day.
    """
    model = baseline.day_model
    assert model is not None, "a qualified day model has parameters"
    driver = driver_of(*of_driver)
    if not model.driver_min <= driver <= model.driver_max:
        return None
    expected = expected_of(model, level, samples_of(baseline.model, driver, of_driver[1]))
    return None if expected is None else DayCell(amount, expected, model.sigma)


_NO_LINE: Final = BaselineLine(last_version=0)
