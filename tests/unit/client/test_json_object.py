"""JSON in files: what could not have been signed or hashed is refused with one sentence."""

import pytest

from chain.jcs import DEPTH_MAX, NotCanonicalJson
from client.json_object import NoJsonObject, parse


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no JSON (Expecting value at offset 0)"),
        (b"{", "no JSON (Expecting property name"),
        (b"[]", "a JSON list"),
        (b"\xff{}", "bytes that are no UTF-8 at offset 0"),
        (b'{"a": 1.0}', "the number 1.0 where only integers may stand"),
        (b'{"a": 1e3}', "the number 1e3"),
        (b'{"a": NaN}', "the number NaN"),
        (b'{"a": {"b": 1, "b": 1}}', "the name 'b' twice in one object"),
        (b'{"a": 9007199254740992}', "/a: expected an integer of at most 9007199254740991"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "no JSON (Exceeds the limit"),
        (b'{"a": "\\ud800"}', "/a: expected text of whole characters"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", f"expected at most {DEPTH_MAX} levels"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nesting without end"),
    ],
)
def test_what_could_not_have_been_signed_is_refused(text: bytes, message: str) -> None:
    with pytest.raises((NoJsonObject, NotCanonicalJson)) as refused:
        parse(text)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
