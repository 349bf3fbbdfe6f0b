"""Months on the command line: ``2018-01``."""

import re

from commands.output import fail


def month_of(text: str, option: str) -> int:
    """Returns a month as months since 1970-01.

    Raises:
        CommandFailed: it is none.
    """
    found = re.fullmatch(r"(\d{4})-(\d{2})", text, re.ASCII)
    if found is None or int(found[1]) < 1970 or not 1 <= int(found[2]) <= 12:
        fail(f"{option}: expected a month such as 2018-01, got {text!a}")
    return (int(found[1]) - 1970) * 12 + int(found[2]) - 1
