"""What a person may say of an interval on the command line."""

from dataclasses import replace

import pytest

from commands.correction import interval_of, state_of
from commands.output import CommandFailed
from contracts.meter import Meter, MeterMode, Unit
from demo.cast import office_meter

METER = replace(
    Meter.from_value(
        (*office_meter("m", "M", bytes(32)).to_value(), "office", int(MeterMode.BACKFILL), None)
    ),
    unit=Unit.KILOWATT_HOUR,
    scale=-3,
)
START_MS = 1_772_338_500_000


@pytest.mark.parametrize(
    ("text", "is_base", "expected"),
    [
        ("2026-03-01T12:15:00+08:00=1.35", False, 1_350),
        ("2026-03-01T04:29Z=7", True, 7),
        ("2026-03-01 04:15=raw", False, None),
    ],
)
def test_an_interval_is_a_moment_in_it_and_an_amount(
    text: str, *, is_base: bool, expected: int | None
) -> None:
    assert interval_of(METER, text, "UTC", is_base=is_base) == (START_MS, expected)


@pytest.mark.parametrize(
    ("text", "is_base", "words"),
    [
        ("2026-03-01T04:15Z", False, "interval: expected TIME=AMOUNT such as"),
        ("yesterday=1", False, "stamp: expected ISO 8601"),
        ("2026-03-01T04:15Z=1.2", True, "amount: expected a whole number of base units, or `raw`"),
        ("2026-03-01T04:15Z=1.23456", False, "at most 3 decimals"),
        ("2026-03-01T04:15Z=", False, "value: expected a number"),
    ],
)
def test_what_is_none_is_refused(text: str, *, is_base: bool, words: str) -> None:
    with pytest.raises(CommandFailed, match=words):
        interval_of(METER, text, "UTC", is_base=is_base)


WAITS = {"proposed_by": "aa", "approved_ms": None, "rejection": None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "waits"),
        ({"approved_ms": START_MS}, "approved 2026-03-01 04:15"),
        (
            {"rejection": {"rejected_by": "bb", "rejected_ms": START_MS, "reason": "no"}},
            "rejected 2026-03-01 04:15",
        ),
        (
            {"rejection": {"rejected_by": "aa", "rejected_ms": START_MS, "reason": "no"}},
            "withdrawn 2026-03-01 04:15",
        ),
    ],
)
def test_a_list_says_what_has_become_of_a_proposal(change: dict[str, object], words: str) -> None:
    assert state_of(WAITS | change) == words
