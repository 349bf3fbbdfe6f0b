"""The narrow ports between the kernel and the world; each has a production and a test adapter.

The kernel reads committed data through :class:`BlockStore` and returns everything else as effects.
One contract test runs against every implementation of a port.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from chain.block import CertifiedBlock, Header
from chain.certificate import CommitCertificate
from chain.evidence import Equivocation
from chain.receipt import Receipt
from chain.state_tree import StateTree, TreeUpdate
from chain.types import Hash, Height, PublicKey


class Traffic(IntEnum):
    """Kind of payload, for the lane that it takes."""

    VOTES = 1
    TRANSACTIONS = 2
    SYNC = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """Everything that becomes durable with one block, as one batch (consensus.md 28)."""

    block: CertifiedBlock
    transaction_ids: tuple[Hash, ...]
    fresh_ids: tuple[tuple[Hash, int], ...]
    """(id, position) of those that were no duplicates; they enter the transaction index."""
    encoded_receipts: tuple[bytes, ...]
    changes: dict[bytes, bytes | None]
    """State writes by key; None means removed."""
    tree_update: TreeUpdate
    index_entries: tuple[bytes, ...]
    """Keys of the readings index, made by the contracts (:func:`contracts.readings.index_keys`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a committed transaction stands."""

    height: Height
    position: int


class BlockStore(Protocol):
    """Blocks, receipts, state, authenticated tree and indexes of one node."""

    def head(self) -> tuple[Header, CommitCertificate] | None:
        """Returns header and certificate of the newest block, or None at genesis."""
        ...

    def block(self, height: Height) -> CertifiedBlock | None:
        """Returns a committed block, or None above the head and at genesis."""
        ...

    def header(self, height: Height) -> Header | None:
        """Returns a committed header without reading the bodies."""
        ...

    def receipts(self, height: Height) -> tuple[Receipt, ...]:
        """Returns the receipts of a block: one per transaction, then the block's own."""
        ...

    def locate(self, transaction_id: Hash) -> Location | None:
        """Returns where a committed transaction stands."""
        ...

    def holds(self, transaction_id: Hash) -> bool:
        """Returns whether a committed block holds this id (chain.execution.TransactionIndex)."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """Returns a state value (chain.state.StateReader)."""
        ...

    def iterate(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yields state entries in byte order (chain.state.StateReader)."""
        ...

    def get_bucket(self, index: int) -> bytes:
        """Returns a bucket of the authenticated tree (chain.state_tree.BucketReader)."""
        ...

    def open_tree(self) -> StateTree:
        """Returns the authenticated tree over the stored state."""
        ...

    def certificate(self, height: Height) -> CommitCertificate | None:
        """Returns the commit certificate of a committed block."""
        ...

    def encoded_receipts(self, height: Height) -> tuple[bytes, ...]:
        """Returns the receipts of a block as they are under the receipt root."""
        ...

    def index_entries(self, prefix: bytes, start: bytes = b"") -> Iterator[bytes]:
        """Yields keys of the readings index with this prefix in byte order."""
        ...

    def initialise(
        self, genesis: bytes, changes: dict[bytes, bytes | None], update: TreeUpdate
    ) -> None:
        """Writes the genesis record and state into an empty store, durably."""
        ...

    def genesis(self) -> bytes | None:
        """Returns the encoded genesis record, or None for a new store."""
        ...

    def commit(self, stored: StoredBlock) -> None:
        """Writes one block as one durable batch; any failure ends the process."""
        ...


class JournalStore(Protocol):
    """The consensus journal and the sign guard: two files, synced together."""

    def load_journal(self) -> Sequence[bytes]:
        """Returns the records since the last commit."""
        ...

    def load_guard(self) -> bytes | None:
        """Returns the guard's bytes, or None where it is lost."""
        ...

    def persist(self, records: Sequence[bytes], guard: bytes | None) -> None:
        """Appends and writes, durable on return."""
        ...

    def recycle(self) -> None:
        """Forgets the records of the height that has just been committed."""
        ...

    def keep_evidence(self, evidence: Equivocation) -> None:
        """Keeps evidence for whoever brings it before all, durable on return."""
        ...


class Links(Protocol):
    """Links to the other members; what is sent while a link is down is lost."""

    def send(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        """Queues bytes for one peer."""
        ...

    def broadcast(self, traffic: Traffic, payload: bytes) -> None:
        """Queues bytes for every other validator."""
        ...

    def push(self, traffic: Traffic, payload: bytes) -> None:
        """Queues bytes for every observer."""
        ...

    def report(self, peer: PublicKey, reason: str) -> None:
        """Counts a fault of a peer; enough of them cut the link for a while."""
        ...
