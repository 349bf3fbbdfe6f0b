"""Months and days as people write them on the command line."""

import re
from datetime import UTC, datetime

from commands.output import fail


def month_of(text: str, option: str) -> int:
    """Returns ``2018-01`` as months since 1970-01.

    Raises:
        CommandFailed: it is no month.
    """
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    number = -1 if found is None else (int(found[1]) - 1970) * 12 + int(found[2]) - 1
    if number < 0:
        fail(f"{option}: expected a month such as 2018-01, got {text!a}")
    return number


def month_text(month: int) -> str:
    """Returns months since 1970-01 as people write them."""
    return f"{1970 + month // 12:04d}-{month % 12 + 1:02d}"


def day_ms(text: str, option: str) -> int:
    """Returns the beginning of a day, UTC unless it says otherwise, in milliseconds.

    Raises:
        CommandFailed: it is no date.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: expected a date such as 2023-01-01, got {text!a}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = int(moment.timestamp()) * 1_000
    if milliseconds < 0:
        fail(f"{option}: expected a date from 1970 on, got {text!a}")
    return milliseconds
