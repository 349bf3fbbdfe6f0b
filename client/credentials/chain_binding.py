"""What binds a credential to its chain: a state proof of the certificate, inside the credential.

The evidence is the state key, the record under it, the proof up to a state root, and the header
with the commit certificate that made it final. With the genesis record, and without any node, that
shows that the chain holds exactly this certificate.
"""

from dataclasses import dataclass
from typing import Final

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.crypto import ED25519
from chain.errors import ChainError, InvalidProof
from chain.genesis import Genesis
from chain.proof import verify_block
from chain.proof_file import FinalBlock, StateClaim, verify_proof_file
from chain.state_tree import StateProof, verify_state_proof
from client.credentials.document import Document, member
from client.errors import InvalidCredential
from contracts.certificate import CertificateBinding, certificate_key, revoked_key, suspended_key
from contracts.certification import CertificationId

EVIDENCE_TYPE: Final = "TanlianStateProof"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """A proof file as it was read; untrusted."""

    text: bytes
    document: Document
    """What the text says."""


def evidence_of(answer: Document) -> Document:
    """Returns the evidence that a credential carries.

    Args:
        answer: a node's to ``GET /v1/proofs/state/{key}``.
    """
    return {
        "type": [EVIDENCE_TYPE],
        "key": answer["key"],
        "value": answer["value"],
        "proof": answer["canonical_proof"],
        "header": answer["canonical_header"],
        "certificate": answer["canonical_certificate"],
    }


def certificate_in(evidence: Document) -> CertificateBinding:
    """Returns the certificate that an evidence holds; nothing is proved by that.

    Raises:
        InvalidCredential: it holds none.
    """
    try:
        return CertificateBinding.decode(_bytes(evidence, "value"))
    except ChainError as error:
        raise InvalidCredential(f"evidence.value: {error}") from None


def verify_evidence(
    evidence: Document, certificate_id: CertificationId, genesis: Genesis
) -> Header:
    """Checks that the chain of a genesis held the evidence's record; returns the block's header.

    Raises:
        InvalidCredential: another key, chain or record, or a proof that does not hold.
    """
    key = certificate_key(certificate_id)
    shown = _bytes(evidence, "key")
    if shown != key:
        raise InvalidCredential(f"evidence.key: expected {key!r}, got {shown!r}")
    try:
        header = Header.decode(_bytes(evidence, "header"))
        certificate = CommitCertificate.decode(_bytes(evidence, "certificate"))
        proof = StateProof.decode(_bytes(evidence, "proof"))
        verify_block(header, certificate, genesis=genesis, scheme=ED25519)
        verify_state_proof(header.state_root, key, _bytes(evidence, "value"), proof)
    except ChainError as error:
        raise InvalidCredential(f"evidence: {error}") from None
    return header


def standing_in(proof: ProofFile, certificate: CertificateBinding, genesis: Genesis) -> FinalBlock:
    """Returns the block after which the chain held a certificate as neither revoked nor suspended.

    Args:
        proof: as ``tanlian proof get certificate`` writes it; untrusted.
        certificate: as the chain holds it.
        genesis: of the chain.

    Raises:
        InvalidCredential: a proof that does not hold, is of something else or of a block before
            the certificate was issued, or one that shows it revoked or suspended.
    """
    try:
        claims = verify_proof_file(proof.text, proof.document, genesis=genesis, scheme=ED25519)
    except InvalidProof as error:
        raise InvalidCredential(f"proof: the proof does not hold: {error}") from None
    states = [claim for claim in claims if isinstance(claim, StateClaim)]
    certificate_id = certificate.certificate_id
    blocks: list[FinalBlock] = []
    for word, key in (
        ("REVOKED", revoked_key(certificate_id)),
        ("SUSPENDED", suspended_key(certificate_id)),
    ):
        of_key = [claim for claim in states if claim.key == key]
        if not of_key:
            raise InvalidCredential(
                f"proof: expected what the chain holds under {key.decode()}, got nothing of it"
            )
        claim = max(of_key, key=lambda each: each.block.height)
        if claim.value is not None:
            raise InvalidCredential(
                f"certificate {certificate_id}: expected one to rely on, got one that is {word} "
                f"after block {claim.block.height}"
            )
        blocks.append(claim.block)
    oldest = min(blocks, key=lambda block: block.height)
    if oldest.height < certificate.issued_height:
        # Nothing is revoked before it is issued.
        raise InvalidCredential(
            f"proof: expected one of block {certificate.issued_height}, which issued the "
            f"certificate, or a later one, got one of block {oldest.height}"
        )
    return oldest


def _bytes(evidence: Document, name: str) -> bytes:
    text = member(evidence, name, str)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidCredential(
            f"evidence.{name}: expected hexadecimal digits, got {text[:40]!a}"
        ) from None
