"""A credential as a document: a JSON object with one canonical text, which is what is signed.

:func:`client.json_object.parse` reads one; what it refuses cannot have been signed.
"""

import json
from datetime import datetime
from typing import Any, Final, TypeVar

from client.errors import InvalidCredential

Document = dict[str, Any]
ValueT = TypeVar("ValueT")


def text_of(document: Document) -> str:
    """Returns a document for a file: indented, for people too; what is signed is another text."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def member(document: Document, name: str, kind: type[ValueT]) -> ValueT:
    """Returns a member of an object, which must be there and of a type.

    Raises:
        InvalidCredential: it is not.
    """
    value = document.get(name)
    if type(value) is not kind or not isinstance(value, kind):
        raise InvalidCredential(
            f"{name}: expected {_WORDS[kind]}, got "
            f"{'nothing' if name not in document else type(value).__name__}"
        )
    return value


def moment_of(text: str, what: str) -> datetime:
    """Returns a moment with its zone.

    Raises:
        InvalidCredential: no ISO 8601, or a local time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidCredential(
            f"{what}: expected a moment such as 2026-01-31T12:00:00Z, got {text[:40]!a}"
        )
    return moment


_WORDS: Final = {str: "text", dict: "an object", list: "an array", int: "an integer"}
