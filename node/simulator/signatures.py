"""Cheap signatures that nobody in the simulation can forge.

A signature is a keyed hash under a secret that only this module knows and that belongs to one key
id. It has the size and determinism of Ed25519 at a fiftieth of the cost.
"""

from hashlib import blake2b
from typing import Final

from chain.crypto import ED25519, Ed25519Signer, SignatureScheme, Signer
from chain.types import SIGNATURE_BYTES, PublicKey, Signature

_SECRET: Final = b"known to the simulator alone"


class SimulatedScheme:
    """Decides about simulated signatures (:class:`chain.crypto.SignatureScheme`)."""

    def verify(self, public_key: PublicKey, message: bytes, signature: Signature) -> bool:
        """Returns whether the signature is the key's over exactly these bytes."""
        return signature == _tag(public_key, message)


class SimulatedSigner:
    """A simulated private key (:class:`chain.crypto.Signer`)."""

    def __init__(self, public_key: PublicKey) -> None:
        self._public_key = public_key

    @property
    def public_key(self) -> PublicKey:
        """Returns the key id."""
        return self._public_key

    def sign(self, message: bytes) -> Signature:
        """Returns the signature over exactly these bytes."""
        return _tag(self._public_key, message)


def scheme_of(*, is_real: bool) -> SignatureScheme:
    """Returns Ed25519, or the cheap scheme."""
    return ED25519 if is_real else SimulatedScheme()


def signer_of(name: str, *, is_real: bool) -> Signer:
    """Returns the key of a participant; the same name gives the same key."""
    seed = blake2b(name.encode(), digest_size=32).digest()
    return Ed25519Signer(seed) if is_real else SimulatedSigner(seed)


def _tag(public_key: PublicKey, message: bytes) -> Signature:
    return blake2b(message, digest_size=SIGNATURE_BYTES, key=_SECRET + public_key).digest()
