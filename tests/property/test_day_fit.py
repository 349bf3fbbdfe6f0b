"""Day models against a slow reference in fractions: Gaussian elimination with a column a level."""

from fractions import Fraction
from random import Random

from hypothesis import HealthCheck, given, settings, strategies as st

from contracts.baseline import SLOPE_SCALE, Model
from contracts.day_fit import (
    BRANCH_POINTS_MIN,
    GRID_FROM,
    GRID_STEP,
    GRID_TO,
    DayFit,
    DayPoint,
    degrees_above,
    degrees_below,
    expected_of,
    fit_days,
)

WEATHER_MODELS = (
    Model.DEGREE_DAY,
    Model.HEATING_3P,
    Model.COOLING_3P,
    Model.CHANGE_POINT_4P,
    Model.CHANGE_POINT_5P,
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Column = list[int]
Candidate = tuple[int | None, int | None, list[Column]]


@st.composite
def weathers(draw: st.DrawFn) -> list[DayPoint]:
    """Days of three kinds whose temperatures lie within 12 degrees."""
    days = draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 900)), min_size=7, max_size=20)
    )
    points: list[DayPoint] = []
    for level, amount in days:
        samples = tuple(sorted(draw(st.lists(st.integers(90, 210), min_size=1, max_size=3))))
        points.append(DayPoint(level, amount, round(Fraction(sum(samples), len(samples))), samples))
    return points


def for_model(kind: Model, points: list[DayPoint]) -> list[DayPoint]:
    """Means alone, but for degree days."""
    if kind is Model.DEGREE_DAY:
        return points
    return [point._replace(samples=(point.driver,)) for point in points]


