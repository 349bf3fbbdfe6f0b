"""The thin shell around the kernel: asyncio in, effects out, strictly in order.

One task steps the kernel and performs its effects one after the other; a Persist or StoreBlock is
awaited before anything after it happens, so a vote is on disk before it is on the wire. Disk work
runs on a thread of its own, so that RPC and links stay alive while a slow disk syncs. Agreement
has a queue of its own that goes before transactions, so that load cannot delay votes.

Any exception out of the kernel or of a write is our bug or a broken disk: the task ends, and with
it the process (consensus.md 30, style P1).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, assert_never

from chain.types import Hash, PublicKey
from consensus.effects import (
    CancelTimer,
    Halt,
    Persist,
    RecordEvidence,
    ReportFault,
    StartTimer,
)
from consensus.events import LinkChanged, TimerFired, TimerKind
from node.clock import Clock
from node.disk_thread import DiskThread
from node.kernel.effects import (
    Admission,
    AnswerSubmission,
    BroadcastPayload,
    KernelEffect,
    PushPayload,
    ReportBug,
    SendPayload,
    StoreBlock,
)
from node.kernel.events import (
    BlockStored,
    KernelEvent,
    PayloadReceived,
    Ticked,
    TransactionsSubmitted,
)
from node.kernel.kernel import Kernel
from node.ports import BlockStore, JournalStore, Links, StoredBlock, Traffic
from node.telemetry import Telemetry

InstantEffect = (
    SendPayload
    | BroadcastPayload
    | PushPayload
    | StartTimer
    | CancelTimer
    | AnswerSubmission
    | ReportFault
    | ReportBug
    | Halt
)
"""Effects that need no disk."""

TICK_S: Final = 0.1
"""Granularity of asking again and of expiry; both are hundreds of milliseconds."""
SUBMISSIONS_MAX: Final = 256
"""Submissions that wait for the kernel; more are refused at once with BUSY."""
PAYLOADS_MAX: Final = 4_096
"""Payloads of peers outside agreement that wait; more are dropped, gossip and sync ask again."""
VOTES_MAX: Final = 16_384
"""Payloads of agreement that wait; STATUS makes up for what a flood pushes out."""

_LOG: Final = logging.getLogger("node")


class Runtime:
    """Runs one kernel."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        store: BlockStore,
        journal: JournalStore,
        links: Links,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._journal = journal
        self._links = links
        self._clock = clock
        self._telemetry = telemetry
        self._urgent: deque[KernelEvent] = deque()
        self._bulk: deque[KernelEvent] = deque()
        self._wake = asyncio.Event()
        self._timers: dict[TimerKind, asyncio.TimerHandle] = {}
        self._answers: dict[int, asyncio.Future[tuple[Admission, ...]]] = {}
        self._last_ticket = 0
        self._disk = DiskThread()
        self._stored_listeners: list[Callable[[StoredBlock], None]] = []
        self._is_stopping = False
        self._is_tick_waiting = False

    # -- what the world calls ------------------------------------------------------------------

    async def run(self) -> None:
        """Steps the kernel until :meth:`stop`; raises what ended it otherwise."""
        loop = asyncio.get_running_loop()
        ticker = loop.call_later(TICK_S, self._tick)
        try:
            await self._perform(self._kernel.start(self._clock.now()))
            self._telemetry.started(self._kernel)
            while not self._is_stopping:
                await self._wake.wait()
                self._wake.clear()
                while (event := self._next_event()) is not None and not self._is_stopping:
                    await self._perform(self._decide(event))
        finally:
            self._is_stopping = True
            ticker.cancel()
            for timer in self._timers.values():
                timer.cancel()
            for answer in self._answers.values():
                answer.cancel()
            self._disk.close()

    def stop(self) -> None:
        """Ends :meth:`run` after the effects of the current step."""
        self._is_stopping = True
        self._wake.set()

    def on_stored(self, listener: Callable[[StoredBlock], None]) -> None:
        """Calls the listener after each block has become durable."""
        self._stored_listeners.append(listener)

    def receive(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        """Takes bytes from a link; drops them where too many wait."""
        event = PayloadReceived(peer=peer, payload=payload)
        if traffic is Traffic.VOTES:
            if len(self._urgent) < VOTES_MAX:
                self._urgent.append(event)
        elif len(self._bulk) < PAYLOADS_MAX:
            self._bulk.append(event)
        self._wake.set()

    def link_changed(self, peer: PublicKey, *, is_up: bool) -> None:
        """Takes a link's change."""
        self._urgent.append(LinkChanged(peer=peer, is_up=is_up))
        self._wake.set()

    async def submit(self, wires: Sequence[bytes]) -> tuple[Admission, ...]:
        """Hands transactions to the kernel and waits for its answer."""
        if self._is_stopping:
            stopping = Admission(
                transaction_id=None,
                code="BUSY",
                detail="expected a running node, got one that stops; send them to another node",
            )
            return (stopping,) * len(wires)
        if len(self._answers) >= SUBMISSIONS_MAX:
            busy = Admission(
                transaction_id=None,
                code="BUSY",
                detail=f"expected at most {SUBMISSIONS_MAX} submissions in work; send them again "
                "a little later",
            )
            return (busy,) * len(wires)
        self._last_ticket += 1
        ticket = self._last_ticket
        answer: asyncio.Future[tuple[Admission, ...]] = asyncio.get_running_loop().create_future()
        self._answers[ticket] = answer
        self._bulk.append(TransactionsSubmitted(ticket=ticket, wires=tuple(wires)))
        self._wake.set()
        try:
            return await answer
        finally:
            self._answers.pop(ticket, None)

    def is_pending(self, transaction_id: Hash) -> bool:
        """Returns whether the pool holds a transaction."""
        return self._kernel.pool.holds(transaction_id)

    # -- the one task --------------------------------------------------------------------------

    def _next_event(self) -> KernelEvent | None:
        if self._urgent:
            return self._urgent.popleft()
        return self._bulk.popleft() if self._bulk else None

    def _decide(self, event: KernelEvent) -> Sequence[KernelEffect]:
        if isinstance(event, Ticked):
            self._is_tick_waiting = False
        began = time.perf_counter()
        effects = self._kernel.step(event, self._clock.now())
        self._telemetry.step_took(time.perf_counter() - began)
        self._telemetry.on_step(event, effects, self._kernel)
        return effects

    async def _perform(self, effects: Sequence[KernelEffect]) -> None:
        """Performs the effects of a step, and of those that follow from the blocks it stored."""
        while (stored := await self._perform_step(effects)) is not None:
            if self._is_stopping:
                # The block is durable; a node that catches up would go on for many more.
                return
            # Only now: the next height's timers must not meet the rest of this height's effects.
            effects = self._decide(BlockStored(height=stored.block.header.height))

    async def _perform_step(self, effects: Sequence[KernelEffect]) -> StoredBlock | None:
        """Performs the effects of one step; returns the block that it stored, if any."""
        stored: StoredBlock | None = None
        for effect in effects:
            if isinstance(effect, Persist):
                took = await self._disk.do(
                    partial(self._journal.persist, effect.records, effect.guard)
                )
                self._telemetry.persist_took(took)
            elif isinstance(effect, StoreBlock):
                stored = effect.stored
                await self._store_block(stored)
            elif isinstance(effect, RecordEvidence):
                await self._disk.do(partial(self._journal.keep_evidence, effect.evidence))
            else:
                self._perform_at_once(effect)
        return stored

    def _perform_at_once(self, effect: InstantEffect) -> None:
        match effect:
            case SendPayload() | BroadcastPayload() | PushPayload():
                self._send(effect)
            case StartTimer():
                self._start_timer(effect)
            case CancelTimer():
                self._cancel_timer(effect.timer.kind)
            case AnswerSubmission():
                self._answer(effect)
            case ReportFault():
                self._links.report(effect.peer, effect.reason)
            case ReportBug():
                _LOG.error("execution bug", extra=_words_of(effect))
            case Halt():
                pass  # the observer has told the operator
            case _:
                assert_never(effect)

    def _send(self, effect: SendPayload | BroadcastPayload | PushPayload) -> None:
        match effect:
            case SendPayload():
                self._links.send(effect.peer, effect.traffic, effect.payload)
            case BroadcastPayload():
                self._links.broadcast(effect.traffic, effect.payload)
            case PushPayload():
                self._links.push(effect.traffic, effect.payload)

    def _answer(self, effect: AnswerSubmission) -> None:
        answer = self._answers.get(effect.ticket)
        if answer is not None and not answer.done():
            answer.set_result(effect.admissions)

    async def _store_block(self, stored: StoredBlock) -> None:
        took = await self._disk.do(partial(self._commit, stored))
        self._telemetry.commit_took(took)
        self._telemetry.block_stored(stored, self._kernel)
        for listener in self._stored_listeners:
            listener(stored)

    def _commit(self, stored: StoredBlock) -> None:
        """Makes a block durable, and only then forgets the records that led to it."""
        self._store.commit(stored)
        self._journal.recycle()

    def _start_timer(self, effect: StartTimer) -> None:
        self._cancel_timer(effect.timer.kind)
        self._timers[effect.timer.kind] = asyncio.get_running_loop().call_later(
            effect.after_ms / 1_000, self._fire, TimerFired(timer=effect.timer)
        )

    def _cancel_timer(self, kind: TimerKind) -> None:
        running = self._timers.pop(kind, None)
        if running is not None:
            running.cancel()

    def _fire(self, fired: TimerFired) -> None:
        self._timers.pop(fired.timer.kind, None)
        self._urgent.append(fired)
        self._wake.set()

    def _tick(self) -> None:
        if self._is_stopping:
            return
        # While a slow disk holds the task up, one tick that waits is as good as a thousand.
        if not self._is_tick_waiting:
            self._is_tick_waiting = True
            self._urgent.append(Ticked())
            self._wake.set()
        asyncio.get_running_loop().call_later(TICK_S, self._tick)


def _words_of(bug: ReportBug) -> dict[str, str]:
    quarantined = {} if bug.transaction_id is None else {"transaction": bug.transaction_id.hex()}
    return {"reason": bug.detail, **quarantined}
