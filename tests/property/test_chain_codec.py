"""Any value has one encoding; any other bytes for it are refused."""

from typing import Any

import msgpack
from hypothesis import given, strategies as st

from chain.codec import Value, decode, encode
from chain.errors import DecodeError
from chain.transaction import Transaction
from tests.chain_samples import transaction

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
)
values: st.SearchStrategy[Value] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=20).map(tuple), max_leaves=30
)


@given(values)
def test_a_value_round_trips(value: Value) -> None:
    assert decode(encode(value)) == value


@given(values, values)
def test_two_values_never_share_their_bytes(one: Value, other: Value) -> None:
    # repr tells True from 1, which == does not.
    assert (encode(one) == encode(other)) == (repr(one) == repr(other))


@given(st.binary(max_size=200))
def test_bytes_are_refused_or_are_the_encoding_of_what_they_mean(data: bytes) -> None:
    try:
        value = decode(data)
    except DecodeError:
        return

    assert encode(value) == data


def written_longer(value: Any, draw: st.DrawFn) -> bytes:
    """Encodes a value with a form drawn for each part, often a longer one than needed."""
    if isinstance(value, tuple):
        sizes = {b"\xdc": 2, b"\xdd": 4}
        head = draw(st.sampled_from([b"\xdc", b"\xdd"]))
        content = b"".join(written_longer(element, draw) for element in value)
        return head + len(value).to_bytes(sizes[head], "big") + content
    if isinstance(value, bytes):
        head, size = draw(st.sampled_from([(b"\xc5", 2), (b"\xc6", 4)]))
        return head + len(value).to_bytes(size, "big") + value
    if isinstance(value, str):
        head, size = draw(st.sampled_from([(b"\xda", 2), (b"\xdb", 4)]))
        return head + len(value.encode()).to_bytes(size, "big") + value.encode()
    if type(value) is int and 0 <= value < 2**32:
        return b"\xcf" + value.to_bytes(8, "big")
    if type(value) is int and -(2**31) <= value < 0:
        return b"\xd3" + value.to_bytes(8, "big", signed=True)
    return encode(value)


@given(st.data())
def test_a_longer_form_of_any_part_is_refused(data: st.DataObject) -> None:
    value = data.draw(values)
    draw: Any = data.draw
    longer = written_longer(value, draw)

    if longer == encode(value):
        assert decode(longer) == value
    else:
        assert msgpack.unpackb(longer, use_list=False, strict_map_key=False) == value
        try:
            decode(longer)
        except DecodeError:
            return
        raise AssertionError(f"{longer.hex()} was taken for {encode(value).hex()}")


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_never_yields_the_same_signed_transaction(place: int, change: int) -> None:
    wire = bytearray(transaction(1, arguments=b"arguments").wire)
    wire[place % len(wire)] ^= change
    original = transaction(1, arguments=b"arguments")

    try:
        parsed = Transaction.parse(bytes(wire))
    except DecodeError:
        return

    assert (parsed.id, parsed.signature) != (original.id, original.signature)
