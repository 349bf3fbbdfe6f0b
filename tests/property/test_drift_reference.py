"""Days' ratios and checks 12 and 13 against a slow model that keeps every day and every score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import trunc

from hypothesis import example, given, strategies as st

from contracts.check_settings import DEFAULTS, Settings
from contracts.deviation.day_ratio import follow_day, ratios_of, scale_of
from contracts.deviation.drift import check_cusum, check_ewma
from contracts.deviation.observation import PASSED, BaselineCell, Deviation, Observation, Verdict
from contracts.meter_state import Memory
from tests.unit.contracts.reading_world import AMOUNTS, HOUR_MS, ReadingWorld

HOURLY = replace(AMOUNTS, interval_ms=HOUR_MS)
METER = ReadingWorld(HOURLY).main
HOURS = 24
HOURS_MIN = 20
"""80 % of a day, rounded up to whole hours."""
Found = tuple[int | None, Verdict, Verdict]


@dataclass(frozen=True)
class Day:
    """A local day as it is drawn: its hours have one amount, and one median in the profile."""

    amount: int
    hours: int
    """Readings that it has; of a day with fewer than 20 nothing can be said."""
    median: int
    level: int
    """Mean of the profile in force; another one means another profile."""


USUAL = Day(amount=1_000, hours=HOURS, median=1_000, level=1_000)


class SlowModel:
    """The words of the methodology, over lists of all that came."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ratios: list[int] = []
        self.level = 0
        self.since_cusum: list[int] = []
        """Scores since the last alarm, or since ever."""
        self.ewma = Fraction(0)

    def begin(self, day: Day) -> None:
        """Turns ratios to another profile."""
        if day.level != self.level:
            known = self.ratios if self.level > 0 and day.level > 0 else []
            self.ratios = [min(each * self.level // day.level, 100_000) for each in known]
            self.level = day.level

    def end(self, day: Day, expected: int) -> Found:
        """Returns the score of a day that is over, and what both checks say of it.

        Args:
            day: is over.
            expected: sum of its profile, in the profile of the reading that ends it.
        """
        if day.hours < HOURS_MIN or expected <= 0:
            return None, None, None
        ratio = min(max(day.amount * day.hours * 1_000 // expected, 0), 100_000)
        before, self.ratios = self.ratios[-28:], [*self.ratios, ratio]
        if len(before) < 14:
            return None, None, None
        score = self.score(ratio, before)
        return score, self.cusum(score), self.average(score)

    def score(self, ratio: int, before: Sequence[int]) -> int:
        centre = middle(before)
        spread = middle([abs(each - centre) for each in before]) * 1_483 // 1_000
        floor = centre * self.settings.drift_floor_permille // 1_000
        sigmas = Fraction((ratio - centre) * 1_000, max(spread, floor, 1))
        return max(-3_000, min(3_000, trunc(sigmas)))

    def cusum(self, score: int) -> Verdict:
        """The greatest sum of days on end, of any number, that ends with this one."""
        self.since_cusum.append(score)
        allowance = self.settings.cusum_allowance_tenths * 100
        limit = self.settings.cusum_limit_tenths * 100
        reached = max(
            sum(side * each - allowance for each in self.since_cusum[first:])
            for side in (1, -1)
            for first in range(len(self.since_cusum))
        )
        if reached <= limit:
            return PASSED
        self.since_cusum.clear()
        return Deviation(reached, limit)

    def average(self, score: int) -> Verdict:
        self.ewma += trunc((score - self.ewma) / 5)
        limit = self.settings.ewma_limit_tenths * 100 // 3
        if abs(self.ewma) <= limit:
            return PASSED
        reached, self.ewma = self.ewma, Fraction(0)
        return Deviation(int(reached), limit)

    @property
    def scale(self) -> int:
        """What the profile is scaled by, from the last five whole days, three at least."""
        last = self.ratios[-5:]
        return min(max(middle(last), 600), 1_600) if len(last) >= 3 else 1_000


def middle(values: Sequence[int]) -> int:
    """The lower one of the two middle values, or the middle one."""
    return sorted(values)[(len(values) - 1) // 2]


def check_days(days: Sequence[Day], settings: Settings) -> list[Found]:
    """Compares contract and model day by day; returns what they said."""
    memory = Memory()
    observation = Observation(METER, memory, settings=settings)
    model = SlowModel(settings)
    said: list[Found] = []
    for number, day in enumerate([*days, USUAL]):
        for hour in range(day.hours):
            start_ms = (HOURS * number + hour) * HOUR_MS
            observation.begin(start_ms, HOUR_MS, {}, is_newest=True)
            observation.amount, observation.local_day = day.amount, number
            observation.baseline = BaselineCell(day.median, 1, day.median, day.median, day.level)
            follow_day(observation)
            found = observation.day_score, check_cusum(observation), check_ewma(observation)
            if hour:
                assert found == (None, None, None), "a day is judged once"
                continue
            model.begin(day)
            over = days[number - 1] if number else None
            wanted = model.end(over, expected_of(over, day)) if over else (None, None, None)
            assert (number, found) == (number, wanted)
            assert ratios_of(memory) == tuple(model.ratios[-28:])
            assert scale_of(memory) == model.scale
            said.append(found)
    return said


def expected_of(day: Day, into: Day) -> int:
    """Sum of a day's profile; one that changes with the next day is what the sum is turned into."""
    expected = day.median * day.hours
    if day.level != into.level and day.level > 0 and into.level > 0:
        return expected * into.level // day.level
    return expected


LEVELS = st.sampled_from([1_000, 1_000, 1_000, 1_500, 400, 0])
AMOUNTS_OF_HOURS = st.one_of(
    st.integers(950, 1_050),
    st.integers(1_050, 1_400),
    st.integers(600, 950),
    st.sampled_from([0, -500, 100_000, 10**9]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Day]:
    """Spells of days of one kind, on a profile that changes now and then."""
    days: list[Day] = []
    for _ in range(draw(st.integers(1, 6))):
        level = draw(LEVELS)
        median = draw(st.sampled_from([level, level, 0, 700]))
        low, high = sorted((draw(AMOUNTS_OF_HOURS), draw(AMOUNTS_OF_HOURS)))
        for _ in range(draw(st.integers(1, 25))):
            hours = draw(st.sampled_from([HOURS, HOURS, HOURS, HOURS_MIN, HOURS_MIN - 1, 1]))
            days.append(Day(draw(st.integers(low, high)), hours, median, level))
    return days


NUMBERS = st.builds(
    replace,
    st.just(DEFAULTS),
    drift_floor_permille=st.integers(0, 200),
    cusum_allowance_tenths=st.integers(0, 20),
    cusum_limit_tenths=st.integers(10, 200),
    ewma_limit_tenths=st.integers(5, 80),
)
STEP_UP = [USUAL] * 28 + [replace(USUAL, amount=1_300)] * 10
STEP_DOWN = [USUAL] * 28 + [replace(USUAL, amount=700)] * 10


@given(days=histories(), settings=st.one_of(st.just(DEFAULTS), NUMBERS))
@example(days=STEP_UP, settings=DEFAULTS)
@example(days=STEP_DOWN, settings=DEFAULTS)
def test_ratios_scores_and_verdicts_are_those_of_the_slow_model(
    days: list[Day], settings: Settings
) -> None:
    check_days(days, settings)


def test_the_slow_model_and_the_checks_find_a_step_to_either_side() -> None:
    for days in (STEP_UP, STEP_DOWN):
        said = check_days(days, DEFAULTS)
        assert any(isinstance(cusum, Deviation) for _, cusum, _ in said)
        assert any(isinstance(ewma, Deviation) for _, _, ewma in said)
    assert not any(
        isinstance(verdict, Deviation)
        for _, *verdicts in check_days([USUAL] * 60, DEFAULTS)
        for verdict in verdicts
    )
