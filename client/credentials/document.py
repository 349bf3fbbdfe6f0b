"""Reading a credential from a file: JSON of objects, arrays, texts and integers, and nothing else.

What cannot be written back as canonical JSON cannot have been signed, so it is refused where it is
read: floats, repeated names, integers that a reader with doubles would change.
"""

import json
from typing import Any, Final, NoReturn, TypeVar

from chain import jcs
from chain.jcs import NotCanonicalJson
from client.errors import InvalidCredential

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
        return _object(text)
    except InvalidCredential as error:
        raise InvalidCredential(f"{what}: {error}") from None
    except NotCanonicalJson as error:
        raise InvalidCredential(f"{what}: {error}") from None
    except RecursionError:
        raise InvalidCredential(f"{what}: expected JSON, got nesting without end") from None
    except UnicodeDecodeError as error:
        raise InvalidCredential(
            f"{what}: expected JSON in UTF-8, got another byte at offset {error.start}"
        ) from None
    except json.JSONDecodeError as error:
        raise InvalidCredential(
            f"{what}: expected JSON, got {error.msg} at offset {error.pos}"
        ) from None
    except ValueError as error:  # digits without end, which Python refuses to convert
        raise InvalidCredential(f"{what}: expected JSON, got {error}") from None


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


def _object(text: bytes) -> Document:
    document = json.loads(
        text.decode(),
        object_pairs_hook=_members,
        parse_float=_refuse_float,
        parse_constant=_refuse_float,
    )
    if not isinstance(document, dict):
        raise InvalidCredential(f"expected a JSON object, got {type(document).__name__}")
    jcs.encode(document)
    return document


def _members(pairs: list[tuple[str, Any]]) -> Document:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise InvalidCredential(f"expected each name once, got {repeated[:40]!a} twice")
    return members


def _refuse_float(digits: str) -> NoReturn:
    raise InvalidCredential(
        f"expected integers and texts only, got the number {digits[:40]}: its canonical text "
        "depends on the reader"
    )


_WORDS: Final = {str: "text", dict: "an object", list: "an array", int: "an integer"}
