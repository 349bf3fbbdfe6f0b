"""Strict JSON: what two parsers could read differently is refused."""

import pytest

from node.rpc.strict_json import MalformedJson, dump, parse


def test_json_is_parsed() -> None:
    assert parse(b'{"a":[1,-2,1.5,"\xe7\xa2\xb3",true,null]}') == {
        "a": [1, -2, 1.5, "碳", True, None]
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "offset 0"),
        (b"{", "offset 1"),
        (b"\xff", "offset 0 that is not UTF-8"),
        (b'{"a":1,"b":2,"a":3}', "key 'a' twice"),
        (b'[{"x":{"k":1,"k":1}}]', "key 'k' twice"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"1 2", "offset 2"),
        (b"[" * 100_000, "nesting"),
        (b"123456789012345678901", "21 digits"),
        (b"-" + b"9" * 5_000, "5000 digits"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_its_reason(body: bytes, words: str) -> None:
    with pytest.raises(MalformedJson, match=words):
        parse(body)


def test_an_integer_of_twenty_digits_is_kept_exactly() -> None:
    assert parse(b"18446744073709551615") == 18_446_744_073_709_551_615


def test_output_is_compact_and_in_the_order_in_which_it_was_built() -> None:
    assert dump({"b": 1, "a": ["碳", None]}) == '{"b":1,"a":["碳",null]}'.encode()


def test_what_is_no_json_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        dump(float("nan"))
