"""Reading a source file: text rows, plain or compressed, and numbers without floats."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Final

GZIP_SUFFIX: Final = ".gz"
_GOT_CHARACTERS_MAX: Final = 60
_DIGITS_MAX: Final = 30
"""Characters of a number; longer ones are no measurements."""
_NOT_A_NUMBER: Final = ("nan", "null", "none", "n/a", "-")


class SourceError(Exception):
    """A file that cannot be imported: which line, what was expected, what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One row of a source file with its place, for messages."""

    path: Path
    line: int
    """Line of the file, the first is 1."""
    cells: dict[str, str]
    """Text of each column, surrounding blanks removed; "" where there is none."""

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def fault(self, column: str, *, expected: str) -> SourceError:
        """Builds the error to raise for one cell."""
        got = ascii(self.cells[column][:_GOT_CHARACTERS_MAX])
        return SourceError(
            f"{self.path}, line {self.line}, {column}: expected {expected}, got {got}"
        )


def rows_of(path: Path, columns: tuple[str, ...], *, has_header: bool) -> Iterator[SourceRow]:
    """Yields the rows of a CSV file, plain or gzip by its suffix.

    Args:
        path: the file; UTF-8, with or without a byte order mark.
        columns: columns that are needed; where there is no header, all columns in their order.
        has_header: whether the first line names the columns.

    Raises:
        SourceError: the file cannot be read, lacks a column, or a row has too few cells.
    """
    opener = gzip.open if path.suffix == GZIP_SUFFIX else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text, strict=True)
            names = _header_of(path, next(lines, []), columns) if has_header else columns
            for cells in lines:
                if cells:
                    yield _row_of(path, lines.line_num, names, cells)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"{path}: expected a readable file, got: {reason}") from None
    except (UnicodeDecodeError, csv.Error, EOFError) as error:
        raise SourceError(f"{path}: expected CSV text in UTF-8, got: {error}") from None


def scaled(row: SourceRow, column: str, decimals: int) -> int | None:
    """Returns a decimal number as an integer of units of ``10**-decimals``, or None where empty.

    ``12.80`` with 3 decimals is 12800. Digits beyond are rounded half up: some sources print what
    a binary float holds, as 65.279999 for 65.28.

    Raises:
        SourceError: neither a number nor one of the usual signs for none.
    """
    text = row[column]
    if text == "" or text.lower() in _NOT_A_NUMBER:
        return None
    if len(text) > _DIGITS_MAX:
        raise row.fault(column, expected=f"a number of at most {_DIGITS_MAX} characters")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise row.fault(column, expected="a decimal number such as 12.5, or nothing") from None
    if not number.is_finite() or number.adjusted() > _DIGITS_MAX:
        raise row.fault(column, expected="a finite number")
    return int(number.scaleb(decimals).to_integral_value(ROUND_HALF_UP))


def _header_of(path: Path, names: list[str], columns: tuple[str, ...]) -> tuple[str, ...]:
    header = tuple(name.strip() for name in names)
    missing = [column for column in columns if column not in header]
    if missing:
        raise SourceError(
            f"{path}, line 1: expected the columns {', '.join(columns)}; "
            f"{', '.join(missing)} is missing"
        )
    return header


def _row_of(path: Path, line: int, names: tuple[str, ...], cells: list[str]) -> SourceRow:
    if len(cells) < len(names):
        raise SourceError(
            f"{path}, line {line}: expected {len(names)} cells as in the header, got {len(cells)}"
        )
    stripped = (cell.strip() for cell in cells)
    return SourceRow(path=path, line=line, cells=dict(zip(names, stripped, strict=False)))
