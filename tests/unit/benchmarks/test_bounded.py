"""Numbers on the command line of a benchmark: at, below and beyond their bounds."""

from argparse import ArgumentTypeError

import pytest

from benchmarks.bounded import bounded


@pytest.mark.parametrize(("text", "number"), [("4", 4), ("7", 7), ("31", 31)])
def test_a_number_within_its_bounds_is_taken(text: str, number: int) -> None:
    assert bounded(4, 31)(text) == number


@pytest.mark.parametrize("text", ["3", "32", "-4", "4.0", "many", ""])
def test_any_other_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a whole number from 4 to 31, got"):
        bounded(4, 31)(text)
