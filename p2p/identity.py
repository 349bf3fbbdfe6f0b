"""TLS identity of a node and of its peers: keys, pinned certificates, registry records.

A node has a self-signed certificate over an Ed25519 key of its own, apart from its consensus key,
so that neither protocol can be tricked into signing for the other. Nobody issues it and nothing in
it is believed: its DER stands in the on-chain registry beside the node's consensus key, and being
equal to that DER is all that counts (consensus.md 34). It has no practical expiry, and is valid
since long ago, because Python's ``ssl`` refuses a pinned certificate outside its dates: a clock
that is wrong may not cut a node off, and removal from the registry is what ends a certificate.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from p2p.errors import InvalidPeerRecord
from p2p.messages import NODE_ID_BYTES

NOT_BEFORE: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""Long before any host of a consortium was installed, whatever its clock says."""

NOT_AFTER: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
"""99991231235959Z, by which RFC 5280 (4.1.2.5) says "no well-defined expiration date"."""

CERTIFICATE_BYTES_MAX: Final = 4096
"""One of ours has about 400 bytes; the registry is no store for anything else."""


class Role(StrEnum):
    """What a node is in the registry; it decides who dials and who gets which broadcast."""

    VALIDATOR = "validator"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalIdentity:
    """This node, as its peers see it."""

    node_id: bytes
    """Consensus public key, 32 bytes."""
    chain_id: bytes
    """Hash of the genesis record, 32 bytes."""
    role: Role
    """Role while the registry does not list this node; else the registry's word counts."""
    certificate_der: bytes
    """Certificate of the TLS key, as in the registry."""
    private_key_pem: bytes = field(repr=False)
    """TLS private key, PKCS #8 PEM without a passphrase, in memory only."""
    software: str
    """Name and version of the program, such as ``tanlian 0.1.0``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRecord:
    """One entry of the registry; checked when it is built."""

    node_id: bytes
    """Consensus public key, 32 bytes."""
    certificate_der: bytes
    """The pinned certificate, one X.509 DER and nothing after it."""
    host: str
    """Name or address to dial."""
    port: int
    """TCP port to dial, 1 to 65535."""
    role: Role

    def __post_init__(self) -> None:
        if len(self.node_id) != NODE_ID_BYTES:
            raise InvalidPeerRecord(
                "node_id", expected=f"{NODE_ID_BYTES} bytes", got=str(len(self.node_id))
            )
        if not self.host:
            raise InvalidPeerRecord("host", expected="a name or address", got="nothing")
        if not 1 <= self.port <= 65535:
            raise InvalidPeerRecord("port", expected="1 to 65535", got=str(self.port))
        validate_certificate(self.certificate_der)


def validate_certificate(certificate_der: bytes) -> None:
    """Accepts the DER of one X.509 certificate.

    Args:
        certificate_der: Bytes from a registry.

    Raises:
        InvalidPeerRecord: When they are too long, no certificate, or more than one.
    """
    if len(certificate_der) > CERTIFICATE_BYTES_MAX:
        raise InvalidPeerRecord(
            "certificate_der",
            expected=f"at most {CERTIFICATE_BYTES_MAX} bytes",
            got=str(len(certificate_der)),
        )
    try:
        x509.load_der_x509_certificate(certificate_der)
    except ValueError as error:
        raise InvalidPeerRecord(
            "certificate_der", expected="one X.509 certificate in DER", got="something else"
        ) from error


def index_by_node(records: Iterable[PeerRecord]) -> dict[bytes, PeerRecord]:
    """Returns the records by node id, after checking them against each other.

    Args:
        records: A whole registry, in any order.

    Returns:
        A new dictionary.

    Raises:
        InvalidPeerRecord: When two records share a node id or a certificate: whatever came over
            such a link could not be attributed to one node.
    """
    record_by_node: dict[bytes, PeerRecord] = {}
    certificates: set[bytes] = set()
    for record in records:
        if record.node_id in record_by_node:
            raise InvalidPeerRecord(
                "node_id", expected="one record a node", got=f"two of {record.node_id.hex()}"
            )
        if record.certificate_der in certificates:
            raise InvalidPeerRecord(
                "certificate_der",
                expected="one node a certificate",
                got=f"two of {certificate_fingerprint(record.certificate_der)}",
            )
        record_by_node[record.node_id] = record
        certificates.add(record.certificate_der)
    return record_by_node


def is_dialler(*, local: tuple[Role, bytes], peer: tuple[Role, bytes]) -> bool:
    """Tells whether of a pair of nodes it is the local one that opens the one link.

    Of two validators the one with the smaller node id dials; an observer dials validators. Two
    observers have no link. The rule is a function of the registry, so both ends agree.

    Args:
        local: Role and node id of this node.
        peer: Role and node id of the other one.

    Returns:
        True where the local node dials.
    """
    match local[0], peer[0]:
        case Role.VALIDATOR, Role.VALIDATOR:
            return local[1] < peer[1]
        case Role.OBSERVER, Role.VALIDATOR:
            return True
        case _:
            return False


def new_tls_identity() -> tuple[bytes, bytes]:
    """Draws a fresh TLS key and signs a certificate over it with that same key.

    Returns:
        The certificate as DER, for the registry, and the private key as unencrypted PKCS #8 PEM,
        for the keystore to seal.
    """
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key()
    digest = hashlib.sha256(public_key.public_bytes_raw()).hexdigest()
    # OpenSSL looks anchors up by subject: a name of its own saves each one a search through all.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tanlian {digest[:40]}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private_key, None)
    )
    return (
        certificate.public_bytes(serialization.Encoding.DER),
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def certificate_fingerprint(certificate_der: bytes) -> str:
    """Returns what people compare: SHA-256 over the DER, 64 hexadecimal digits in lower case.

    Args:
        certificate_der: The certificate.

    Returns:
        The same digits that ``openssl x509 -fingerprint -sha256`` prints, without colons.
    """
    return hashlib.sha256(certificate_der).hexdigest()
