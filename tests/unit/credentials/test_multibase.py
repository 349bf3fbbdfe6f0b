"""base58btc and did:key."""

import pytest
from hypothesis import given, strategies as st

from client.credentials.multibase import (
    decode_base58,
    did_of,
    encode_base58,
    key_of_did,
    key_of_method,
    method_of,
)
from client.errors import InvalidCredential


# draft-msporny-base58, section 5: test vectors.
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Hello World!", "z2NEpo7TZRRrLZSi2U"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
        (bytes.fromhex("0000287fb4cd"), "z11233QC4"),
        (b"", "z"),
        (b"\0", "z1"),
    ],
)
def test_the_drafts_vectors_come_out(data: bytes, text: str) -> None:
    assert encode_base58(data) == text
    assert decode_base58(text, "text") == data


@given(st.binary(max_size=100))
def test_decoding_is_the_inverse(data: bytes) -> None:
    assert decode_base58(encode_base58(data), "text") == data


@given(st.binary(min_size=32, max_size=32))
def test_a_key_comes_back_from_its_did_and_method(key: bytes) -> None:
    assert key_of_did(did_of(key), "issuer") == key
    assert key_of_method(method_of(key), "method") == key


@pytest.mark.parametrize(
    "did",
    ["did:web:a.example", "did:key:u7QE", "did:key:" + encode_base58(b"\xed\x01" + bytes(31)),
     "did:key:" + encode_base58(b"\xe7\x01" + bytes(32))],
)  # fmt: skip
def test_a_did_of_another_kind_is_named(did: str) -> None:
    with pytest.raises(InvalidCredential, match="issuer: expected"):
        key_of_did(did, "issuer")
