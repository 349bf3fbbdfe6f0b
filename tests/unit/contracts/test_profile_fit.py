from contracts.baseline import CELL_COUNTS, Model, cell_of
from contracts.calendars import DayType
from contracts.profile_fit import HOLIDAYS_MIN, ProfileFit, fit_day_types, fit_profile

SUNDAY = cell_of(DayType.SUNDAY, 5)
HOLIDAY = cell_of(DayType.HOLIDAY, 5)


def fitted(amounts: list[tuple[int, int]], holiday_count: int) -> ProfileFit:
    return fit_day_types(amounts, CELL_COUNTS[Model.DAY_TYPE_HOUR], holiday_count)


def test_few_holidays_are_counted_as_sundays() -> None:
    fit = fitted([(SUNDAY, 10), (HOLIDAY, 30), (SUNDAY, 20)], HOLIDAYS_MIN - 1)
    assert fit.medians[SUNDAY] == fit.medians[HOLIDAY] == 20
    assert (fit.value_count, fit.parameter_count) == (3, 1)
    assert fit.known_cells == 1 << SUNDAY | 1 << HOLIDAY
    assert len(fit.medians) == len(fit.sigmas) == CELL_COUNTS[Model.DAY_TYPE_HOUR]


def test_enough_holidays_are_a_day_type_of_their_own() -> None:
    fit = fitted([(SUNDAY, 10), (SUNDAY, 20), (HOLIDAY, 30), (HOLIDAY, 40)], HOLIDAYS_MIN)
    assert (fit.medians[SUNDAY], fit.medians[HOLIDAY]) == (10, 30)


def test_holidays_without_sundays_make_the_sundays_profile() -> None:
    fit = fitted([(HOLIDAY, 30), (HOLIDAY, 40)], 1)
    assert fit.medians[SUNDAY] == fit.medians[HOLIDAY] == 30


def test_a_cell_with_a_single_value_says_nothing() -> None:
    fit = fitted([(SUNDAY, 10)], 0)
    assert (fit.known_cells, fit.value_count, fit.quality) == (0, 0, None)


def test_residuals_are_taken_by_time_and_amounts_of_unknown_cells_left_out() -> None:
    fit = fit_profile([(0, 10), (1, 99), (0, 20), (0, 30)], 2)
    assert (fit.medians, fit.known_cells, fit.value_count) == ((20, 0), 1, 3)
