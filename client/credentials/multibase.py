"""Keys and signatures as text: base58btc, multicodec and did:key (W3C Controlled Identifiers 1.0).

An Ed25519 public key is written as ``z`` and the base58btc of the two bytes 0xed 0x01 and the key;
``did:key:`` before it makes it an identifier that resolves to itself, without any registry.
"""

from typing import Final

from chain.types import PUBLIC_KEY_BYTES, PublicKey
from client.errors import InvalidCredential

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE58_BYTES_MAX: Final = 256
"""Longest value that is decoded: its cost grows with the square of its length."""
ED25519_PUBLIC: Final = b"\xed\x01"
"""Multicodec of an Ed25519 public key."""
DID_KEY: Final = "did:key:"

_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}


def encode_base58(data: bytes) -> str:
    """Returns bytes in base58btc with its multibase prefix ``z``."""
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + ALPHABET[0] * zeros + "".join(reversed(digits))


def decode_base58(text: str, what: str) -> bytes:
    """Returns the bytes of a multibase text in base58btc.

    Raises:
        InvalidCredential: another base, another character, or too long.
    """
    if not text.startswith("z") or len(text) > 2 * BASE58_BYTES_MAX:
        raise InvalidCredential(
            f"{what}: expected base58btc, which begins with z, got {text[:40]!a}"
        )
    number = 0
    for character in text[1:]:
        if character not in _VALUES:
            raise InvalidCredential(f"{what}: expected base58btc, got the character {character!a}")
        number = number * 58 + _VALUES[character]
    zeros = len(text[1:]) - len(text[1:].lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def key_text(public_key: PublicKey) -> str:
    """Returns an Ed25519 public key as a Multikey text such as ``z6Mk...``."""
    return encode_base58(ED25519_PUBLIC + public_key)


def did_of(public_key: PublicKey) -> str:
    """Returns the did:key of an Ed25519 public key."""
    return DID_KEY + key_text(public_key)


def method_of(public_key: PublicKey) -> str:
    """Returns the verification method of a did:key, which is the key itself."""
    return f"{did_of(public_key)}#{key_text(public_key)}"


def key_of_did(did: str, what: str) -> PublicKey:
    """Returns the Ed25519 public key of a did:key.

    Raises:
        InvalidCredential: another method or another kind of key.
    """
    if not did.startswith(DID_KEY):
        raise InvalidCredential(f"{what}: expected a {DID_KEY} of an Ed25519 key, got {did[:60]!a}")
    decoded = decode_base58(did.removeprefix(DID_KEY), what)
    if not decoded.startswith(ED25519_PUBLIC) or len(decoded) != 2 + PUBLIC_KEY_BYTES:
        raise InvalidCredential(f"{what}: expected the did:key of an Ed25519 key, got {did[:60]!a}")
    return decoded[2:]


def key_of_method(method: str, what: str) -> PublicKey:
    """Returns the key of a verification method of a did:key.

    Raises:
        InvalidCredential: no did:key, or a fragment that names another key.
    """
    did, _, fragment = method.partition("#")
    key = key_of_did(did, what)
    if fragment != key_text(key):
        raise InvalidCredential(
            f"{what}: expected the key of {did[:80]!a} after #, got {fragment[:60]!a}"
        )
    return key
