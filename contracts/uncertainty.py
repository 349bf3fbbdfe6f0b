"""Uncertainty of a sum: independent sources combined in integers (carbon.md 3.5).

u = sqrt(sum of (u_i * E_i)^2) / sum of E_i. The root is never taken of a rounded number, and the
result is rounded once, up: an uncertainty is never understated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.statistics import divide_up, root_up

TENTHS: Final = 10
"""Sources are in permille, a combination in tenths of a permille."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What contributes to a sum."""

    emission: int
    """At least 0, in any unit that all sources share."""
    uncertainty_permille: int
    """Half-width of the interval, relative to the emission."""


def combined_uncertainty(sources: Sequence[Source]) -> int | None:
    """Returns the relative uncertainty of the sum of independent sources, tenths of a permille.

    Returns:
        None where the sum is zero and nothing can be relative to it.
    """
    total = sum(source.emission for source in sources)
    if total == 0:
        return None
    squares = sum((source.uncertainty_permille * source.emission) ** 2 for source in sources)
    # The smallest r with r * total >= 10 * sqrt(squares), for r * total is an integer.
    return divide_up(root_up(TENTHS**2 * squares), total)
