"""Reading a credential: what could not have been signed is refused with one sentence."""

import pytest

from chain.jcs import DEPTH_MAX
from client.credentials.document import DOCUMENT_BYTES_MAX, member, parse, text_of
from client.errors import InvalidCredential

EXPECTED = "cert.json: expected a JSON object of integers and texts"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", f"{EXPECTED}, got no JSON (Expecting value at offset 0)"),
        (b"{", f"{EXPECTED}, got no JSON (Expecting property name"),
        (b"[]", f"{EXPECTED}, got a JSON list"),
        (b"\xff{}", f"{EXPECTED}, got bytes that are no UTF-8 at offset 0"),
        (b'{"a": 1.0}', f"{EXPECTED}, got the number 1.0 where only integers may stand"),
        (b'{"a": 1e3}', "got the number 1e3"),
        (b'{"a": NaN}', "got the number NaN"),
        (b'{"a": {"b": 1, "b": 1}}', f"{EXPECTED}, got the name 'b' twice in one object"),
        (b'{"a": 9007199254740992}', "/a: expected an integer of at most 9007199254740991"),
        (b'{"a": ' + b"9" * 5_000 + b"}", f"{EXPECTED}, got no JSON (Exceeds the limit"),
        (b'{"a": "\\ud800"}', "/a: expected text of whole characters"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", f"expected at most {DEPTH_MAX} levels"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nesting without end"),
        (b" " * (DOCUMENT_BYTES_MAX + 1), f"expected at most {DOCUMENT_BYTES_MAX} bytes"),
    ],
)
def test_what_is_no_signed_document_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(InvalidCredential) as refused:
        parse(text, "cert.json")

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_longest_document_is_read() -> None:
    assert parse(b"{}" + b" " * (DOCUMENT_BYTES_MAX - 2), "cert.json") == {}


def test_a_document_comes_back_from_its_file() -> None:
    document = {"name": "碳链", "list": [1, {"b": None}]}

    assert parse(text_of(document).encode(), "file") == document


def test_a_member_is_there_and_of_its_type() -> None:
    assert member({"a": "b"}, "a", str) == "b"
    with pytest.raises(InvalidCredential, match="a: expected text, got nothing"):
        member({}, "a", str)
    with pytest.raises(InvalidCredential, match="a: expected an integer, got bool"):
        member({"a": True}, "a", int)
