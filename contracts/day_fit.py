"""Fitting a day model: ordinary least squares by normal equations in integers.

A change point is searched on a grid of half a degree; of each candidate the sum of squared errors
is an exact fraction, the smallest wins, and of equal ones the lowest temperature (carbon.md 4.4).
Only then are the parameters rounded, and the measures are those of the rounded parameters, so that
whoever has the record can repeat them.

Workdays, Saturdays and Sundays have a level each and share the slopes: an office uses half as much
on a Sunday whatever the weather, and a model that does not know it qualifies nowhere. The normal
equations need no unknown for a level: sums of products are taken about the mean of each level.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from contracts.baseline import LEVELS_MAX, SLOPE_SCALE, DayModel, Model
from contracts.fit_quality import FitQuality, quality_of
from contracts.statistics import divide_half_even, divide_up, root_up

GRID_FROM: Final = -200
"""Lowest change point, tenths of a degree Celsius: no building's lies below."""
GRID_TO: Final = 400
GRID_STEP: Final = 5
LEVEL_POINTS_MIN: Final = 2
"""Points that a level needs; days of a kind with fewer are left out."""
BRANCH_POINTS_MIN: Final = 3
"""Points beyond a change point that its slope needs."""
_PARAMETER_MAX: Final = 2**63 - 1

_HEATING: Final = (Model.HEATING_3P, Model.CHANGE_POINT_4P, Model.CHANGE_POINT_5P, Model.DEGREE_DAY)
_COOLING: Final = (Model.COOLING_3P, Model.CHANGE_POINT_4P, Model.CHANGE_POINT_5P, Model.DEGREE_DAY)


