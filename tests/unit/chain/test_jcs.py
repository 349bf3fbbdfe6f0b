"""Canonical JSON: the examples of RFC 8785, and what is refused instead of guessed."""

import json
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, strategies as st

from chain.jcs import DEPTH_MAX, INTEGER_MAX, NotCanonicalJson, encode


class Number(IntEnum):
    SEVEN = 7


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | TEXTS,
    lambda children: st.lists(children) | st.dictionaries(TEXTS, children),
    max_leaves=20,
)


def test_names_are_ordered_as_rfc_8785_3_2_3_orders_them() -> None:
    members = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    text = encode(members).decode()

    # The emoji is above the Hebrew letter as a code point and below it as UTF-16.
    assert list(json.loads(text).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_strings_are_escaped_as_rfc_8785_3_2_2_escapes_them() -> None:
    text = '\u20ac$\u000f\nA\'B"\\\\"/'

    assert encode(text) == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (Number.SEVEN, "7"),
        ([], "[]"),
        ({}, "{}"),
        ((1, [2, {}]), "[1,[2,{}]]"),
        ({"b": [True, None], "a": {"d": 1, "c": 2}}, '{"a":{"c":2,"d":1},"b":[true,null]}'),
        ("\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'),
        ("\x00\x1f\x7f\u2028", '"\\u0000\\u001f\x7f\u2028"'),
        (INTEGER_MAX, "9007199254740991"),
        (-INTEGER_MAX, "-9007199254740991"),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert encode(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "document: expected an object, array, text, integer, true, false or null, got a va"),
        ({"a": [0, float("nan")]}, "/a/1: expected an object, array"),
        (b"x", "got a value of type bytes"),
        ({1: 2}, "expected text as a name, got int"),
        ({"a": INTEGER_MAX + 1}, "/a: expected an integer of at most 9007199254740991"),
        (-INTEGER_MAX - 1, "document: expected an integer of at most"),
        ({"a": "\ud83d"}, "/a: expected text of whole characters, got half a surrogate pair"),
        ({"\ude00": 1}, "/?: expected text of whole characters, got half a surrogate pair"),
    ],
)
def test_what_has_no_canonical_text_is_refused(value: object, message: str) -> None:
    with pytest.raises(NotCanonicalJson) as refused:
        encode(value)

    assert message in str(refused.value)


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_is_bounded() -> None:
    assert encode(nested(DEPTH_MAX)).count(b"[") == DEPTH_MAX
    with pytest.raises(NotCanonicalJson, match=f"at most {DEPTH_MAX} levels"):
        encode(nested(DEPTH_MAX + 1))


@given(VALUES)
def test_the_text_means_the_value_and_does_not_depend_on_the_order_of_members(value: Any) -> None:
    def reversed_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(pairs))

    text = encode(value)

    assert json.loads(text) == value
    assert encode(json.loads(text, object_pairs_hook=reversed_members)) == text
