"""Labelled readings of meters, as ``tanlian bench detection`` reads them from a CSV file.

Columns ``meter,timestamp,value,label``: ISO 8601 in local time, a decimal number or nothing where
the reading is missing, and 1 where somebody found the reading wrong. The interval of each meter is
found from its stamps.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

from chain.types import Milliseconds
from client.importers.source_file import SourceError, SourceRow, rows_of, scaled

COLUMNS: Final = ("meter", "timestamp", "value", "label")
DECIMALS_MAX: Final = 6
"""Digits after the point that are kept; further ones are rounded half up."""
SUBMITTED_MAX: Final = 10**15
_DAY_MS: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STAMPS: Final = range(4_102_444_800_000)
"""1970 to 2099."""


@dataclass(frozen=True, slots=True)
class LabelledReading:
    """One interval of a file."""

    start_ms: Milliseconds
    """Local time as if it were UTC."""
    value: int | None
    """In units of ``10**-decimals``; None where the reading is missing."""
    is_labelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMeter:
    """The readings of one meter, ascending and on one grid."""

    name: str
    decimals: int
    interval_ms: int
    readings: tuple[LabelledReading, ...]
    repeated: int = 0
    """Rows left out because an earlier row has their stamp."""
    off_grid: int = 0
    """Rows left out because their stamp lies between two intervals."""


def read_labelled(path: Path) -> tuple[LabelledMeter, ...]:
    """Reads the meters of a file, in the order of their first rows.

    Rows may stand in any order. Of rows with one stamp the first counts: where clocks go back, a
    file in local time says of the second hour nothing that could be told apart from a repeat.

    Raises:
        SourceError: names the line, what was expected and what came.
    """
    rows_by_meter: dict[str, list[tuple[Milliseconds, SourceRow]]] = {}
    for row in rows_of(path, COLUMNS, has_header=True):
        if not row["meter"]:
            raise row.fault("meter", expected="the name of a meter")
        if row["label"] not in {"0", "1"}:
            raise row.fault("label", expected="0 or 1")
        rows_by_meter.setdefault(row["meter"], []).append((_stamp_of(row), row))
    if not rows_by_meter:
        raise SourceError(f"{path}: expected at least one row after the header, got none")
    return tuple(_meter_of(path, name, rows) for name, rows in rows_by_meter.items())


def _stamp_of(row: SourceRow) -> Milliseconds:
    expected = "a local time in ISO 8601 such as 2016-03-01T14:00:00, from 1970 to 2099"
    try:
        moment = datetime.fromisoformat(row["timestamp"])
    except ValueError:
        raise row.fault("timestamp", expected=expected) from None
    if moment.tzinfo is not None:
        raise row.fault("timestamp", expected=f"{expected}, without an offset")
    stamp_ms = (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds() * 1_000
    if int(stamp_ms) not in _STAMPS:
        raise row.fault("timestamp", expected=expected)
    return int(stamp_ms)


def _meter_of(
    path: Path, name: str, rows: Sequence[tuple[Milliseconds, SourceRow]]
) -> LabelledMeter:
    decimals = max(_decimals_of(row) for _, row in rows)
    first_rows: dict[Milliseconds, SourceRow] = {}
    for stamp_ms, row in rows:
        first_rows.setdefault(stamp_ms, row)
    stamps = sorted(first_rows)
    interval_ms = interval_of(path, name, stamps)
    phase = Counter(stamp_ms % interval_ms for stamp_ms in stamps).most_common(1)[0][0]
    readings: list[LabelledReading] = []
    for stamp_ms in stamps:
        row = first_rows[stamp_ms]
        value = scaled(row, "value", decimals)
        if value is not None and abs(value) > SUBMITTED_MAX:
            limit = Decimal(SUBMITTED_MAX).scaleb(-decimals)
            raise row.fault("value", expected=f"a number within +-{limit:f}")
        if stamp_ms % interval_ms == phase:
            reading = LabelledReading(stamp_ms - phase, value, row["label"] == "1")
            readings.append(reading)
    return LabelledMeter(
        name=name,
        decimals=decimals,
        interval_ms=interval_ms,
        readings=tuple(readings),
        repeated=len(rows) - len(stamps),
        off_grid=len(stamps) - len(readings),
    )


def interval_of(path: Path, name: str, stamps: Sequence[Milliseconds]) -> int:
    """Returns the most common step between stamps, which must divide a day.

    Raises:
        SourceError: there are fewer than two stamps, or it does not.
    """
    steps = Counter(later - earlier for earlier, later in pairwise(stamps))
    if not steps:
        raise SourceError(
            f"{path}, meter {name!a}: expected at least two stamps, got {len(stamps)}"
        )
    # Of steps that are equally common the shortest, whatever the order of the rows.
    interval_ms = min(steps, key=lambda step: (-steps[step], step))
    if interval_ms < 1_000 or _DAY_MS % interval_ms:
        raise SourceError(
            f"{path}, meter {name!a}: expected stamps in steps that divide a day, such as "
            f"60 minutes, got mostly steps of {interval_ms / 1_000:g} s"
        )
    return interval_ms


def _decimals_of(row: SourceRow) -> int:
    value = scaled(row, "value", DECIMALS_MAX)
    if value is None:
        return 0
    for decimals in range(DECIMALS_MAX):
        if value % 10 ** (DECIMALS_MAX - decimals) == 0:
            return decimals
    return DECIMALS_MAX
