"""Integer statistics: the same on every machine, because nothing here is ever rounded twice.

Medians are by nearest rank, so a median is always one of the values (carbon.md 4.4).
"""

from collections.abc import Sequence
from typing import Final

SIGMA_NUMERATOR: Final = 1_483
SIGMA_DENOMINATOR: Final = 1_000
"""Of normal values, 1.483 times the median absolute deviation is the standard deviation."""


def median_of_sorted(values: Sequence[int]) -> int:
    """Returns the median of ascending values by nearest rank; at least one value."""
    return values[(len(values) - 1) // 2]


def median(values: Sequence[int]) -> int:
    """Returns the median by nearest rank; at least one value."""
    return median_of_sorted(sorted(values))


def median_absolute_deviation(values: Sequence[int], centre: int) -> int:
    """Returns the median distance of values from their centre; at least one value."""
    return median_of_sorted(sorted([abs(value - centre) for value in values]))


def robust_sigma(values: Sequence[int], centre: int) -> int:
    """Returns the standard deviation that the median absolute deviation stands for."""
    return median_absolute_deviation(values, centre) * SIGMA_NUMERATOR // SIGMA_DENOMINATOR


def divide_half_even(numerator: int, denominator: int) -> int:
    """Returns the nearest integer of a quotient, the even one of two; denominator above 0."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def divide_half_up(numerator: int, denominator: int) -> int:
    """Returns the nearest integer of a quotient, the greater of two; denominator above 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def divide_up(numerator: int, denominator: int) -> int:
    """Returns the smallest integer that is not below a quotient; denominator above 0."""
    return -(-numerator // denominator)


def root_down(value: int) -> int:
    """Returns the largest integer whose square is not above a value of at least 0 (Newton)."""
    if value == 0:
        return 0
    root = 1 << ((value.bit_length() + 1) // 2)
    while True:
        better = (root + value // root) // 2
        if better >= root:
            return root
        root = better


def root_up(value: int) -> int:
    """Returns the smallest integer whose square is not below a value of at least 0."""
    root = root_down(value)
    return root if root * root == value else root + 1
