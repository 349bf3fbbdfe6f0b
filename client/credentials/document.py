"""A credential as a document: a JSON object with one canonical text, which is what is signed."""

import json
from typing import Any, Final, TypeVar

from chain.jcs import NotCanonicalJson
from client import json_object
from client.errors import InvalidCredential
from client.json_object import NoJsonObject

DOCUMENT_BYTES_MAX: Final = 4_194_304
"""A certificate has about 20 KB, a status list at most 30 KB."""

Document = dict[str, Any]
ValueT = TypeVar("ValueT")


def parse(text: bytes, what: str) -> Document:
    """Returns the document in a file.

    Args:
        text: untrusted.
        what: the file's name, for messages.

    Raises:
        InvalidCredential: too long, not JSON, not an object, or without canonical text.
    """
    if len(text) > DOCUMENT_BYTES_MAX:
        raise InvalidCredential(
            f"{what}: expected at most {DOCUMENT_BYTES_MAX} bytes, got {len(text)} or more"
        )
    try:
        return json_object.parse(text)
    except NoJsonObject as error:
        raise InvalidCredential(
            f"{what}: expected a JSON object of integers and texts, got {error}"
        ) from None
    except NotCanonicalJson as error:
        raise InvalidCredential(f"{what}: {error}") from None


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


_WORDS: Final = {str: "text", dict: "an object", list: "an array", int: "an integer"}
