"""What happens to a replica. Events are facts, in the past tense; time comes with each step."""

from dataclasses import dataclass
from enum import IntEnum

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.types import Hash, Height, Milliseconds, PublicKey, View
from chain.validator_set import ValidatorSet
from consensus.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Both clocks of the node at the moment of a step."""

    wall_ms: Milliseconds
    """UTC; used only to judge and to stamp fresh proposals."""
    monotonic_ms: Milliseconds
    """Never steps; used for all waiting."""


class TimerKind(IntEnum):
    """What a timer is for."""

    VIEW = 1
    """The view has taken too long."""
    RESEND = 2
    """Send the VIEW-CHANGE again."""
    STATUS = 3
    """Exchange STATUS."""
    HEARTBEAT = 4
    """A block without transactions is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Names one timer; a stale one is recognised by its height and view."""

    kind: TimerKind
    height: Height
    view: View


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A message came from a peer whose link is authenticated; its signatures are unchecked."""

    sender: PublicKey
    """Consensus key of the peer at the other end of the link."""
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """The link to a peer came up or went down."""

    peer: PublicKey
    is_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer that the replica started has run out."""

    timer: Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkChanged:
    """What waits in the pool has changed in kind."""

    is_pending: bool
    """Some valid transaction waits."""
    is_censored: bool
    """One of them, sent to all validators, has waited T_c while blocks went by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalAssembled:
    """Answer to AssembleProposal: the block is built and executed."""

    view: View
    header: Header
    transactions: tuple[bytes, ...]
    """Wire bytes of each transaction in order, for the journal."""
    transaction_ids: tuple[Hash, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalJudged:
    """Answer to JudgeProposal: executed with the same roots, or refused."""

    block_hash: Hash
    fault: str | None
    """None where the block is valid; otherwise the rule that it breaks."""
    transactions: tuple[bytes, ...]
    """Wire bytes of each transaction in order, for the journal; empty where refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCommitted:
    """Answer to CommitBlock: the block is executed and its storage is under way, in order."""

    header: Header
    certificate: CommitCertificate
    next_validators: ValidatorSet
    """Set that decides the next height."""


Event = (
    MessageReceived
    | LinkChanged
    | TimerFired
    | WorkChanged
    | ProposalAssembled
    | ProposalJudged
    | BlockCommitted
)
