from fractions import Fraction

import pytest

from contracts.statistics import (
    divide_half_even,
    divide_half_up,
    divide_up,
    median,
    median_absolute_deviation,
    robust_sigma,
    root_down,
    root_up,
)


@pytest.mark.parametrize(
    ("values", "expected"), [([7], 7), ([1, 9], 1), ([9, 1, 5], 5), ([4, 3, 2, 1], 2)]
)
def test_a_median_is_one_of_the_values_by_nearest_rank(values: list[int], expected: int) -> None:
    assert median(values) == expected


def test_the_robust_sigma_is_the_median_distance_times_one_and_a_half() -> None:
    values = [1_000, 2_000, 3_000, 4_000, 90_000]
    assert median_absolute_deviation(values, 3_000) == 1_000
    assert robust_sigma(values, 3_000) == 1_483


@pytest.mark.parametrize(
    ("numerator", "half_even", "half_up", "up"),
    [
        (14, 1, 1, 2),
        (15, 2, 2, 2),
        (25, 2, 3, 3),
        (-15, -2, -1, -1),
        (-25, -2, -2, -2),
        (20, 2, 2, 2),
    ],
)
def test_quotients_are_rounded_as_their_names_say(
    numerator: int, half_even: int, half_up: int, up: int
) -> None:
    assert divide_half_even(numerator, 10) == half_even
    assert divide_half_up(numerator, 10) == half_up
    assert divide_up(numerator, 10) == up


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(0, 0, 0), (1, 1, 1), (2, 1, 2), (3, 1, 2), (4, 2, 2), (10**40, 10**20, 10**20)],
)
def test_roots_are_whole_numbers_on_either_side(value: int, down: int, up: int) -> None:
    assert (root_down(value), root_up(value)) == (down, up)


def test_a_root_is_never_off_by_one() -> None:
    for value in range(5_000):
        root = root_down(value)
        assert root**2 <= value < (root + 1) ** 2


def test_half_even_agrees_with_exact_fractions() -> None:
    for numerator in range(-50, 50):
        assert divide_half_even(numerator, 4) == round(Fraction(numerator, 4))
