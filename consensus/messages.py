"""What replicas say to each other.

Messages that promise something carry a :class:`chain.vote.Vote` and can be shown to third parties.
STATUS and the requests promise nothing; the link authenticates their sender. TRANSACTIONS are
gossip. All of them are one tagged union, so that a link carries nothing else.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.block import CertifiedBlock, Header, TransactionIds
from chain.certificate import CommitCertificate, PreparedCertificate
from chain.codec import Record, TagTable
from chain.crypto import Domain, hash_of
from chain.types import U16, Hash, Height, Length, View
from chain.validator_set import VALIDATORS_MAX
from chain.vote import Vote

BODIES_MAX: Final = 4_096
"""Transactions in one message of bodies or gossip."""
BLOCKS_MAX: Final = 64
"""Blocks in one answer of sync."""


class LeaveReason(IntEnum):
    """Why a replica would like another primary (consensus.md 14)."""

    NONE = 0
    LINK_DOWN = 1
    """My link to the primary is down."""
    CENSORED = 2
    """A valid transaction that I sent to all has waited too long while blocks flow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrePrepare(Record):
    """The primary proposes a block; its vote's digest is the header's hash."""

    header: Header
    transaction_ids: TransactionIds
    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(Record):
    """A backup has executed the proposal, agrees with its roots and holds every body."""

    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(Record):
    """The signer holds a prepared certificate for the block, durably."""

    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChange(Record):
    """The signer votes no more in lower views of this height (consensus.md 8)."""

    prepared: PreparedCertificate | None
    """The sender's prepared certificate of this height with the highest view."""
    parent_certificate: CommitCertificate | None
    """Commit certificate of the height before; None at height 1."""
    vote: Vote
    """Its digest is :func:`view_change_digest`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewView(Record):
    """The primary of a higher view shows why it may propose what it proposes."""

    view_changes: Annotated[tuple[ViewChange, ...], Length(1, VALIDATORS_MAX)]
    """Of q distinct validators, sorted by signer."""
    proposal: PrePrepare
    """The block of the highest prepared certificate among them, or a fresh one."""
    vote: Vote
    """Its digest is :func:`new_view_digest`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Record):
    """Where the sender is; sent periodically, also when idle (consensus.md 16)."""

    height: Height
    """Height that it is deciding: its head's height plus one."""
    view: View
    head_hash: Hash
    leave_reason: LeaveReason
    prepares: U16 = 0
    """PREPAREs held for this (height, view), so that the receiver knows what is lacking."""
    commits: U16 = 0
    """COMMITs held for this (height, view)."""
    has_proposal: bool = False
    """Whether the proposal of this (height, view) is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified(Record):
    """A commit certificate on its own: the block with this hash is final."""

    certificate: CommitCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRequest(Record):
    """Asks for header and ids of a block that some replica prepared."""

    height: Height
    block_hash: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Record):
    """Header and ids of a block, checked by the receiver against the hash that it asked for."""

    header: Header
    transaction_ids: TransactionIds


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksRequest(Record):
    """Asks for certified blocks from a height on."""

    first_height: Height
    count: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks(Record):
    """Certified blocks in ascending order; as many as fit a frame."""

    blocks: Annotated[tuple[CertifiedBlock, ...], Length(0, BLOCKS_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BodiesRequest(Record):
    """Asks for transactions by id."""

    transaction_ids: Annotated[tuple[Hash, ...], Length(1, BODIES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies(Record):
    """Wire bytes of transactions: an answer, or gossip."""

    transactions: Annotated[tuple[bytes, ...], Length(0, BODIES_MAX)]


Message = (
    PrePrepare
    | Prepare
    | Commit
    | ViewChange
    | NewView
    | Status
    | Certified
    | ProposalRequest
    | Proposal
    | BlocksRequest
    | Blocks
    | BodiesRequest
    | Bodies
)

MESSAGES: Final[TagTable[Message]] = TagTable(
    "message",
    {
        1: PrePrepare,
        2: Prepare,
        3: Commit,
        4: ViewChange,
        5: NewView,
        6: Status,
        7: Certified,
        8: ProposalRequest,
        9: Proposal,
        10: BlocksRequest,
        11: Blocks,
        12: BodiesRequest,
        13: Bodies,
    },
)


def view_change_digest(
    prepared: PreparedCertificate | None, parent_certificate: CommitCertificate | None
) -> Hash:
    """Returns what the vote of a VIEW-CHANGE signs."""
    body = ViewChangeBody(prepared=prepared, parent_certificate=parent_certificate)
    return hash_of(Domain.VIEW_CHANGE, body.encode())


def new_view_digest(view_changes: tuple[ViewChange, ...], block_hash: Hash) -> Hash:
    """Returns what the vote of a NEW-VIEW signs."""
    body = NewViewBody(view_changes=view_changes, block_hash=block_hash)
    return hash_of(Domain.NEW_VIEW, body.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChangeBody(Record):
    """The hashed part of a VIEW-CHANGE."""

    prepared: PreparedCertificate | None
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewViewBody(Record):
    """The hashed part of a NEW-VIEW."""

    view_changes: tuple[ViewChange, ...]
    block_hash: Hash
