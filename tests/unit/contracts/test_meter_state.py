"""The memory of a meter: what it says of the trailing week, however it came by it."""

from hypothesis import given, strategies as st

from contracts.meter_state import LEVELS_MAX, LEVELS_MIN, LevelSummary, Memory
from contracts.statistics import median

HOUR_MS = 3_600_000
VALUES = st.one_of(st.integers(-50, 50), st.sampled_from([0, 7]), st.integers(-(2**45), 2**45))


@given(
    usual=st.lists(VALUES, min_size=1, max_size=20),
    steps=st.lists(st.tuples(st.integers(1, 3) | st.just(200), VALUES), max_size=60),
    renewed=st.sets(st.integers(0, 260)),
    asked=st.sets(st.integers(0, 260)),
)
def test_the_trailing_week_is_that_of_the_latest_levels(
    usual: list[int], steps: list[tuple[int, int]], renewed: set[int], asked: set[int]
) -> None:
    memory, levels, hour, open_level = Memory(), list[int](), 500_000, None
    known = [(1, usual[place % len(usual)]) for place in range(LEVELS_MAX + 30)]
    for place, (step, value) in enumerate([*known, *steps]):
        hour += step
        if open_level is not None:
            levels = [*levels, open_level][-LEVELS_MAX:] if step <= LEVELS_MAX else []
        open_level = value
        memory.add_level(hour * HOUR_MS, value)
        if place in renewed:
            memory = Memory(memory.record())
        if place in asked or place >= len(known):
            summary = memory.level_summary
            if len(levels) < LEVELS_MIN:
                assert summary is None
            else:
                third = sorted(levels)[-3]
                assert summary == LevelSummary(len(levels), median(levels), min(levels), third)
