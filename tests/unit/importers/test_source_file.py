"""Rows and numbers of source files."""

import gzip
from pathlib import Path

import pytest

from client.importers.source_file import SourceError, SourceRow, rows_of, scaled


def cell(text: str) -> SourceRow:
    return SourceRow(path=Path("a.csv"), line=3, cells={"kw": text})


def write(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    [
        ("12.80", 3, 12800),
        ("0", 3, 0),
        ("-1.5", 1, -15),
        ("65.279999", 3, 65280),
        ("0.0005", 3, 1),
        ("0.0004", 3, 0),
        ("1e3", 0, 1000),
    ],
)
def test_a_decimal_becomes_an_integer_of_its_unit(text: str, decimals: int, expected: int) -> None:
    assert scaled(cell(text), "kw", decimals) == expected


@pytest.mark.parametrize("text", ["", "nan", "NaN", "null", "None", "N/A", "-"])
def test_the_usual_signs_for_nothing_are_nothing(text: str) -> None:
    assert scaled(cell(text), "kw", 3) is None


@pytest.mark.parametrize("text", ["12,5", "abc", "inf", "1e31", "1" * 31, "0x10"])
def test_what_is_no_measurement_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SourceError, match=r"a\.csv, line 3, kw: expected a .*number"):
        scaled(cell(text), "kw", 3)


def test_a_number_of_thirty_characters_is_still_read() -> None:
    assert scaled(cell("0." + "0" * 27 + "1"), "kw", 0) == 0


def test_rows_come_with_their_line_and_without_blanks(tmp_path: Path) -> None:
    path = write(tmp_path, "time, kw\n2013-08-01 00:00:00, 5.168\n\n2013-08-01 00:15:00,6\n")

    rows = list(rows_of(path, ("time", "kw"), has_header=True))

    assert [(row.line, row["kw"]) for row in rows] == [(2, "5.168"), (4, "6")]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffdate,kw\n1,2\n")

    assert [row["date"] for row in rows_of(path, ("date",), has_header=True)] == ["1"]


def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))

    assert [row.cells for row in rows_of(path, ("a",), has_header=True)] == [{"a": "1", "b": "2"}]


def test_a_file_without_header_takes_the_names_given(tmp_path: Path) -> None:
    path = write(tmp_path, "1,2\n")

    assert [row.cells for row in rows_of(path, ("a", "b"), has_header=False)] == [
        {"a": "1", "b": "2"}
    ]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kwh\n1,2\n")

    with pytest.raises(SourceError, match="expected the columns time, kw; kw is missing"):
        list(rows_of(path, ("time", "kw"), has_header=True))


def test_a_row_that_is_too_short_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1\n")

    with pytest.raises(SourceError, match="line 2: expected 2 cells as in the header, got 1"):
        list(rows_of(path, ("a", "b"), has_header=True))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv: expected a readable file, got"):
        list(rows_of(tmp_path / "none.csv", ("a",), has_header=True))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n\xff\xfe,1\n")

    with pytest.raises(SourceError, match="expected CSV text in UTF-8"):
        list(rows_of(path, ("a",), has_header=True))


def test_a_file_that_only_claims_to_be_compressed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(b"a,b\n")

    with pytest.raises(SourceError, match="expected a readable file, got: Not a gzipped file"):
        list(rows_of(path, ("a",), has_header=True))


def test_a_file_that_ends_within_quotes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, 'stamp,kw\n1,"13\n')

    with pytest.raises(SourceError, match="expected CSV text in UTF-8, got: unexpected end"):
        list(rows_of(path, ("stamp", "kw"), has_header=True))
