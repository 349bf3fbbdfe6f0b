"""The kernel: joins replica, pool, candidates and store; one ``step`` for everything that happens.

The replica decides what is agreed, the workshop what a block does, the pool what waits. The kernel
carries their questions and answers between them within one step, and returns what only the world
can do: send, store, wait.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, assert_never

from chain.crypto import Verifier
from chain.errors import DecodeError, InvalidBlock, InvalidTransaction
from chain.execution import BlockBug, TransactionBug
from chain.mempool import Mempool
from chain.transaction import Transaction
from chain.types import Hash, Milliseconds, PublicKey
from consensus.effects import (
    AssembleProposal,
    Broadcast,
    CancelTimer,
    CommitBlock,
    Effect,
    Halt,
    JudgeProposal,
    Persist,
    RecordEvidence,
    ReportFault,
    Send,
    StartTimer,
)
from consensus.events import (
    BlockCommitted,
    Event,
    LinkChanged,
    MessageReceived,
    Now,
    ProposalAssembled,
    ProposalJudged,
    TimerFired,
    WorkChanged,
)
from consensus.messages import (
    MESSAGES,
    Blocks,
    BlocksRequest,
    Bodies,
    BodiesRequest,
    Message,
)
from consensus.replica import Replica, ReplicaConfig
from node.kernel.candidates import Candidate, Workshop
from node.kernel.effects import (
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
from node.kernel.gossip import Gossip, batches_of, batches_of_ids
from node.kernel.intake import Intake
from node.kernel.pace import Pace
from node.kernel.serving import answer_blocks, answer_bodies
from node.kernel.storing import certified_block, stored_block
from node.kernel.traffic import traffic_of
from node.ports import Traffic

BLOCK_TARGET: Final = (2, 3)
"""A primary proposes as much as is final within this part of T0."""
ASK_AGAIN_DIVISOR: Final = 4
"""Missing bodies are asked for again, of another peer, after this part of T0."""


@dataclass(slots=True)
class _Judgement:
    """A proposal that waits for its bodies."""

    request: JudgeProposal
    wanted: set[Hash]
    """Ids whose bodies are not here; only for membership."""
    asked_at_ms: Milliseconds = 0
    times_asked: int = 0
    bodies: dict[Hash, Transaction] = field(default_factory=dict)
    """Bodies that the pool had no room for."""


class Kernel:
    """One node's decisions."""

    def __init__(
        self,
        *,
        workshop: Workshop,
        replica: Replica,
        pool: Mempool,
        verify: Verifier,
        config: ReplicaConfig,
        recovered_bodies: Sequence[bytes] = (),
    ) -> None:
        self.chain_id = workshop.chain_id
        self.replica = replica
        self.pool = pool
        self.workshop = workshop
        self._store = workshop.store
        self._contracts = workshop.contracts
        self._ask_again_ms = config.t0_ms // ASK_AGAIN_DIVISOR
        self._intake = Intake(workshop=workshop, pool=pool, verify=verify)
        self._gossip = Gossip(config.t0_ms, config.censorship_timeout_ms)
        self._pace = Pace(
            target_ms=config.t0_ms * BLOCK_TARGET[0] // BLOCK_TARGET[1],
            work_max=workshop.parent.parameters.block_readings_max,
        )
        self._assembly: AssembleProposal | None = None
        self._judgement: _Judgement | None = None
        self._storing: tuple[Candidate, CommitBlock] | None = None
        self._announced_work = (False, False)
        self._bugs: list[ReportBug] = []
        self._recovered = {each.id: each for each in map(Transaction.parse, recovered_bodies)}
        """Bodies from the journal, for peers that lack them; until this height is decided."""
        self.halt_reason: str | None = None
        self.expired_count = 0
        """Transactions that waited in the pool until no block might hold them."""

    def start(self, now: Now) -> tuple[KernelEffect, ...]:
        """Begins, or begins again after a restart: the same path."""
        self._take_recovered(now)
        effects = self._carry_out(self.replica.start(now), now)
        return tuple(effects + self._announce_work(now))

    def _take_recovered(self, now: Now) -> None:
        """Puts the journal's bodies back into the pool, as far as it has room."""
        for transaction in self._recovered.values():
            # A commit overtakes the journal, and its records may come back nevertheless.
            if not self._store.holds(transaction.id):
                with suppress(InvalidTransaction):
                    self.pool.add(transaction, now.monotonic_ms)

    def step(self, event: KernelEvent, now: Now) -> tuple[KernelEffect, ...]:
        """Takes one event and returns what is to be done, in order."""
        effects = self._on_event(event, now)
        effects += self._announce_work(now)
        effects += self._bugs
        self._bugs.clear()
        return tuple(effects)

    def _on_event(self, event: KernelEvent, now: Now) -> list[KernelEffect]:
        match event:
            case PayloadReceived():
                return self._on_payload(event.peer, event.payload, now)
            case TransactionsSubmitted():
                return self._on_submission(event, now)
            case BlockStored():
                return self._on_stored(event, now)
            case Ticked():
                return self._on_tick(now)
            case LinkChanged() | TimerFired():
                return self._step_replica(event, now)
            case _:
                assert_never(event)

    # -- messages ------------------------------------------------------------------------------

    def _on_payload(self, peer: PublicKey, payload: bytes, now: Now) -> list[KernelEffect]:
        try:
            message = MESSAGES.decode(payload)
        except DecodeError as error:
            return [ReportFault(peer=peer, reason=f"malformed message: {error}")]
        match message:
            case Bodies():
                return self._on_bodies(peer, message, now)
            case BodiesRequest():
                return self._send_all(peer, answer_bodies(message, self._find_body))
            case BlocksRequest():
                return self._send_all(peer, answer_blocks(message, self._store))
            case _:
                received = MessageReceived(sender=peer, message=message)
                return self._step_replica(received, now)

    def _send_all(self, peer: PublicKey, messages: Sequence[Message]) -> list[KernelEffect]:
        return [
            SendPayload(peer=peer, traffic=traffic_of(each), payload=MESSAGES.encode(each))
            for each in messages
        ]

    def _find_body(self, transaction_id: Hash) -> bytes | None:
        transaction = self.pool.get(transaction_id)
        if transaction is None and self._judgement is not None:
            transaction = self._judgement.bodies.get(transaction_id)
        transaction = transaction or self._recovered.get(transaction_id)
        return self.workshop.body(transaction_id) if transaction is None else transaction.wire

    # -- transactions --------------------------------------------------------------------------

    def _on_submission(self, event: TransactionsSubmitted, now: Now) -> list[KernelEffect]:
        admissions, taken = self._intake.admit(event.wires, now)
        for transaction in taken:
            self._gossip.remember(transaction.id, transaction.payload.sender, now.monotonic_ms)
        effects: list[KernelEffect] = [
            AnswerSubmission(ticket=event.ticket, admissions=tuple(admissions))
        ]
        return effects + self._broadcast_bodies(taken) + self._try_assemble(now)

    def _broadcast_bodies(self, transactions: Sequence[Transaction]) -> list[KernelEffect]:
        return [
            BroadcastPayload(
                traffic=Traffic.TRANSACTIONS, payload=MESSAGES.encode(Bodies(transactions=batch))
            )
            for batch in batches_of([each.wire for each in transactions])
        ]

    def _on_bodies(self, peer: PublicKey, message: Bodies, now: Now) -> list[KernelEffect]:
        waiting = self._judgement
        wanted = frozenset[Hash]() if waiting is None else waiting.wanted
        awaited, faults = self._intake.take_bodies(message.transactions, now, wanted)
        if waiting is not None:
            waiting.bodies.update({each.id: each for each in awaited})
            waiting.wanted.difference_update(waiting.bodies)
        effects: list[KernelEffect] = [ReportFault(peer=peer, reason=str(each)) for each in faults]
        return effects + self._try_judge(now) + self._try_assemble(now)

    # -- proposals -----------------------------------------------------------------------------

    def _try_assemble(self, now: Now) -> list[KernelEffect]:
        """Answers a waiting AssembleProposal as soon as there is something to propose."""
        request, parent = self._assembly, self.workshop.parent
        if request is None or request.height != parent.height + 1 or self._storing:
            return []
        time_ms = max(parent.time_ms + 1, now.wall_ms)
        candidate = self._build(request, time_ms)
        if candidate is None:
            return []
        self._assembly = None
        work = sum(map(self._contracts.work_of, candidate.transactions))
        self._pace.proposed(request.height, work, now.monotonic_ms)
        assembled = ProposalAssembled(
            view=request.view,
            header=candidate.header,
            transactions=tuple(each.wire for each in candidate.transactions),
            transaction_ids=tuple(each.id for each in candidate.transactions),
        )
        return self._step_replica(assembled, now)

    def _build(self, request: AssembleProposal, time_ms: Milliseconds) -> Candidate | None:
        parent = self.workshop.parent
        assert self.replica.public_key is not None, "only a validator proposes"
        while True:
            transactions = self.pool.pick(
                parent_time_ms=parent.time_ms,
                time_ms=time_ms,
                parameters=parent.parameters,
                work_of=self._contracts.work_of,
                work_max=self._pace.work_max,
            )
            if not transactions:
                if not request.is_heartbeat:
                    return None
                # The steady clock says that the interval is over; a wall clock that lags behind
                # the last proposer's must not hold the heartbeat up until this view is left.
                heartbeat_ms = parent.time_ms + parent.parameters.max_block_interval_ms
                time_ms = max(time_ms, heartbeat_ms)
            try:
                return self.workshop.build(
                    transactions, time_ms=time_ms, proposer=self.replica.public_key
                )
            except TransactionBug as bug:
                # Before agreement a bug never stops a node: leave it out and go on without it.
                self._quarantine(bug)
            except BlockBug as bug:
                self._bugs.append(ReportBug(transaction_id=None, detail=str(bug)))
                # No choice of transactions helps; the view timer asks another primary.
                self._assembly = None
                return None

    def _quarantine(self, bug: TransactionBug) -> None:
        """Forgets a transaction that hits a bug; nobody is to blame for not committing it."""
        self.pool.quarantine(bug.transaction_id)
        self._gossip.forget([bug.transaction_id])
        self._bugs.append(ReportBug(transaction_id=bug.transaction_id, detail=str(bug)))

    def _try_judge(self, now: Now) -> list[KernelEffect]:
        """Answers a waiting JudgeProposal as soon as every body is here; asks for those missing."""
        waiting = self._judgement
        if waiting is None or self._storing:
            return []
        request = waiting.request
        found = {
            each: self.pool.get(each) or waiting.bodies.get(each) or self._recovered.get(each)
            for each in request.transaction_ids
        }
        missing = tuple(each for each, transaction in found.items() if transaction is None)
        if missing:
            return self._ask_for_bodies(waiting, missing, now)
        self._judgement = None
        transactions = [each for each in found.values() if each is not None]
        fault = self._fault_of(request, transactions)
        judged = ProposalJudged(
            block_hash=request.header.hash,
            fault=fault,
            transactions=() if fault else tuple(each.wire for each in transactions),
        )
        return self._step_replica(judged, now)

    def _fault_of(self, request: JudgeProposal, transactions: Sequence[Transaction]) -> str | None:
        try:
            self.workshop.check(request.header, transactions)
        except InvalidBlock as error:
            return str(error)
        except TransactionBug as bug:
            self._quarantine(bug)
            return f"not executable here: {bug}"
        except BlockBug as bug:
            self._bugs.append(ReportBug(transaction_id=None, detail=str(bug)))
            return f"not executable here: {bug}"
        return None

    def _ask_for_bodies(
        self, waiting: _Judgement, missing: tuple[Hash, ...], now: Now
    ) -> list[KernelEffect]:
        if waiting.times_asked and (now.monotonic_ms < waiting.asked_at_ms + self._ask_again_ms):
            return []
        peers = [waiting.request.source]
        peers += [key for key in self.workshop.parent.validators.keys if key not in peers]
        peers = [key for key in peers if key != self.replica.public_key]
        if not peers:
            return []
        peer = peers[waiting.times_asked % len(peers)]
        waiting.times_asked += 1
        waiting.asked_at_ms = now.monotonic_ms
        return self._send_all(
            peer, [BodiesRequest(transaction_ids=batch) for batch in batches_of_ids(missing)]
        )

    # -- replica -------------------------------------------------------------------------------

    def _step_replica(self, event: Event, now: Now) -> list[KernelEffect]:
        return self._carry_out(self.replica.step(event, now), now)

    def _carry_out(self, effects: Sequence[Effect], now: Now) -> list[KernelEffect]:
        done: list[KernelEffect] = []
        is_asked = False
        for effect in effects:
            match effect:
                case Send():
                    done += self._send_all(effect.peer, [effect.message])
                case Broadcast():
                    done.append(
                        BroadcastPayload(
                            traffic=traffic_of(effect.message),
                            payload=MESSAGES.encode(effect.message),
                        )
                    )
                case AssembleProposal():
                    self._assembly = effect
                    is_asked = True
                case JudgeProposal():
                    self._judgement = _Judgement(
                        effect,
                        {each for each in effect.transaction_ids if not self.pool.holds(each)},
                    )
                    is_asked = True
                case CommitBlock():
                    done += self._commit(effect)
                case Halt():
                    self.halt_reason = self.halt_reason or effect.reason
                    done.append(effect)
                case Persist() | StartTimer() | CancelTimer() | RecordEvidence() | ReportFault():
                    done.append(effect)
                case _:
                    assert_never(effect)
        if not is_asked:
            return done
        # Only now: a timer that an answer starts must not meet this step's CancelTimer.
        return done + self._try_judge(now) + self._try_assemble(now)

    def _announce_work(self, now: Now) -> list[KernelEffect]:
        """Tells the replica when what waits has changed in kind."""
        is_censored = self._gossip.is_censored(now.monotonic_ms)
        parent = self.workshop.parent
        is_pending = self.pool.has_work(
            parent_time_ms=parent.time_ms,
            time_ms=max(parent.time_ms + 1, now.wall_ms),
            lifetime_max_ms=parent.parameters.transaction_lifetime_max_ms,
        )
        work = (is_pending, is_censored)
        if work == self._announced_work:
            return []
        self._announced_work = work
        return self._step_replica(WorkChanged(is_pending=work[0], is_censored=work[1]), now)

    # -- commit --------------------------------------------------------------------------------

    def _commit(self, commit: CommitBlock) -> list[KernelEffect]:
        """Stores a final block; a result that differs from the certified one stops the node."""
        assert self._storing is None, "one block is stored at a time"
        try:
            candidate = self._certified_candidate(commit)
        except (InvalidBlock, BlockBug, TransactionBug, DecodeError) as error:
            return self._halt(
                f"certified block {commit.header.height} ({commit.header.hash.hex()}) cannot be "
                f"applied here: {error}. Keep the data directory and report it; this node votes "
                "no more until it is repaired"
            )
        self._storing = (candidate, commit)
        return [StoreBlock(stored=stored_block(candidate, commit.certificate, self._contracts))]

    def _certified_candidate(self, commit: CommitBlock) -> Candidate:
        known = self.workshop.candidate(commit.header.hash)
        if known is not None:
            return known
        # Signatures were checked by the replica, or before they entered the journal.
        transactions = [Transaction.parse(wire) for wire in commit.transactions]
        return self.workshop.check(commit.header, transactions)

    def _on_stored(self, event: BlockStored, now: Now) -> list[KernelEffect]:
        assert self._storing is not None, "only what was to be stored is stored"
        candidate, commit = self._storing
        assert candidate.header.height == event.height
        self._storing = None
        self._assembly = None
        self._judgement = None
        self._recovered = {}
        self.workshop.advance(candidate)
        self._pace.committed(event.height, now.monotonic_ms)
        ids = [each.id for each in candidate.transactions]
        self.pool.remove(ids)
        self._gossip.block_stored(ids, now.monotonic_ms)
        expired = self.pool.expire(candidate.header.time_ms)
        self.expired_count += len(expired)
        self._gossip.forget(expired)
        committed = BlockCommitted(
            header=candidate.header,
            certificate=commit.certificate,
            next_validators=candidate.next_validators,
        )
        pushed = self._push_to_observers(candidate, commit)
        return pushed + self._step_replica(committed, now) + self._try_assemble(now)

    def _push_to_observers(self, candidate: Candidate, commit: CommitBlock) -> list[KernelEffect]:
        """Lets two validators, by height, push the block; STATUS makes up for what is lost."""
        key = self.replica.public_key
        index = None if key is None else self.workshop.parent.validators.index_of(key)
        if index is None:
            return []
        count = self.workshop.parent.validators.count
        if (candidate.header.height - index) % count not in {0, 1}:
            return []
        block = certified_block(candidate, commit.certificate)
        payload = MESSAGES.encode(Blocks(blocks=(block,)))
        return [PushPayload(traffic=Traffic.SYNC, payload=payload)]

    # -- time ----------------------------------------------------------------------------------

    def _on_tick(self, now: Now) -> list[KernelEffect]:
        stale = self._gossip.stale(now.monotonic_ms)
        waiting = [self.pool.get(each) for each in stale]
        again = self._broadcast_bodies([each for each in waiting if each is not None])
        return again + self._try_judge(now) + self._try_assemble(now)

    def _halt(self, reason: str) -> list[KernelEffect]:
        self.halt_reason = self.halt_reason or reason
        return [Halt(reason=reason)]
