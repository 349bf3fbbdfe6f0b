"""TLS of the links: version 1.3 alone, both ends with a pinned certificate (consensus.md 34).

Each registered certificate is an anchor of its own and no authority is known. Session tickets are
off: a resumed session skips the certificate, and would outlive its removal from the registry.
Anchors are only ever added here, since OpenSSL cannot take one back; that the registry *still*
lists a certificate is checked after each handshake, against the bytes.
"""

import secrets
import ssl
import tempfile
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from p2p.errors import InvalidPeerRecord
from p2p.identity import LocalIdentity

_PASSWORD_BYTES: Final = 32


class PinnedTls:
    """Contexts of both directions with the same key and the same growing set of anchors.

    Args:
        local: Whose certificate and key to show.

    Raises:
        ssl.SSLError: When the key does not belong to the certificate.
        ValueError: When the key or the certificate cannot be parsed.
    """

    def __init__(self, local: LocalIdentity) -> None:
        self.server: Final = _new_context(ssl.PROTOCOL_TLS_SERVER)
        """For connections that peers open."""
        self.client: Final = _new_context(ssl.PROTOCOL_TLS_CLIENT)
        """For connections that this node opens."""
        self.server.num_tickets = 0
        self._anchors: set[bytes] = set()
        _load_identity((self.server, self.client), local)

    def trust(self, certificate_der: bytes) -> None:
        """Adds an anchor, for all handshakes from now on.

        Args:
            certificate_der: A certificate that passed ``validate_certificate``.

        Raises:
            InvalidPeerRecord: When OpenSSL, the second parser to see it, cannot load it.
        """
        if certificate_der in self._anchors:
            return
        try:
            for context in (self.server, self.client):
                context.load_verify_locations(cadata=certificate_der)
        except ssl.SSLError as error:
            raise InvalidPeerRecord(
                "certificate_der", expected="what OpenSSL can load", got=str(error)
            ) from error
        self._anchors.add(certificate_der)


def _new_context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.check_hostname = False  # A pinned certificate names nobody: being it is enough.
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    return context


def _load_identity(contexts: tuple[ssl.SSLContext, ...], local: LocalIdentity) -> None:
    """Loads key and certificate; ``ssl`` takes them from a file only.

    What touches the disk for that moment is encrypted with a password that exists nowhere else.
    """
    password = secrets.token_hex(_PASSWORD_BYTES).encode()
    private_key = serialization.load_pem_private_key(local.private_key_pem, password=None)
    sealed = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    certificate = x509.load_der_x509_certificate(local.certificate_der)
    with tempfile.NamedTemporaryFile(prefix="tanlian-", suffix=".pem") as file:
        file.write(sealed + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        for context in contexts:
            context.load_cert_chain(file.name, password=password)
