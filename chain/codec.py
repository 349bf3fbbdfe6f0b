"""The one codec: canonical MessagePack of arrays in field order.

Everything that is signed, hashed, stored or sent between nodes passes through here. A value is
an integer, byte string, text, boolean, nil or array of values; there are no maps, floats or
extension types. Two different byte strings never mean the same value: decoding re-encodes and
compares, because MessagePack itself admits six encodings of the integer 1 (consensus.md 21).

A :class:`Record` is a frozen dataclass whose annotations are its schema. It encodes as the array
of its fields in order; a tagged union (:class:`TagTable`) prepends a number that names the class.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgpack

from chain.errors import DecodeError
from chain.record_source import (
    Dumper,
    FastParser,
    dumper_of,
    fast_parser_of,
    is_plain,
    with_fast_init,
)
from chain.types import I64_MIN, U64_MAX, Length, Pattern, Range

Value: TypeAlias = bool | int | bytes | str | tuple["Value", ...] | None
"""What canonical bytes can mean."""

DEPTH_MAX: Final = 12
"""Nesting of arrays that any record of this chain needs, with room: the deepest has 8."""

_Parser: TypeAlias = Callable[[Any, str], Any]
_SCALARS: Final = frozenset({int, bytes, str, bool, NoneType})
_PLAIN_WORDS: Final = {bool: "a boolean", bytes: "a byte string", str: "a text"}
"""Annotations without bounds, with the words for them."""

# One for all threads: packing plain values runs no bytecode, so the interpreter's lock is held from
# the first byte to the last.
_packer: Final = msgpack.Packer(use_bin_type=True, autoreset=True)


def encode(value: Value) -> bytes:
    """Returns the canonical bytes of a value made of the types of :data:`Value`."""
    packed: bytes = _packer.pack(value)
    return packed


def decode(data: bytes) -> Value:
    """Parses canonical bytes.

    Args:
        data: untrusted bytes; the caller has already bounded their number.

    Raises:
        DecodeError: not MessagePack, not canonical, too deep, or of a type outside
            :data:`Value`.
    """
    value = _unpack(data, "value")
    _check_types(value, "value", DEPTH_MAX)
    return value


def _unpack(data: bytes, path: str) -> Value:
    try:
        value: Value = msgpack.unpackb(
            data,
            use_list=False,
            raw=False,
            object_pairs_hook=_refuse_map,
            ext_hook=_refuse_extension,
        )
        canonical = _packer.pack(value) == data
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        # The packer refuses with TypeError what only extension types can smuggle in, and
        # UnicodeDecodeError is a ValueError.
        raise DecodeError(
            path=path,
            expected="canonical MessagePack of integers, byte strings, text and arrays",
            got=f"{len(data)} bytes that are not ({type(error).__name__})",
        ) from error
    if not canonical:
        raise DecodeError(
            path=path, expected="the shortest encoding of each value", got="a longer one"
        )
    return value


def _refuse_map(_pairs: object) -> None:
    raise ValueError("maps have no canonical order")


def _refuse_extension(_code: int, _data: bytes) -> None:
    raise ValueError("extension types are not part of this encoding")


def _check_types(value: object, path: str, depth: int) -> None:
    if type(value) is tuple:
        if depth == 0:
            raise DecodeError(path=path, expected=f"at most {DEPTH_MAX} levels", got="more")
        for element in value:
            _check_types(element, path, depth - 1)
    elif type(value) not in _SCALARS:
        raise DecodeError(
            path=path, expected="integer, bytes, text, boolean or array", got=_kind_of(value)
        )


class Record:
    """Base of everything with canonical bytes; subclasses are frozen dataclasses.

    Field annotations must be types of :mod:`chain.types`, ``bool``, an ``IntEnum``, another
    Record, a tuple of these, or one of these ``| None``.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        # ``dataclass(slots=True)`` makes the class a second time, with its fields described.
        if is_plain(cls):
            with_fast_init(cls)

    def to_value(self) -> tuple[Value, ...]:
        """Returns the fields in order as a plain value."""
        value: tuple[Value, ...] = schema_of(type(self)).dump(self)
        return value

    def encode(self) -> bytes:
        """Returns the canonical bytes of this record."""
        packed: bytes = _packer.pack(schema_of(type(self)).dump(self))
        return packed

    @classmethod
    def from_value(cls, value: object, path: str | None = None) -> Self:
        """Checks a plain value against the schema and builds the record.

        Raises:
            DecodeError: names the field, what was expected and what came.
        """
        record: Self = schema_of(cls).parse(value, path or cls.__name__)
        return record

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Parses canonical bytes of this record.

        Raises:
            DecodeError: not canonical, or a field outside its type.
        """
        record: Self = schema_of(cls).parse(_unpack(data, cls.__name__), cls.__name__)
        return record


@dataclass(frozen=True, slots=True)
class Schema:
    """How one record class is parsed and dumped, compiled once from its annotations."""

    parse: _Parser
    dump: Dumper
    names: tuple[str, ...]
    """Field names in wire order."""
    annotations: Mapping[str, object]
    """Field annotations, for interfaces that describe records to people."""


_schemas: Final[dict[type[Record], Schema]] = {}


def schema_of(cls: type[Record]) -> Schema:
    """Returns the schema of a record class; compiles it from the annotations at first use."""
    schema = _schemas.get(cls)
    if schema is None:
        schema = _schemas[cls] = _compile(cls)
    return schema


def _compile(cls: type[Record]) -> Schema:
    hints = get_type_hints(cls, include_extras=True)
    names = tuple(hints)
    diagnose = _record_parser(cls, hints)  # first: it refuses what has no encoding
    return Schema(
        parse=_parser_with_diagnosis(fast_parser_of(cls), diagnose),
        dump=dumper_of(cls),
        names=names,
        annotations=hints,
    )


def _parser_with_diagnosis(parse: FastParser, diagnose: _Parser) -> _Parser:
    def parse_or_say(value: object, path: str) -> object:
        record = parse(value)
        # What is well-formed is built at once; only what is not is looked at field by field.
        return diagnose(value, path) if record is None else record

    return parse_or_say


def _record_parser(cls: type[Record], hints: Mapping[str, object]) -> _Parser:
    names, parsers = tuple(hints), tuple(map(_parser_of, hints.values()))
    count = len(names)

    def parse(value: object, path: str) -> Record:
        if type(value) is not tuple or len(value) != count:
            raise DecodeError(
                path=path, expected=f"an array of {count} fields", got=_kind_of(value)
            )
        try:
            built = {
                name: parse_field(element, name)
                for name, parse_field, element in zip(names, parsers, value, strict=True)
            }
        except DecodeError as error:
            raise DecodeError(
                path=f"{path}.{error.path}", expected=error.expected, got=error.got
            ) from None
        return cls(**built)

    return parse


def _parser_of(hint: Any) -> _Parser:
    """Returns the function that checks and converts a value for one annotation."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _annotated_parser(hint)
    if origin in {Union, UnionType}:
        return _optional_parser(hint)
    if origin is tuple:
        return _tuple_parser(hint, Length(0, 2**32 - 1))
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda value, path: schema_of(hint).parse(value, path)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return _enum_parser(hint)
    if hint is int:
        return _range_parser(Range(I64_MIN, U64_MAX))
    if hint in _PLAIN_WORDS:
        return _exact_parser(hint, _PLAIN_WORDS[hint])
    raise TypeError(f"no canonical encoding for the annotation {hint!r}")


