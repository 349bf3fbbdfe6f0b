"""Substitutes against a slow reference that counts hour by hour, by the words of the rules."""

from fractions import Fraction
from statistics import mean

from hypothesis import given, settings, strategies as st

from contracts.part75 import History, Timeline, percentile, substitute_of
from contracts.reading import MethodCode

DAY_MS = 86_400_000
NAMEPLATE = 10_000


class Reference:
    """The rules of carbon.md 3.6 over days, each of them 24 hours."""

    def __init__(self, amounts: list[int | None], assured: list[bool]) -> None:
        self.amounts, self.assured = amounts, assured

    def is_measured(self, day: int) -> bool:
        return self.assured[day] and self.amounts[day] not in {None, 0}

    def is_idle(self, day: int) -> bool:
        return self.assured[day] and self.amounts[day] == 0

    def gap_at(self, day: int) -> tuple[int, int]:
        first = end = day
        while first > 0 and self.amounts[first - 1] is None:
            first -= 1
        while end < len(self.amounts) and self.amounts[end] is None:
            end += 1
        return first, end

    def availability(self, end: int) -> Fraction:
        operating = measured = 0
        for day in reversed(range(max(end - 1_095, 0), end)):
            if self.is_idle(day):
                continue
            if operating == 365:
                break
            operating += 1
            measured += self.is_measured(day)
        return Fraction(measured, operating)

    def recent(self, first: int, end: int) -> list[int]:
        found: list[int] = []
        for day in reversed(range(max(end - 1_095, 0), first)):
            amount = self.amounts[day]
            if self.is_measured(day) and amount is not None and len(found) < 30:
                found.append(amount)
        return found

    def after(self, end: int) -> int | None:
        days = range(end, len(self.amounts))
        return next((self.amounts[day] for day in days if self.is_measured(day)), None)

    def substitute(self, day: int) -> tuple[int, MethodCode] | None:
        first, end = self.gap_at(day)
        recent, after = self.recent(first, end), self.after(end)
        if after is None:
            return None
        if not recent:
            return NAMEPLATE, MethodCode.MAXIMUM_POTENTIAL
        average = round(Fraction(mean([Fraction(recent[0]), Fraction(after)])))
        if len(recent) < 30:
            return average, MethodCode.MEAN_BEFORE_AFTER
        hours, share = (end - first) * 24, self.availability(end)
        if share < Fraction(80, 100):
            return NAMEPLATE, MethodCode.MAXIMUM_POTENTIAL
        if share < Fraction(90, 100):
            return max(recent), MethodCode.MAXIMUM
        is_good = share >= Fraction(95, 100)
        if hours <= (24 if is_good else 8):
            return average, MethodCode.MEAN_BEFORE_AFTER
        if is_good:
            return max(sorted(recent)[27 - 1], average), MethodCode.PERCENTILE_90
        return max(sorted(recent)[29 - 1], average), MethodCode.PERCENTILE_95


@st.composite
def timelines(draw: st.DrawFn) -> tuple[list[int | None], list[bool]]:
    """Up to four years of days: runs of measured, idle, missing and flagged ones."""
    amounts: list[int | None] = []
    assured: list[bool] = []
    for kind, length in draw(
        st.lists(
            st.tuples(
                st.sampled_from(["measured", "measured", "missing", "idle", "flagged"]),
                st.integers(1, 3) | st.integers(1, 40) | st.integers(100, 400),
            ),
            min_size=1,
            max_size=12,
        )
    ):
        seed = draw(st.integers(1, 997))
        for place in range(length):
            amount = 1 + (seed * (place + 1) * 7_919) % 1_000
            amounts.append({"missing": None, "idle": 0}.get(kind, amount))
            assured.append(kind in {"measured", "idle"})
    return amounts, assured


@settings(max_examples=200, deadline=None)
@given(timeline=timelines(), data=st.data())
def test_substitutes_are_those_of_the_rules(
    timeline: tuple[list[int | None], list[bool]], data: st.DataObject
) -> None:
    amounts, assured = timeline
    reference = Reference(amounts, assured)
    first = data.draw(st.integers(0, len(amounts) - 1))
    end = data.draw(st.integers(first + 1, len(amounts)))

    history = History(Timeline(DAY_MS, amounts, bytearray(assured)))

    gaps = history.gaps_within(first, end)

    missing = [day for day in range(first, end) if amounts[day] is None]
    assert [(gap.first, gap.end) for gap in gaps] == list(
        dict.fromkeys(reference.gap_at(day) for day in missing)
    )
    for gap in gaps:
        known = gap.availability
        assert Fraction(known.assured, known.operating) == reference.availability(gap.end)
        assert history.availability(gap.end) == known
        assert gap.after == reference.after(gap.end)
        if gap.after is not None:
            assert substitute_of(gap, DAY_MS, NAMEPLATE) == reference.substitute(gap.first)


@given(values=st.lists(st.integers(0, 50), min_size=1), percent=st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    values: list[int], percent: int
) -> None:
    found = percentile(values, percent)

    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)
