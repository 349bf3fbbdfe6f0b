"""A certificate of a chain of four validators, as a signed credential with its evidence."""

from typing import Any

from chain.crypto import Ed25519Signer
from chain.genesis import Genesis
from chain.state_tree import MemoryBucketReader, StateTree
from client.credentials import data_integrity
from client.credentials.certificate_credential import (
    credential_of,
    list_id,
    status_list_of,
)
from client.credentials.chain_binding import evidence_of
from client.credentials.document import Document
from contracts.certificate import CertificateBinding, certificate_key
from contracts.certificates import get_certificate
from tests import chain_samples as samples
from tests.unit.contracts.certification_world import ID, CertificationWorld

CERTIFIER = Ed25519Signer(bytes([9]) * 32)
"""Signer of the registry world's certifier."""
GENESIS = samples.genesis()


def issued_certificate() -> CertificateBinding:
    world = CertificationWorld()
    world.issue()
    found = get_certificate(world.state, ID)
    assert found is not None
    return found


CERTIFICATE = issued_certificate()
NOW_MS = CERTIFICATE.issued_ms + 5_000


def proof_answer(certificate: CertificateBinding = CERTIFICATE) -> Document:
    """What a node answers when it is asked for the proof of a certificate."""
    key, value = certificate_key(certificate.certificate_id), certificate.encode()
    entries = {b"other/%d" % number: b"x" for number in range(20)} | {key: value}
    buckets = MemoryBucketReader()
    tree = StateTree(buckets)
    update = tree.update(entries)
    buckets.apply(update.buckets)
    tree.apply(update)
    header = samples.header(
        chain_id=GENESIS.chain_id, height=40, state_root=update.root, parent_hash=b"p" * 32
    )
    return {
        "key": key.hex(),
        "value": value.hex(),
        "canonical_proof": tree.prove(key).encode().hex(),
        "canonical_header": header.encode().hex(),
        "canonical_certificate": samples.certificate(header).encode().hex(),
    }


def unsigned(certificate: CertificateBinding = CERTIFICATE, genesis: Genesis = GENESIS) -> Document:
    return {
        **credential_of(certificate, genesis.chain_id),
        "evidence": [evidence_of(proof_answer(certificate))],
    }


def signed(signer: Ed25519Signer = CERTIFIER, **changes: Any) -> Document:
    return data_integrity.sign({**unsigned(), **changes}, signer, NOW_MS)


def status_list(
    purpose: str, *indexes: int, signer: Ed25519Signer = CERTIFIER, time_ms: int = NOW_MS
) -> Document:
    document = status_list_of(
        signer.public_key,
        list_name=list_id(GENESIS.chain_id, "body", purpose),
        purpose=purpose,
        indexes=list(indexes),
        time_ms=time_ms,
    )
    return data_integrity.sign(document, signer, time_ms)
