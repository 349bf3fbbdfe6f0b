"""Faults in a copy, and nothing else changed."""

from client.importers.lbnl import read_lbnl
from contracts.reading import RawReading
from demo import cast
from demo.marked_copy import (
    NIGHT_LOAD_FROM_MS,
    NIGHT_LOAD_TO_MS,
    STUCK_FROM_MS,
    STUCK_TO_MS,
    WEEK_TO_MS,
    marked_copy,
)

READINGS = read_lbnl(cast.DATA / "lbnl" / "kw.csv.gz")


def within(readings: tuple[RawReading, ...], from_ms: int, to_ms: int) -> list[RawReading]:
    return [reading for reading in readings if from_ms <= reading.stamp_ms < to_ms]


def test_the_copy_ends_after_five_weeks_and_the_last_one_is_whole() -> None:
    copied = marked_copy(READINGS)

    assert copied[-1].stamp_ms == WEEK_TO_MS - 900_000
    assert len(copied) == 35 * 96 - 32


def test_the_night_load_stands_on_top_of_what_was_measured() -> None:
    real = within(READINGS, NIGHT_LOAD_FROM_MS, NIGHT_LOAD_TO_MS)
    marked = within(marked_copy(READINGS), NIGHT_LOAD_FROM_MS, NIGHT_LOAD_TO_MS)

    assert len(real) == 20
    assert [
        (after.amount or 0) - (before.amount or 0)
        for before, after in zip(real, marked, strict=True)
    ] == [750_000] * 20


def test_the_stuck_value_is_the_first_of_its_hours_twelve_times() -> None:
    real = within(READINGS, STUCK_FROM_MS, STUCK_TO_MS)
    marked = within(marked_copy(READINGS), STUCK_FROM_MS, STUCK_TO_MS)

    assert [reading.amount for reading in marked] == [real[0].amount] * 12


def test_nothing_else_is_changed() -> None:
    real = {reading.stamp_ms: reading for reading in READINGS}

    changed = [
        reading.stamp_ms for reading in marked_copy(READINGS) if reading != real[reading.stamp_ms]
    ]

    assert all(
        NIGHT_LOAD_FROM_MS <= stamp_ms < NIGHT_LOAD_TO_MS or STUCK_FROM_MS < stamp_ms < STUCK_TO_MS
        for stamp_ms in changed
    )
    assert len(changed) == 31
