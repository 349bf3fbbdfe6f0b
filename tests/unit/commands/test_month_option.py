"""Months, days, amounts and hashes as people write them."""

import pytest

from commands.activity import scaled_amount
from commands.month_option import day_ms, month_of, month_text
from commands.output import CommandFailed
from commands.total import tonnes


@pytest.mark.parametrize("text", ["1970-01", "2018-12", "9999-12"])
def test_a_month_goes_there_and_back(text: str) -> None:
    assert month_text(month_of(text, "--from")) == text


@pytest.mark.parametrize(
    "text", ["", "2018", "2018-00", "2018-13", "1969-12", "\uff12018-01", "18-1"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(CommandFailed, match="--from: expected a month such as 2018-01, got "):
        month_of(text, "--from")


def test_a_day_is_utc_unless_it_says_otherwise() -> None:
    assert day_ms("1970-01-02", "--day") == 86_400_000
    assert day_ms("1970-01-02T00:00+08:00", "--day") == 86_400_000 - 8 * 3_600_000
    for text in ("tomorrow", "1969-12-31"):
        with pytest.raises(CommandFailed, match="--day: expected a date"):
            day_ms(text, "--day")


@pytest.mark.parametrize(
    ("text", "number", "scale"),
    [("1", 1, 0), ("1250.5", 12_505, -1), ("0.000001", 1, -6), ("10.50", 105, -1), ("100", 100, 0)],
)
def test_an_amount_is_an_integer_and_a_power_of_ten(text: str, number: int, scale: int) -> None:
    assert scaled_amount(text) == (number, scale)


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "0.0000001", "nan", "1,5", "\uff11"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(CommandFailed, match="AMOUNT: expected a number above 0"):
        scaled_amount(text)


@pytest.mark.parametrize(
    ("grams", "text"), [(0, "0.000000"), (1_234_567, "1.234567"), (-5, "-0.000005")]
)
def test_tonnes_keep_all_digits(grams: int, text: str) -> None:
    assert tonnes(grams) == text
