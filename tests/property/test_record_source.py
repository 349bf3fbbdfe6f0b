"""The compiled check of a record against the parsers that say what is wrong, field by field."""

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given, strategies as st

from chain.codec import Record, _record_parser, schema_of
from chain.errors import DecodeError
from chain.record_source import dumper_of, fast_parser_of, is_plain, with_fast_init
from chain.types import Length, Pattern, Range


class Colour(IntEnum):
    RED = 1
    BLUE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Record):
    x: Annotated[int, Range(-3, 3)]
    name: Annotated[str, Length(1, 4)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything(Record):
    flag: bool
    number: int
    colour: Colour
    raw: bytes
    text: str
    word: Annotated[str, Pattern("[a-z]+", "a word")]
    digest: Annotated[bytes, Length(2, 2)]
    bounded: Annotated[bytes, Length(1, 3)] | None
    point: Point
    points: Annotated[tuple[Point, ...], Length(0, 2)]
    colours: tuple[Colour, ...]
    numbers: tuple[Annotated[int, Range(0, 9)], ...]
    pairs: tuple[tuple[Colour, int], ...]
    pair: tuple[Annotated[int, Range(0, 1)], bytes]
    maybe: tuple[Point, ...] | None


@dataclass(frozen=True, slots=True)
class Nothing(Record):
    pass


VALID: tuple[object, ...] = (
    True, 5, 7, b"", "", "word", b"ab", b"abc", (3, "é"), ((0, None),), (1, 7), (0, 9),
    ((1, 2),), (1, b"x"), None,
)  # fmt: skip
ODD = st.sampled_from([
    None, True, False, -4, 0, 1, 2, 7, 2**64, -(2**63) - 1, b"", b"a", b"ab", b"abcd", "", "abc",
    "ééé", "A", "word\n", (), (1,), (1, 2), (1, b""), (True, b""), ((1, 2),), ((7, 7), (1,)),
    (3, None), (4, None), (0, ""), (0, "abcde"), ((0, None),) * 2, ((0, None),) * 3, ((9, None),),
    1.5, [1], [(0, None)], Colour.RED, (Colour.RED,),
])  # fmt: skip
HINTS = schema_of(Everything).annotations


@given(st.dictionaries(st.integers(0, len(VALID) - 1), ODD, max_size=3))
def test_the_compiled_check_takes_exactly_what_the_parsers_take(changes: dict[int, object]) -> None:
    value = tuple(changes.get(index, each) for index, each in enumerate(VALID))
    parse = fast_parser_of(Everything)

    built = parse(value)

    try:
        expected: Any = _record_parser(Everything, HINTS)(value, "everything")
    except DecodeError:
        expected = None
    assert built == expected
    if built is not None:
        assert type(built) is Everything
        assert [type(getattr(built, each.name)) for each in fields(built)] == [
            type(getattr(expected, each.name)) for each in fields(expected)
        ]
        assert dumper_of(Everything)(built) == value


@given(st.one_of(ODD, st.tuples(*[ODD] * 2)))
def test_what_is_no_array_of_the_fields_is_not_taken(value: object) -> None:
    is_point = isinstance(value, tuple) and len(value) == 2 and type(value[0]) is int
    if not is_point:
        assert fast_parser_of(Point)(value) is None


def test_a_record_without_fields_is_the_empty_array() -> None:
    assert fast_parser_of(Nothing)(()) == Nothing()
    assert fast_parser_of(Nothing)((1,)) is None
    assert dumper_of(Nothing)(Nothing()) == ()


def test_a_built_record_is_frozen_hashable_and_equal_to_one_made_by_name() -> None:
    built = fast_parser_of(Point)((1, "a"))

    assert built == Point(x=1, name="a")
    assert hash(built) == hash(Point(x=1, name="a"))
    assert replace(built, x=2) == Point(x=2, name="a")
    with pytest.raises(FrozenInstanceError):
        built.x = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Even(Record):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("expected an even number")


def test_a_check_of_the_class_itself_runs_however_a_record_is_built() -> None:
    assert fast_parser_of(Even)((2,)) == Even(number=2)
    for build in (lambda: Even(number=3), lambda: fast_parser_of(Even)((3,))):
        with pytest.raises(ValueError, match="even number"):
            build()


@with_fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    first: int
    second: int = 2
    third: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise ValueError("expected two numbers")


def test_a_fast_init_keeps_defaults_factories_and_checks() -> None:
    one, other = Made(first=1), Made(first=1)

    assert (one.first, one.second, one.third) == (1, 2, [])
    assert one.third is not other.third
    assert Made(first=1, second=3, third=[4]).third == [4]
    with pytest.raises(ValueError, match="two numbers"):
        Made(first=2)
    with pytest.raises(FrozenInstanceError):
        object.__getattribute__(one, "__setattr__")("first", 5)


@pytest.mark.parametrize(
    ("positional", "named", "words"),
    [((), {}, "first"), ((), {"first": 1, "fourth": 4}, "fourth"), ((1,), {}, "positional")],
)
def test_a_fast_init_refuses_what_any_other_refuses(
    positional: tuple[Any, ...], named: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        Made(*positional, **named)


@dataclass(frozen=True, kw_only=True)
class Unslotted(Record):
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Longer(Point):
    y: int


class Noted(Point):
    """Neither a dataclass of its own nor of the same layout."""


@pytest.mark.parametrize(
    ("cls", "value", "expected"),
    [
        (Unslotted, (3,), Unslotted(number=3)),
        (Longer, (1, None, 5), Longer(x=1, name=None, y=5)),
        (Noted, (1, "a"), Noted(x=1, name="a")),
    ],
)
def test_classes_without_a_twin_are_built_by_name(
    cls: type[Record], value: object, expected: Record
) -> None:
    assert not is_plain(cls)
    assert fast_parser_of(cls)(value) == expected
    assert type(expected) is cls
