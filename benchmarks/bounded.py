"""Whole numbers on a command line that are held against bounds before anything is begun."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def bounded(minimum: int, maximum: int) -> Callable[[str], int]:
    """Returns the argument type of whole numbers within bounds, both included."""

    def parse(text: str) -> int:
        expected = f"expected a whole number from {minimum} to {maximum}, got {text!r}"
        try:
            number = int(text)
        except ValueError:
            raise ArgumentTypeError(expected) from None
        if not minimum <= number <= maximum:
            raise ArgumentTypeError(expected)
        return number

    return parse
