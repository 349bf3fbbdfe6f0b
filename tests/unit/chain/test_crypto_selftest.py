"""The self-test passes with libsodium, and fails where anything decides otherwise."""

import pytest
from cryptography.exceptions import InvalidSignature as OpenSSLRefusal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chain import crypto_selftest
from chain.crypto import ED25519
from chain.crypto_selftest import (
    SPECCHECK_VECTORS,
    SelfTestFailed,
    check_cryptography,
    key_pattern,
    pattern_of,
)


class OpenSSLScheme:
    """Ed25519 as OpenSSL decides it, which is not how the chain does."""

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except OpenSSLRefusal:
            return False
        return True


def test_libsodium_passes() -> None:
    check_cryptography(ED25519)


def test_the_vectors_are_the_published_ones_in_their_order() -> None:
    # The published table: LibSodium "X X X V X X X X X X X X", PyCA "V V V V X X X X X X X V".
    assert pattern_of(ED25519) == "XXXVXXXXXXXX"
    assert pattern_of(OpenSSLScheme()) == "VVVVXXXXXXXV"
    assert len(SPECCHECK_VECTORS) == 12


def test_only_the_prime_order_keys_among_them_may_be_registered() -> None:
    assert key_pattern() == "XXXXXXVVXXXX"


def test_a_library_that_accepts_other_signatures_stops_the_node() -> None:
    with pytest.raises(
        SelfTestFailed, match=r"expected the pattern XXXVXXXXXXXX .* got VVVVXXXXXXXV"
    ):
        check_cryptography(OpenSSLScheme())


def test_another_signature_than_rfc_8032_stops_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto_selftest, "_RFC8032_SIGNATURE", "00" * 64)

    with pytest.raises(SelfTestFailed, match=r"expected RFC 8032 test 1, 0000.*, got e5564300c3"):
        check_cryptography()


def test_another_check_of_keys_stops_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto_selftest, "check_public_key", lambda _key: None)

    with pytest.raises(SelfTestFailed, match=r"key check: .* got VVVVVVVVVVVV"):
        check_cryptography()
