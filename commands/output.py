"""What commands print: tables for people, JSON for programs, one clear sentence for a failure."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Final, NoReturn

import typer

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
"""Refused, or failed with a reason."""
EXIT_USAGE: Final = 2

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class CommandFailed(Exception):
    """Ends a command with exit code 1 and one sentence: expected, got, what to do."""


def fail(sentence: str) -> NoReturn:
    """Ends the command with a reason."""
    raise CommandFailed(sentence)


def print_json(document: object) -> None:
    """Prints one JSON document on standard output."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_json_line(document: object) -> None:
    """Prints one JSON document on one line, for streams and for the last line of a long job."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(*lines: str) -> None:
    """Prints plain lines: no markup, no wrapping, so that commands in them can be pasted."""
    for line in lines:
        typer.echo(line)


def warn(line: str) -> None:
    """Prints a line for people on standard error, where it does not disturb a program's JSON."""
    typer.echo(line, err=True)


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = ""
) -> None:
    """Prints a table as wide as the terminal.

    Args:
        columns: headings; a leading ``>`` aligns the column to the right, and a leading ``!``
            keeps its cells on one line, for what people copy.
        rows: cells; None shows as a dash.
        title: line above, or "".
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.lstrip(">!"),
            justify="right" if column.startswith(">") else "left",
            no_wrap=column[0] in ">!",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(_cell(cell)) for cell in row))
    Console().print(table)


def print_fields(fields: Sequence[tuple[str, object]]) -> None:
    """Prints one thing as name and value, a pair a line."""
    width = max((len(name) for name, _ in fields), default=0)
    for name, value in fields:
        say(f"{name:<{width}}  {_cell(value)}")


def time_text(milliseconds: int | None) -> str:
    """Returns a moment for people, UTC to the second; a dash for None."""
    if milliseconds is None:
        return "-"
    moment = datetime.fromtimestamp(milliseconds / 1_000, tz=UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def minute_text(milliseconds: int | None) -> str:
    """Returns a moment for people, UTC to the minute; a dash for None."""
    return time_text(milliseconds)[:16]


def short(hexadecimal: str) -> str:
    """Returns the beginning of a hash, enough for people to tell two apart."""
    return hexadecimal[:12]


def enum_text(value: Enum) -> str:
    """Returns the name of an enum member in lower case."""
    return str(value.name).lower()


def printable(text: str) -> str:
    """Returns others' text with control characters escaped: it must not pose as output."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _cell(value: object) -> str:
    return "-" if value is None else printable(str(value))
