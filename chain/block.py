"""Blocks and headers.

A header names the order of its transactions *and* their result, because validators execute before
they agree; so one commit certificate proves both (consensus.md, Shape). The certificate stands
beside the header and is not under its hash, nor is the view: a block proposed again in a later
view keeps its bytes (consensus.md 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from chain.certificate import CommitCertificate
from chain.codec import Record
from chain.crypto import Domain, hash_of
from chain.errors import InvalidBlock
from chain.merkle import merkle_root
from chain.transaction import Transaction
from chain.types import U32, Hash, Height, Length, Milliseconds, PublicKey, Range

HEADER_VERSION: Final = 1
BLOCK_TRANSACTIONS_LIMIT: Final = 100_000
"""No chain parameter may allow more transactions in a block; bounds decoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Record):
    """What validators sign, in this order on the wire."""

    version: Annotated[int, Range(HEADER_VERSION, HEADER_VERSION)] = HEADER_VERSION
    chain_id: Hash
    height: Height
    parent_hash: Hash
    """Hash of the header before; the chain id at height 1."""
    time_ms: Milliseconds
    """Block time, UTC; strictly above the parent's."""
    proposer: PublicKey
    """Primary of the view in which the block was first proposed."""
    transaction_count: U32
    transaction_root: Hash
    """RFC 6962 root over the transaction ids in order."""
    receipt_root: Hash
    """RFC 6962 root over the encoded receipts, the block's own receipt last."""
    state_root: Hash
    """Root of the state after this block."""
    validator_set_hash: Hash
    """Set that votes on this block."""
    next_validator_set_hash: Hash
    """Set that votes on the next one."""
    parameters_hash: Hash

    @property
    def hash(self) -> Hash:
        """Returns the block hash."""
        return hash_of(Domain.HEADER, self.encode())


TransactionIds = Annotated[tuple[Hash, ...], Length(0, BLOCK_TRANSACTIONS_LIMIT)]


def transaction_root(transaction_ids: Sequence[Hash]) -> Hash:
    """Returns the root over the ids in order."""
    return merkle_root(transaction_ids)


def check_link(parent: Header, header: Header) -> None:
    """Checks that one header follows another on the same chain.

    Raises:
        InvalidBlock: another chain, a height that is not the next, another parent hash, a time
            that is not later, or a validator set that the parent did not announce.
    """
    rules: tuple[tuple[str, object, object], ...] = (
        ("chain id", parent.chain_id.hex(), header.chain_id.hex()),
        ("height", parent.height + 1, header.height),
        ("parent hash", parent.hash.hex(), header.parent_hash.hex()),
        (
            "validator set hash",
            parent.next_validator_set_hash.hex(),
            header.validator_set_hash.hex(),
        ),
    )
    for rule, expected, got in rules:
        if expected != got:
            raise InvalidBlock(rule, expected=str(expected), got=str(got))
    if header.time_ms <= parent.time_ms:
        raise InvalidBlock(
            "block time", expected=f"above {parent.time_ms}", got=str(header.time_ms)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedBlock(Record):
    """A final block as it is stored and as it travels to those who lack it."""

    header: Header
    certificate: CommitCertificate
    transactions: Annotated[tuple[bytes, ...], Length(0, BLOCK_TRANSACTIONS_LIMIT)]
    """Wire bytes of each transaction, in order."""

    def parse_transactions(self) -> tuple[Transaction, ...]:
        """Parses the bodies; signatures are not checked.

        Raises:
            DecodeError: a body that is not a canonical transaction.
        """
        return tuple(Transaction.parse(wire) for wire in self.transactions)
