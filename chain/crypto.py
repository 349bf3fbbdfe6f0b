"""Hashing and signatures, each with a domain so that bytes made for one purpose serve no other.

Ed25519 goes through libsodium (PyNaCl) and nothing else in consensus: OpenSSL disagrees with it on
4 of the 12 ed25519-speccheck vectors, and two nodes that disagree about one signature fork
(consensus.md 22). :class:`SignatureScheme` is the seam at which the simulator puts its cheap tags.
"""

import hashlib
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, Protocol, TypeAlias

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

from chain.errors import InvalidSignature
from chain.types import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, Hash, PublicKey, Signature

SEED_BYTES: Final = 32
"""Ed25519 private seed (RFC 8032)."""


class Domain(Enum):
    """What bytes are hashed or signed for; a tag is never reused or changed."""

    TRANSACTION = b"tanlian/transaction/1\x00"
    TRANSACTION_ID = b"tanlian/transaction-id/1\x00"
    VOTE = b"tanlian/vote/1\x00"
    VIEW_CHANGE = b"tanlian/view-change/1\x00"
    NEW_VIEW = b"tanlian/new-view/1\x00"
    HEADER = b"tanlian/header/1\x00"
    GENESIS = b"tanlian/genesis/1\x00"
    VALIDATOR_SET = b"tanlian/validator-set/1\x00"
    PARAMETERS = b"tanlian/parameters/1\x00"
    STATE_KEY = b"tanlian/state-key/1\x00"
    STATE_VALUE = b"tanlian/state-value/1\x00"
    STATE_BUCKET = b"tanlian/state-bucket/1\x00"
    STATE_NODE = b"tanlian/state-node/1\x00"
    READING = b"tanlian/reading/1\x00"
    READING_DAY = b"tanlian/reading-day/1\x00"
    EVIDENCE = b"tanlian/evidence/1\x00"
    PROOF_FILE = b"tanlian/proof-file/1\x00"
    CERTIFICATION_SAMPLE = b"tanlian/certification-sample/1\x00"
    LATE_TOTALS = b"tanlian/late-totals/1\x00"

    # Members are hashed by identity: the default asks for the name, in Python, at each hash.
    __hash__ = object.__hash__


def hash_of(domain: Domain, *parts: bytes | bytearray) -> Hash:
    """Returns SHA-256 over the domain tag and the parts, 32 bytes.

    Parts are joined without separators: where more than one has a variable length, encode them
    as one record instead.
    """
    return hashlib.sha256(domain.value + b"".join(parts)).digest()


def hasher_of(domain: Domain) -> Callable[[bytes | bytearray], Hash]:
    """Returns :func:`hash_of` of one part in a domain, for what is hashed by the thousand."""
    tag, sha256 = domain.value, hashlib.sha256
    return lambda data: sha256(tag + data).digest()


SignatureClaim: TypeAlias = tuple[PublicKey, bytes, Signature]
"""Key, message and the signature that is said to be the key's over the message."""

Verifier: TypeAlias = Callable[[Sequence[SignatureClaim]], list[bool]]
"""Returns of each claim whether it holds; how many threads it takes is its own business."""


class SignatureScheme(Protocol):
    """Decides whether a signature belongs to a key and a message."""

    def verify(self, public_key: PublicKey, message: bytes, signature: Signature) -> bool:
        """Returns whether the signature is the key's over exactly these bytes."""
        ...


def one_by_one(scheme: SignatureScheme) -> Verifier:
    """Returns the verifier that checks one claim after the other."""
    return lambda claims: [scheme.verify(*claim) for claim in claims]


class Signer(Protocol):
    """Holds one private key."""

    @property
    def public_key(self) -> PublicKey:
        """Returns the key that others verify with, 32 bytes."""
        ...

    def sign(self, message: bytes) -> Signature:
        """Returns the signature over exactly these bytes, 64 bytes; deterministic."""
        ...


class Ed25519Scheme:
    """Ed25519 as libsodium decides it: cofactorless, small-order and non-canonical keys refused."""

    def verify(self, public_key: PublicKey, message: bytes, signature: Signature) -> bool:
        """Returns whether the signature verifies; wrong sizes do not raise."""
        if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            return False
        try:
            crypto_sign_open(signature + message, public_key)
        except BadSignatureError:
            return False
        return True


class Ed25519Signer:
    """An Ed25519 private key in memory, made from its 32-byte seed."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise InvalidSignature(f"seed: expected {SEED_BYTES} bytes, got {len(seed)}")
        self._public_key, self._secret_key = crypto_sign_seed_keypair(seed)

    @property
    def public_key(self) -> PublicKey:
        """Returns the public key, 32 bytes."""
        return bytes(self._public_key)

    def sign(self, message: bytes) -> Signature:
        """Returns the deterministic signature (RFC 8032), 64 bytes."""
        return bytes(crypto_sign(message, self._secret_key)[:SIGNATURE_BYTES])


ED25519: Final = Ed25519Scheme()


def check_public_key(public_key: PublicKey) -> None:
    """Checks that a key may be registered: a canonical point of the prime-order group.

    Raises:
        InvalidSignature: wrong size, not on the curve, of small or mixed order.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise InvalidSignature(
            f"public key: expected {PUBLIC_KEY_BYTES} bytes, got {len(public_key)}"
        )
    if not crypto_core_ed25519_is_valid_point(public_key):
        raise InvalidSignature(
            f"public key {public_key.hex()}: expected a point of the prime-order subgroup of "
            "edwards25519, got one outside it; make a new key with `tanlian key new`"
        )
