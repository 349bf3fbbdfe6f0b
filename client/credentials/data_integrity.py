"""Proofs of the cryptosuite ``eddsa-jcs-2022`` (W3C Data Integrity EdDSA Cryptosuites 1.0, 3.3).

What is signed is SHA-256 of the canonical proof options, then SHA-256 of the canonical document
without its proof; 64 bytes in all. Several proofs make a *set*: each signs the document alone, so
co-signers can come in any order and none depends on another. Stricter than the standard in one
thing: the ``@context`` of a proof must be the document's, not only its beginning, so that nothing
can be added to a signed document.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final

from chain import jcs
from chain.crypto import ED25519, Signer
from chain.types import PublicKey
from client.credentials.document import Document, member, moment_of
from client.credentials.multibase import decode_base58, encode_base58, key_of_method, method_of
from client.errors import InvalidCredential

CRYPTOSUITE: Final = "eddsa-jcs-2022"
PROOFS_MAX: Final = 128
"""Proofs of one set: an issuer and every validator of a large consortium."""


def hash_data(document: Document, options: Document) -> bytes:
    """Returns what is signed, 64 bytes.

    Args:
        document: without ``proof``.
        options: the proof without ``proofValue``.
    """
    return (
        hashlib.sha256(jcs.encode(options)).digest() + hashlib.sha256(jcs.encode(document)).digest()
    )


def sign(document: Document, signer: Signer, created_ms: int) -> Document:
    """Returns the document with one more proof; those that it has stay as they are.

    Args:
        document: with any proofs, or none.
        signer: of the new proof.
        created_ms: moment that the proof names, milliseconds UTC; cut to the second.
    """
    unsigned = without_proof(document)
    moment = datetime.fromtimestamp(created_ms // 1_000, tz=UTC)
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method_of(signer.public_key),
        "proofPurpose": "assertionMethod",
    }
    if "@context" in document:
        options["@context"] = document["@context"]
    value = encode_base58(signer.sign(hash_data(unsigned, options)))
    proofs = [*_proofs_of(document), {**options, "proofValue": value}]
    return {**unsigned, "proof": proofs[0] if len(proofs) == 1 else proofs}


def without_proof(document: Document) -> Document:
    """Returns what proofs are made over."""
    return {name: value for name, value in document.items() if name != "proof"}


def verify(document: Document) -> tuple[PublicKey, ...]:
    """Checks every proof of a document, and returns their keys in their order.

    Raises:
        InvalidCredential: no proof, or one that is malformed or does not hold.
    """
    proofs = _proofs_of(document)
    if not 1 <= len(proofs) <= PROOFS_MAX:
        raise InvalidCredential(f"proof: expected 1 to {PROOFS_MAX} proofs, got {len(proofs)}")
    unsigned = without_proof(document)
    return tuple(_verify_one(unsigned, proof) for proof in proofs)


def _proofs_of(document: Document) -> list[Document]:
    if "proof" not in document:
        return []
    proof = document["proof"]
    proofs = proof if isinstance(proof, list) else [proof]
    for each in proofs:
        if not isinstance(each, dict):
            raise InvalidCredential(f"proof: expected an object, got {type(each).__name__}")
    return proofs


def _verify_one(document: Document, proof: Document) -> PublicKey:
    for name, expected in _FIXED:
        if member(proof, name, str) != expected:
            raise InvalidCredential(f"proof.{name}: expected {expected}, got {proof[name][:60]!a}")
    for name in _NOT_HERE:
        if name in proof:
            raise InvalidCredential(
                f"proof.{name}: expected a proof without it, which this verifier knows nothing of"
            )
    if proof.get("@context") != document.get("@context"):
        raise InvalidCredential("proof.@context: expected the document's, got another")
    if "created" in proof:  # nobody vouches for it but the signer
        moment_of(member(proof, "created", str), "proof.created")
    public_key = key_of_method(member(proof, "verificationMethod", str), "proof.verificationMethod")
    signature = decode_base58(member(proof, "proofValue", str), "proof.proofValue")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if not ED25519.verify(public_key, hash_data(document, options), signature):
        raise InvalidCredential(
            f"proof of {public_key.hex()}: the signature does not verify; the document was changed "
            "after it was signed, or another key signed it"
        )
    return public_key


_FIXED: Final = (
    ("type", "DataIntegrityProof"),
    ("cryptosuite", CRYPTOSUITE),
    ("proofPurpose", "assertionMethod"),
)
_NOT_HERE: Final = ("previousProof", "expires", "domain", "challenge")
"""Options that ask a verifier for more than a signature."""
