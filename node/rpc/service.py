"""What the RPC needs from its node; the composition root implements it.

The seam keeps the server free of kernel and runtime: it hands in bytes, waits, and reads committed
data. Every method but the reads of ``store`` is called on the event loop and must not block it;
``store`` is read on threads, so its reads must be safe beside a commit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chain.genesis import Genesis
from chain.member import MemberRole
from chain.types import Hash, Height, Milliseconds, PublicKey, View
from node.kernel.effects import Admission
from node.ports import BlockStore, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the node serves clients well enough to be sent work."""

    is_ready: bool
    reason: str
    """Why not, with what to do; empty where it is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorStatus:
    """One validator as this node sees it."""

    name: str
    organisation: str
    consensus_key: PublicKey
    last_vote_height: Height | None
    """Newest height whose certificate here holds its vote; None before the first."""
    is_missing: bool
    """Whether the newest certificate lacks its vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatus:
    """The link to one other member."""

    name: str
    organisation: str
    role: MemberRole
    is_connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """Everything that an operator asks first, at one moment."""

    name: str
    organisation: str
    role: MemberRole
    version: str
    """Release of the software."""
    chain_id: Hash
    network: str
    height: Height
    """Of the newest committed block; 0 at genesis."""
    head_hash: Hash
    """Of the newest header; the chain id at genesis."""
    state_root: Hash
    head_time_ms: Milliseconds
    """Block time of the head; that of genesis at height 0."""
    view: View
    """At the height in agreement."""
    primary: str
    """Name of the primary of that view."""
    validators: tuple[ValidatorStatus, ...]
    is_validator: bool
    """Whether this node votes now."""
    is_syncing: bool
    observing_reason: str | None
    """Why a validator does not vote although it could; None otherwise."""
    mempool_transactions: int
    mempool_bytes: int
    peers: tuple[PeerStatus, ...]
    why_no_block: str | None
    """What the next block waits for, naming who is missing; None while blocks come."""
    readiness: Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedTransaction:
    """Where a transaction stands and what it did, as the block that holds it became durable."""

    location: Location
    encoded_receipt: bytes
    time_ms: Milliseconds
    """Block time."""


class NodeService(Protocol):
    """The node, as its RPC sees it."""

    @property
    def chain_id(self) -> Hash:
        """Returns the hash of the genesis record."""
        ...

    @property
    def genesis(self) -> Genesis:
        """Returns the founding record."""
        ...

    @property
    def store(self) -> BlockStore:
        """Returns blocks, receipts, state and indexes; for reading only."""
        ...

    async def submit(self, wires: Sequence[bytes]) -> Sequence[Admission]:
        """Checks untrusted transactions and offers them to the pool; one answer each, in order."""
        ...

    def pending(self, transaction_id: Hash) -> bool:
        """Returns whether the pool holds a transaction."""
        ...

    async def wait_committed(
        self, transaction_ids: Collection[Hash], timeout_s: float
    ) -> Mapping[Hash, CommittedTransaction]:
        """Waits until this node has committed all of some transactions, or the time is over.

        Returns:
            Those that were committed during the wait; what was before stands in the store.
        """
        ...

    async def next_block(self, after_height: Height, timeout_s: float) -> Height | None:
        """Returns the head's height once it is above the given one; None at the time limit."""
        ...

    def readiness(self) -> Readiness:
        """Returns whether the node takes transactions; asked for each submission, so cheap."""
        ...

    def status(self) -> NodeStatus:
        """Returns the node's state at this moment."""
        ...


class RequestObserver(Protocol):
    """Counts requests (:class:`node.metrics.NodeMetrics`)."""

    def observe_request(self, *, method: str, code: int, seconds: float) -> None:
        """Takes note of one answer: route, HTTP status, and seconds until it was complete."""
        ...
