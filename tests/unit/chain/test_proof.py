"""Proofs down to genesis, each guard violated alone."""

import dataclasses
from typing import Any

import pytest

from chain.block import Header, transaction_root
from chain.certificate import CommitCertificate
from chain.crypto import ED25519
from chain.errors import InvalidBlock, InvalidCertificate, InvalidProof
from chain.merkle import merkle_root
from chain.proof import (
    InclusionProof,
    check_header_chain,
    prove_receipt,
    prove_transaction,
    verify_block,
    verify_receipt_proof,
    verify_transaction_proof,
)
from chain.receipt import Receipt, Status
from tests.chain_samples import SIGNERS, certificate, genesis, header, member, transaction

GENESIS = genesis()
IDS = tuple(transaction(number).id for number in range(5))
RECEIPTS = (
    *(Receipt(transaction_id=each, status=Status.OK) for each in IDS),
    Receipt(transaction_id=bytes(32), status=Status.OK),
)
ENCODED = tuple(receipt.encode() for receipt in RECEIPTS)


def of_genesis(**changes: Any) -> Header:
    fields: dict[str, Any] = {
        "chain_id": GENESIS.chain_id,
        "parent_hash": GENESIS.chain_id,
        "validator_set_hash": GENESIS.validator_set().hash,
        "next_validator_set_hash": GENESIS.validator_set().hash,
        "transaction_count": 5,
        "transaction_root": transaction_root(IDS),
        "receipt_root": merkle_root(ENCODED),
    }
    return header(**{**fields, **changes})


HEADER = of_genesis()
CERTIFICATE = certificate(HEADER)


def verify_transaction(proof: InclusionProof, transaction_id: bytes) -> None:
    verify_transaction_proof(proof, transaction_id, genesis=GENESIS, scheme=ED25519)


def verify_receipt(proof: InclusionProof, receipt: Receipt) -> None:
    verify_receipt_proof(proof, receipt, genesis=GENESIS, scheme=ED25519)


@pytest.mark.parametrize("index", range(5))
def test_each_transaction_of_a_block_is_proved(index: int) -> None:
    proof = prove_transaction(HEADER, CERTIFICATE, IDS, index)

    verify_transaction(InclusionProof.decode(proof.encode()), IDS[index])


@pytest.mark.parametrize("index", range(6))
def test_each_receipt_of_a_block_is_proved_the_blocks_own_included(index: int) -> None:
    proof = prove_receipt(HEADER, CERTIFICATE, ENCODED, index)

    verify_receipt(InclusionProof.decode(proof.encode()), RECEIPTS[index])


def test_a_proof_is_small() -> None:
    assert len(prove_transaction(HEADER, CERTIFICATE, IDS, 2).encode()) < 1_000


def test_another_transaction_is_not_proved() -> None:
    with pytest.raises(InvalidProof, match="root: expected"):
        verify_transaction(prove_transaction(HEADER, CERTIFICATE, IDS, 1), IDS[2])


def test_the_blocks_own_receipt_is_no_transaction() -> None:
    proof = prove_receipt(HEADER, CERTIFICATE, ENCODED, 5)

    with pytest.raises(InvalidProof, match="leaf index: expected below 5, got 5"):
        verify_transaction(proof, bytes(32))


def test_a_receipt_with_another_status_is_not_proved() -> None:
    changed = dataclasses.replace(RECEIPTS[1], status=Status.FAILED)

    with pytest.raises(InvalidProof, match="root: expected"):
        verify_receipt(prove_receipt(HEADER, CERTIFICATE, ENCODED, 1), changed)


def test_a_proof_under_a_header_that_is_not_final_is_refused() -> None:
    with pytest.raises(InvalidCertificate, match="certificate has 2 votes, needs 3"):
        verify_receipt(prove_receipt(HEADER, certificate(HEADER, (0, 1)), ENCODED, 1), RECEIPTS[1])


def check_block(of: Header, by: CommitCertificate) -> None:
    verify_block(of, by, genesis=GENESIS, scheme=ED25519)


def test_a_final_block_is_verified() -> None:
    check_block(HEADER, CERTIFICATE)


def test_a_block_of_another_chain_is_refused() -> None:
    other = of_genesis(chain_id=b"x" * 32)

    with pytest.raises(InvalidProof, match=r"chain id: expected .*, got 7878"):
        check_block(other, certificate(other))


def test_a_block_of_another_validator_set_is_refused() -> None:
    other = of_genesis(validator_set_hash=b"x" * 32)

    with pytest.raises(InvalidProof, match=r"validator set: expected .*, got 7878"):
        check_block(other, certificate(other))


def test_a_certificate_of_another_height_is_refused() -> None:
    with pytest.raises(InvalidProof, match="certificate's height: expected 1, got 2"):
        check_block(HEADER, dataclasses.replace(CERTIFICATE, height=2))


def test_a_certificate_of_another_block_is_refused() -> None:
    other = certificate(of_genesis(time_ms=HEADER.time_ms + 1))

    with pytest.raises(InvalidProof, match="certificate's block: expected"):
        check_block(HEADER, other)


def test_a_forged_vote_is_refused() -> None:
    forged = dataclasses.replace(
        CERTIFICATE, signatures=((0, bytes(64)), *CERTIFICATE.signatures[1:])
    )

    with pytest.raises(InvalidCertificate, match="COMMIT of validator 0"):
        check_block(HEADER, forged)


def test_votes_under_a_genesis_with_another_validator_prove_nothing() -> None:
    members = (*GENESIS.members[:3], member(4, consensus_key=SIGNERS[6].public_key))

    with pytest.raises(InvalidProof, match="chain id"):
        verify_block(HEADER, CERTIFICATE, genesis=genesis(members=members), scheme=ED25519)


def chain_of(count: int) -> list[Header]:
    headers = [HEADER]
    for height in range(2, count + 1):
        headers.append(
            of_genesis(height=height, parent_hash=headers[-1].hash, time_ms=headers[-1].time_ms + 1)
        )
    return headers


def test_headers_from_the_first_block_on_are_a_chain() -> None:
    check_header_chain(chain_of(4), genesis=GENESIS)


def test_a_later_segment_is_checked_within_itself() -> None:
    check_header_chain(chain_of(4)[2:], genesis=GENESIS)
    check_header_chain(chain_of(4)[3:], genesis=GENESIS)


def test_a_gap_in_the_chain_is_found() -> None:
    headers = chain_of(4)

    with pytest.raises(InvalidBlock, match="height: expected 3, got 4"):
        check_header_chain([*headers[:2], headers[3]], genesis=GENESIS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chain_id": b"x" * 32}, "chain id: expected"),
        ({"parent_hash": b"x" * 32}, "parent hash of the first block: expected"),
        ({"validator_set_hash": b"x" * 32}, "validator set of the first block: expected"),
        (
            {"time_ms": GENESIS.time_ms},
            "time of the first block: expected above 1700000000000, got 1700000000000",
        ),
    ],
)
def test_a_first_block_that_does_not_follow_genesis_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidBlock, match=words):
        check_header_chain([of_genesis(**changes)], genesis=GENESIS)
