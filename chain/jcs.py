"""Canonical JSON: one text for one value (RFC 8785), of objects, arrays, strings and integers.

Reports and credentials are hashed and signed over these bytes, so two programs that hold the same
value must write the same text. What RFC 8785 leaves to the number format of ECMAScript is left out:
a float is refused, and so is an integer that a reader with doubles would change (RFC 7493 2.2).
Quantities that may be larger are written as strings of digits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chain.errors import ChainError

INTEGER_MAX: Final = 2**53 - 1
"""Largest magnitude that every JSON reader keeps exactly (RFC 7493 2.2)."""
DEPTH_MAX: Final = 64
"""Nested objects and arrays; no document of ours has a quarter of them."""

_SHORT_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}
_ESCAPES: Final = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in range(0x20)} | _SHORT_ESCAPES
)


class NotCanonicalJson(ChainError):
    """A value that has no canonical text here; names its place in the document."""

    def __init__(self, place: str, *, expected: str, got: str) -> None:
        super().__init__(f"{place or 'document'}: expected {expected}, got {got}")


def encode(value: object) -> bytes:
    """Returns the canonical text of a value, UTF-8.

    Args:
        value: mappings with text keys, sequences, text, integers, booleans and None.

    Raises:
        NotCanonicalJson: a float or another type, an integer beyond :data:`INTEGER_MAX`, half a
            surrogate pair, or more than :data:`DEPTH_MAX` levels.
    """
    parts: list[str] = []
    _write(value, parts.append, "", DEPTH_MAX)
    return "".join(parts).encode()


def _write(value: object, write: Callable[[str], None], place: str, depth: int) -> None:
    match value:
        case None:
            write("null")
        case bool():
            write("true" if value else "false")
        case int():
            write(_integer(value, place))
        case str():
            write(_string(value, place))
        case Mapping():
            _write_object(value, write, place, depth)
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            _write_array(value, write, place, depth)
        case _:
            raise NotCanonicalJson(
                place,
                expected="an object, array, text, integer, true, false or null",
                got=f"a value of type {type(value).__name__}",
            )


def _write_object(
    members: Mapping[object, object], write: Callable[[str], None], place: str, depth: int
) -> None:
    _check_depth(place, depth)
    named: list[tuple[bytes, str, object]] = []
    for name, value in members.items():
        if not isinstance(name, str):
            raise NotCanonicalJson(place, expected="text as a name", got=type(name).__name__)
        text = _string(name, f"{place}/{name}")
        # RFC 8785 3.2.3: names are ordered by their UTF-16 code units, unescaped.
        named.append((name.encode("utf-16-be"), text, value))
    separator = "{"
    for units, text, value in sorted(named, key=lambda each: each[0]):
        write(separator)
        write(text)
        write(":")
        _write(value, write, f"{place}/{units.decode('utf-16-be')}", depth - 1)
        separator = ","
    write("}" if named else "{}")


def _write_array(
    elements: Sequence[object], write: Callable[[str], None], place: str, depth: int
) -> None:
    _check_depth(place, depth)
    separator = "["
    for index, value in enumerate(elements):
        write(separator)
        _write(value, write, f"{place}/{index}", depth - 1)
        separator = ","
    write("]" if elements else "[]")


def _integer(value: int, place: str) -> str:
    if not -INTEGER_MAX <= value <= INTEGER_MAX:
        raise NotCanonicalJson(
            place,
            expected=f"an integer of at most {INTEGER_MAX} either way; write a larger one as text",
            got="a larger one",
        )
    return str(int(value))


def _string(value: str, place: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        # RFC 8785 3.2.2.2: a lone surrogate has no UTF-8 and ends the canonicalisation.
        raise NotCanonicalJson(
            place.encode(errors="replace").decode(),
            expected="text of whole characters",
            got="half a surrogate pair",
        )
    return f'"{value.translate(_ESCAPES)}"'


def _check_depth(place: str, depth: int) -> None:
    if depth == 0:
        raise NotCanonicalJson(
            place[:64], expected=f"at most {DEPTH_MAX} levels", got="a deeper nesting"
        )