def _annotated_parser(hint: Any) -> _Parser:
    base, *constraints = get_args(hint)
    (constraint,) = constraints
    match constraint:
        case Range():
            return _range_parser(constraint)
        case Pattern():
            return _pattern_parser(constraint)
        case Length() if base is bytes:
            return _bytes_parser(constraint)
        case Length() if base is str:
            return _text_parser(constraint)
        case Length() if get_origin(base) is tuple:
            return _tuple_parser(base, constraint)
        case _:
            raise TypeError(f"no canonical encoding for the annotation {hint!r}")


def _exact_parser(kind: type, words: str) -> _Parser:
    def parse(value: object, path: str) -> object:
        if type(value) is not kind:
            raise DecodeError(path=path, expected=words, got=_kind_of(value))
        return value

    return parse


def _range_parser(bounds: Range) -> _Parser:
    minimum, maximum = bounds.minimum, bounds.maximum

    def parse(value: object, path: str) -> object:
        # A bool is an int to Python but not on the wire.
        if type(value) is not int or not minimum <= value <= maximum:
            raise DecodeError(
                path=path,
                expected=f"an integer from {minimum} to {maximum}",
                got=str(value) if type(value) is int else _kind_of(value),
            )
        return value

    return parse


def _pattern_parser(pattern: Pattern) -> _Parser:
    match_whole = re.compile(pattern.expression, re.ASCII).fullmatch

    def parse(value: object, path: str) -> object:
        if type(value) is not str or match_whole(value) is None:
            raise DecodeError(path=path, expected=pattern.words, got=_kind_of(value))
        return value

    return parse


def _bytes_parser(bounds: Length) -> _Parser:
    minimum, maximum = bounds.minimum, bounds.maximum

    def parse(value: object, path: str) -> object:
        if type(value) is not bytes or not minimum <= len(value) <= maximum:
            raise DecodeError(path=path, expected=f"{_span(bounds)} bytes", got=_kind_of(value))
        return value

    return parse


