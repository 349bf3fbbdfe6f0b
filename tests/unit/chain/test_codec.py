"""The canonical codec: one encoding for each value, and words for everything else."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import pytest

from chain.codec import (
    DEPTH_MAX,
    Record,
    TagTable,
    Value,
    decode,
    encode,
    encode_sequence,
    schema_of,
)
from chain.errors import DecodeError
from chain.types import Identifier, Length, Range


class Colour(IntEnum):
    RED = 1
    BLUE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Record):
    number: Annotated[int, Range(0, 10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Record):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Full(Record):
    flag: bool
    plain: int
    raw: bytes
    text: str
    name: Identifier
    short: Annotated[str, Length(1, 4)]
    key: Annotated[bytes, Length(2, 2)]
    colour: Colour
    inner: Inner
    maybe: Inner | None
    maybe_number: int | None
    pair: tuple[int, Colour]
    plain_pair: tuple[int, bytes]
    numbers: Annotated[tuple[int, ...], Length(0, 2)]
    inners: tuple[Inner, ...]


FULL = Full(
    flag=True,
    plain=-1,
    raw=b"\x00",
    text="碳",
    name="node-1",
    short="ab",
    key=b"kk",
    colour=Colour.BLUE,
    inner=Inner(number=10),
    maybe=None,
    maybe_number=None,
    pair=(7, Colour.RED),
    plain_pair=(8, b"x"),
    numbers=(1, 2),
    inners=(Inner(number=0), Inner(number=1)),
)
FULL_HEX = (
    "9fc3ffc40100a3e7a2b3a66e6f64652d31a26162c4026b6b03910ac0c0"
    "92070192" + "08c40178" + "920102" + "9291009101"
)


def test_a_record_is_the_array_of_its_fields_in_order() -> None:
    assert FULL.encode().hex() == FULL_HEX
    assert Full.decode(bytes.fromhex(FULL_HEX)) == FULL


def test_a_decoded_enumeration_is_a_member() -> None:
    assert Full.decode(FULL.encode()).colour is Colour.BLUE


def test_optional_fields_hold_their_value_or_nil() -> None:
    given = Full.from_value((*FULL.to_value()[:9], (4,), 5, *FULL.to_value()[11:]))

    assert given.maybe == Inner(number=4)
    assert given.maybe_number == 5
    assert Full.decode(given.encode()) == given


def test_a_record_without_fields_is_the_empty_array() -> None:
    assert Empty().encode() == b"\x90"
    assert Empty.decode(b"\x90") == Empty()


def test_the_schema_names_fields_in_wire_order() -> None:
    assert schema_of(Inner).names == ("number",)
    assert schema_of(Inner).annotations == {"number": Annotated[int, Range(0, 10)]}


def test_a_sequence_is_an_array_of_byte_strings() -> None:
    assert encode_sequence([b"a", b""]).hex() == "92c40161c400"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "c0"),
        (False, "c2"),
        (0, "00"),
        (127, "7f"),
        (128, "cc80"),
        (-32, "e0"),
        (-33, "d0df"),
        (2**64 - 1, "cfffffffffffffffff"),
        (-(2**63), "d38000000000000000"),
        (b"", "c400"),
        ("a", "a161"),
        ((), "90"),
        ((1, (b"x",)), "920191c40178"),
    ],
)
def test_each_value_has_its_shortest_encoding(value: Value, expected: str) -> None:
    assert encode(value).hex() == expected
    assert decode(bytes.fromhex(expected)) == value


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_an_integer_beyond_64_bits_has_no_encoding(number: int) -> None:
    with pytest.raises(OverflowError):
        encode(("begun", number))

    assert encode(1) == b"\x01", "what was begun leaves nothing behind"


@pytest.mark.parametrize(
    "longer",
    [
        "cc01",
        "cd0001",
        "ce00000001",
        "cf0000000000000001",
        "d001",
        "d90161",
        "c5000178",
        "dc000101",
    ],
)
def test_a_longer_encoding_of_the_same_value_is_refused(longer: str) -> None:
    with pytest.raises(DecodeError, match="expected the shortest encoding of each value"):
        decode(bytes.fromhex(longer))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="empty input"),
        pytest.param("0101", id="trailing bytes"),
        pytest.param("9201", id="truncated array"),
        pytest.param("c6ffffffff00", id="length beyond the input"),
        pytest.param("ddffffffff", id="array length beyond the input"),
        pytest.param("8101a161", id="map"),
        pytest.param("80", id="empty map"),
        pytest.param("8201010102", id="duplicate map keys"),
        pytest.param("d40100", id="extension"),
        pytest.param("a1ff", id="text that is not UTF-8"),
        pytest.param("a2c080", id="overlong UTF-8"),
        pytest.param("a3eda080", id="surrogate"),
        pytest.param("c1", id="reserved byte"),
        pytest.param("91" * 2_000 + "90", id="nesting beyond the parser"),
    ],
)
def test_what_is_no_canonical_value_is_refused(data: str) -> None:
    with pytest.raises(DecodeError, match="expected canonical MessagePack"):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("cb3ff0000000000000", "float"),
        ("cb7ff8000000000000", "float"),
        ("cb8000000000000000", "float"),
        ("d6ff00000000", "Timestamp"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(data: str, kind: str) -> None:
    with pytest.raises(DecodeError, match=f"text, boolean or array, got a {kind}"):
        decode(bytes.fromhex(data))


def test_a_float_of_half_the_size_is_refused() -> None:
    with pytest.raises(DecodeError, match="expected the shortest encoding of each value"):
        decode(bytes.fromhex("ca3f800000"))


def test_arrays_nest_to_the_limit_and_no_deeper() -> None:
    assert decode(b"\x91" * (DEPTH_MAX - 1) + b"\x90") is not None

    with pytest.raises(DecodeError, match="at most 12 levels"):
        decode(b"\x91" * DEPTH_MAX + b"\x90")


@pytest.mark.parametrize(
    ("index", "value", "message"),
    [
        (0, 1, "Full.flag: expected a boolean, got integer 1"),
        (1, True, "Full.plain: expected an integer from -9223372036854775808 to "),
        (2, "x", "Full.raw: expected a byte string, got text 'x'"),
        (3, b"x", "Full.text: expected a text, got 1 bytes"),
        (4, "Node", "Full.name: expected 1 to 64 of a-z 0-9 . _ -, starting with"),
        (4, "node\n", "Full.name: expected 1 to 64 of a-z"),
        (4, "nod\u0435", "Full.name: expected 1 to 64 of a-z"),
        (4, "n" * 65, "Full.name: expected 1 to 64 of a-z"),
        (4, 5, "Full.name: expected 1 to 64 of a-z"),
        (5, "", "Full.short: expected a text of 1 to 4 UTF-8 bytes, got one of 0 bytes"),
        (5, "碳碳", "Full.short: expected a text of 1 to 4 UTF-8 bytes, got one of 6 bytes"),
        (5, b"ab", "Full.short: expected a text, got 2 bytes"),
        (6, b"k", "Full.key: expected 2 bytes, got 1 bytes"),
        (6, b"kkk", "Full.key: expected 2 bytes, got 3 bytes"),
        (6, "kk", "Full.key: expected 2 bytes, got text 'kk'"),
        (7, 2, r"Full.colour: expected one of 1 \(RED\), 3 \(BLUE\), got 2"),
        (7, True, "Full.colour: expected one of .*, got boolean true"),
        (8, (11,), "Full.inner.number: expected an integer from 0 to 10, got 11"),
        (8, (-1,), "Full.inner.number: expected an integer from 0 to 10, got -1"),
        (8, (), "Full.inner: expected an array of 1 fields, got an array of 0"),
        (8, None, "Full.inner: expected an array of 1 fields, got nil"),
        (9, (11,), "Full.maybe.number: expected an integer from 0 to 10, got 11"),
        (11, (7,), "Full.pair: expected an array of 2, got an array of 1"),
        (11, (7, 2), r"Full.pair\[1\]: expected one of 1 \(RED\)"),
        (13, (1, 2, 3), "Full.numbers: expected an array of 0 to 2 elements, got an array of 3"),
        (13, (1, 1.5), r"Full.numbers\[1\]: expected an integer .*, got a float"),
        (14, ((0,), (99,)), r"Full.inners\[1\].number: expected an integer from 0 to 10, got 99"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected_and_what_came(
    index: int, value: object, message: str
) -> None:
    values: list[object] = list(FULL.to_value())
    values[index] = value

    with pytest.raises(DecodeError, match=message):
        Full.from_value(tuple(values))


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 10)])
def test_an_integer_may_stand_on_its_bounds(minimum: int, maximum: int) -> None:
    assert Inner.from_value((minimum,)).number == minimum
    assert Inner.from_value((maximum,)).number == maximum


def test_a_record_of_another_number_of_fields_is_refused() -> None:
    with pytest.raises(
        DecodeError, match="Inner: expected an array of 1 fields, got an array of 2"
    ):
        Inner.decode(encode((1, 2)))


def test_a_long_value_is_not_quoted_whole() -> None:
    with pytest.raises(DecodeError) as caught:
        Inner.from_value(("x" * 1_000,))

    assert caught.value.got == "text '" + "x" * 40 + "'"


def test_an_error_keeps_its_parts() -> None:
    with pytest.raises(DecodeError) as caught:
        Inner.from_value((11,), "outer")

    assert (caught.value.path, caught.value.expected, caught.value.got) == (
        "outer.number",
        "an integer from 0 to 10",
        "11",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithFloat(Record):
    field: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WithUnion(Record):
    field: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithOddAnnotation(Record):
    field: Annotated[int, Length(0, 1)]


@pytest.mark.parametrize("cls", [WithFloat, WithUnion, WithOddAnnotation])
def test_a_record_class_that_has_no_canonical_encoding_is_a_mistake_of_its_author(
    cls: type[Record],
) -> None:
    with pytest.raises(TypeError, match="no canonical encoding"):
        cls.decode(b"\x91\x00")


TABLE: TagTable[Record] = TagTable("shape", {1: Inner, 4: Empty})


def test_a_union_prepends_the_tag_of_the_class() -> None:
    assert TABLE.encode(Inner(number=3)).hex() == "920103"
    assert TABLE.decode(bytes.fromhex("920103")) == Inner(number=3)
    assert TABLE.decode(bytes.fromhex("9104")) == Empty()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((2, 3), "shape.tag: expected one of 1, 4, got 2"),
        ((), "shape: expected an array with a tag, got an array of 0"),
        (7, "shape: expected an array with a tag, got integer 7"),
        ((True, 3), "shape: expected an array with a tag"),
        ((1, 11), "Inner.number: expected an integer from 0 to 10, got 11"),
    ],
)
def test_a_union_refuses_what_none_of_its_classes_is(value: Value, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        TABLE.decode(encode(value))


def test_a_class_has_one_tag() -> None:
    with pytest.raises(AssertionError, match="a class has two tags"):
        TagTable("shape", {1: Inner, 2: Inner})
