"""Edges of day models: ties, levels, what no slope can be told from, and what is too large."""

import pytest

from contracts.baseline import SLOPE_SCALE, DayModel, Model
from contracts.day_fit import (
    BRANCH_POINTS_MIN,
    GRID_FROM,
    GRID_TO,
    LEVEL_POINTS_MIN,
    DayPoint,
    expected_of,
    fit_days,
    parameter_count_of,
)


def day(driver: int, amount: int, level: int = 0) -> DayPoint:
    return DayPoint(level, amount, driver, (driver,))


def test_of_equal_errors_the_lowest_change_point_is_taken() -> None:
    # Two temperatures only: any point between them leaves no error.
    points = [day(0, 200), day(100, 100)] * BRANCH_POINTS_MIN
    heating = fit_days(Model.HEATING_3P, points).model
    cooling = fit_days(Model.COOLING_3P, [day(0, 100), day(100, 200)] * 3).model
    assert heating is not None
    assert cooling is not None
    assert heating.heating_point == 5  # at 0 no point lies below
    assert cooling.cooling_point == 0


def test_of_equal_pairs_the_lowest_heating_and_then_cooling_point_is_taken() -> None:
    # Three temperatures: a level and two slopes leave no error, wherever the points are.
    points = [day(0, 200), day(100, 100), day(200, 300)] * BRANCH_POINTS_MIN
    model = fit_days(Model.CHANGE_POINT_5P, points).model
    assert model is not None
    assert (model.heating_point, model.cooling_point) == (5, 10)


def test_the_grid_ends_where_no_building_changes() -> None:
    cold = [day(GRID_FROM - 300 + 10 * place, 100 + place) for place in range(20)]
    assert fit_days(Model.COOLING_3P, cold).model is None
    hot = [day(GRID_TO + 5 * place, 100 + place) for place in range(20)]
    model = fit_days(Model.COOLING_3P, hot).model
    assert model is not None
    assert model.cooling_point == GRID_TO


@pytest.mark.parametrize("count", [BRANCH_POINTS_MIN - 1, BRANCH_POINTS_MIN])
def test_a_slope_needs_points_beyond_its_change_point(count: int) -> None:
    points = [day(100, 50)] * 5 + [day(200 + place, 60 + place) for place in range(count)]
    assert (fit_days(Model.COOLING_3P, points).model is None) == (count < BRANCH_POINTS_MIN)


def test_amounts_that_fall_with_what_should_drive_them_have_no_model() -> None:
    falling = [day(10 * place, 1_000 - place) for place in range(20)]
    assert fit_days(Model.COOLING_3P, falling).model is None
    assert fit_days(Model.DEGREE_DAY, falling).model is None
    assert fit_days(Model.PRODUCTION, falling).model is None
    assert fit_days(Model.HEATING_3P, falling).model is not None
    assert fit_days(Model.CHANGE_POINT_4P, falling).model is not None


@pytest.mark.parametrize("kind", [Model.COOLING_3P, Model.CHANGE_POINT_5P, Model.PRODUCTION])
def test_what_does_not_vary_explains_nothing(kind: Model) -> None:
    fit = fit_days(kind, [day(150, 100 + place) for place in range(20)])
    assert (fit.model, fit.quality, fit.point_count, fit.is_in_range) == (None, None, 20, True)


def test_no_points_have_no_model() -> None:
    fit = fit_days(Model.HEATING_3P, [])
    assert (fit.model, fit.point_count) == (None, 0)


def test_a_kind_of_day_with_a_single_point_is_left_out_and_says_nothing() -> None:
    points = [day(100 + 10 * place, 1_000 + 5 * place) for place in range(12)]
    fit = fit_days(Model.PRODUCTION, [*points, day(120, 9_999, level=1)])
    assert fit.point_count == 12
    assert fit.model is not None
    assert fit.model.levels[1:] == (None, None)
    assert expected_of(fit.model, 1, (120,)) is None
    assert LEVEL_POINTS_MIN == 2


def test_days_off_have_their_own_level_and_the_same_slope() -> None:
    points = [
        day(
            100 + 7 * place, (500 if place % 7 < 5 else 100) + 3 * (100 + 7 * place), place % 7 // 5
        )
        for place in range(28)
    ]
    fit = fit_days(Model.PRODUCTION, points)
    assert fit.model is not None
    assert fit.model.levels == (500, 100, None)
    assert fit.model.cooling_slope == 3 * SLOPE_SCALE
    assert fit.parameter_count == 3
    assert (fit.model.driver_min, fit.model.driver_max) == (100, 289)


def test_parameters_beyond_64_bits_are_no_model() -> None:
    huge = [day(100 + place, 2**60 * place) for place in range(10)]
    fit = fit_days(Model.PRODUCTION, huge)
    assert (fit.model, fit.is_in_range) == (None, False)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (Model.PRODUCTION, 2),
        (Model.HEATING_3P, 3),
        (Model.COOLING_3P, 3),
        (Model.CHANGE_POINT_4P, 4),
        (Model.DEGREE_DAY, 4),
        (Model.CHANGE_POINT_5P, 5),
    ],
)
def test_with_one_level_a_model_has_the_parameters_of_its_name(kind: Model, count: int) -> None:
    assert parameter_count_of(kind, 1) == count
    assert parameter_count_of(kind, 3) == count + 2


def test_an_expectation_is_rounded_half_to_even() -> None:
    model = DayModel(
        levels=(10, None, None),
        heating_slope=SLOPE_SCALE // 2,
        heating_point=100,
        cooling_slope=0,
        cooling_point=None,
        sigma=1,
        driver_min=0,
        driver_max=200,
    )
    expected = [expected_of(model, 0, (driver,)) for driver in (100, 99, 98, 97, 96)]
    assert expected == [10, 10, 11, 12, 12]  # halves of 0, 1, 2, 3 and 4
