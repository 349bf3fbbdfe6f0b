"""A credential as a document: written for people, read member by member."""

import pytest

from client.credentials.document import member, text_of
from client.errors import InvalidCredential
from client.json_object import parse


def test_a_document_comes_back_from_its_file() -> None:
    document = {"name": "碳链", "list": [1, {"b": None}]}

    assert parse(text_of(document).encode()) == document


def test_a_member_is_there_and_of_its_type() -> None:
    assert member({"a": "b"}, "a", str) == "b"
    with pytest.raises(InvalidCredential, match="a: expected text, got nothing"):
        member({}, "a", str)
    with pytest.raises(InvalidCredential, match="a: expected an integer, got bool"):
        member({"a": True}, "a", int)
