"""Hashing by domain, Ed25519, and which keys may be registered."""

import hashlib

import pytest

from chain.crypto import ED25519, Domain, Ed25519Signer, check_public_key, hash_of
from chain.errors import InvalidSignature

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def test_a_hash_covers_the_domain_and_the_parts() -> None:
    expected = hashlib.sha256(b"tanlian/header/1\x00" + b"ab").digest()

    assert hash_of(Domain.HEADER, b"ab") == expected
    assert hash_of(Domain.HEADER, b"a", bytearray(b"b")) == expected


def test_the_same_bytes_hash_differently_in_each_domain() -> None:
    digests = {hash_of(domain, b"x") for domain in Domain}

    assert len(digests) == len(Domain)


def test_no_domain_tag_is_the_beginning_of_another() -> None:
    tags = [domain.value for domain in Domain]

    assert all(tag.endswith(b"\x00") and tag.count(b"\x00") == 1 for tag in tags)


@pytest.mark.parametrize(
    ("seed_hex", "public_key", "message", "signature"),
    [
        (  # RFC 8032, section 7.1, test 2
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
        (  # test 3
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            (
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ),
        ),
    ],
)
def test_signatures_are_those_of_rfc_8032(
    seed_hex: str, public_key: str, message: str, signature: str
) -> None:
    signer = Ed25519Signer(bytes.fromhex(seed_hex))

    assert signer.public_key.hex() == public_key
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert ED25519.verify(
        bytes.fromhex(public_key), bytes.fromhex(message), bytes.fromhex(signature)
    )


def test_a_signature_belongs_to_one_message_and_one_key() -> None:
    signer, other = Ed25519Signer(b"a" * 32), Ed25519Signer(b"b" * 32)
    signature = signer.sign(b"message")

    assert not ED25519.verify(signer.public_key, b"massage", signature)
    assert not ED25519.verify(other.public_key, b"message", signature)


@pytest.mark.parametrize("position", [0, 31, 32, 63])
def test_a_flipped_bit_of_a_signature_is_found(position: int) -> None:
    signer = Ed25519Signer(b"a" * 32)
    flipped = bytearray(signer.sign(b"message"))
    flipped[position] ^= 1

    assert not ED25519.verify(signer.public_key, b"message", bytes(flipped))


def test_a_signature_is_not_malleable_by_adding_the_group_order() -> None:
    signer = Ed25519Signer(b"a" * 32)
    signature = signer.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little") + GROUP_ORDER

    malleated = signature[:32] + scalar.to_bytes(32, "little")

    assert not ED25519.verify(signer.public_key, b"message", malleated)


@pytest.mark.parametrize(("key_size", "signature_size"), [(31, 64), (33, 64), (32, 63), (32, 65)])
def test_a_key_or_signature_of_another_size_does_not_verify(
    key_size: int, signature_size: int
) -> None:
    assert not ED25519.verify(bytes(key_size), b"message", bytes(signature_size))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(InvalidSignature, match=f"seed: expected 32 bytes, got {size}"):
        Ed25519Signer(bytes(size))


def test_an_ordinary_key_may_be_registered() -> None:
    check_public_key(Ed25519Signer(b"a" * 32).public_key)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_may_not_be_registered(size: int) -> None:
    with pytest.raises(InvalidSignature, match=f"public key: expected 32 bytes, got {size}"):
        check_public_key(bytes(size))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("01" + "00" * 31, id="the identity"),
        pytest.param("ec" + "ff" * 30 + "7f", id="of order 2"),
        pytest.param("00" * 32, id="of order 4"),
        pytest.param(
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", id="of order 8"
        ),
        pytest.param(
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            id="of mixed order",
        ),
        pytest.param("ee" + "ff" * 30 + "7f", id="not canonical"),
        pytest.param("02" + "00" * 31, id="not on the curve"),
    ],
)
def test_a_key_outside_the_prime_order_group_may_not_be_registered(key: str) -> None:
    with pytest.raises(InvalidSignature, match=f"public key {key}: expected a point of the prime"):
        check_public_key(bytes.fromhex(key))
