"""TLS contexts: what is on, what is off, and what cannot be loaded."""

import ssl
from dataclasses import replace

import pytest

from p2p.errors import InvalidPeerRecord
from p2p.identity import LocalIdentity, Role, new_tls_identity
from p2p.tls import PinnedTls

CERTIFICATE, PRIVATE_KEY_PEM = new_tls_identity()
LOCAL = LocalIdentity(
    node_id=b"\x01" * 32,
    chain_id=b"\x02" * 32,
    role=Role.VALIDATOR,
    certificate_der=CERTIFICATE,
    private_key_pem=PRIVATE_KEY_PEM,
    software="test",
)


def test_both_directions_speak_tls_1_3_alone_and_ask_for_a_certificate() -> None:
    tls = PinnedTls(LOCAL)

    for context in (tls.server, tls.client):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_3
        assert context.maximum_version == ssl.TLSVersion.TLSv1_3
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname is False
    assert tls.server.num_tickets == 0


def test_no_authority_is_known_until_a_certificate_is_trusted() -> None:
    tls = PinnedTls(LOCAL)
    assert tls.server.cert_store_stats()["x509"] == 0

    tls.trust(CERTIFICATE)
    tls.trust(CERTIFICATE)

    assert tls.server.cert_store_stats()["x509"] == 1
    assert tls.client.cert_store_stats()["x509"] == 1


def test_a_key_of_another_certificate_is_refused() -> None:
    _, other_key_pem = new_tls_identity()

    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        PinnedTls(replace(LOCAL, private_key_pem=other_key_pem))


def test_what_openssl_cannot_load_is_no_peer_record() -> None:
    with pytest.raises(InvalidPeerRecord):
        PinnedTls(LOCAL).trust(b"\x30\x03abc")
