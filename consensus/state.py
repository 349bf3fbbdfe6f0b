"""What a replica remembers: only state. Predicates read it, handlers alone assign to it.

Everything about the height in agreement stands in one :class:`Instance`, which is replaced when the
height commits: nothing of one height can leak into the next (consensus.md 8). Votes are kept in one
slot per validator and kind, so nothing grows with heights or views that a peer chose.
"""

from dataclasses import dataclass, field
from typing import Final

from chain.block import CertifiedBlock, Header
from chain.certificate import CommitCertificate, PreparedCertificate
from chain.crypto import SignatureScheme, Signer
from chain.types import Hash, Height, Milliseconds, PublicKey, View
from chain.validator_set import ValidatorSet
from chain.vote import Vote, VoteKind
from consensus.events import Now
from consensus.messages import (
    Commit,
    LeaveReason,
    NewView,
    Prepare,
    PrePrepare,
    Status,
    ViewChange,
)
from consensus.sign_guard import Observation, SignGuard

PEERS_MAX: Final = 1_024
"""Peers whose STATUS is remembered; far above validators and observers of one consortium."""

AgreementMessage = PrePrepare | Prepare | Commit | ViewChange | NewView
"""Messages that carry a vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaConfig:
    """Node configuration, not chain parameters: no setting of one node can stall the chain."""

    t0_ms: Milliseconds = 2_000
    """Timeout of view 0; each view adds a half."""
    timeout_max_ms: Milliseconds = 60_000
    """No view waits longer than this."""
    status_interval_ms: Milliseconds = 300
    """Between two STATUS."""
    censorship_timeout_ms: Milliseconds = 10_000
    """T_c: what waits for so long is complained of, and a new primary has as long to take it up."""
    clock_ahead_max_ms: Milliseconds = 2_000
    """A fresh proposal may be this far ahead of the local clock."""
    clock_behind_max_ms: Milliseconds = 10_000
    """A fresh proposal of view 0 may be this far behind; doubles with each view."""


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A block that may become the one of this height."""

    header: Header
    transaction_ids: tuple[Hash, ...]
    transactions: tuple[bytes, ...] = ()
    """Bodies in order; empty until accepted."""
    is_accepted: bool = False
    """Executed here with the same roots, every body held."""
    is_journaled: bool = False
    """A journal record holds the bodies."""


