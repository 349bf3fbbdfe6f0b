"""What a kernel wants done, in this order (see :mod:`consensus.effects` on order and durability).

Timers, evidence, faults and halts are the replica's own effects and pass through.
"""

from dataclasses import dataclass

from chain.types import Hash, PublicKey
from consensus.effects import (
    CancelTimer,
    Halt,
    Persist,
    RecordEvidence,
    ReportFault,
    StartTimer,
)
from node.ports import StoredBlock, Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPayload:
    """Send bytes to one peer; nothing happens where its link is down."""

    peer: PublicKey
    traffic: Traffic
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastPayload:
    """Send bytes to every other validator."""

    traffic: Traffic
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPayload:
    """Send bytes to every observer whose link is up."""

    traffic: Traffic
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreBlock:
    """Write one batch, durable; then step the kernel with BlockStored before anything else."""

    stored: StoredBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Answer for one submitted transaction; accepted where ``code`` is empty."""

    transaction_id: Hash | None
    """None where the bytes are no transaction."""
    code: str
    """Empty, or a stable name such as ``INVALID_SIGNATURE``."""
    detail: str
    """For people: what was expected and what came."""

    @property
    def is_accepted(self) -> bool:
        """Returns whether this node's pool took it; a promise of nothing more."""
        return not self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSubmission:
    """Tell the client, one answer per transaction in order."""

    ticket: int
    admissions: tuple[Admission, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBug:
    """Execution failed in a way that no contract intends: tell the operator (consensus.md 25)."""

    transaction_id: Hash | None
    """What was quarantined for it; None where the block's own work failed."""
    detail: str


KernelEffect = (
    SendPayload
    | BroadcastPayload
    | PushPayload
    | StoreBlock
    | AnswerSubmission
    | Persist
    | StartTimer
    | CancelTimer
    | RecordEvidence
    | ReportFault
    | ReportBug
    | Halt
)
