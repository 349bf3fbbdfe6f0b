"""Fitting a model to what the state holds of a window, and saying whether it qualifies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain.state import State
from chain.types import Milliseconds
from contracts.baseline import (
    CELL_COUNTS,
    PROFILES,
    DayModel,
    Model,
    Reason,
    Resolution,
    cell_of,
    week_cell_of,
)
from contracts.baseline_window import (
    COVERAGE_PERMILLE_MIN,
    amounts_between,
    points_of_days,
    points_of_months,
    values_by_day,
)
from contracts.calendars import DAY_MS, DayType, require_calendar
from contracts.day_fit import fit_days
from contracts.fit_quality import FitQuality, gate
from contracts.local_clock import LocalClock
from contracts.meter import Meter
from contracts.profile_fit import ProfileFit, fit_day_types, fit_profile

WINDOW_INTERVALS_MAX: Final = 44_640
"""A year of quarter hours, or 31 days of minutes."""
WINDOW_DAYS_MAX: Final = 1_100
"""Three years: the longest that a building is compared with its past."""
WINDOW_DAYS_MIN: Final[Mapping[Resolution, int]] = {
    Resolution.INTERVAL: 14,
    Resolution.DAY: 28,
    Resolution.MONTH: 350,
}
"""Two of each day of the week for an hour; four for a day; all seasons for a month."""
POINTS_MIN: Final[Mapping[Resolution, int]] = {
    Resolution.INTERVAL: 0,
    Resolution.DAY: 20,
    Resolution.MONTH: 12,
}
"""Points that the measures are made of at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is to be fitted."""

    meter: Meter
    driver: Meter | None
    """Meter of the temperature or production; None for a profile."""
    from_ms: Milliseconds
    to_ms: Milliseconds
    model: Model
    is_monthly: bool

    @property
    def resolution(self) -> Resolution:
        """Returns what one point is."""
        if self.model in PROFILES:
            return Resolution.INTERVAL
        return Resolution.MONTH if self.is_monthly else Resolution.DAY

    @property
    def span_ms(self) -> int:
        """Returns its length."""
        return self.to_ms - self.from_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What came of a fit."""

    point_count: int
    parameter_count: int
    coverage_permille: int
    quality: FitQuality | None
    """None where the measures are not defined."""
    reason: Reason | None
    """Why it does not qualify; None where it does."""
    profile: ProfileFit | None = None
    day_model: DayModel | None = None


def fit_model(state: State, window: Window) -> Fitted:
    """Fits the model of a window and holds it against the gate."""
    driver = window.driver
    return _fit_profile(state, window) if driver is None else _fit_days(state, window, driver)


def _fit_profile(state: State, window: Window) -> Fitted:
    meter = window.meter
    clock = LocalClock(require_calendar(state, meter.calendar))
    is_week = window.model is Model.HOUR_OF_WEEK
    amounts: list[tuple[int, int]] = []
    holidays: dict[int, None] = {}
    for start_ms, amount in amounts_between(state, meter, window.from_ms, window.to_ms):
        hour = clock.hour_at(start_ms)
        day_type = clock.day_type
        if day_type is DayType.HOLIDAY:
            holidays[clock.day] = None
        cell = week_cell_of(clock.day, day_type, hour) if is_week else cell_of(day_type, hour)
        amounts.append((cell, amount))
    cell_count = CELL_COUNTS[window.model]
    if is_week:
        profile = fit_profile(amounts, cell_count)
    else:
        profile = fit_day_types(amounts, cell_count, len(holidays))
    coverage = profile.value_count * 1_000 // (window.span_ms // meter.interval_ms)
    return Fitted(
        point_count=profile.value_count,
        parameter_count=profile.parameter_count,
        coverage_permille=coverage,
        quality=profile.quality,
        reason=_reason_of(window, coverage, profile.value_count, profile.quality),
        profile=profile,
    )


def _fit_days(state: State, window: Window, driver: Meter) -> Fitted:
    calendar = require_calendar(state, window.meter.calendar)
    days = [
        values_by_day(state, each, LocalClock(calendar), window.from_ms, window.to_ms)
        for each in (window.meter, driver)
    ]
    by_day = points_of_days(window.model, calendar, (window.meter, days[0]), (driver, days[1]))
    coverage = len(by_day) * 1_000 // max(window.span_ms // DAY_MS, 1)
    points = list(by_day.values())
    if window.is_monthly:
        points = points_of_months(window.model, by_day)
    fit = fit_days(window.model, points)
    reason = _reason_of(window, coverage, fit.point_count, fit.quality)
    if fit.model is None and reason is Reason.NO_CONSUMPTION:
        reason = Reason.NO_RESPONSE if fit.is_in_range else Reason.OUT_OF_RANGE
    return Fitted(
        point_count=fit.point_count,
        parameter_count=fit.parameter_count,
        coverage_permille=coverage,
        quality=fit.quality,
        reason=reason,
        day_model=fit.model,
    )


def _reason_of(
    window: Window, coverage: int, point_count: int, quality: FitQuality | None
) -> Reason | None:
    """Returns the first part of the gate that a fit does not pass, or None."""
    resolution = window.resolution
    if window.span_ms < WINDOW_DAYS_MIN[resolution] * DAY_MS:
        return Reason.WINDOW_TOO_SHORT
    if coverage < COVERAGE_PERMILLE_MIN:
        return Reason.COVERAGE_TOO_LOW
    if point_count < POINTS_MIN[resolution]:
        return Reason.WINDOW_TOO_SHORT
    if quality is None:
        return Reason.NO_CONSUMPTION
    return gate(resolution, quality.cv_rmse, quality.nmbe)
