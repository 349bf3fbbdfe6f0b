from contracts.baseline import cell_of
from contracts.calendars import DayType
from contracts.profile_fit import HOLIDAYS_MIN, fit_profile, measures_of

SUNDAY = cell_of(DayType.SUNDAY, 5)
HOLIDAY = cell_of(DayType.HOLIDAY, 5)


def test_few_holidays_are_counted_as_sundays() -> None:
    fitted = fit_profile({SUNDAY: [10, 20], HOLIDAY: [30]}, HOLIDAYS_MIN - 1)
    assert fitted.medians[SUNDAY] == fitted.medians[HOLIDAY] == 20
    assert fitted.value_count == 3
    assert fitted.known_cells == 1 << SUNDAY | 1 << HOLIDAY


def test_enough_holidays_are_a_day_type_of_their_own() -> None:
    fitted = fit_profile({SUNDAY: [10, 20], HOLIDAY: [30, 40]}, HOLIDAYS_MIN)
    assert (fitted.medians[SUNDAY], fitted.medians[HOLIDAY]) == (10, 30)


def test_holidays_without_sundays_make_the_sundays_profile() -> None:
    fitted = fit_profile({HOLIDAY: [30, 40]}, 1)
    assert fitted.medians[SUNDAY] == fitted.medians[HOLIDAY] == 30


def test_a_cell_with_a_single_value_says_nothing() -> None:
    fitted = fit_profile({SUNDAY: [10]}, 0)
    assert (fitted.known_cells, fitted.value_count, fitted.measures) == (0, 0, None)


def test_measures_are_the_formulas_of_the_guideline_rounded_away_from_zero() -> None:
    # Four readings of mean 100 and one parameter: RMSE sqrt(200 / 3), bias 10 / 3.
    assert measures_of([10, -10, 0, 0], 400, 1) == (82, 0)
    assert measures_of([10, 0, 0, 0], 400, 1) == (58, 34)
    assert measures_of([-10, 0, 0, 0], 400, 1) == (58, -34)


def test_a_measure_that_is_whole_is_not_rounded() -> None:
    # Squares 4 * 900 over 4 degrees of freedom: 30 on a mean of 100.
    assert measures_of([30, -30, 30, -30, 0], 500, 1) == (300, 0)
    assert measures_of([30, -30, 30, -31, 0], 500, 1) == (303, -3)


def test_measures_need_degrees_of_freedom_and_a_mean_above_zero() -> None:
    assert measures_of([0, 0], 10, 2) is None
    assert measures_of([0, 0], 0, 1) is None
    assert measures_of([0, 0], -5, 1) is None
