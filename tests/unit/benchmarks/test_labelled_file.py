"""Files of labelled readings: what is read, and how what is wrong with them is met."""

from pathlib import Path

import pytest

from benchmarks.labelled_file import LabelledMeter, read_labelled
from client.importers.source_file import SourceError

HEADER = "meter,timestamp,value,label\n"


def read(tmp_path: Path, *lines: str) -> tuple[LabelledMeter, ...]:
    path = tmp_path / "labelled.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return read_labelled(path)


def hour(number: int, value: str = "1", label: int = 0, meter: str = "a") -> str:
    return f"{meter},2016-01-01T{number:02d}:00:00,{value},{label}"


def test_values_labels_and_interval_are_read_per_meter(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        hour(0, "1.25"),
        hour(1, "", 1),
        hour(2, "-3"),
        "b,2016-01-01 00:00,7,0",
        "b,2016-01-01 00:15,8,1",
    )

    assert (first.name, first.decimals, first.interval_ms) == ("a", 2, 3_600_000)
    assert [each.value for each in first.readings] == [125, None, -300]
    assert [each.is_labelled for each in first.readings] == [False, True, False]
    assert first.readings[0].start_ms == 1_451_606_400_000
    assert (second.name, second.decimals, second.interval_ms) == ("b", 0, 900_000)


def test_unsorted_rows_are_sorted(tmp_path: Path) -> None:
    (meter,) = read(tmp_path, hour(2, "3"), hour(0, "1"), hour(1, "2"))

    assert [each.value for each in meter.readings] == [1, 2, 3]


def test_of_rows_with_one_stamp_the_first_counts(tmp_path: Path) -> None:
    (meter,) = read(tmp_path, hour(0), hour(1, "2"), hour(1, "9", 1), hour(2))

    assert [(each.value, each.is_labelled) for each in meter.readings][1] == (2, False)
    assert meter.repeated == 1


def test_rows_between_intervals_are_left_out_and_counted(tmp_path: Path) -> None:
    (meter,) = read(tmp_path, *map(hour, range(6)), "a,2016-01-01T02:20:00,5,1")

    assert len(meter.readings) == 6
    assert meter.off_grid == 1


def test_a_grid_may_begin_within_the_hour(tmp_path: Path) -> None:
    lines = [f"a,2016-01-01T{number:02d}:59:00,1,0" for number in range(4)]
    (meter,) = read(tmp_path, *lines)

    assert [each.start_ms % 3_600_000 for each in meter.readings] == [0] * 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,2016-01-01T01:00:00,x,0", "line 3, value: expected a decimal number such as 12.5"),
        ("a,2016-01-01T01:00:00,inf,0", "line 3, value: expected a finite number, got 'inf'"),
        ("a,2016-01-01T01:00:00,1e20,0", "line 3, value: expected a number within"),
        ("a,2016-01-01T01:00:00,1,2", "line 3, label: expected 0 or 1, got '2'"),
        ("a,yesterday,1,0", "line 3, timestamp: expected a local time in ISO 8601"),
        ("a,2016-01-01T01:00:00+01:00,1,0", "without an offset, got '2016-01-01T01:00:00+01:00'"),
        ("a,1969-01-01T01:00:00,1,0", "from 1970 to 2099, got '1969-01-01T01:00:00'"),
        (",2016-01-01T01:00:00,1,0", "line 3, meter: expected the name of a meter, got ''"),
        ("a,2016-01-01T01:00:00,1", "line 3: expected 4 cells as in the header, got 3"),
        ("a,2016-01-01T00:00:07,1,0", "got mostly steps of 7 s"),
        ("a,2016-01-01T00:00:00,1,0", "expected at least two stamps, got 1"),
    ],
)
def test_what_is_no_reading_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, hour(0), line)

    assert message in str(caught.value)


def test_a_file_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected at least one row after the header"):
        read(tmp_path)
    path = tmp_path / "other.csv"
    path.write_text("meter,time,value\n", encoding="utf-8")
    with pytest.raises(SourceError, match="timestamp, label is missing"):
        read_labelled(path)