@dataclass(slots=True, kw_only=True)
class Instance:
    """Agreement on one height."""

    view: View = 0
    """Highest view entered: by VIEW-CHANGE, or by a NEW-VIEW."""
    is_active: bool = True
    """View 0 is active at once; a higher one when its NEW-VIEW is accepted."""
    proposal: PrePrepare | None = None
    """Accepted for judgement in this view."""
    new_view: NewView | None = None
    """What made this view active; None in view 0."""
    candidates: dict[Hash, Candidate] = field(default_factory=dict)
    """At most the proposed, the prepared, the certified and the wanted block."""
    prepares: dict[int, Vote] = field(default_factory=dict)
    """One PREPARE for each validator, that of its highest view."""
    commits: dict[int, Vote] = field(default_factory=dict)
    """One COMMIT for each validator, that of its highest view."""
    view_changes: dict[int, ViewChange] = field(default_factory=dict)
    """One VIEW-CHANGE for each validator, that to the highest view."""
    own_votes: dict[tuple[View, VoteKind], Vote] = field(default_factory=dict)
    """All that this node signed at this height."""
    prepared: PreparedCertificate | None = None
    """Own prepared certificate with the highest view."""
    chosen: tuple[ViewChange, ...] | None = None
    """The q VIEW-CHANGEs on which this node, as primary, bases its NEW-VIEW."""
    wanted: Hash | None = None
    """Block that the NEW-VIEW has to propose and that is not held yet."""
    certificate: CommitCertificate | None = None
    """This height is decided."""
    is_committing: bool = False
    """CommitBlock is ordered; nothing more to do but wait."""
    assembling: bool | None = None
    """AssembleProposal was ordered in this view: with is_heartbeat of this value."""
    primary_vote: Vote | None = None
    """First verified PRE-PREPARE of this view's primary, to notice a second one."""
    has_reported: bool = False
    """The fault of this view's proposal was reported; it may come again and again."""
    exposed: set[tuple[int, VoteKind]] = field(default_factory=set)
    """(signer, kind) whose equivocation was recorded."""
    answered: set[PublicKey] = field(default_factory=set)
    """Peers whose late message was answered with the head's certificate."""
    view_timer: View | None = None
    """View whose timer runs."""
    is_resending: bool = False
    """Whether the RESEND timer runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """A request for blocks that is under way."""

    peer: PublicKey
    first_height: Height
    asked_ms: Milliseconds
    """Monotonic time."""


@dataclass(slots=True, kw_only=True)
class SyncState:
    """Catching up with the chain."""

    highest: CommitCertificate | None = None
    """Verified certificate of a height above the one in agreement."""
    request: SyncRequest | None = None
    blocks: tuple[CertifiedBlock, ...] = ()
    """Received and not yet committed, ascending, from one peer."""
    source: PublicKey | None = None
    """Who sent them."""
    distrusted: set[PublicKey] = field(default_factory=set)
    """Peers that did not give what they claimed; asked only when nobody else is left."""
    height_at_tick: Height = 0
    """Height at the last STATUS timer, to see whether it moved since."""


@dataclass(slots=True, kw_only=True)
class ReplicaState:
    """Everything that a replica knows."""

    chain_id: Hash
    config: ReplicaConfig
    signer: Signer | None
    """None for an observer."""
    scheme: SignatureScheme
    rotation_blocks: int
    max_block_interval_ms: Milliseconds

    head: Header | None
    """Newest committed block; None at genesis."""
    head_hash: Hash
    head_time_ms: Milliseconds
    head_certificate: CommitCertificate | None
    validators: ValidatorSet
    """Set that decides the height in agreement."""
    parent_validators: ValidatorSet | None
    """Set that decided the head; None where it is unknown, at genesis or after some restarts."""
    height: Height
    """Height in agreement: the head's plus one."""
    primary_base: int
    """Index of the primary of view 0 (consensus.md 18)."""
    tenure_height: Height
    """First height of the present primary's unbroken tenure, as far as this node saw."""

    guard: SignGuard | None
    observation: Observation | None
    """Why this validator does not vote; None where it does."""
    is_guard_behind: bool = False
    """The guard's file lacks the newest votes of the journal, after a crash between the two."""
    halt_reason: str | None = None
    primary_since_ms: Milliseconds = 0
    """Monotonic time at which the present primary took over."""
    instance: Instance = field(default_factory=Instance)
    sync: SyncState = field(default_factory=SyncState)
    ahead: dict[tuple[PublicKey, type[AgreementMessage]], AgreementMessage] = field(
        default_factory=dict
    )
    """Messages for the next height: one slot per sender and kind (consensus.md 9)."""
    peers: dict[PublicKey, Status] = field(default_factory=dict)
    """Last STATUS of each peer; claims, never proof."""
    links_down: set[PublicKey] = field(default_factory=set)
    """Peers whose link was up and went down."""
    last_vote_heights: dict[PublicKey, Height] = field(default_factory=dict)
    """Height of the newest vote that each validator itself sent; for metrics."""

    is_pending: bool = False
    """Some valid transaction waits in the pool."""
    is_censored: bool = False
    """One of them has waited too long while blocks went by."""
    is_heartbeat_due: bool = False
    told_leave_reason: LeaveReason = LeaveReason.NONE
    """Complaint in the last STATUS that was broadcast."""
    now: Now = field(default_factory=lambda: Now(wall_ms=0, monotonic_ms=0))
    """Clocks of the present step."""

    own_index: int | None = field(init=False)
    """This node's index in the set of the height in agreement; None where it is no member."""

    def __post_init__(self) -> None:
        self.find_own_index()

    def find_own_index(self) -> None:
        """Looks this node up in the set; whoever replaces the set calls it."""
        # Kept, because every step asks for it a dozen times.
        key = None if self.signer is None else self.signer.public_key
        self.own_index = None if key is None else self.validators.index_of(key)
