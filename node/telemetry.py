"""What a running node tells its operator: metrics once per block, a log line where it matters.

An observer of the kernel (style P10): the pure half knows neither logs nor metrics. Work is per
block or per rare event, never per transaction.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from chain.genesis import Genesis
from chain.types import Height, PublicKey, View
from consensus.effects import Halt, RecordEvidence, ReportFault
from consensus.events import TimerFired
from consensus.messages import MESSAGES, Status
from node.kernel.effects import AnswerSubmission, KernelEffect
from node.kernel.events import KernelEvent, PayloadReceived
from node.kernel.kernel import Kernel
from node.metrics import CommittedBlock, NodeMetrics
from node.ports import StoredBlock

ViewChangeReason = Literal["timeout", "complaint", "others"]
"""The primary took too long; f + 1 validators, perhaps this one among them, lost it or found it to
censor; or others had left already."""
_LOG: Final = logging.getLogger("node")


class Telemetry:
    """Turns steps and stored blocks into metrics and log lines."""

    def __init__(self, *, metrics: NodeMetrics, genesis: Genesis) -> None:
        self._metrics = metrics
        self._names = {member.consensus_key: member.node_id for member in genesis.members}
        self._step_seconds_max = 0.0
        self._commit_seconds = 0.0
        self._last_block_at = time.monotonic()
        self._place: tuple[Height, View] | None = None
        """Height and view of the last step."""
        self._shown: tuple[View, PublicKey, bool] | None = None

    def name_of(self, key: PublicKey) -> str:
        """Returns a member's node id, or the start of its key where the registry has none."""
        return self._names.get(key, key.hex()[:16])

    def started(self, kernel: Kernel) -> None:
        """Shows where the node stands after it has recovered, before anything happens."""
        self._metrics.set_height(kernel.workshop.parent.height)
        self._show_place(kernel)

    def on_step(self, event: KernelEvent, effects: Sequence[KernelEffect], kernel: Kernel) -> None:
        """Takes note of what a step decided."""
        for effect in effects:
            match effect:
                case Halt():
                    _LOG.error("halted", extra={"reason": effect.reason})
                case RecordEvidence():
                    self._metrics.count_evidence()
                    _LOG.error(
                        "equivocation",
                        extra={
                            "height": effect.evidence.first.height,
                            "validator": effect.evidence.first.signer,
                        },
                    )
                case ReportFault():
                    _LOG.warning(
                        "fault of a peer",
                        extra={"peer": self.name_of(effect.peer), "reason": effect.reason},
                    )
                case AnswerSubmission():
                    self._count_refusals(effect)
                case _:
                    pass
        self._note_place(event, kernel)

    def step_took(self, seconds: float) -> None:
        """Notes how long the kernel took for one step; the longest one executed the block."""
        self._step_seconds_max = max(self._step_seconds_max, seconds)

    def persist_took(self, seconds: float) -> None:
        """Notes one durable write of journal and guard."""
        self._metrics.observe_journal_fsync(seconds)

    def commit_took(self, seconds: float) -> None:
        """Notes the durable write of a block's batch."""
        self._commit_seconds = seconds

    def block_stored(self, stored: StoredBlock, kernel: Kernel) -> None:
        """Adds a block to the metrics and, at debug level, to the log."""
        header, certificate = stored.block.header, stored.block.certificate
        keys = kernel.workshop.parent.validators.keys
        signed = {keys[signer] for signer, _ in certificate.signatures}
        voted = kernel.replica.last_vote_heights
        # Who does not vote hears no votes either, and cannot tell a late one from none.
        judged = keys if kernel.replica.is_validator else ()
        missing = [
            key for key in judged if key not in signed and voted.get(key, 0) < header.height - 1
        ]
        now = time.monotonic()
        self._metrics.block_committed(
            CommittedBlock(
                height=header.height,
                transaction_count=header.transaction_count,
                size_bytes=sum(map(len, stored.block.transactions)),
                interval_seconds=now - self._last_block_at,
                execute_seconds=self._step_seconds_max,
                commit_seconds=self._commit_seconds,
                state_keys=kernel.workshop.state_key_count,
                signers=tuple(self.name_of(key) for key in keys if key in signed),
                missing=tuple(self.name_of(key) for key in missing),
            )
        )
        self._last_block_at = now
        self._step_seconds_max = 0.0
        _LOG.debug(
            "block",
            extra={
                "height": header.height,
                "view": certificate.view,
                "transactions": header.transaction_count,
                "hash": header.hash.hex(),
            },
        )

    def _count_refusals(self, answer: AnswerSubmission) -> None:
        refused = Counter(each.code for each in answer.admissions if each.code)
        if refused:
            self._metrics.count_mempool_rejected(refused)

    def _note_place(self, event: KernelEvent, kernel: Kernel) -> None:
        before, replica = self._place, kernel.replica
        if before == (replica.height, replica.view):
            # Primary and membership follow from height and view alone.
            return
        if before is not None:
            # A height begins in view 0, so a view above that was entered since.
            left_view = before[1] if before[0] == replica.height else 0
            if replica.view > left_view:
                self._tell_view_change(event, kernel)
        self._show_place(kernel)

    def _tell_view_change(self, event: KernelEvent, kernel: Kernel) -> None:
        reason = reason_of_view_change(event)
        self._metrics.count_view_change(reason)
        _LOG.warning(
            "view change",
            extra={
                "height": kernel.replica.height,
                "view": kernel.replica.view,
                "primary": self.name_of(kernel.replica.primary),
                "reason": reason,
            },
        )

    def _show_place(self, kernel: Kernel) -> None:
        replica = kernel.replica
        self._place = (replica.height, replica.view)
        shown = (replica.view, replica.primary, replica.is_validator)
        if shown != self._shown:
            self._shown = shown
            self._metrics.set_view(
                view=replica.view,
                primary=self.name_of(replica.primary),
                is_validator=replica.is_validator,
            )


def reason_of_view_change(event: KernelEvent) -> ViewChangeReason:
    """Returns why a node left a view, by the event in whose step it did."""
    if isinstance(event, TimerFired):
        return "timeout"
    if not isinstance(event, PayloadReceived):
        # A lost link, or a transaction passed over for too long, made the last complaint our own.
        return "complaint"
    # Decoded a second time, which happens only here; it moved the replica, so it is well-formed.
    return "complaint" if isinstance(MESSAGES.decode(event.payload), Status) else "others"
