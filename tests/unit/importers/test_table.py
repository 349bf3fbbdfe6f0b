"""Any CSV file of one meter."""

from dataclasses import replace
from pathlib import Path

import pytest

from client.importers.source_file import SourceError
from client.importers.table import read_table
from contracts.meter import Unit, ValueKind
from contracts.reading import Channel
from demo.cast import office_meter

AMOUNTS = replace(office_meter("m", "M", bytes(32)), unit=Unit.KILOWATT_HOUR, scale=-3)
REGISTERS = replace(AMOUNTS, kind=ValueKind.REGISTER)


def write(folder: Path, text: str) -> Path:
    path = folder / "readings.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_are_sent_in_the_meters_scale(tmp_path: Path) -> None:
    path = write(tmp_path, "stamp,value\n2026-03-01T12:15:00+08:00,1.35\n")

    (reading,) = read_table(path, AMOUNTS, "UTC")

    assert (reading.stamp_ms, reading.amount, reading.register) == (1_772_338_500_000, 1_350, None)


def test_a_register_is_sent_as_such(tmp_path: Path) -> None:
    path = write(tmp_path, "stamp,value\n2026-03-01T04:15:00Z,77\n")

    (reading,) = read_table(path, REGISTERS, "UTC")

    assert (reading.stamp_ms, reading.amount, reading.register) == (1_772_338_500_000, None, 77_000)


def test_a_stamp_without_offset_is_of_the_zone_given(tmp_path: Path) -> None:
    path = write(tmp_path, "stamp,value\n2026-03-01 12:15,1\n")

    (reading,) = read_table(path, AMOUNTS, "Asia/Shanghai")

    assert reading.stamp_ms == 1_772_338_500_000


def test_channels_have_columns_of_their_names(tmp_path: Path) -> None:
    path = write(tmp_path, "stamp,value,demand_w,remark\n2026-03-01T04:15:00Z,1,5400,ok\n")

    (reading,) = read_table(path, AMOUNTS, "UTC")

    assert reading.channels == ((Channel.DEMAND_W, 5_400),)


@pytest.mark.parametrize(
    ("row", "words"),
    [("tomorrow,1", "stamp: expected ISO 8601"), ("2026-03-01T04:15Z,x", "value: expected a dec")],
)
def test_a_cell_that_cannot_be_read_is_named(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(SourceError, match=f"line 2, {words}"):
        read_table(write(tmp_path, f"stamp,value\n{row}\n"), AMOUNTS, "UTC")


def test_a_register_below_zero_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "stamp,value\n2026-03-01T04:15Z,-1\n")

    with pytest.raises(SourceError, match="value: expected a register of at least 0"):
        read_table(path, REGISTERS, "UTC")
