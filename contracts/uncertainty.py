"""Uncertainty of a sum of amounts times factors: independent errors combined in integers.

Error propagation of the first order, as tier 1 of the IPCC and the GHG Protocol have it (carbon.md
3.5; the texts of the two were not read). A product of an amount, uncertain by u, and a factor,
uncertain by v, is uncertain by sqrt(u^2 + v^2); a sum by the root of the sum of its terms' squared
absolute errors. **A factor is one error, however many amounts count by it**: amounts of one series
are wrong together, so their errors by the factor are added up before they are squared, over the
periods of the series too, for one publisher makes them by one method. Taken as independent they
would cancel each other, and the total would look better than it is.

The root is never taken of a rounded number, and the result is rounded once, up: an uncertainty is
never understated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.statistics import divide_up, root_up

TENTHS: Final = 10
"""Sources are in permille, a combination in tenths of a permille."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorShare:
    """What of a source counts by one factor."""

    series: str
    """Factors of one series share their error."""
    emission: int
    """At least 0, in any unit that all sources share."""
    uncertainty_permille: int | None
    """Of the factor; None where nobody declared one: nothing of it is in the combination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An amount that contributes to a sum, by the factors that it counts by."""

    uncertainty_permille: int
    """Of the amount: half-width of the interval, relative to it."""
    shares: tuple[FactorShare, ...]

    @property
    def emission(self) -> int:
        """Returns what the amount contributes."""
        return sum(share.emission for share in self.shares)


def combined_uncertainty(sources: Sequence[Source]) -> int | None:
    """Returns the relative uncertainty of the sum of sources, tenths of a permille, rounded up.

    Returns:
        None where the sum is zero and nothing can be relative to it.
    """
    total = sum(source.emission for source in sources)
    if total == 0:
        return None
    by_series: dict[str, int] = {}
    for source in sources:
        for share in source.shares:
            error = (share.uncertainty_permille or 0) * share.emission
            by_series[share.series] = by_series.get(share.series, 0) + error
    squares = sum((source.uncertainty_permille * source.emission) ** 2 for source in sources)
    squares += sum(error**2 for error in by_series.values())
    # The smallest r with r * total >= 10 * sqrt(squares), for r * total is an integer.
    return divide_up(root_up(TENTHS**2 * squares), total)
