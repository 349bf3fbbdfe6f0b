"""Query and path parameters: text from outside, turned into values or a clear problem."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain.types import HASH_BYTES, IDENTIFIER_PATTERN, U64_MAX, Hash
from node.rpc.limits import PAGE_DEFAULT, PAGE_MAX
from node.rpc.problems import ProblemError, quoted, refuse

_DIGITS: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_HEX: Final = re.compile(r"([0-9a-f]{2})*", re.ASCII)
_IDENTIFIER: Final = re.compile(IDENTIFIER_PATTERN.expression, re.ASCII)
_CURSOR: Final = re.compile(r"([0-9]{1,20}):([0-9]{1,10})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the sequence of all events; the next one comes strictly after it."""

    height: int
    index: int
    """Of the event within its block; the number of events there means: after all of them."""

    def __str__(self) -> str:
        return f"{self.height}:{self.index}"


BEGINNING: Final = Cursor(0, 0)
"""Before the first event: the genesis has none."""


def malformed(field: str, expected: str, got: str) -> ProblemError:
    """Builds the error for a parameter that is not of its form."""
    return refuse("MALFORMED_PARAMETER", field=field, expected=expected, got=quoted(got))


def parse_hash(text: str, field: str) -> Hash:
    """Parses 64 hexadecimal digits.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    value = parse_bytes(text, field) if len(text) == 2 * HASH_BYTES else b""
    if len(value) != HASH_BYTES:
        raise malformed(field, "64 lower-case hexadecimal digits", text)
    return value


def parse_bytes(text: str, field: str) -> bytes:
    """Parses hexadecimal digits.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    if _HEX.fullmatch(text) is None:
        raise malformed(field, "lower-case hexadecimal digits in pairs", text)
    return bytes.fromhex(text)


def parse_integer(text: str, field: str, *, minimum: int = 0, maximum: int = U64_MAX) -> int:
    """Parses a decimal integer within bounds, both inclusive.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    value = int(text) if _DIGITS.fullmatch(text) else -1
    if not minimum <= value <= maximum:
        raise malformed(field, f"an integer from {minimum} to {maximum}", text)
    return value


def parse_identifier(text: str, field: str) -> str:
    """Parses an identifier, so that it is safe as part of a state key.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    if _IDENTIFIER.fullmatch(text) is None:
        raise malformed(field, IDENTIFIER_PATTERN.words, text)
    return text


def parse_cursor(text: str, field: str) -> Cursor:
    """Parses ``<height>:<index>``.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    match = _CURSOR.fullmatch(text)
    if match is None or int(match[1]) > U64_MAX:
        raise malformed(field, "<height>:<index> as an earlier answer gave it", text)
    return Cursor(int(match[1]), int(match[2]))


def page_limit(query: Mapping[str, str]) -> int:
    """Returns the page size that a query asks for.

    Raises:
        ProblemError: MALFORMED_PARAMETER.
    """
    text = query.get("limit")
    if text is None:
        return PAGE_DEFAULT
    return parse_integer(text, "limit", minimum=1, maximum=PAGE_MAX)