def _text_parser(bounds: Length) -> _Parser:
    def parse(value: object, path: str) -> object:
        if type(value) is not str:
            raise DecodeError(path=path, expected="a text", got=_kind_of(value))
        size = len(value.encode())
        if not bounds.minimum <= size <= bounds.maximum:
            raise DecodeError(
                path=path,
                expected=f"a text of {_span(bounds)} UTF-8 bytes",
                got=f"one of {size} bytes",
            )
        return value

    return parse


def _enum_parser(kind: type[IntEnum]) -> _Parser:
    members = {int(member): member for member in kind}
    words = "one of " + ", ".join(f"{number} ({m.name})" for number, m in members.items())

    def parse(value: object, path: str) -> object:
        if type(value) is not int or value not in members:
            raise DecodeError(
                path=path,
                expected=words,
                got=str(value) if type(value) is int else _kind_of(value),
            )
        return members[value]

    return parse


def _optional_parser(hint: Any) -> _Parser:
    inner = [argument for argument in get_args(hint) if argument is not NoneType]
    if len(inner) != 1 or NoneType not in get_args(hint):
        raise TypeError(f"no canonical encoding for the union {hint!r}; use a TagTable")
    parse_inner = _parser_of(inner[0])
    return lambda value, path: None if value is None else parse_inner(value, path)


def _tuple_parser(hint: Any, bounds: Length) -> _Parser:
    arguments = get_args(hint)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _sequence_parser(_parser_of(arguments[0]), bounds)
    parsers = tuple(_parser_of(argument) for argument in arguments)

    def parse(value: object, path: str) -> object:
        if type(value) is not tuple or len(value) != len(parsers):
            raise DecodeError(
                path=path, expected=f"an array of {len(parsers)}", got=_kind_of(value)
            )
        return tuple(
            parser(element, f"{path}[{index}]")
            for index, (parser, element) in enumerate(zip(parsers, value, strict=True))
        )

    return parse


def _sequence_parser(parse_element: _Parser, bounds: Length) -> _Parser:
    def parse(value: object, path: str) -> object:
        if type(value) is not tuple or not bounds.minimum <= len(value) <= bounds.maximum:
            raise DecodeError(
                path=path, expected=f"an array of {_span(bounds)} elements", got=_kind_of(value)
            )
        return tuple([parse_element(element, f"{path}[{i}]") for i, element in enumerate(value)])

    return parse


def _span(bounds: Length) -> str:
    if bounds.minimum == bounds.maximum:
        return str(bounds.minimum)
    return f"{bounds.minimum} to {bounds.maximum}"


def _kind_of(value: object) -> str:
    """Describes a value for an error without quoting more than a glance of it."""
    match value:
        case None:
            return "nil"
        case bool():
            return f"boolean {str(value).lower()}"
        case int():
            return f"integer {value}"
        case bytes():
            return f"{len(value)} bytes"
        case str():
            return f"text {value[:40]!a}"
        case tuple():
            return f"an array of {len(value)}"
        case _:
            return f"a {type(value).__name__}"


RecordT = TypeVar("RecordT", bound=Record)


class TagTable(Generic[RecordT]):
    """A closed union of records: ``[tag, *fields]`` on the wire.

    Tags are never reused; ``tests/vectors`` holds the table so that a change is seen.
    """

    def __init__(self, name: str, classes: Mapping[int, type[RecordT]]) -> None:
        self.name = name
        self.classes = dict(classes)
        self._tags: dict[type[RecordT], int] = {cls: tag for tag, cls in classes.items()}
        assert len(self._tags) == len(self.classes), "a class has two tags"

    def encode(self, record: RecordT) -> bytes:
        """Returns the canonical bytes of a member of this union."""
        packed: bytes = _packer.pack((self._tags[type(record)], *record.to_value()))
        return packed

    def decode(self, data: bytes) -> RecordT:
        """Parses canonical bytes of any member.

        Raises:
            DecodeError: not canonical, unknown tag, or a field outside its type.
        """
        value = _unpack(data, self.name)
        if type(value) is not tuple or not value or type(value[0]) is not int:
            raise DecodeError(path=self.name, expected="an array with a tag", got=_kind_of(value))
        cls = self.classes.get(value[0])
        if cls is None:
            raise DecodeError(
                path=f"{self.name}.tag",
                expected=f"one of {', '.join(map(str, sorted(self.classes)))}",
                got=str(value[0]),
            )
        return cls.from_value(value[1:], cls.__name__)


def encode_sequence(items: Sequence[bytes]) -> bytes:
    """Returns the canonical bytes of an array of byte strings."""
    return encode(tuple(items))
