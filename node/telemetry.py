"""What a running node tells its operator: metrics once per block, a log line where it matters.

An observer of the kernel (style P10): the pure half knows neither logs nor metrics. Work is per
block or per rare event, never per transaction.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from chain.genesis import Genesis
from chain.types import PublicKey
from consensus.effects import Halt, RecordEvidence, ReportFault
from node.kernel.effects import AnswerSubmission, KernelEffect
from node.kernel.events import KernelEvent
from node.kernel.kernel import Kernel
from node.metrics import CommittedBlock, MempoolState, NodeMetrics
from node.ports import StoredBlock

_LOG: Final = logging.getLogger("node")


class Telemetry:
    """Turns steps and stored blocks into metrics and log lines."""

    def __init__(self, *, metrics: NodeMetrics, genesis: Genesis) -> None:
        self._metrics = metrics
        self._names = {member.consensus_key: member.node_id for member in genesis.members}
        self._step_seconds_max = 0.0
        self._commit_seconds = 0.0
        self._last_block_at = time.monotonic()
        self._place: tuple[int, PublicKey, bool] | None = None
        self._last_height = 0

    def name_of(self, key: PublicKey) -> str:
        """Returns a member's node id, or the start of its key where the registry has none."""
        return self._names.get(key, key.hex()[:16])

    def on_step(self, event: KernelEvent, effects: Sequence[KernelEffect], kernel: Kernel) -> None:
        """Takes note of what a step decided."""
        del event
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
        self._note_place(kernel)

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
        signed = {signer for signer, _ in certificate.signatures}
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
                signers=tuple(
                    self.name_of(key) for index, key in enumerate(keys) if index in signed
                ),
                missing=tuple(
                    self.name_of(key) for index, key in enumerate(keys) if index not in signed
                ),
            )
        )
        self._metrics.set_mempool(
            MempoolState(
                transaction_count=kernel.pool.count,
                size_bytes=kernel.pool.bytes,
                oldest_seconds=0.0,
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

    def _note_place(self, kernel: Kernel) -> None:
        replica = kernel.replica
        place = (replica.view, replica.primary, replica.is_validator)
        if place == self._place:
            return
        if self._place is not None and replica.view > 0 and place[0] != self._place[0]:
            _LOG.warning(
                "view change",
                extra={
                    "height": replica.height,
                    "view": replica.view,
                    "primary": self.name_of(replica.primary),
                },
            )
            self._metrics.count_view_change("view")
        self._place = place
        self._metrics.set_view(
            view=replica.view,
            primary=self.name_of(replica.primary),
            is_validator=replica.is_validator,
        )
