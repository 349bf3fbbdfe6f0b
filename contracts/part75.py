"""Substitutes of missing intervals after 40 CFR 75, sections 31 to 33: worse data, higher amounts.

The rules count hours; here an hour is as many of the meter's intervals as it has, and what they say
of hourly values holds for the amounts of intervals. Three things are this chain's own reading:

* a meter does not say whether its plant operates, so an interval counts as operating unless a
  quality-assured amount of 0 says that it did not;
* the availability is that at the end of the gap, the gap's own intervals included (not confirmed);
* a mean is rounded half-even, a percentile is by nearest rank and so always one of the values.

Everything is pure: a :class:`Timeline` goes in, amounts come out.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from contracts.calendars import HOUR_MS
from contracts.reading import MethodCode
from contracts.statistics import divide_half_even, divide_up

LOOK_BACK_MS: Final = 26_280 * HOUR_MS
"""Three years: nothing older counts (section 75.32)."""
USUAL_LOOK_BACK_MS: Final = 400 * 24 * HOUR_MS
"""Looked back on first: a year of operating, for most meters."""
TRAILING_MS: Final = 8_760 * HOUR_MS
"""A year of operating: what availability is reckoned on (section 75.32)."""
RECENT_MS: Final = 720 * HOUR_MS
"""Quality-assured operating that percentiles are taken of (section 75.33); before there is as much
of it, section 75.31 holds."""
SHORT_GAPS: Final = (
    (95, 24 * HOUR_MS, 90, MethodCode.PERCENTILE_90),
    (90, 8 * HOUR_MS, 95, MethodCode.PERCENTILE_95),
)
"""Availability in percent from which on, longest gap that the mean alone fills, percentile that a
longer one takes at least."""
MAXIMUM_FROM_PERCENT: Final = 80
"""Availability below which not even the maximum of what was measured is enough."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known of intervals that follow one another without a break."""

    interval_ms: int
    amounts: Sequence[int | None]
    """Base units that count now; None for a missing interval."""
    assured: Sequence[int]
    """Whether the amount is quality-assured, as 0 or 1."""

    def since(self, place: int) -> "Timeline":
        """Returns the timeline from a place on."""
        return Timeline(self.interval_ms, self.amounts[place:], self.assured[place:])


@dataclass(frozen=True, slots=True)
class Availability:
    """Intervals of the trailing year of operating (section 75.32)."""

    operating: int
    """Of the latest 8,760 hours of operating, or fewer where there were fewer."""
    assured: int
    """Quality-assured ones among them."""

    def is_settled(self, interval_ms: int) -> bool:
        """Returns whether the year is full, so that nothing older can matter."""
        return self.operating >= TRAILING_MS // interval_ms


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing intervals between others, and what the rules look at to fill them."""

    first: int
    """Place of the first missing interval in the timeline."""
    end: int
    """Place after the last one."""
    availability: Availability
    """Of the year that ends with the gap."""
    recent: Sequence[int]
    """Amounts of the latest quality-assured operating intervals before the gap, in their order."""
    after: int | None
    """Amount of the first one after it; None where there is none."""

    @property
    def before(self) -> int | None:
        """Returns the amount of the last one before the gap, or None."""
        return self.recent[-1] if self.recent else None

    def is_settled(self, interval_ms: int) -> bool:
        """Returns whether nothing older than what was looked at can matter."""
        is_enough = len(self.recent) >= RECENT_MS // interval_ms
        return is_enough and self.availability.is_settled(interval_ms)


class History:
    """A timeline made ready to be asked what lies before a place of it."""

    def __init__(self, timeline: Timeline) -> None:
        self._interval_ms = timeline.interval_ms
        self._amounts = timeline.amounts
        intervals = tuple(zip(timeline.amounts, timeline.assured, strict=True))
        # An interval is not operating where a quality-assured amount of 0 says so.
        is_operating = (0 if assured and amount == 0 else 1 for amount, assured in intervals)
        self._operating_before = list(accumulate(is_operating, initial=0))
        is_measured = (1 if assured and amount else 0 for amount, assured in intervals)
        self._measured_before = list(accumulate(is_measured, initial=0))
        self._measured = [amount for amount, assured in intervals if assured and amount]

    def availability(self, end: int) -> Availability:
        """Returns the availability before a place."""
        operating, measured = self._operating_before, self._measured_before
        # The shortest trailing part that has a year of operating, or as much as there is.
        start = bisect_left(operating, operating[end] - TRAILING_MS // self._interval_ms)
        start = max(start, self._earliest(end))
        return Availability(operating[end] - operating[start], measured[end] - measured[start])

    def gaps_within(self, first: int, end: int) -> tuple[Gap, ...]:
        """Returns the gaps that have intervals within a window, each in its whole length.

        Args:
            first: place of the window's first interval.
            end: place after its last one.
        """
        return tuple(self._gap(*run) for run in _runs_of_none(self._amounts, first, end))

    def _gap(self, first: int, end: int) -> Gap:
        count = self._measured_before[first]
        oldest = min(self._measured_before[self._earliest(end)], count)
        wanted = RECENT_MS // self._interval_ms
        return Gap(
            first=first,
            end=end,
            availability=self.availability(end),
            recent=self._measured[max(count - wanted, oldest) : count],
            after=self._measured[count] if count < len(self._measured) else None,
        )

    def _earliest(self, end: int) -> int:
        return max(end - LOOK_BACK_MS // self._interval_ms, 0)


def substitute_of(
    gap: Gap, interval_ms: int, maximum_potential: int | None
) -> tuple[int, MethodCode] | None:
    """Returns what each interval of a gap is taken to be, and the method; None for no nameplate.

    Args:
        gap: one that has ended, so that there is an interval after it.
        interval_ms: of the meter.
        maximum_potential: most that the nameplate allows in an interval; None where it is unknown.
    """
    assert gap.after is not None, "a gap that has not ended is not filled"
    at_most = (
        None if maximum_potential is None else (maximum_potential, MethodCode.MAXIMUM_POTENTIAL)
    )
    if gap.before is None:
        return at_most
    mean = divide_half_even(gap.before + gap.after, 2)
    if len(gap.recent) < RECENT_MS // interval_ms:
        return mean, MethodCode.MEAN_BEFORE_AFTER
    gap_ms, known = (gap.end - gap.first) * interval_ms, gap.availability
    for from_percent, mean_until_ms, percent, method_code in SHORT_GAPS:
        if 100 * known.assured >= from_percent * known.operating:
            if gap_ms <= mean_until_ms:
                return mean, MethodCode.MEAN_BEFORE_AFTER
            return max(percentile(gap.recent, percent), mean), method_code
    if 100 * known.assured >= MAXIMUM_FROM_PERCENT * known.operating:
        return max(gap.recent), MethodCode.MAXIMUM
    return at_most


def percentile(values: Sequence[int], percent: int) -> int:
    """Returns a percentile by nearest rank; at least one value."""
    return sorted(values)[divide_up(percent * len(values), 100) - 1]


def _runs_of_none(
    amounts: Sequence[int | None], first: int, end: int
) -> tuple[tuple[int, int], ...]:
    """Returns begin and end of the runs of missing amounts that reach into a window."""
    runs: list[tuple[int, int]] = []
    place = first
    while place < end:
        if amounts[place] is not None:
            place += 1
            continue
        begin = place
        while begin and amounts[begin - 1] is None:
            begin -= 1
        while place < len(amounts) and amounts[place] is None:
            place += 1
        runs.append((begin, place))
    return tuple(runs)
