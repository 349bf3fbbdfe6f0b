"""Proofs that a final block holds a transaction or a receipt, checked with the genesis alone.

The chain of trust: the genesis record names the validators; a quorum of them signed the block hash;
the header under that hash names the roots; an audit path leads from the leaf to a root. Here the
validators of genesis must still be those of the block, since a header says so by the set's hash;
where the set has changed, the headers of the changes are needed too.

What the state holds at a block is proved with :func:`verify_block` and, against the header's
``state_root``, :func:`chain.state_tree.verify_state_proof`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from chain.block import Header, check_link
from chain.certificate import CommitCertificate
from chain.codec import Record
from chain.crypto import SignatureScheme
from chain.errors import InvalidBlock, InvalidProof
from chain.genesis import Genesis
from chain.merkle import inclusion_path, verify_inclusion
from chain.receipt import Receipt
from chain.types import U32, Hash, Length
from chain.validator_set import ValidatorSet

PATH_HASHES_MAX: Final = 32
"""Audit path in a tree of 2**32 leaves, more than any block has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof(Record):
    """Leads from a leaf to the certificate of the block that holds it."""

    header: Header
    certificate: CommitCertificate
    index: U32
    """Position of the leaf; a transaction and its receipt have the same."""
    path: Annotated[tuple[Hash, ...], Length(0, PATH_HASHES_MAX)]
    """Audit path of RFC 6962, the leaf's sibling first."""


def prove_transaction(
    header: Header, certificate: CommitCertificate, transaction_ids: Sequence[Hash], index: int
) -> InclusionProof:
    """Returns the proof of the transaction at an index.

    Args:
        header: of the block.
        certificate: of the block.
        transaction_ids: all ids of the block, in order.
        index: which of them.
    """
    return InclusionProof(
        header=header,
        certificate=certificate,
        index=index,
        path=inclusion_path(transaction_ids, index),
    )


def prove_receipt(
    header: Header, certificate: CommitCertificate, encoded_receipts: Sequence[bytes], index: int
) -> InclusionProof:
    """Returns the proof of the receipt at an index.

    Args:
        header: of the block.
        certificate: of the block.
        encoded_receipts: all receipts of the block, in order, the block's own last.
        index: which of them.
    """
    return InclusionProof(
        header=header,
        certificate=certificate,
        index=index,
        path=inclusion_path(encoded_receipts, index),
    )


def verify_transaction_proof(
    proof: InclusionProof, transaction_id: Hash, *, genesis: Genesis, scheme: SignatureScheme
) -> None:
    """Checks that a final block of this chain holds a transaction.

    Args:
        proof: untrusted.
        transaction_id: recomputed by the caller from the transaction's bytes.
        genesis: of the chain, trusted and checked.
        scheme: verifies signatures.

    Raises:
        InvalidProof: the block is not of this chain and set, or does not hold the transaction.
        InvalidCertificate: the certificate does not make the block final.
    """
    verify_block(proof.header, proof.certificate, genesis=genesis, scheme=scheme)
    verify_inclusion(
        transaction_id,
        index=proof.index,
        count=proof.header.transaction_count,
        path=proof.path,
        root=proof.header.transaction_root,
    )


def verify_receipt_proof(
    proof: InclusionProof, receipt: Receipt, *, genesis: Genesis, scheme: SignatureScheme
) -> None:
    """Checks that a final block of this chain holds a receipt.

    Args:
        proof: untrusted.
        receipt: the whole receipt; its encoding is the leaf.
        genesis: of the chain, trusted and checked.
        scheme: verifies signatures.

    Raises:
        InvalidProof: the block is not of this chain and set, or does not hold the receipt.
        InvalidCertificate: the certificate does not make the block final.
    """
    verify_block(proof.header, proof.certificate, genesis=genesis, scheme=scheme)
    verify_inclusion(
        receipt.encode(),
        index=proof.index,
        # The block's own receipt comes after those of its transactions.
        count=proof.header.transaction_count + 1,
        path=proof.path,
        root=proof.header.receipt_root,
    )


def verify_block(
    header: Header,
    certificate: CommitCertificate,
    *,
    genesis: Genesis,
    scheme: SignatureScheme,
) -> None:
    """Checks that a header is final on the chain of a genesis whose validators never changed.

    Raises:
        InvalidProof: another chain, another validator set, or a certificate of another block.
        InvalidCertificate: too few votes, or one that does not verify.
    """
    verify_final(
        header,
        certificate,
        chain_id=genesis.chain_id,
        validators=genesis.validator_set(),
        scheme=scheme,
    )


def verify_final(
    header: Header,
    certificate: CommitCertificate,
    *,
    chain_id: Hash,
    validators: ValidatorSet,
    scheme: SignatureScheme,
) -> None:
    """Checks that these validators made a header final on a chain.

    Raises:
        InvalidProof: another chain, another validator set, or a certificate of another block.
        InvalidCertificate: too few votes, or one that does not verify.
    """
    rules: tuple[tuple[str, object, object], ...] = (
        ("chain id", chain_id.hex(), header.chain_id.hex()),
        ("validator set", validators.hash.hex(), header.validator_set_hash.hex()),
        ("certificate's height", header.height, certificate.height),
        ("certificate's block", header.hash.hex(), certificate.block_hash.hex()),
    )
    for rule, expected, got in rules:
        if expected != got:
            raise InvalidProof(f"{rule}: expected {expected}, got {got}")
    certificate.verify(chain_id=chain_id, validators=validators, scheme=scheme)


def check_header_chain(headers: Sequence[Header], *, genesis: Genesis) -> None:
    """Checks that headers follow one another, and the genesis where they begin at height 1.

    No signature is checked: a certificate of the last header, checked by the caller, makes all
    headers before it final too.

    Args:
        headers: at least one, ascending.
        genesis: of the chain, trusted and checked.

    Raises:
        InvalidBlock: names the rule that is broken.
    """
    first = headers[0]
    if first.chain_id != genesis.chain_id:
        raise InvalidBlock("chain id", expected=genesis.chain_id.hex(), got=first.chain_id.hex())
    if first.height == 1:
        _check_first(first, genesis)
    for parent, header in pairwise(headers):
        check_link(parent, header)


def _check_first(header: Header, genesis: Genesis) -> None:
    if header.parent_hash != genesis.chain_id:
        raise InvalidBlock(
            "parent hash of the first block",
            expected=genesis.chain_id.hex(),
            got=header.parent_hash.hex(),
        )
    if header.validator_set_hash != genesis.validator_set().hash:
        raise InvalidBlock(
            "validator set of the first block",
            expected=genesis.validator_set().hash.hex(),
            got=header.validator_set_hash.hex(),
        )
    if header.time_ms <= genesis.time_ms:
        raise InvalidBlock(
            "time of the first block", expected=f"above {genesis.time_ms}", got=str(header.time_ms)
        )