class DayPoint(NamedTuple):
    """One day or month that a model is fitted to."""

    level: int
    """0 workday, 1 Saturday, 2 Sunday or holiday; of months 0."""
    amount: int
    """Base units a day."""
    driver: int
    """Mean temperature in tenths of a degree Celsius, or base units produced."""
    samples: tuple[int, ...]
    """What degree days are the mean of: readings of the temperature, or ``driver`` alone;
    ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFit:
    """A day model with its measures."""

    point_count: int
    parameter_count: int
    model: DayModel | None
    """None where no candidate has the slopes that the model asks for."""
    quality: FitQuality | None
    """None where the measures are not defined."""
    is_in_range: bool = True
    """Whether the parameters fit into their record; else ``model`` is None."""


class Branch(NamedTuple):
    """One column of the regression, with the sums that the normal equations need."""

    point: int
    values: list[int]
    by_level: list[int]
    """Sum of the values of each level."""
    squares: int
    products: int
    """Sum of value times amount."""


class _Solution(NamedTuple):
    """Slopes and sum of squared errors of one candidate, as fractions of one denominator."""

    heating: Branch | None
    cooling: Branch | None
    heating_numerator: int
    cooling_numerator: int
    error_numerator: int
    denominator: int


def degrees_below(samples: Sequence[int], point: int) -> int:
    """Returns how far samples lie below a point on average, rounded half to even."""
    return divide_half_even(sum([max(0, point - each) for each in samples]), len(samples))


def degrees_above(samples: Sequence[int], point: int) -> int:
    """Returns how far samples lie above a point on average, rounded half to even."""
    return divide_half_even(sum([max(0, each - point) for each in samples]), len(samples))


def expected_of(model: DayModel, level: int, samples: Sequence[int]) -> int | None:
    """Returns what a day model expects of a day, base units, or None where it knows no such day.

    Args:
        model: its parameters.
        level: of the day, as in :class:`DayPoint`.
        samples: of the day, as in :class:`DayPoint`.
    """
    base = model.levels[level]
    if base is None:
        return None
    numerator = 0
    if model.heating_point is not None:
        numerator += model.heating_slope * degrees_below(samples, model.heating_point)
    if model.cooling_point is not None:
        numerator += model.cooling_slope * degrees_above(samples, model.cooling_point)
    return base + divide_half_even(numerator, SLOPE_SCALE)


def parameter_count_of(model: Model, level_count: int) -> int:
    """Returns how many numbers are fitted: levels, slopes and change points."""
    match model:
        case Model.PRODUCTION:
            return level_count + 1
        case Model.HEATING_3P | Model.COOLING_3P:
            return level_count + 2
        case Model.CHANGE_POINT_5P:
            return level_count + 4
        case _:
            return level_count + 3


def fit_days(kind: Model, points: Sequence[DayPoint]) -> DayFit:
    """Fits a day model.

    Args:
        kind: a model of days.
        points: by time.
    """
    counts = [sum(point.level == level for point in points) for level in range(LEVELS_MAX)]
    counts = [count if count >= LEVEL_POINTS_MIN else 0 for count in counts]
    used = [point for point in points if counts[point.level]]
    parameter_count = parameter_count_of(kind, sum(count > 0 for count in counts))
    found = _Regression(kind, used, counts).best() if used else None
    nothing = DayFit(
        point_count=len(used), parameter_count=parameter_count, model=None, quality=None
    )
    if found is None:
        return nothing
    fitted = _fitted(used, counts, found, parameter_count)
    if fitted is None:
        return DayFit(
            point_count=len(used),
            parameter_count=parameter_count,
            model=None,
            quality=None,
            is_in_range=False,
        )
    model, quality = fitted
    return DayFit(
        point_count=len(used), parameter_count=parameter_count, model=model, quality=quality
    )


class _Regression:
    """The candidates of a fit and how well each does."""

    def __init__(self, kind: Model, points: Sequence[DayPoint], counts: Sequence[int]) -> None:
        self._kind = kind
        self._points = points
        self._counts = counts
        self._scale = 1
        for count in counts:
            self._scale *= count or 1
        self._amounts = [point.amount for point in points]
        self._levels = [point.level for point in points]
        self._of_amounts = self._by_level(self._amounts)
        squares = sum([amount * amount for amount in self._amounts])
        self._spread = self._centred(self._of_amounts, self._of_amounts, squares)

    def best(self) -> _Solution | None:
        """Returns the candidate of the smallest error, of equal ones the first."""
        best: _Solution | None = None
        for heating, cooling in self._candidates():
            solution = self._solve(heating, cooling)
            if solution is None:
                continue
            if best is None or (
                solution.error_numerator * best.denominator
                < best.error_numerator * solution.denominator
            ):
                best = solution
        return best

    def _candidates(self) -> Iterator[tuple[Branch | None, Branch | None]]:
        """Yields pairs of branches by ascending change points."""
        kind = self._kind
        if kind is Model.PRODUCTION:
            yield None, self._branch(0, [point.driver for point in self._points])
            return
        lowest = min(point.driver for point in self._points)
        highest = max(point.driver for point in self._points)
        start = max(-(-lowest // GRID_STEP) * GRID_STEP, GRID_FROM)
        grid = range(start, min(highest, GRID_TO) + 1, GRID_STEP)
        columns = _Columns(self._points)
        below = [self._branch(each, columns.below(each)) for each in grid if kind in _HEATING]
        above = [self._branch(each, columns.above(each)) for each in grid if kind in _COOLING]
        match kind:
            case Model.HEATING_3P:
                yield from ((branch, None) for branch in below if branch)
            case Model.COOLING_3P:
                yield from ((None, branch) for branch in above if branch)
            case Model.CHANGE_POINT_5P:
                for place, heating in enumerate(below):
                    if heating:
                        yield from ((heating, branch) for branch in above[place + 1 :] if branch)
            case _:
                for heating, cooling in zip(below, above, strict=True):
                    if heating and cooling:
                        yield heating, cooling

    def _branch(self, point: int, values: list[int]) -> Branch | None:
        """Returns a column with its sums, or None where too few points are beyond its point."""
        if len(values) - values.count(0) < BRANCH_POINTS_MIN:
            return None
        return Branch(
            point,
            values,
            self._by_level(values),
            sum([value * value for value in values]),
            sum([value * amount for value, amount in zip(values, self._amounts, strict=True)]),
        )

    def _by_level(self, values: Sequence[int]) -> list[int]:
        sums = [0] * LEVELS_MAX
        for level, value in zip(self._levels, values, strict=True):
            sums[level] += value
        return sums

    def _centred(self, left: Sequence[int], right: Sequence[int], products: int) -> int:
        """Returns a sum of products about the levels' means, times the product of their counts."""
        scale = self._scale
        about = products * scale
        for first, second, count in zip(left, right, self._counts, strict=True):
            if count:
                about -= scale // count * first * second
        return about

    def _solve(self, heating: Branch | None, cooling: Branch | None) -> _Solution | None:
        """Solves the normal equations; None where they have no answer, or one of the wrong sign."""
        amounts = self._of_amounts
        hh = hy = cc = cy = hc = 0
        if heating:
            hh = self._centred(heating.by_level, heating.by_level, heating.squares)
            hy = self._centred(heating.by_level, amounts, heating.products)
        if cooling:
            cc = self._centred(cooling.by_level, cooling.by_level, cooling.squares)
            cy = self._centred(cooling.by_level, amounts, cooling.products)
        if heating and cooling:
            # A mean temperature lies on one side only; readings of a day may lie on both.
            both = 0
            if self._kind is Model.DEGREE_DAY:
                pairs = zip(heating.values, cooling.values, strict=True)
                both = sum([first * second for first, second in pairs])
            hc = self._centred(heating.by_level, cooling.by_level, both)
            denominator = hh * cc - hc * hc
            of_heating, of_cooling = hy * cc - cy * hc, cy * hh - hy * hc
        else:
            denominator, of_heating, of_cooling = hh + cc, hy, cy
        if denominator <= 0:
            return None
        if self._kind is not Model.CHANGE_POINT_4P:
            slopes = [
                slope for branch, slope in ((heating, of_heating), (cooling, of_cooling)) if branch
            ]
            if min(slopes) <= 0:
                return None
        error = self._spread * denominator - of_heating * hy - of_cooling * cy
        return _Solution(heating, cooling, of_heating, of_cooling, error, denominator)


