"""Faults put into a copy of real readings, so that alerts arise before one's eyes.

The copy goes to a meter of its own whose name says what it is; the real meter's readings stay as
they are. What is put in is listed here, and nothing else is changed.
"""

from dataclasses import replace
from typing import Final

from contracts.reading import RawReading

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
TRAINING_FROM_MS: Final = 1_375_340_400_000
"""2013-08-01 00:00 in California."""
TRAINING_TO_MS: Final = TRAINING_FROM_MS + 28 * DAY_MS
WEEK_TO_MS: Final = TRAINING_TO_MS + 7 * DAY_MS
"""The week of the copy follows the training and lacks no reading: Thursday to Wednesday."""

NIGHT_LOAD_FROM_MS: Final = TRAINING_TO_MS + DAY_MS
"""Friday 00:00."""
NIGHT_LOAD_TO_MS: Final = NIGHT_LOAD_FROM_MS + 5 * HOUR_MS
NIGHT_LOAD_W: Final = 30_000
"""As if the ventilation had not been switched off."""
STUCK_FROM_MS: Final = TRAINING_TO_MS + 6 * DAY_MS + 13 * HOUR_MS
"""Wednesday 13:00."""
STUCK_TO_MS: Final = STUCK_FROM_MS + 3 * HOUR_MS
"""Twelve equal quarter hours."""

_HUNDREDTHS_OF_WH_PER_W: Final = 25
"""In a quarter of an hour."""


def marked_copy(readings: tuple[RawReading, ...]) -> tuple[RawReading, ...]:
    """Returns four weeks as they are and the fifth with a night load and a stuck value in it.

    Args:
        readings: of the office, in hundredths of a Wh by the quarter hour, ascending.
    """
    copied = [reading for reading in readings if reading.stamp_ms < WEEK_TO_MS]
    stuck_amount = next(
        (reading.amount for reading in copied if reading.stamp_ms >= STUCK_FROM_MS), None
    )
    return tuple(_marked(reading, stuck_amount) for reading in copied)


def _marked(reading: RawReading, stuck_amount: int | None) -> RawReading:
    assert reading.amount is not None, "rows without a number are not sent"
    if NIGHT_LOAD_FROM_MS <= reading.stamp_ms < NIGHT_LOAD_TO_MS:
        return replace(reading, amount=reading.amount + NIGHT_LOAD_W * _HUNDREDTHS_OF_WH_PER_W)
    if STUCK_FROM_MS <= reading.stamp_ms < STUCK_TO_MS:
        return replace(reading, amount=stuck_amount)
    return reading
