"""The table of carbon.md 3.6, line by line."""

from collections.abc import Sequence

import pytest

from contracts.part75 import Availability, Gap, History, Timeline, substitute_of
from contracts.reading import MethodCode

HOUR_MS = 3_600_000
RECENT = tuple(range(1, 721))
"""The last 720 quality-assured hours: 1 to 720; the 90th percentile is 648, the 95th 684."""
NAMEPLATE = 5_000


def gap(hours: int, *, assured: int, recent: tuple[int, ...] = RECENT, after: int = 100) -> Gap:
    """A gap of some hours where so many in a thousand are assured."""
    return Gap(
        first=0, end=hours, availability=Availability(1_000, assured), recent=recent, after=after
    )


@pytest.mark.parametrize(
    ("assured", "hours", "amount", "method_code"),
    [
        (1_000, 1, 410, MethodCode.MEAN_BEFORE_AFTER),
        (950, 24, 410, MethodCode.MEAN_BEFORE_AFTER),
        (950, 25, 648, MethodCode.PERCENTILE_90),
        (949, 8, 410, MethodCode.MEAN_BEFORE_AFTER),
        (949, 9, 684, MethodCode.PERCENTILE_95),
        (900, 8, 410, MethodCode.MEAN_BEFORE_AFTER),
        (900, 500, 684, MethodCode.PERCENTILE_95),
        (899, 1, 720, MethodCode.MAXIMUM),
        (800, 1, 720, MethodCode.MAXIMUM),
        (799, 1, NAMEPLATE, MethodCode.MAXIMUM_POTENTIAL),
        (0, 1, NAMEPLATE, MethodCode.MAXIMUM_POTENTIAL),
    ],
)
def test_each_line_of_the_table(
    assured: int, hours: int, amount: int, method_code: MethodCode
) -> None:
    assert substitute_of(gap(hours, assured=assured), HOUR_MS, NAMEPLATE) == (amount, method_code)


@pytest.mark.parametrize("assured", [950, 900])
def test_a_long_gap_is_never_filled_with_less_than_the_mean(assured: int) -> None:
    found = substitute_of(gap(100, assured=assured, after=2_000), HOUR_MS, NAMEPLATE)

    assert found is not None
    assert found[0] == (720 + 2_000) // 2


def test_before_there_are_720_hours_the_mean_fills_whatever_the_availability() -> None:
    early = gap(100, assured=0, recent=RECENT[:719])

    assert substitute_of(early, HOUR_MS, NAMEPLATE) == (
        (719 + 100) // 2 + 1,
        MethodCode.MEAN_BEFORE_AFTER,
    )


def test_without_any_hour_before_the_nameplate_fills() -> None:
    assert substitute_of(gap(1, assured=0, recent=()), HOUR_MS, NAMEPLATE) == (
        NAMEPLATE,
        MethodCode.MAXIMUM_POTENTIAL,
    )


@pytest.mark.parametrize("needs_nameplate", [gap(1, assured=0, recent=()), gap(1, assured=799)])
def test_without_a_nameplate_there_is_no_maximum_potential(needs_nameplate: Gap) -> None:
    assert substitute_of(needs_nameplate, HOUR_MS, None) is None


@pytest.mark.parametrize(("before", "after", "mean"), [(1, 2, 2), (2, 3, 2), (2, 2, 2), (0, 1, 0)])
def test_a_mean_is_rounded_half_even(before: int, after: int, mean: int) -> None:
    short = gap(1, assured=1_000, recent=(*RECENT[:-1], before), after=after)

    assert substitute_of(short, HOUR_MS, NAMEPLATE) == (mean, MethodCode.MEAN_BEFORE_AFTER)


def test_an_hour_is_as_many_intervals_as_the_meter_has() -> None:
    quarter_ms = HOUR_MS // 4
    recent = tuple(range(1, 4 * 720 + 1))

    def method_for(intervals: int) -> MethodCode | None:
        found = substitute_of(gap(intervals, assured=950, recent=recent), quarter_ms, NAMEPLATE)
        return None if found is None else found[1]

    assert method_for(4 * 24) is MethodCode.MEAN_BEFORE_AFTER
    assert method_for(4 * 24 + 1) is MethodCode.PERCENTILE_90
    few = gap(4 * 24 + 1, assured=950, recent=recent[1:])
    assert substitute_of(few, quarter_ms, NAMEPLATE) == (1_490, MethodCode.MEAN_BEFORE_AFTER)


def hourly(amounts: Sequence[int | None], assured: list[int] | None = None) -> Timeline:
    return Timeline(HOUR_MS, amounts, assured or [amount is not None for amount in amounts])


def test_the_year_of_operating_goes_back_over_idle_hours_and_no_further_than_three_years() -> None:
    measured: list[int | None] = [5] * 8_000
    idle: list[int | None] = [0] * 20_000
    [found] = History(hourly([*measured, *idle, None, 7])).gaps_within(28_000, 28_001)

    assert found.availability.operating == 26_280 - 20_000
    assert found.availability.assured == found.availability.operating - 1
    assert (found.before, found.after) == (5, 7)


def test_the_year_of_operating_is_8760_hours() -> None:
    [found] = History(hourly([5] * 10_000 + [None, None, 7])).gaps_within(10_001, 10_002)

    assert (found.first, found.end) == (10_000, 10_002)
    assert (found.availability.operating, found.availability.assured) == (8_760, 8_758)
    assert len(found.recent) == 720


def test_flagged_amounts_are_operating_and_not_assured() -> None:
    timeline = hourly([5, 9_999, 0, None, 8_888, 7], [1, 0, 0, 0, 0, 1])
    [found] = History(timeline).gaps_within(3, 4)

    assert (found.availability.operating, found.availability.assured) == (4, 1)
    assert (found.before, found.after) == (5, 7)


def test_a_window_without_missing_intervals_has_no_gaps() -> None:
    assert History(hourly([1, None, 3, 4])).gaps_within(2, 4) == ()
