"""Bitstring Status List: bits where the standard has them, one text for one list, bounded."""

import base64
import gzip

import pytest
from hypothesis import given, strategies as st

from client.credentials.status_list import (
    ENTRIES_MIN,
    LIST_BYTES_MAX,
    decode_list,
    encode_list,
    is_set,
)
from client.errors import InvalidCredential

# Bitstring Status List 1.0, example 2 (an empty list of 131,072 entries) by its own encoder.
W3C_EMPTY = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def encoded(bits: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(bits, mtime=0)).decode().rstrip("=")


def test_the_standards_empty_list_is_read() -> None:
    assert decode_list(W3C_EMPTY) == bytes(ENTRIES_MIN // 8)


def test_entry_0_is_the_leftmost_bit() -> None:
    bits = decode_list(encode_list([0, 9, ENTRIES_MIN - 1]))

    assert bits[:2] == b"\x80\x40"
    assert bits[-1] == 0x01


def test_one_list_has_one_text() -> None:
    assert encode_list([]) == (
        "uH4sIAAAAAAAC_-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
    )
    assert encode_list([3, 1]) == encode_list([1, 3, 3])


@given(st.sets(st.integers(0, ENTRIES_MIN - 1), max_size=50))
def test_exactly_the_given_entries_are_set(indexes: set[int]) -> None:
    text = encode_list(sorted(indexes))
    bits = decode_list(text)

    assert gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))) == bits
    assert {index for index in range(ENTRIES_MIN) if bits[index // 8] >> 7 - index % 8 & 1} == (
        indexes
    )
    assert all(is_set(bits, index) for index in indexes)
    assert not is_set(bits, next(index for index in range(51) if index not in indexes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("z123", "expected base64url, which begins with u"),
        ("u!!!!", "expected GZIP in base64url"),
        ("uäöü", "expected GZIP in base64url"),
        ("uAAAA", "expected GZIP in base64url"),
        (encoded(bytes(ENTRIES_MIN // 8 - 1)), "got 131064"),
        (encoded(bytes(LIST_BYTES_MAX + 1)), "got 8388616 or more"),
        (encoded(bytes(ENTRIES_MIN // 8))[:-6], "expected one whole GZIP member"),
    ],
)
def test_what_is_no_list_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidCredential) as refused:
        decode_list(text)

    assert message in str(refused.value)


def test_lists_of_the_least_and_the_greatest_length_are_read() -> None:
    for length in (ENTRIES_MIN // 8, LIST_BYTES_MAX):
        assert len(decode_list(encoded(bytes(length)))) == length


@pytest.mark.parametrize("index", [-1, ENTRIES_MIN])
def test_an_entry_beyond_the_list_is_named(index: int) -> None:
    with pytest.raises(InvalidCredential, match="statusListIndex: expected below 131072"):
        is_set(decode_list(W3C_EMPTY), index)
