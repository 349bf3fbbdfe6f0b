"""One reading from the command line."""

from dataclasses import replace

import pytest

from commands.output import CommandFailed
from commands.reading_input import stamp_of, value_of
from contracts.meter import Meter, MeterMode, Unit, ValueKind
from demo.cast import office_meter

METER = Meter.from_value(
    (*office_meter("m", "M", bytes(32)).to_value(), "office", int(MeterMode.BACKFILL), None)
)
IN_KWH = replace(METER, unit=Unit.KILOWATT_HOUR, scale=-3)


@pytest.mark.parametrize(("text", "expected"), [("1.35", 1_350), ("0.001", 1), ("-2", -2_000)])
def test_a_number_is_taken_in_the_meters_unit(text: str, expected: int) -> None:
    assert value_of(IN_KWH, text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("abc", "expected a number in kilowatt_hour or a CSV file, got 'abc'"),
        ("1.0001", "at most 3 decimals, which is what m sends, got '1.0001'"),
        ("nan", "at most 3 decimals"),
        ("1e40", "expected a number that m can show"),
        ("1e9999999999", "expected a number that m can show"),
        ("1e-9999999999", "expected a number that m can show"),
        ("1.00000000000000000000000000001", "expected a number that m can show"),
    ],
)
def test_what_the_meter_cannot_show_is_refused(text: str, words: str) -> None:
    with pytest.raises(CommandFailed, match=words):
        value_of(IN_KWH, text)


def test_a_register_does_not_go_below_zero() -> None:
    with pytest.raises(CommandFailed, match="expected a number that m can show, got '-1'"):
        value_of(replace(IN_KWH, kind=ValueKind.REGISTER), "-1")


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2026-03-01T12:15:00+08:00", "UTC"), ("2026-03-01 12:15", "Asia/Shanghai")],
)
def test_a_stamp_has_an_offset_or_a_zone(text: str, zone: str) -> None:
    assert stamp_of(text, zone) == 1_772_338_500_000


def test_a_stamp_that_is_none_is_refused() -> None:
    with pytest.raises(CommandFailed, match="stamp: expected ISO 8601 such as"):
        stamp_of("yesterday", "UTC")
