"""A simulated node: the production kernel in a shell that performs effects in the same order.

It mirrors :mod:`node.runtime`: effects one after the other, nothing after a Persist or StoreBlock
before it is durable, the journal recycled after the store, and BlockStored after the last effect
of its tuple. Agreement goes before other traffic. While a write is under way the node takes no
step, and it may crash there.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from chain.types import PublicKey
from consensus.effects import CancelTimer, Persist, StartTimer
from consensus.events import LinkChanged, TimerFired, TimerKind
from node.kernel.effects import (
    AnswerSubmission,
    BroadcastPayload,
    KernelEffect,
    PushPayload,
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
from node.ports import StoredBlock, Traffic
from node.simulator.clocks import NodeClock
from node.simulator.disk import SimulatedDisk
from node.simulator.network import Network
from node.simulator.scheduler import Scheduler

TICK_US: Final = 100_000
"""As :data:`node.runtime.TICK_S`."""
OnAnswer = Callable[[AnswerSubmission], None]


class Watch(Protocol):
    """What checks and counts while the simulation runs."""

    def started(self, node: "SimulatedNode") -> None:
        """Sees a kernel that has just been built from what is durable."""
        ...

    def stepped(
        self, node: "SimulatedNode", event: KernelEvent, effects: tuple[KernelEffect, ...]
    ) -> None:
        """Sees an event that the kernel has just taken, and what it wants done."""
        ...

    def wants(self, node: "SimulatedNode", effect: KernelEffect) -> None:
        """Sees an effect just before it is performed."""
        ...

    def stored(self, node: "SimulatedNode", block: StoredBlock) -> None:
        """Sees a block that has just become durable."""
        ...


class SimulatedNode:
    """One node: clocks, disk, links and, while it runs, a kernel."""

    def __init__(  # noqa: PLR0913  # the parts of a node, each needed once
        self,
        *,
        index: int,
        key: PublicKey,
        is_validator: bool,
        build: Callable[[SimulatedDisk], Kernel],
        disk: SimulatedDisk,
        clock: NodeClock,
        scheduler: Scheduler,
        network: Network,
        watch: Watch,
        random: Random,
        write_us: int,
    ) -> None:
        self.index = index
        self.key = key
        self.is_validator = is_validator
        self.disk = disk
        self.clock = clock
        self.incarnation = 0
        self.is_running = False
        self.is_byzantine = False
        self.write_us = write_us
        """Mean time of one synced write."""
        self.crash_after_writes: int | None = None
        """Crash in the middle of the write after so many."""
        self.ignores: Callable[[bytes], bool] = lambda _payload: False
        """Which payloads of its peers a byzantine node does not take."""
        self.on_crash: Callable[[SimulatedNode], None] = lambda _node: None
        self._kernel: Kernel | None = None
        self._build = build
        self._scheduler = scheduler
        self._network = network
        self._watch = watch
        self._random = random
        self._urgent: deque[KernelEvent] = deque()
        self._bulk: deque[KernelEvent] = deque()
        self._effects: deque[KernelEffect] = deque()
        self._stored: StoredBlock | None = None
        self._write: Persist | StoreBlock | None = None
        self._timers: dict[TimerKind, object] = {}
        self._answers: dict[int, OnAnswer] = {}
        self._last_ticket = 0
        self._is_paused = False

    @property
    def kernel(self) -> Kernel:
        """Returns the kernel of a running node."""
        assert self._kernel is not None, f"node {self.index} does not run"
        return self._kernel

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts, or starts again, from what is durable."""
        assert not self.is_running, "a node starts once at a time"
        self._kernel = self._build(self.disk)
        self.incarnation += 1
        self.is_running = True
        self._is_paused = False
        self._watch.started(self)
        self._take(self._kernel.start(self.clock.now(self._scheduler.now_us)))
        self._tick_later(self.incarnation)
        self._network.started(self)
        self._pump()

    def crash(self) -> None:
        """Ends at once; of a write under way a prefix is kept, perhaps nothing."""
        if not self.is_running:
            return
        write, self._write = self._write, None
        match write:
            case Persist():
                self.disk.persist_torn(write.records, write.guard, random=self._random)
            case StoreBlock() if self._random.randrange(2):
                self._commit(write.stored)
        self.is_running = False
        self._kernel = None
        self.crash_after_writes = None
        for queue in (self._urgent, self._bulk, self._effects):
            queue.clear()
        self._stored = None
        self._timers.clear()
        self._answers.clear()
        self._network.stopped(self)
        self.on_crash(self)

    def pause(self) -> None:
        """Takes no step for a while, as a process that was stopped; everything else goes on."""
        self._is_paused = True

    def resume(self) -> None:
        """Goes on with all that came meanwhile."""
        self._is_paused = False
        self._pump()

    # -- what the world does -------------------------------------------------------------------

    def receive(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        """Takes bytes from a link."""
        if self.ignores(payload):
            return
        event = PayloadReceived(peer=peer, payload=payload)
        (self._urgent if traffic is Traffic.VOTES else self._bulk).append(event)
        self._pump()

    def link_changed(self, peer: PublicKey, *, is_up: bool) -> None:
        """Takes a link's change."""
        self._urgent.append(LinkChanged(peer=peer, is_up=is_up))
        self._pump()

    def submit(self, wires: tuple[bytes, ...], on_answer: OnAnswer) -> None:
        """Hands in transactions as a client of this node."""
        self._last_ticket += 1
        self._answers[self._last_ticket] = on_answer
        self._bulk.append(TransactionsSubmitted(ticket=self._last_ticket, wires=wires))
        self._pump()

    def _tick_later(self, incarnation: int) -> None:
        def tick() -> None:
            if self.is_running and self.incarnation == incarnation:
                self._urgent.append(Ticked())
                self._tick_later(incarnation)
                self._pump()

        self._scheduler.after(TICK_US, tick)

    # -- steps and effects ---------------------------------------------------------------------

    def _take(self, effects: tuple[KernelEffect, ...]) -> None:
        self._effects.extend(effects)

    def _pump(self) -> None:
        """Performs effects and takes events until there is nothing to do but wait."""
        while self.is_running and self._write is None and not self._is_paused:
            if self._effects:
                self._perform(self._effects.popleft())
            elif self._stored is not None:
                height = self._stored.block.header.height
                self._stored = None
                self._step(BlockStored(height=height))
            elif self._urgent:
                self._step(self._urgent.popleft())
            elif self._bulk:
                self._step(self._bulk.popleft())
            else:
                return

    def _step(self, event: KernelEvent) -> None:
        kernel = self.kernel
        effects = kernel.step(event, self.clock.now(self._scheduler.now_us))
        self._take(effects)
        self._watch.stepped(self, event, effects)

    def _perform(self, effect: KernelEffect) -> None:
        self._watch.wants(self, effect)
        match effect:
            case Persist() | StoreBlock():
                self._begin_write(effect)
            case SendPayload():
                self._network.send(self, effect.peer, effect.traffic, effect.payload)
            case BroadcastPayload():
                self._network.broadcast(self, effect.traffic, effect.payload)
            case PushPayload():
                self._network.push(self, effect.traffic, effect.payload)
            case StartTimer():
                self._start_timer(effect)
            case CancelTimer():
                self._timers.pop(effect.timer.kind, None)
            case AnswerSubmission():
                self._answers.pop(effect.ticket)(effect)
            case _:
                pass  # evidence, faults and halts are for the watch

    def _start_timer(self, effect: StartTimer) -> None:
        token = object()
        self._timers[effect.timer.kind] = token

        def fire() -> None:
            if self._timers.get(effect.timer.kind) is token:
                del self._timers[effect.timer.kind]
                self._urgent.append(TimerFired(timer=effect.timer))
                self._pump()

        self._scheduler.after(self.clock.true_us(effect.after_ms), fire)

    # -- disk ----------------------------------------------------------------------------------

    def _begin_write(self, write: Persist | StoreBlock) -> None:
        self._write = write
        incarnation = self.incarnation
        if self.crash_after_writes is not None:
            self.crash_after_writes -= 1
            if self.crash_after_writes < 0:
                self.crash()
                return

        def done() -> None:
            if self.is_running and self.incarnation == incarnation:
                self._end_write(write)

        delay = int(self._random.expovariate(1.0) * self.write_us)
        self._scheduler.after(delay, done)

    def _end_write(self, write: Persist | StoreBlock) -> None:
        assert self._write is write, "one write at a time"
        self._write = None
        match write:
            case Persist():
                self.disk.persist(write.records, write.guard)
            case StoreBlock():
                self._commit(write.stored)
                self.disk.recycle()
                self._stored = write.stored
        self._pump()

    def _commit(self, stored: StoredBlock) -> None:
        self.disk.commit(stored)
        self._watch.stored(self, stored)
