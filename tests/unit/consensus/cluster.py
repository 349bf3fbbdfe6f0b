"""N replicas in one thread: messages that a test can hold back, a manual clock, a toy executor.

The executor stands for the kernel: a "transaction" is any byte string, its result a hash chain. The
harness performs effects strictly in order, so that a crash drops what was not yet performed.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from chain.block import CertifiedBlock, Header, transaction_root
from chain.certificate import CommitCertificate
from chain.transaction import Transaction
from chain.types import Hash, PublicKey
from chain.validator_set import ValidatorSet
from consensus.effects import (
    AssembleProposal,
    Broadcast,
    CancelTimer,
    CommitBlock,
    Effect,
    JudgeProposal,
    Persist,
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
from consensus.invariants import check
from consensus.messages import (
    Blocks,
    BlocksRequest,
    Commit,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    ViewChange,
)
from consensus.replica import Replica
from consensus.sign_guard import initial_guard
from consensus.state import ReplicaConfig
from tests.unit.consensus.toy_chain import (
    CHAIN_ID,
    GENESIS_TIME_MS,
    MAX_BLOCK_INTERVAL_MS,
    SCHEME,
    ZERO,
    CheapSigner,
    Node,
    state_root_after,
    transaction,
)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    sender: int
    receiver: int
    message: Message


DropRule = Callable[[Envelope], bool]
EffectHook = Callable[[Node, Effect | None], None]


def keep_all(_: Envelope) -> bool:
    return False


def do_nothing(_: Node, __: Effect | None) -> None:
    pass


class Cluster:
    """Validators 0..n-1, then observers; node numbers are validator indices."""

    def __init__(
        self,
        count: int = 4,
        *,
        observers: int = 0,
        rotation_blocks: int = 1_000,
        config: ReplicaConfig | None = None,
    ) -> None:
        self.config = config or ReplicaConfig()
        self.rotation_blocks = rotation_blocks
        self.signers = [CheapSigner(f"validator {i}") for i in range(count + observers)]
        self.genesis_validators = ValidatorSet(
            keys=tuple(signer.public_key for signer in self.signers[:count])
        )
        self.count = count
        self.monotonic_ms = 0
        self.wall_ms = GENESIS_TIME_MS + 10_000
        self.queue: deque[Envelope] = deque()
        self.drop: DropRule = keep_all
        self.before_effect: EffectHook = do_nothing
        """Called before each effect, and with None between journal and guard; may crash."""
        self.next_set: dict[int, ValidatorSet] = {}
        """Validator set that the block of a height introduces."""
        self.signed: dict[tuple[int, int, int, int], Hash] = {}
        """(node, kind, height, view) -> digest, to catch an honest double vote."""
        self.twins: set[int] = set()
        self.nodes: list[Node] = []
        for index in range(count + observers):
            self.nodes.append(self._make(index))

    def _make(self, index: int) -> Node:
        signer = self.signers[index]
        guard = initial_guard()
        return Node(
            index=index, signer=signer, guard=guard, replica=self._replica(signer, [], [], guard)
        )

    def _replica(
        self,
        signer: CheapSigner,
        blocks: list[CertifiedBlock],
        journal: list[bytes],
        guard: bytes | None,
    ) -> Replica:
        head = blocks[-1] if blocks else None
        return Replica(
            chain_id=CHAIN_ID,
            config=self.config,
            signer=signer,
            scheme=SCHEME,
            rotation_blocks=self.rotation_blocks,
            max_block_interval_ms=MAX_BLOCK_INTERVAL_MS,
            head=None if head is None else head.header,
            head_certificate=None if head is None else head.certificate,
            validators=self.validators_at(len(blocks) + 1),
            genesis_time_ms=GENESIS_TIME_MS,
            journal=tuple(journal),
            guard=guard,
            head_validators=None if head is None else self.validators_at(len(blocks)),
        )

    def validators_at(self, height: int) -> ValidatorSet:
        changes = [at for at in self.next_set if at < height]
        return self.next_set[max(changes)] if changes else self.genesis_validators

    def add_twin(self, index: int) -> int:
        """Adds a node with the same key and a memory of its own; returns its number."""
        self.signers.append(self.signers[index])
        self.nodes.append(self._make(len(self.nodes)))
        self.twins |= {index, len(self.nodes) - 1}
        return len(self.nodes) - 1

    @property
    def now(self) -> Now:
        return Now(wall_ms=self.wall_ms, monotonic_ms=self.monotonic_ms)

    # What a test does to the cluster.

    def start(self) -> "Cluster":
        for node in self.nodes:
            if not node.is_down:
                self.perform(node, node.replica.start(self.now))
        return self

    def crash(self, *indices: int) -> None:
        for index in indices:
            node = self.nodes[index]
            node.is_down = True
            node.timers.clear()
            node.inbox.clear()
            node.pool.clear()
        self.queue = deque(e for e in self.queue if e.receiver not in indices)

    def restart(self, *indices: int) -> None:
        for index in indices:
            node = self.nodes[index]
            assert node.signer is not None
            node.is_down = False
            node.replica = self._replica(node.signer, node.blocks, node.journal, node.guard)
        for index in indices:
            self.perform(self.nodes[index], self.nodes[index].replica.start(self.now))

    def submit(self, *names: str, to: tuple[int, ...] | None = None) -> None:
        for name in names:
            body = transaction(name)
            for index in range(len(self.nodes)) if to is None else to:
                self.nodes[index].pool[body.id] = body.wire
        for index in range(len(self.nodes)) if to is None else to:
            self.tell_work(index)

    def tell_work(self, index: int, *, is_censored: bool = False) -> None:
        node = self.nodes[index]
        self.step(node, WorkChanged(is_pending=bool(node.pool), is_censored=is_censored))

    def link(self, index: int, peer: int, *, is_up: bool) -> None:
        event = LinkChanged(peer=self.nodes[peer].key, is_up=is_up)
        self.step(self.nodes[index], event)

    def deliver(self, sender: int, receiver: int, message: Message) -> None:
        """Hands over one message at once, as if it had come over the link."""
        event = MessageReceived(sender=self.signers[sender].public_key, message=message)
        self.step(self.nodes[receiver], event)

    def deliver_one(self, position: int = 0) -> None:
        envelope = self.queue[position]
        del self.queue[position]
        if not self.drop(envelope):
            self.deliver(envelope.sender, envelope.receiver, envelope.message)

    def run(self) -> "Cluster":
        """Delivers everything that is on its way, and what follows from it; no time passes."""
        for _ in range(200_000):
            if not self.queue:
                return self
            self.deliver_one()
        raise AssertionError("the cluster does not come to rest")

    def advance(self, milliseconds: int) -> "Cluster":
        """Lets time pass; timers fire in order and messages take none."""
        end = self.monotonic_ms + milliseconds
        self.run()
        while True:
            due = [
                (at, node.index, kind)
                for node in self.nodes
                if not node.is_down
                for kind, (at, _) in node.timers.items()
                if at <= end
            ]
            if not due:
                break
            at, index, kind = min(due)
            self._pass(at - self.monotonic_ms)
            _, timer = self.nodes[index].timers.pop(kind)
            self.step(self.nodes[index], TimerFired(timer=timer))
            self.run()
        self._pass(end - self.monotonic_ms)
        return self

    def advance_one(self, milliseconds: int) -> None:
        """Lets time pass and fires what is due, each once; delivers nothing."""
        self._pass(milliseconds)
        for node in self.nodes:
            for kind in sorted(node.timers):
                at, timer = node.timers.get(kind, (self.monotonic_ms + 1, None))
                if timer is not None and at <= self.monotonic_ms:
                    del node.timers[kind]
                    self.step(node, TimerFired(timer=timer))

    def _pass(self, milliseconds: int) -> None:
        self.monotonic_ms += milliseconds
        self.wall_ms += milliseconds

    # The machinery under it.

    def step(self, node: Node, event: Event) -> None:
        if node.is_down:
            return
        node.inbox.append(event)
        if len(node.inbox) > 1:
            return  # performed by the step under way, after all of its effects
        while node.inbox and not node.is_down:
            effects = node.replica.step(node.inbox[0], self.now)
            check(node.replica._state)
            self.perform(node, effects)
            if node.inbox:
                node.inbox.popleft()

    def perform(self, node: Node, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if not node.is_down:
                self.before_effect(node, effect)
            if node.is_down:
                return
            node.effects.append(effect)
            self._perform_one(node, effect)

    def _perform_one(self, node: Node, effect: Effect) -> None:
        match effect:
            case Persist():
                self._persist(node, effect)
            case Send(peer=peer, message=message):
                self._post(node, peer, message)
            case Broadcast(message=message):
                for key in self.validators_at(node.replica.height).keys:
                    self._post(node, key, message)
            case StartTimer(timer=timer, after_ms=after_ms):
                node.timers[timer.kind] = (self.monotonic_ms + after_ms, timer)
            case CancelTimer(timer=timer):
                node.timers.pop(timer.kind, None)
            case AssembleProposal() | JudgeProposal() | CommitBlock():
                self._execute(node, effect)
            case _:
                node.told.append(effect)

    def _persist(self, node: Node, effect: Persist) -> None:
        node.journal += effect.records
        self.before_effect(node, None)
        if effect.guard is not None and not node.is_down:
            node.guard = effect.guard

    def _execute(self, node: Node, effect: AssembleProposal | JudgeProposal | CommitBlock) -> None:
        match effect:
            case AssembleProposal():
                self._assemble(node, effect)
            case JudgeProposal():
                self._judge(node, effect)
            case CommitBlock():
                self._commit(node, effect)

    def _index_of(self, key: PublicKey) -> int:
        return [signer.public_key for signer in self.signers].index(key)

    def _post(self, node: Node, peer: PublicKey, message: Message) -> None:
        self._note_signature(node, message)
        for receiver in self.nodes:
            if receiver.key != peer or receiver is node or receiver.is_down:
                continue
            envelope = Envelope(sender=node.index, receiver=receiver.index, message=message)
            if isinstance(message, BlocksRequest):
                self._answer_blocks(envelope)
            else:
                self.queue.append(envelope)

    def _note_signature(self, node: Node, message: Message) -> None:
        if not isinstance(message, PrePrepare | Prepare | Commit | ViewChange | NewView):
            return
        vote = message.vote
        if vote.signer != node.index or node.index in self.twins or self.next_set:
            return
        place = (node.index, int(vote.kind), vote.height, vote.view)
        known = self.signed.setdefault(place, vote.digest)
        assert known == vote.digest, f"honest double vote at {place}"

    def _answer_blocks(self, envelope: Envelope) -> None:
        """Stands for the kernel of the receiver, which answers from storage."""
        if self.drop(envelope):
            return
        request = envelope.message
        assert isinstance(request, BlocksRequest)
        start = request.first_height - 1
        blocks = tuple(self.nodes[envelope.receiver].blocks[start : start + request.count])
        self.queue.append(
            Envelope(
                sender=envelope.receiver, receiver=envelope.sender, message=Blocks(blocks=blocks)
            )
        )

    def make_header(self, node: Node, bodies: tuple[Transaction, ...], *, time_ms: int) -> Header:
        ids = tuple(body.id for body in bodies)
        height = node.replica.height
        parent = CHAIN_ID if node.head is None else node.head.hash
        return Header(
            chain_id=CHAIN_ID,
            height=height,
            parent_hash=parent,
            time_ms=time_ms,
            proposer=self.signers[node.index].public_key,
            transaction_count=len(ids),
            transaction_root=transaction_root(ids),
            receipt_root=ZERO,
            state_root=state_root_after(parent, ids),
            validator_set_hash=self.validators_at(height).hash,
            next_validator_set_hash=self.validators_at(height + 1).hash,
            parameters_hash=ZERO,
        )

    def _assemble(self, node: Node, effect: AssembleProposal) -> None:
        bodies = tuple(Transaction.parse(wire) for wire in node.pool.values())
        if node.is_executor_paused or (not bodies and not effect.is_heartbeat):
            return
        parent_ms = GENESIS_TIME_MS if node.head is None else node.head.time_ms
        time_ms = max(self.wall_ms + node.clock_error_ms, parent_ms + 1)
        if not bodies:
            time_ms = max(time_ms, parent_ms + MAX_BLOCK_INTERVAL_MS)
        event = ProposalAssembled(
            view=effect.view,
            header=self.make_header(node, bodies, time_ms=time_ms),
            transactions=tuple(body.wire for body in bodies),
            transaction_ids=tuple(body.id for body in bodies),
        )
        self.step(node, event)

    def _judge(self, node: Node, effect: JudgeProposal) -> None:
        if node.is_executor_paused:
            return
        source = self.nodes[self._index_of(effect.source)]
        known = {**self._journaled(source), **source.pool, **node.pool}
        if any(wanted not in known for wanted in effect.transaction_ids):
            return
        header = effect.header
        fault = node.refused
        if header.state_root != state_root_after(header.parent_hash, effect.transaction_ids):
            fault = "state_root"
        bodies = tuple(known[wanted] for wanted in effect.transaction_ids)
        event = ProposalJudged(
            block_hash=header.hash, fault=fault, transactions=() if fault else bodies
        )
        self.step(node, event)

    def _journaled(self, node: Node) -> dict[Hash, bytes]:
        candidates = node.replica._state.instance.candidates.values()
        bodies = [body for candidate in candidates for body in candidate.transactions]
        return {Transaction.parse(body).id: body for body in bodies}

    def _commit(self, node: Node, effect: CommitBlock) -> None:
        header, certificate = effect.header, effect.certificate
        bodies = effect.transactions
        ids = tuple(Transaction.parse(body).id for body in bodies)
        assert header.state_root == state_root_after(header.parent_hash, ids)
        assert header.height == len(node.blocks) + 1
        self._check_agreement(node, header, certificate)
        node.blocks.append(
            CertifiedBlock(header=header, certificate=certificate, transactions=bodies)
        )
        node.journal.clear()
        for known in ids:
            node.pool.pop(known, None)
        next_validators = self.validators_at(header.height + 1)
        self.step(
            node,
            BlockCommitted(header=header, certificate=certificate, next_validators=next_validators),
        )
        self.tell_work(node.index)

    def _check_agreement(self, node: Node, header: Header, certificate: CommitCertificate) -> None:
        assert certificate.block_hash == header.hash
        certificate.verify(
            chain_id=CHAIN_ID, validators=self.validators_at(header.height), scheme=SCHEME
        )
        for other in self.nodes:
            if len(other.blocks) >= header.height:
                agreed = other.blocks[header.height - 1].header.hash
                assert agreed == header.hash, f"fork at {header.height}: {node.index}"

    @property
    def heights(self) -> list[int]:
        return [len(node.blocks) for node in self.nodes]
