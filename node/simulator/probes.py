"""Probes: how often a run met what the simulator exists for.

A checker that never meets a view change with a prepared certificate proves nothing about one; so
over all seeds of a run no probe may stay at zero (faults.md 3.2).
"""

from collections import Counter
from typing import Final

from chain.receipt import Status
from consensus.effects import Persist, RecordEvidence, ReportFault
from consensus.events import TimerFired, TimerKind
from consensus.journal import PreparedRecord, ViewChangeRecord, decode_journal, height_of
from consensus.messages import (
    Blocks,
    BlocksRequest,
    BodiesRequest,
    Certified,
    LeaveReason,
    Message,
    NewView,
    ProposalRequest,
    Status as StatusMessage,
    ViewChange,
)
from consensus.predicates import highest_prepared
from node.kernel.effects import BroadcastPayload, KernelEffect, PushPayload, SendPayload
from node.kernel.events import KernelEvent, PayloadReceived
from node.ports import StoredBlock
from node.simulator.checkers import MessageReader
from node.simulator.shell import SimulatedNode

PROBES: Final = (
    "view change",
    "view change with a prepared certificate",
    "view change by joining others",
    "view change by complaint",
    "view change by timeout",
    "view change sent again",
    "new view",
    "new view with a fresh block",
    "new view with a prepared block",
    "view above 2",
    "proposal fetched",
    "body fetched",
    "blocks fetched",
    "several blocks at once",
    "certificate sent alone",
    "block pushed to an observer",
    "complaint of a link",
    "complaint of censorship",
    "heartbeat block",
    "failed receipt",
    "quarantine",
    "restart",
    "restart with a prepared block",
    "restart in a view change",
    "restart as observer of its own past",
    "observation ended",
    "evidence",
    "fault reported",
    "twin born again",
    "crash in a write",
    "ambush",
    "message lost",
    "message doubled",
)
"""Everything that two hundred seeds together must have met."""


class Probes:
    """Counts what a run meets."""

    def __init__(self, reader: MessageReader) -> None:
        self.counts: Counter[str] = Counter()
        self.view_max = 0
        self._reader = reader
        self._observing: dict[int, bool] = {}

    def started(self, node: SimulatedNode) -> None:
        """Looks at what a node has recovered."""
        replica = node.kernel.replica
        if node.incarnation > 1:
            self.counts["restart"] += 1
        self._observing[node.index] = replica.observing_reason is not None
        if self._observing[node.index]:
            self.counts["restart as observer of its own past"] += 1
        current = [
            record
            for record in decode_journal(node.disk.load_journal())
            if height_of(record) == replica.height
        ]
        if any(isinstance(record, PreparedRecord) for record in current):
            self.counts["restart with a prepared block"] += 1
        if current and isinstance(current[-1], ViewChangeRecord):
            self.counts["restart in a view change"] += 1

    def stepped(
        self, node: SimulatedNode, event: KernelEvent, effects: tuple[KernelEffect, ...]
    ) -> None:
        """Looks at one step."""
        for effect in effects:
            match effect:
                case BroadcastPayload() | SendPayload():
                    message = self._reader.read(effect.payload)
                    self._sent(message)
                    if isinstance(message, ViewChange) and isinstance(effect, BroadcastPayload):
                        self._view_change(event, message)
                case PushPayload():
                    self.counts["block pushed to an observer"] += 1
                case RecordEvidence():
                    self.counts["evidence"] += 1
                case ReportFault():
                    self.counts["fault reported"] += 1
                case Persist():
                    self.view_max = max(self.view_max, node.kernel.replica.view)
                case _:
                    pass
        if self._observing.get(node.index) and node.kernel.replica.observing_reason is None:
            self._observing[node.index] = False
            self.counts["observation ended"] += 1

    def _sent(self, message: Message) -> None:
        counts = self.counts
        match message:
            case NewView():
                counts["new view"] += 1
                is_prepared = highest_prepared(message.view_changes) is not None
                counts[f"new view with a {'prepared' if is_prepared else 'fresh'} block"] += 1
                counts["view above 2"] += message.vote.view > 2
            case ProposalRequest():
                counts["proposal fetched"] += 1
            case BodiesRequest():
                counts["body fetched"] += 1
            case BlocksRequest():
                counts["blocks fetched"] += 1
            case Blocks():
                counts["several blocks at once"] += len(message.blocks) > 1
            case Certified():
                counts["certificate sent alone"] += 1
            case StatusMessage():
                counts["complaint of a link"] += message.leave_reason is LeaveReason.LINK_DOWN
                counts["complaint of censorship"] += message.leave_reason is LeaveReason.CENSORED
            case _:
                pass

    def _view_change(self, event: KernelEvent, message: ViewChange) -> None:
        counts = self.counts
        counts["view change"] += 1
        counts["view change with a prepared certificate"] += message.prepared is not None
        match event:
            case TimerFired(timer=timer):
                counts["view change by timeout"] += timer.kind is TimerKind.VIEW
                counts["view change sent again"] += timer.kind is TimerKind.RESEND
            case PayloadReceived(payload=payload):
                match self._reader.read(payload):
                    case ViewChange():
                        counts["view change by joining others"] += 1
                    case StatusMessage():
                        counts["view change by complaint"] += 1
                    case _:
                        pass
            case _:
                counts["view change by complaint"] += 1

    def stored(self, node: SimulatedNode, stored: StoredBlock) -> None:
        """Looks at a block, once for each height and node."""
        header = stored.block.header
        self.counts["heartbeat block"] += header.transaction_count == 0
        for receipt in node.disk.store.receipts(header.height):
            self.counts["failed receipt"] += receipt.status is Status.FAILED
