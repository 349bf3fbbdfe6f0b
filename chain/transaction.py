"""A signed transaction: the only way in which anybody changes the state.

The payload is signed as bytes and travels as those same bytes, so nobody re-encodes it on the
way. The id is the hash of the payload *without* the signature, because a signature can be made
anew over the same content (consensus.md 23). A random nonce and ``valid_until_ms`` replace
sequence numbers: parallel submitters need no coordination and a replay is a duplicate id within
the window, or expired outside it (consensus.md 24).
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.crypto import Domain, SignatureClaim, SignatureScheme, Signer, hasher_of
from chain.errors import InvalidTransaction
from chain.record_source import with_fast_init
from chain.types import (
    Hash,
    Identifier,
    Length,
    Milliseconds,
    Nonce,
    PublicKey,
    Range,
    Signature,
)

TRANSACTION_VERSION: Final = 1
_SIGNED_TAG: Final = Domain.TRANSACTION.value
_hash_id: Final = hasher_of(Domain.TRANSACTION_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload(Record):
    """What the sender signs."""

    version: Annotated[int, Range(TRANSACTION_VERSION, TRANSACTION_VERSION)] = TRANSACTION_VERSION
    chain_id: Hash
    """Hash of the genesis record of the chain that this is meant for."""
    sender: PublicKey
    """Ed25519 key of the account; registered on chain, or the transaction fails."""
    nonce: Nonce
    """16 random bytes."""
    valid_until_ms: Milliseconds
    """Last block time at which a block may hold this transaction."""
    method: Identifier
    """Contract and method, such as ``readings.submit``."""
    arguments: bytes
    """Canonical bytes of the method's argument record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPayload(Record):
    """Wire form of a transaction."""

    payload: Annotated[bytes, Length(1, 4_194_304)]
    signature: Signature


@with_fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A well-formed transaction with its bytes; build it with :meth:`parse` or :func:`sign`."""

    wire: bytes
    """Canonical bytes of :class:`SignedPayload`, as received."""
    payload: Payload
    payload_bytes: bytes
    """What the signature covers, together with its domain tag."""
    signature: Signature
    id: Hash

    @classmethod
    def parse(cls, wire: bytes) -> "Transaction":
        """Parses untrusted bytes; the signature is *not* checked here.

        Raises:
            DecodeError: not a canonical transaction; names the field.
        """
        signed = SignedPayload.decode(wire)
        return cls(
            wire=wire,
            payload=Payload.decode(signed.payload),
            payload_bytes=signed.payload,
            signature=signed.signature,
            id=_hash_id(signed.payload),
        )

    @property
    def claim(self) -> SignatureClaim:
        """Returns what is to be checked once: that the sender signed the payload."""
        return self.payload.sender, _SIGNED_TAG + self.payload_bytes, self.signature

    def is_signed(self, scheme: SignatureScheme) -> bool:
        """Returns whether the sender signed it; costs one signature check, so call it once."""
        return scheme.verify(*self.claim)


def sign(signer: Signer, payload: Payload) -> Transaction:
    """Signs a payload whose ``sender`` is the signer's key."""
    assert payload.sender == signer.public_key, "a payload is signed by its sender"
    payload_bytes = payload.encode()
    signature = signer.sign(_SIGNED_TAG + payload_bytes)
    return Transaction(
        wire=SignedPayload(payload=payload_bytes, signature=signature).encode(),
        payload=payload,
        payload_bytes=payload_bytes,
        signature=signature,
        id=_hash_id(payload_bytes),
    )


def check_window(
    payload: Payload, *, parent_time_ms: Milliseconds, time_ms: Milliseconds, lifetime_max_ms: int
) -> None:
    """Checks that a block of this time may hold the payload (consensus.md 24).

    Raises:
        InvalidTransaction: ``TRANSACTION_EXPIRED`` or ``TRANSACTION_LIFETIME``.
    """
    if time_ms > payload.valid_until_ms:
        raise InvalidTransaction(
            "TRANSACTION_EXPIRED",
            f"valid_until_ms: expected at least the block time {time_ms}, got "
            f"{payload.valid_until_ms}; sign it anew with a later valid_until_ms",
        )
    if payload.valid_until_ms > parent_time_ms + lifetime_max_ms:
        raise InvalidTransaction(
            "TRANSACTION_LIFETIME",
            f"valid_until_ms: expected at most {parent_time_ms + lifetime_max_ms} "
            f"({lifetime_max_ms} ms after the last block), got {payload.valid_until_ms}; sign it "
            "anew, and set the clock of the host that signs where it is ahead",
        )
