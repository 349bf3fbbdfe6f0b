"""A whole kernel with one validator and the smallest contracts, driven by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chain.certificate import commit_certificate_of
from chain.crypto import ED25519, Ed25519Signer, one_by_one
from chain.errors import ContractRefusal
from chain.genesis import Genesis, build_genesis_state
from chain.mempool import Mempool, MempoolLimits
from chain.state import Records, State
from chain.transaction import Payload, Transaction, sign
from chain.vote import VoteKind, sign_vote
from consensus.effects import Halt, Persist
from consensus.events import Now
from consensus.replica import Replica, ReplicaConfig, initial_guard
from node.kernel.candidates import Candidate, Workshop
from node.kernel.effects import Admission, AnswerSubmission, KernelEffect, StoreBlock
from node.kernel.events import BlockStored, KernelEvent, Ticked, TransactionsSubmitted
from node.kernel.kernel import Kernel
from node.kernel.storing import stored_block
from node.memory_database import MemoryDatabase
from node.storage import ChainStore, KeyValue
from tests import chain_samples as samples

GENESIS_TIME_MS = samples.GENESIS_TIME_MS


class NodeNotes(samples.NoteRuntime):
    """The note contracts with what a node asks besides execution."""

    def genesis_changes(self, state: State, genesis: Genesis) -> None:
        """Keeps the network's name, so that two geneses have two roots."""
        state.put(b"note/genesis", samples.Note(text=genesis.network))

    def check_admission(self, committed: Records, transaction: Transaction) -> None:
        """Refuses one method by name."""
        del committed
        if transaction.payload.method == "note.unknown":
            raise ContractRefusal("UNKNOWN_METHOD", "method: expected note.set, got note.unknown")

    def index_keys(self, transaction: Transaction) -> tuple[bytes, ...]:
        """Indexes each note under its text."""
        return (transaction.payload.arguments + b"\x00" + bytes(8),)


class FixedClock:
    """A clock that stands still."""

    def __init__(self, monotonic_ms: int) -> None:
        self._now = Now(wall_ms=GENESIS_TIME_MS, monotonic_ms=monotonic_ms)

    def now(self) -> Now:
        """Returns the same moment each time."""
        return self._now


def lone_genesis() -> Genesis:
    """A network of one validator."""
    return samples.genesis(members=(samples.member(1),))


def note(
    genesis: Genesis,
    number: int,
    *,
    method: str = "note.set",
    text: str = "",
    sender: Ed25519Signer = samples.SENDER,
    valid_until_ms: int = GENESIS_TIME_MS + 3_600_000,
) -> Transaction:
    """A signed note for a chain; its text is its number unless given."""
    return sign(
        sender,
        Payload(
            chain_id=genesis.chain_id,
            sender=sender.public_key,
            nonce=number.to_bytes(16, "big"),
            valid_until_ms=valid_until_ms,
            method=method,
            arguments=(text or f"n{number}").encode(),
        ),
    )


def new_store(genesis: Genesis, database: KeyValue | None = None) -> ChainStore:
    """A store that holds the genesis."""
    store = ChainStore(MemoryDatabase() if database is None else database)
    founded = build_genesis_state(genesis, NodeNotes())
    store.initialise(genesis.encode(), dict(founded.changes), founded.tree_update)
    return store


def new_workshop(genesis: Genesis, store: ChainStore) -> Workshop:
    """A workshop on the head of a store."""
    return Workshop(genesis=genesis, store=store, tree=store.open_tree(), contracts=NodeNotes())


