"""The re-check against the intake: what was not corrected fails again, whatever was sent."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st

from contracts.reading import RawReading
from contracts.recheck import ANSWERS, Remedy, recheck
from contracts.replay import intervals_of
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)
from tests.unit.contracts.test_baselines import load

WEEK = 7 * 96
PIECES = st.lists(
    st.tuples(
        st.sampled_from(["usual", "stuck", "high", "low", "zero", "gap", "conflict", "slip"]),
        st.integers(1, 24),
    ),
    min_size=1,
    max_size=8,
)


def value_of(kind: str, number: int) -> int:
    match kind:
        case "stuck":
            return 777
        case "high":
            return 20 * load(number)
        case "low":
            return load(number) // 20
        case "zero":
            return 0
        case "slip":
            return 1_000 * load(number)
        case _:
            return load(number)


def sent(pieces: list[tuple[str, int]]) -> list[RawReading]:
    """A week as usual, then the pieces, with a few usual readings after each."""
    readings = [amount(number, load(number)) for number in range(WEEK)]
    number = WEEK
    for kind, count in pieces:
        for step in range(count + 10):
            is_piece = step < count
            if not (is_piece and kind == "gap"):
                value = value_of(kind if is_piece else "usual", number)
                readings.append(amount(number, value))
                if is_piece and kind == "conflict":
                    readings.append(amount(number, value + 1))
            number += 1
    return readings


def check_all(world: ReadingWorld) -> int:
    """Holds that no alert passes by anything that it may be answered with; returns how many."""
    tried = [(alert, remedy) for alert in world.alerts for remedy in ANSWERS[alert.check].remedies]
    for alert, remedy in tried:
        if remedy is Remedy.BASELINE:
            continue
        found = recheck(world.context(), alert, remedy, None)
        assert found.is_complete
        assert found.failed > 0, alert
        assert found.first_failed_ms is not None
        assert alert.first_interval_ms <= found.first_failed_ms <= found.to_ms
    return len(world.alerts)


@given(PIECES)
@settings(max_examples=25)
def test_uncorrected_amounts_fail_again(pieces: list[tuple[str, int]]) -> None:
    world = ReadingWorld(replace(AMOUNTS, nameplate_w=100_000))
    world.send(*sent(pieces))
    world.next_block()

    check_all(world)


@given(PIECES)
@settings(max_examples=15)
def test_uncorrected_registers_fail_again(pieces: list[tuple[str, int]]) -> None:
    world = ReadingWorld(replace(COUNTER, nameplate_w=100_000))
    total = 10**6
    registers = []
    for reading in sent(pieces):
        assert reading.amount is not None
        total += reading.amount
        number = (reading.stamp_ms - DAY) // QUARTER_MS
        back = 5_000 if reading.amount == 777 else 0
        registers.append(register(number, max(total - back * (number % 2), 0)))
    world.send(*registers)
    world.next_block()

    check_all(world)


def test_the_series_raise_alerts_of_many_checks() -> None:
    """Else the properties above would hold of nothing."""
    world = ReadingWorld(replace(AMOUNTS, nameplate_w=100_000))
    kinds = ("stuck", "high", "low", "zero", "gap", "conflict", "slip")
    world.send(*sent([(kind, 20) for kind in kinds]))
    world.next_block()

    assert check_all(world) > 3


@given(st.lists(st.integers(0, 300), unique=True, max_size=40), st.integers(0, 300))
def test_intervals_come_by_time_and_each_once(numbers: list[int], first: int) -> None:
    world = ReadingWorld(AMOUNTS)
    if numbers:
        world.send(*(amount(number, 5) for number in numbers))
    from_ms, to_ms = DAY + first * QUARTER_MS, DAY + (first + 99) * QUARTER_MS

    starts = [each.start_ms for each in intervals_of(world.state, world.main, from_ms, to_ms)]

    expected = sorted(DAY + number * QUARTER_MS for number in numbers)
    assert starts == [moment for moment in expected if from_ms <= moment <= to_ms]
