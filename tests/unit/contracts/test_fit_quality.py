"""Measures and gate of a fit at their limits."""

import itertools
from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given, strategies as st

from contracts.baseline import Reason, Resolution
from contracts.fit_quality import (
    gate,
    measures_of,
    quality_of,
    savings_uncertainty_of,
    student_t_permille,
)


@pytest.mark.parametrize(
    ("resolution", "cv_rmse", "nmbe"),
    [
        (Resolution.INTERVAL, 300, 100),
        (Resolution.DAY, 200, 50),
        (Resolution.MONTH, 150, 50),
    ],
)
def test_the_gate_lets_pass_what_is_at_its_limit(
    resolution: Resolution, cv_rmse: int, nmbe: int
) -> None:
    assert gate(resolution, cv_rmse, nmbe) is None
    assert gate(resolution, cv_rmse, -nmbe) is None
    assert gate(resolution, cv_rmse + 1, nmbe + 1) is Reason.SCATTER_TOO_HIGH
    assert gate(resolution, cv_rmse, nmbe + 1) is Reason.BIAS_TOO_HIGH
    assert gate(resolution, cv_rmse, -nmbe - 1) is Reason.BIAS_TOO_HIGH


@pytest.mark.parametrize(
    ("freedom", "permille"),
    [(1, 1_819), (2, 1_312), (6, 1_104), (7, 1_070), (19, 1_046), (20, 1_020), (10**6, 1_003)],
)
def test_students_t_is_that_of_the_next_smaller_number_of_the_table(
    freedom: int, permille: int
) -> None:
    assert student_t_permille(freedom) == permille


@pytest.mark.parametrize(
    ("residuals", "total", "parameters"), [([], 0, 0), ([1, 2], 10, 2), ([1, -1, 2], 0, 1)]
)
def test_without_freedom_or_consumption_nothing_is_measured(
    residuals: list[int], total: int, parameters: int
) -> None:
    assert measures_of(residuals, total, parameters) is None
    assert quality_of(residuals, total, parameters) is None


def test_a_perfect_fit_has_no_uncertainty() -> None:
    quality = quality_of([0] * 10, 1_000, 2)
    assert quality is not None
    assert (quality.cv_rmse, quality.nmbe, quality.fsu) == (0, 0, 0)


def test_residuals_that_follow_one_another_count_for_less() -> None:
    apart = savings_uncertainty_of([10, -10] * 20, 100, 2)
    together = savings_uncertainty_of(([10] * 5 + [-10] * 5) * 4, 100, 2)
    assert apart < together
    constant = savings_uncertainty_of([10] * 40, 100, 2)
    assert constant > together


residuals_of = st.lists(st.integers(-500, 500), min_size=4, max_size=60)


@given(residuals_of, st.integers(1, 10**6), st.integers(1, 3))
def test_measures_are_those_of_fractions(residuals: list[int], total: int, parameters: int) -> None:
    found = measures_of(residuals, total, parameters)
    assert found is not None
    count, freedom = len(residuals), len(residuals) - parameters
    mean = Fraction(total, count)
    square = Fraction(sum(each**2 for each in residuals), freedom) / mean**2 * 10**6
    assert found[0] ** 2 >= square
    assert found[0] == 0 or (found[0] - 1) ** 2 < square
    bias = Fraction(sum(residuals), freedom) / mean * 1_000
    assert abs(bias) <= abs(found[1]) < abs(bias) + 1
    assert found[1] * bias >= 0


@given(residuals_of, st.integers(1, 1_000))
def test_the_uncertainty_is_near_that_of_floats(residuals: list[int], cv_rmse: int) -> None:
    squares = sum(each**2 for each in residuals)
    products = sum(a * b for a, b in itertools.pairwise(residuals))
    correlation = min(max(round(Fraction(1_000 * products, squares or 1)), 0), 999)
    count = len(residuals)
    independent = max(count * (1_000 - correlation) // (1_000 + correlation), 1)
    t = student_t_permille(count - 2) / 1_000
    share = t * 1.26 * cv_rmse / 1_000 * sqrt((1 + 2 / independent) / independent) / 0.1
    found = savings_uncertainty_of(residuals, cv_rmse, 2)
    assert share * 1_000 - 1e-6 <= found <= share * 1_000 + 1 + 1e-6
