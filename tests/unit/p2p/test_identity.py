"""TLS identities and registry records."""

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from p2p.errors import InvalidPeerRecord
from p2p.identity import (
    LocalIdentity,
    PeerRecord,
    Role,
    certificate_fingerprint,
    index_by_node,
    is_dialler,
    new_tls_identity,
)

CERTIFICATE, PRIVATE_KEY_PEM = new_tls_identity()
OTHER_CERTIFICATE, _ = new_tls_identity()
RECORD = PeerRecord(
    node_id=b"\x01" * 32,
    certificate_der=CERTIFICATE,
    host="127.0.0.1",
    port=1,
    role=Role.VALIDATOR,
)


def test_the_certificate_is_signed_by_the_key_that_comes_with_it() -> None:
    certificate = x509.load_der_x509_certificate(CERTIFICATE)
    private_key = serialization.load_pem_private_key(PRIVATE_KEY_PEM, password=None)

    assert isinstance(private_key, Ed25519PrivateKey)
    assert isinstance(certificate.public_key(), Ed25519PublicKey)
    assert certificate.public_key() == private_key.public_key()
    certificate.verify_directly_issued_by(certificate)


def test_the_certificate_has_no_practical_expiry_and_is_no_authority() -> None:
    certificate = x509.load_der_x509_certificate(CERTIFICATE)

    assert b"99991231235959Z" in CERTIFICATE
    assert certificate.not_valid_before_utc == dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value.ca is False


def test_each_identity_has_a_key_and_a_name_of_its_own() -> None:
    first = x509.load_der_x509_certificate(CERTIFICATE)
    second = x509.load_der_x509_certificate(OTHER_CERTIFICATE)

    assert first.public_key() != second.public_key()
    assert first.subject != second.subject


def test_the_fingerprint_is_the_hash_of_the_whole_certificate() -> None:
    assert certificate_fingerprint(b"") == hashlib.sha256(b"").hexdigest()
    assert certificate_fingerprint(b"abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_private_key_is_not_part_of_any_representation() -> None:
    identity = LocalIdentity(
        node_id=b"\x01" * 32,
        chain_id=b"\x02" * 32,
        role=Role.VALIDATOR,
        certificate_der=CERTIFICATE,
        private_key_pem=PRIVATE_KEY_PEM,
        software="test",
    )

    assert "PRIVATE" not in repr(identity)


def test_records_at_their_limits_are_taken() -> None:
    assert replace(RECORD, port=65535).port == 65535
    assert replace(RECORD, port=1).port == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"node_id": b"\x01" * 31}, "node_id"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"certificate_der": b""}, "certificate_der"),
        ({"certificate_der": b"\x30\x03abc"}, "certificate_der"),
        ({"certificate_der": CERTIFICATE + b"\x00"}, "certificate_der"),
        ({"certificate_der": CERTIFICATE + CERTIFICATE}, "certificate_der"),
        ({"certificate_der": bytes(4097)}, "certificate_der"),
    ],
)
def test_a_record_that_no_link_can_use_is_refused_by_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidPeerRecord) as caught:
        replace(RECORD, **changes)

    assert caught.value.field == field


def test_two_nodes_may_not_share_an_id_or_a_certificate() -> None:
    other = replace(RECORD, node_id=b"\x02" * 32, certificate_der=OTHER_CERTIFICATE)

    assert index_by_node([RECORD, other]) == {b"\x01" * 32: RECORD, b"\x02" * 32: other}
    with pytest.raises(InvalidPeerRecord, match="one record a node"):
        index_by_node([RECORD, replace(other, node_id=b"\x01" * 32)])
    with pytest.raises(InvalidPeerRecord, match="one node a certificate"):
        index_by_node([RECORD, replace(other, certificate_der=CERTIFICATE)])


@pytest.mark.parametrize(
    ("local", "peer", "expected"),
    [
        ((Role.VALIDATOR, b"\x01"), (Role.VALIDATOR, b"\x02"), True),
        ((Role.VALIDATOR, b"\x02"), (Role.VALIDATOR, b"\x01"), False),
        ((Role.OBSERVER, b"\x02"), (Role.VALIDATOR, b"\x01"), True),
        ((Role.VALIDATOR, b"\x01"), (Role.OBSERVER, b"\x02"), False),
        ((Role.OBSERVER, b"\x01"), (Role.OBSERVER, b"\x02"), False),
    ],
)
def test_of_each_pair_one_dials(
    local: tuple[Role, bytes], peer: tuple[Role, bytes], *, expected: bool
) -> None:
    assert is_dialler(local=local, peer=peer) is expected