def solved(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """Gauss-Jordan elimination of equations with their right side last."""
    size = len(rows)
    for place in range(size):
        pivot = next((row for row in range(place, size) if rows[row][place]), None)
        if pivot is None:
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [each / rows[place][place] for each in rows[place]]
        for row in range(size):
            if row != place:
                factor = rows[row][place]
                pairs = zip(rows[row], rows[place], strict=True)
                rows[row] = [each - factor * above for each, above in pairs]
    return [row[-1] for row in rows]


def least_squares(columns: list[Column], amounts: list[int]) -> list[Fraction] | None:
    return solved(
        [
            [
                Fraction(sum(first * second for first, second in zip(left, right, strict=True)))
                for right in [*columns, amounts]
            ]
            for left in columns
        ]
    )


def candidates(kind: Model, points: list[DayPoint]) -> list[Candidate]:
    drivers = [point.driver for point in points]
    grid = [
        each
        for each in range(GRID_FROM, GRID_TO + 1, GRID_STEP)
        if min(drivers) <= each <= max(drivers)
    ]
    below = {each: [degrees_below(point.samples, each) for point in points] for each in grid}
    above = {each: [degrees_above(point.samples, each) for point in points] for each in grid}
    found: list[Candidate]
    match kind:
        case Model.HEATING_3P:
            found = [(each, None, [below[each]]) for each in grid]
        case Model.COOLING_3P:
            found = [(None, each, [above[each]]) for each in grid]
        case Model.CHANGE_POINT_5P:
            found = [
                (low, high, [below[low], above[high]])
                for low in grid
                for high in grid
                if low < high
            ]
        case _:
            found = [(each, each, [below[each], above[each]]) for each in grid]
    return [
        each
        for each in found
        if all(sum(value > 0 for value in column) >= BRANCH_POINTS_MIN for column in each[2])
    ]


def reference(kind: Model, points: list[DayPoint]) -> tuple[tuple[int | None, ...], ...] | None:
    """Change points, slopes and sigma-free levels of the best candidate, rounded at the end."""
    levels = [each for each in range(3) if sum(point.level == each for point in points) > 1]
    used = [point for point in points if point.level in levels]
    if not used:
        return None
    amounts = [point.amount for point in used]
    dummies = [[int(point.level == level) for point in used] for level in levels]
    best: tuple[Fraction, Candidate, list[Fraction]] | None = None
    for candidate in candidates(kind, used):
        columns = candidate[2]
        solution = least_squares([*columns, *dummies], amounts)
        if solution is None:
            continue
        slopes = solution[: len(columns)]
        if kind is not Model.CHANGE_POINT_4P and min(slopes) <= 0:
            continue
        error = Fraction(0)
        for row, amount in enumerate(amounts):
            terms = zip([*columns, *dummies], solution, strict=True)
            error += (amount - sum(column[row] * value for column, value in terms)) ** 2
        if best is None or error < best[0]:
            best = (error, candidate, slopes)
    if best is None:
        return None
    _, (heating, cooling, columns), slopes = best
    rounded = [round(slope * SLOPE_SCALE) for slope in slopes]
    of_levels: list[int | None] = [None] * 3
    for level in levels:
        rows = [row for row, point in enumerate(used) if point.level == level]
        rest = Fraction(0)
        for row in rows:
            rises = zip(columns, rounded, strict=True)
            rest += amounts[row] - sum(
                Fraction(column[row] * slope, SLOPE_SCALE) for column, slope in rises
            )
        of_levels[level] = round(rest / len(rows))
    return (heating, cooling), tuple(rounded), tuple(of_levels)


def parameters_of(fit: DayFit) -> tuple[tuple[int | None, ...], ...] | None:
    model = fit.model
    if model is None:
        return None
    slopes = [
        slope
        for point, slope in (
            (model.heating_point, model.heating_slope),
            (model.cooling_point, model.cooling_slope),
        )
        if point is not None
    ]
    return (model.heating_point, model.cooling_point), tuple(slopes), model.levels


@FEW
@given(weathers(), st.sampled_from(WEATHER_MODELS))
def test_parameters_are_those_of_the_reference(points: list[DayPoint], kind: Model) -> None:
    points = for_model(kind, points)
    assert parameters_of(fit_days(kind, points)) == reference(kind, points)


@FEW
@given(
    st.sampled_from((Model.HEATING_3P, Model.COOLING_3P, Model.CHANGE_POINT_5P)),
    st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.integers(20, 30),
)
def test_exact_piecewise_linear_data_give_their_parameters_back(
    kind: Model, levels: list[int], heating: int, cooling: int, low: int
) -> None:
    heating_point, cooling_point = 5 * low, 5 * low + 40
    points: list[DayPoint] = []
    for place in range(60):
        driver, level = heating_point - 60 + 7 * place % 173, place % 3
        amount = levels[level]
        if kind is not Model.COOLING_3P:
            amount += heating * max(0, heating_point - driver)
        if kind is not Model.HEATING_3P:
            amount += cooling * max(0, driver - cooling_point)
        points.append(DayPoint(level, amount, driver, (driver,)))
    fit = fit_days(kind, points)
    assert fit.model is not None
    if kind is not Model.COOLING_3P:
        assert fit.model.heating_point == heating_point
        assert fit.model.heating_slope == heating * SLOPE_SCALE
    if kind is not Model.HEATING_3P:
        assert fit.model.cooling_point == cooling_point
        assert fit.model.cooling_slope == cooling * SLOPE_SCALE
    assert fit.model.levels == tuple(levels)
    assert fit.model.sigma == 0
    assert fit.quality is not None
    assert (fit.quality.cv_rmse, fit.quality.nmbe, fit.quality.fsu) == (0, 0, 0)


@FEW
@given(weathers(), st.sampled_from(WEATHER_MODELS), st.integers(0, 2**32))
def test_the_order_of_days_changes_no_parameter(
    points: list[DayPoint], kind: Model, seed: int
) -> None:
    points = for_model(kind, points)
    shuffled = list(points)
    Random(seed).shuffle(shuffled)
    assert fit_days(kind, shuffled).model == fit_days(kind, points).model


@FEW
@given(weathers(), st.sampled_from(WEATHER_MODELS), st.integers(2, 1_000))
def test_another_unit_of_amounts_changes_no_change_point(
    points: list[DayPoint], kind: Model, scale: int
) -> None:
    points = for_model(kind, points)
    first = fit_days(kind, points).model
    scaled = [point._replace(amount=scale * point.amount) for point in points]
    second = fit_days(kind, scaled).model
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert (first.heating_point, first.cooling_point) == (
            second.heating_point,
            second.cooling_point,
        )
        assert abs(second.heating_slope - scale * first.heating_slope) <= scale
        assert abs(second.cooling_slope - scale * first.cooling_slope) <= scale


@FEW
@given(weathers(), st.sampled_from(WEATHER_MODELS))
def test_measures_are_those_of_what_the_record_expects(points: list[DayPoint], kind: Model) -> None:
    points = for_model(kind, points)
    fit = fit_days(kind, points)
    if fit.model is None or fit.quality is None:
        return
    used = [point for point in points if fit.model.levels[point.level] is not None]
    expected = [expected_of(fit.model, point.level, point.samples) for point in used]
    residuals = [point.amount - (each or 0) for point, each in zip(used, expected, strict=True)]
    freedom = len(used) - fit.parameter_count
    mean = Fraction(sum(point.amount for point in used), len(used))
    square = Fraction(sum(each**2 for each in residuals), freedom) / mean**2 * 1_000**2
    assert (fit.quality.cv_rmse - 1) ** 2 < square <= fit.quality.cv_rmse**2 or square == 0
    bias = Fraction(sum(residuals), freedom) / mean * 1_000
    assert abs(bias) <= abs(fit.quality.nmbe) < abs(bias) + 1
    assert fit.quality.nmbe * bias >= 0