class _Columns:
    """Mean degrees of each point below and above any temperature, without adding them up anew."""

    def __init__(self, points: Sequence[DayPoint]) -> None:
        self._samples = [(each.samples, [0, *accumulate(each.samples)]) for each in points]

    def below(self, point: int) -> list[int]:
        """Returns :func:`degrees_below` of each point."""
        values: list[int] = []
        for samples, sums in self._samples:
            place = bisect_left(samples, point)
            values.append(divide_half_even(point * place - sums[place], len(samples)))
        return values

    def above(self, point: int) -> list[int]:
        """Returns :func:`degrees_above` of each point."""
        values: list[int] = []
        for samples, sums in self._samples:
            place, count = bisect_left(samples, point), len(samples)
            above = sums[count] - sums[place] - point * (count - place)
            values.append(divide_half_even(above, count))
        return values


def _fitted(
    points: Sequence[DayPoint], counts: Sequence[int], found: _Solution, parameter_count: int
) -> tuple[DayModel, FitQuality | None] | None:
    """Rounds the parameters and measures them; None where one does not fit into its record."""
    slopes = [
        divide_half_even(numerator * SLOPE_SCALE, found.denominator) if branch else 0
        for branch, numerator in (
            (found.heating, found.heating_numerator),
            (found.cooling, found.cooling_numerator),
        )
    ]
    rises = [0] * len(points)
    for branch, slope in zip((found.heating, found.cooling), slopes, strict=True):
        if branch:
            pairs = zip(rises, branch.values, strict=True)
            rises = [rise + slope * value for rise, value in pairs]
    levels = [0] * LEVELS_MAX
    for point, rise in zip(points, rises, strict=True):
        levels[point.level] += point.amount * SLOPE_SCALE - rise
    levels = [
        divide_half_even(level, SLOPE_SCALE * count) if count else 0
        for level, count in zip(levels, counts, strict=True)
    ]
    if max(map(abs, (*levels, *slopes))) > _PARAMETER_MAX:
        return None
    residuals = [
        point.amount - levels[point.level] - divide_half_even(rise, SLOPE_SCALE)
        for point, rise in zip(points, rises, strict=True)
    ]
    freedom = max(len(points) - parameter_count, 1)
    drivers = [point.driver for point in points]
    model = DayModel(
        levels=tuple(level if count else None for level, count in zip(levels, counts, strict=True)),
        heating_slope=slopes[0],
        heating_point=found.heating.point if found.heating else None,
        cooling_slope=slopes[1],
        cooling_point=found.cooling.point if found.cooling else None,
        sigma=root_up(divide_up(sum([each * each for each in residuals]), freedom)),
        driver_min=min(drivers),
        driver_max=max(drivers),
    )
    total = sum([point.amount for point in points])
    return model, quality_of(residuals, total, parameter_count)
