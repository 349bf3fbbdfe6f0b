"""Parameters: text from outside becomes a value or a clear problem."""

from collections.abc import Callable

import pytest

from node.rpc.parameters import (
    Cursor,
    page_limit,
    parse_bytes,
    parse_cursor,
    parse_hash,
    parse_identifier,
    parse_integer,
)
from node.rpc.problems import ProblemError


def test_good_text_becomes_a_value() -> None:
    assert parse_hash("0f" * 32, "id") == b"\x0f" * 32
    assert parse_bytes("", "key") == b""
    assert parse_bytes("00ff", "key") == b"\x00\xff"
    assert parse_integer("18446744073709551615", "height") == 2**64 - 1
    assert parse_identifier("steel-main.1", "id") == "steel-main.1"
    assert parse_cursor("12:3", "after") == Cursor(12, 3)
    assert page_limit({}) == 100
    assert page_limit({"limit": "1"}) == 1
    assert page_limit({"limit": "1000"}) == 1_000


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_hash, "0f" * 31),
        (parse_hash, "0F" * 32),
        (parse_hash, "0g" * 32),
        (parse_bytes, "0"),
        (parse_bytes, " 00"),
        (parse_integer, ""),
        (parse_integer, "-1"),
        (parse_integer, "+1"),
        (parse_integer, "1_0"),
        (parse_integer, "\u0661"),
        (parse_integer, "18446744073709551616"),
        (parse_integer, "9" * 5_000),
        (parse_identifier, ""),
        (parse_identifier, "a/b"),
        (parse_identifier, "é"),
        (parse_identifier, "a" * 65),
        (parse_cursor, "1"),
        (parse_cursor, "1:"),
        (parse_cursor, "1:2\n"),
        (parse_cursor, "18446744073709551616:0"),
    ],
)
def test_bad_text_is_a_problem_that_names_the_field(
    parse: Callable[[str, str], object], text: str
) -> None:
    with pytest.raises(ProblemError) as refused:
        parse(text, "place")

    assert refused.value.problem.code == "MALFORMED_PARAMETER"
    assert refused.value.problem.field == "place"


@pytest.mark.parametrize("text", ["0", "1001", "all"])
def test_a_page_outside_its_limits_is_a_problem(text: str) -> None:
    with pytest.raises(ProblemError, match="1 to 1000"):
        page_limit({"limit": text})


def test_bounds_are_inclusive() -> None:
    assert parse_integer("5", "n", minimum=5, maximum=5) == 5
    for outside in ("4", "6"):
        with pytest.raises(ProblemError):
            parse_integer(outside, "n", minimum=5, maximum=5)


def test_cursors_order_by_height_and_then_index() -> None:
    assert sorted([Cursor(10, 0), Cursor(2, 11), Cursor(2, 3)]) == [
        Cursor(2, 3),
        Cursor(2, 11),
        Cursor(10, 0),
    ]
    assert str(Cursor(10, 3)) == "10:3"
