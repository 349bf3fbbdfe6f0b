"""What a replica wants done. Effects are orders, in the imperative.

**Order is durability.** Effects are performed in the order of the tuple that ``step`` returned, and
nothing after a :class:`Persist` happens before its write is on disk. So a vote is durable before it
is sent, without tokens or call-backs; the shell may batch syncs but not reorder. An answer to an
effect (ProposalAssembled, ProposalJudged, BlockCommitted) is handed to ``step`` after all effects
of the step that ordered it were performed.
"""

from dataclasses import dataclass

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.evidence import Equivocation
from chain.types import Hash, Height, Milliseconds, PublicKey, View
from consensus.events import Timer
from consensus.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Persist:
    """Append to the journal, then write the sign guard; both are synced before the next effect.

    In this order, so that a crash in between leaves the journal one record ahead, which recovery
    completes; the other order would look like a lost log.
    """

    records: tuple[bytes, ...]
    """Encoded journal records (:mod:`consensus.journal`)."""
    guard: bytes | None
    """Encoded sign guard (:mod:`consensus.sign_guard`), or None where it is unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send to one peer; nothing happens where its link is down."""

    peer: PublicKey
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """Send to every other validator."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Start a timer, replacing a running one of the same kind."""

    timer: Timer
    after_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """Stop a timer; a fire that is already on its way is recognised as stale."""

    timer: Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleProposal:
    """Build and execute a fresh block on the head; answer with ProposalAssembled.

    Where no transaction waits and ``is_heartbeat`` is False there is nothing to propose and no
    answer is given; WorkChanged will come when there is.
    """

    height: Height
    view: View
    is_heartbeat: bool
    """A block without transactions is due, or a new view has to propose something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeProposal:
    """Fetch missing bodies, execute, compare roots; answer with ProposalJudged.

    The replica has already checked what it can: place, proposer, parent, time.
    """

    header: Header
    transaction_ids: tuple[Hash, ...]
    source: PublicKey
    """Peer that proposed it and so has every body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitBlock:
    """Execute unless already done, compare roots, store as one batch; answer BlockCommitted.

    Where roots differ or execution fails the node stops: the certificate proves that a quorum
    computed something else (consensus.md 25).
    """

    header: Header
    certificate: CommitCertificate
    transactions: tuple[bytes, ...]
    """Wire bytes of each transaction in order, signatures checked: the kernel may have forgotten
    what it judged or assembled, in a restart or behind many views."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvidence:
    """Keep verified evidence and, in time, record it on chain."""

    evidence: Equivocation


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFault:
    """A peer sent what no honest one sends; the shell counts it and may drop the link."""

    peer: PublicKey
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Stop voting and say why; the operator has to look."""

    reason: str


Effect = (
    Persist
    | Send
    | Broadcast
    | StartTimer
    | CancelTimer
    | AssembleProposal
    | JudgeProposal
    | CommitBlock
    | RecordEvidence
    | ReportFault
    | Halt
)