def commit_block(
    genesis: Genesis, store: ChainStore, workshop: Workshop, transactions: Sequence[Transaction]
) -> Candidate:
    """Builds, certifies by all validators and stores a block, one second after its parent."""
    validators = workshop.parent.validators
    candidate = workshop.build(
        transactions, time_ms=workshop.parent.time_ms + 1_000, proposer=validators.keys[0]
    )
    votes = [
        sign_vote(
            signer,
            chain_id=genesis.chain_id,
            validators=validators,
            kind=VoteKind.COMMIT,
            height=candidate.header.height,
            view=0,
            digest=candidate.header.hash,
        )
        for signer in samples.SIGNERS[: validators.count]
    ]
    store.commit(stored_block(candidate, commit_certificate_of(votes), NodeNotes()))
    workshop.advance(candidate)
    return candidate


@dataclass
class LoneNode:
    """A kernel that commits alone, with a shell that performs effects at once."""

    genesis: Genesis = field(default_factory=lone_genesis)
    signer: Ed25519Signer | None = samples.SIGNERS[0]
    """None for an observer."""
    limits: MempoolLimits = field(
        default_factory=lambda: MempoolLimits(
            transactions_max=100, bytes_max=1_000_000, per_sender_max=50, per_sender_own_max=50
        )
    )

    def __post_init__(self) -> None:
        self.store = new_store(self.genesis)
        self.journal: list[bytes] = []
        self.guard = initial_guard()
        self.wall_ms = GENESIS_TIME_MS + 1_000
        self.effects: list[KernelEffect] = []
        self.kernel = self.build()
        self.perform(self.kernel.start(self.now()))

    def build(self) -> Kernel:
        """A kernel from what is durable, as after a restart."""
        workshop = new_workshop(self.genesis, self.store)
        head = self.store.head()
        replica = Replica(
            chain_id=self.genesis.chain_id,
            config=ReplicaConfig(),
            signer=self.signer,
            scheme=ED25519,
            rotation_blocks=self.genesis.parameters.rotation_blocks,
            max_block_interval_ms=self.genesis.parameters.max_block_interval_ms,
            head=None if head is None else head[0],
            head_certificate=None if head is None else head[1],
            validators=workshop.parent.validators,
            genesis_time_ms=self.genesis.time_ms,
            journal=self.journal,
            guard=self.guard,
        )
        return Kernel(
            workshop=workshop,
            replica=replica,
            pool=Mempool(self.limits),
            verify=one_by_one(ED25519),
            config=ReplicaConfig(),
        )

    def now(self) -> Now:
        """Both clocks run together."""
        return Now(wall_ms=self.wall_ms, monotonic_ms=self.wall_ms - GENESIS_TIME_MS)

    def step(self, event: KernelEvent) -> None:
        """Steps the kernel and performs what it wants."""
        self.perform(self.kernel.step(event, self.now()))

    def tick(self, after_ms: int) -> None:
        """Lets time pass, then ticks."""
        self.wall_ms += after_ms
        self.step(Ticked())

    def submit(self, *transactions: Transaction) -> tuple[Admission, ...]:
        """Hands transactions in as a client and returns the answers."""
        return self.submit_wires(*(each.wire for each in transactions))

    def submit_wires(self, *wires: bytes) -> tuple[Admission, ...]:
        """Hands bytes in as a client and returns the answers."""
        self.wall_ms += 10
        self.step(TransactionsSubmitted(ticket=7, wires=wires))
        answers = [each for each in self.effects if isinstance(each, AnswerSubmission)]
        assert answers[-1].ticket == 7
        return answers[-1].admissions

    def perform(self, effects: Sequence[KernelEffect]) -> None:
        """Does what the runtime does, at once."""
        stored = None
        for effect in effects:
            self.effects.append(effect)
            if isinstance(effect, Persist):
                self.journal += effect.records
                self.guard = effect.guard or self.guard
            elif isinstance(effect, StoreBlock):
                stored = effect.stored
                self.store.commit(stored)
                self.journal.clear()
        if stored is not None:
            self.step(BlockStored(height=stored.block.header.height))

    @property
    def halts(self) -> list[str]:
        """Reasons of all halts so far."""
        return [each.reason for each in self.effects if isinstance(each, Halt)]
