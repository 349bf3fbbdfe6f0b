"""What is known to be wrong in the data, against what the chain says of it.

Nothing here is counted in advance: what was expected comes from the labels of the data, what was
found from receipts and alerts that the nodes answered with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.importers.forrestal import INTERVAL_MS
from client.importers.source_file import SourceError, rows_of, scaled
from contracts.check import Check, bit
from contracts.reading import Outcome, RawReading, SubmitResult

ZERO_CO2: Final = "CO2_ZERO_WITH_LOAD"
"""Label of the steel plant's rows that report no CO2 under load."""
DUPLICATE_NOTE: Final = "DUPLICATE_TIMESTAMP"
SECOND_PASS_MS: Final = range(1_414_908_000_000, 1_414_911_600_000)
"""The second 01:00 hour of 2014-11-02 in Washington: 06:00 to 07:00 UTC."""
_REPEATED_HOUR: Final = " 01:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One reading with what the chain said of it."""

    meter_id: str
    reading: RawReading
    outcome: Outcome
    failed: int
    """Mask of the checks that it failed."""

    def has_failed(self, check: Check) -> bool:
        """Returns whether the chain flagged the reading with a check."""
        return bool(self.failed & bit(check))


def answers_of(
    meter_id: str, readings: tuple[RawReading, ...], result: SubmitResult
) -> list[Answer]:
    """Joins readings of one transaction with its result.

    Args:
        meter_id: their meter.
        readings: as they were sent.
        result: what the receipt says of each.
    """
    return [
        Answer(meter_id=meter_id, reading=reading, outcome=outcome, failed=failed)
        for reading, outcome, failed in zip(readings, result.outcomes, result.failed, strict=True)
    ]


def zero_co2_rows(path: Path) -> frozenset[int]:
    """Reads which rows of the steel plant's file are labelled, counted from 0.

    Raises:
        SourceError: not ``steel/labels.csv.gz``.
    """
    rows = rows_of(path, ("row_index0", "label"), has_header=True)
    indexes = [scaled(row, "row_index0", 0) for row in rows if row["label"] == ZERO_CO2]
    if None in indexes:
        raise SourceError(f"{path}: expected a row number at each label")
    return frozenset(index for index in indexes if index is not None)


def repeated_rows(path: Path) -> int:
    """Counts the true repeats in a day of the Forrestal building.

    The source's own reader marks each equal local stamp; those of the hour that the clocks repeat
    are readings of a moment of their own.

    Raises:
        SourceError: not such a file.
    """
    return sum(
        row["note"] == DUPLICATE_NOTE and _REPEATED_HOUR not in row["local_time"]
        for row in rows_of(path, ("local_time", "note"), has_header=True)
    )


def steel_faults(answers: Iterable[Answer], labelled: frozenset[int]) -> dict[str, int]:
    """Compares what check 18 flagged with the labels; answers in file order."""
    flagged = {index for index, answer in enumerate(answers) if answer.has_failed(Check.ENERGY_CO2)}
    return {
        "expected": len(labelled),
        "found": len(flagged & labelled),
        "false": len(flagged - labelled),
    }


def duplicates(answers: Iterable[Answer], expected: int) -> dict[str, int]:
    """Counts the readings that the chain took as repeats."""
    found = sum(answer.outcome is Outcome.DUPLICATE for answer in answers)
    return {"expected": expected, "found": found}


def fallback_intervals(answers: Iterable[Answer]) -> dict[str, int]:
    """Counts the intervals of the second pass of the repeated hour that have a value."""
    listed = list(answers)
    meters = {answer.meter_id for answer in listed}
    found = {
        (answer.meter_id, slot_ms)
        for answer in listed
        if answer.outcome is Outcome.ACCEPTED
        and (slot_ms := _slot_ms(answer.reading)) in SECOND_PASS_MS
    }
    hour_slots = len(SECOND_PASS_MS) // INTERVAL_MS
    return {"expected_intervals": len(meters) * hour_slots, "found": len(found)}


def negative_deltas(answers: Iterable[Answer]) -> dict[str, int]:
    """Counts the readings whose register the chain found to fall."""
    return {"found": sum(answer.has_failed(Check.REGISTER) for answer in answers)}


def live_missing(alerts: Iterable[Mapping[str, object]], meter_id: str) -> dict[str, int]:
    """Counts the alerts of a meter that fell silent."""
    found = sum(
        alert["meter"] == meter_id and alert["check"] == Check.MISSING.name for alert in alerts
    )
    return {"found": found}


def disappointments(known_faults: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Returns a sentence for each known fault that was not found as expected."""
    sentences: list[str] = []
    for name, fault in known_faults.items():
        expected = fault.get("expected", fault.get("expected_intervals"))
        found = fault["found"]
        if expected is not None and found != expected:
            sentences.append(f"{name}: expected {expected}, found {found}")
        if fault.get("false", 0):
            sentences.append(f"{name}: expected nothing beyond the labels, found {fault['false']}")
    if known_faults["forrestal_negative_deltas"]["found"]:
        sentences.append("forrestal_negative_deltas: expected none, found some")
    if not known_faults["live_missing"]["found"]:
        sentences.append("live_missing: expected an alert, found none")
    return sentences


def _slot_ms(reading: RawReading) -> int:
    """Returns the slot of the grid that a stamp lies nearest to."""
    return (2 * reading.stamp_ms + INTERVAL_MS) // (2 * INTERVAL_MS) * INTERVAL_MS
