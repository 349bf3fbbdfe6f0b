"""Faults of known kinds, put into clean stretches of real readings by a seeded generator."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from benchmarks.labelled_file import LabelledMeter, LabelledReading
from node.simulator.randomness import stream

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
SEED: Final = 1
_CLEAN_DAYS: Final = 2
"""Between one fault and the next, at least."""

Values = list[int | None]


def with_faults(
    clean: LabelledMeter, kind: str, *, first_day: int, seed: int = SEED
) -> LabelledMeter:
    """Returns a copy of a meter's readings with faults of one kind, labelled.

    Args:
        clean: ascending; nothing in it is known to be wrong.
        kind: one of :data:`FAULTS`.
        first_day: days of it that stay as they are at the beginning.
        seed: decides where and how.
    """
    random = stream(seed, kind)
    values: Values = [reading.value for reading in clean.readings]
    labels = [False] * len(values)
    per_day = DAY_MS // clean.interval_ms
    begin = first_day * per_day
    while True:
        begin += random.randrange(per_day)
        if begin + 3 * per_day > len(values):
            break
        wrong = FAULTS[kind](random, values, begin, per_day)
        for index in wrong:
            labels[index] = True
        begin = wrong.stop + _CLEAN_DAYS * per_day
    readings = tuple(
        LabelledReading(reading.start_ms, value, label)
        for reading, value, label in zip(clean.readings, values, labels, strict=True)
    )
    return replace(clean, name=f"{clean.name}, {kind}", readings=readings)


def _stuck(random: Random, values: Values, begin: int, per_day: int) -> range:
    end = begin + random.randrange(per_day // 3, per_day)
    values[begin:end] = [values[begin]] * (end - begin)
    return range(begin, end)


def _drift(random: Random, values: Values, begin: int, per_day: int) -> range:
    """Reads more and more until it is three to five tenths too much, over three days."""
    growth = random.randrange(300, 500)
    end = begin + 3 * per_day
    for index in range(begin, end):
        _scale(values, index, 1_000 + growth * (index - begin) // (end - begin), 1_000)
    return range(begin, end)


def _spike(random: Random, values: Values, begin: int, per_day: int) -> range:
    end = begin + max(per_day // 24, 1)
    for index in range(begin, end):
        _scale(values, index, random.randrange(30, 60), 10)
    return range(begin, end)


def _drop(random: Random, values: Values, begin: int, per_day: int) -> range:
    end = begin + random.randrange(per_day // 24, per_day // 3)
    for index in range(begin, end):
        _scale(values, index, random.randrange(3), 100)
    return range(begin, end)


def _unit_slip(random: Random, values: Values, begin: int, per_day: int) -> range:
    end = begin + random.randrange(per_day // 6, per_day)
    for index in range(begin, end):
        _scale(values, index, 1_000, 1)
    return range(begin, end)


def _clock_shift(random: Random, values: Values, begin: int, per_day: int) -> range:
    """The clock is wrong by three to eight hours for two days."""
    shift = random.randrange(per_day // 8, per_day // 3)
    span = range(begin, begin + 2 * per_day)
    values[span.start : span.stop] = values[span.start - shift : span.stop - shift]
    return span


def _night_load(random: Random, values: Values, begin: int, per_day: int) -> range:
    """What ran in the afternoon runs on from eight in the evening to six in the morning."""
    midnight = begin - begin % per_day
    evening = values[midnight + per_day * 16 // 24]
    span = range(midnight + per_day * 20 // 24, midnight + per_day * 30 // 24)
    for index in span:
        value = values[index]
        if value is not None and evening is not None:
            values[index] = max(value, evening * random.randrange(85, 100) // 100)
    return span


def _missing(random: Random, values: Values, begin: int, per_day: int) -> range:
    """Nothing comes for hours; what is labelled are the readings in which it is noticed."""
    end = begin + random.randrange(per_day // 8, per_day // 2)
    values[begin:end] = [None] * (end - begin)
    return range(end, end + per_day // 4)


def _scale(values: Values, index: int, numerator: int, denominator: int) -> None:
    value = values[index]
    values[index] = None if value is None else value * numerator // denominator


MISSING: Final = "missing"
FAULTS: Final[dict[str, Callable[[Random, Values, int, int], range]]] = {
    "stuck": _stuck,
    "drift": _drift,
    "spike": _spike,
    "drop": _drop,
    "unit slip": _unit_slip,
    "clock shift": _clock_shift,
    "night load": _night_load,
    MISSING: _missing,
}
"""Each puts one fault in: generator, values, first index and readings a day; returns what is
wrong."""
