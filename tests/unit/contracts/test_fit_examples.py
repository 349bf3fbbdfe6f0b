"""The worked examples of docs/methodology.md, number by number."""

from contracts.baseline import Model
from contracts.day_fit import DayPoint, degrees_above, degrees_below, expected_of, fit_days
from contracts.fit_quality import savings_uncertainty_of, student_t_permille
from contracts.profile_fit import fit_profile


def days(*pairs: tuple[int, int]) -> list[DayPoint]:
    """Workdays of (driver, amount)."""
    return [DayPoint(0, amount, driver, (driver,)) for driver, amount in pairs]


COOLING = days(
    (100, 101_000), (120, 99_000), (140, 100_000), (160, 121_000), (180, 139_000), (200, 160_000)
)


def test_the_profile() -> None:
    fit = fit_profile([(0, 1_000), (0, 1_010), (0, 1_030), (0, 1_200)], 1)
    assert (fit.medians, fit.sigmas) == ((1_010,), (14,))
    assert fit.quality is not None
    assert (fit.quality.cv_rmse, fit.quality.nmbe, fit.quality.fsu) == (105, 63, 1_173)


def test_the_uncertainty_of_a_saving() -> None:
    assert student_t_permille(3) == 1_189
    assert savings_uncertainty_of([-10, 0, 20, 190], 105, 1) == 1_173


def test_the_change_point() -> None:
    fit = fit_days(Model.COOLING_3P, COOLING)
    assert fit.model is not None
    assert fit.model.cooling_point == 140
    assert fit.model.cooling_slope == 993_750_000  # 9.9375 kWh a degree
    assert fit.model.levels[0] == 100_125
    assert expected_of(fit.model, 0, (160,)) == 120_000
    assert fit.model.sigma == 1_137
    assert fit.quality is not None
    assert (fit.quality.cv_rmse, fit.quality.nmbe, fit.parameter_count) == (10, 0, 3)


def test_the_degree_days() -> None:
    readings = (100, 120, 160, 180)
    assert (degrees_below(readings, 150), degrees_above(readings, 150)) == (20, 10)


def test_the_intensity() -> None:
    fit = fit_days(
        Model.PRODUCTION, days((100, 250_000), (200, 350_000), (300, 460_000), (400, 540_000))
    )
    assert fit.model is not None
    assert fit.model.cooling_slope == 980_000_000  # 0.98 kWh a piece
    assert fit.model.levels[0] == 155_000
    assert expected_of(fit.model, 0, (250,)) == 400_000
    assert fit.parameter_count == 2
