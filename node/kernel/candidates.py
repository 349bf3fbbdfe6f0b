"""Candidate blocks of the height in agreement: built or checked here, executed once.

A candidate is executed when it is assembled or judged, and the result is kept until the height is
decided; so a block that commits is stored without executing it again. Only what was executed here
with the same roots is a candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain.block import Header, transaction_root
from chain.errors import InvalidBlock
from chain.execution import (
    BlockContext,
    Execution,
    TransactionIndex,
    execute_block,
)
from chain.genesis import Genesis
from chain.mempool import Mempool
from chain.parameters import Parameters
from chain.state import RecordCache
from chain.state_tree import StateProof, StateTree
from chain.transaction import Transaction
from chain.types import Hash, Milliseconds, PublicKey
from chain.validator_set import VALIDATORS_KEY, ValidatorSet
from node.kernel.contracts_port import NodeContracts
from node.ports import BlockStore

CANDIDATES_MAX: Final = 8
"""Results kept at one height, the newest; each new view may bring another block. One that commits
after it was dropped is executed again. The replica itself holds at most four blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A block that was executed here and whose header states the result."""

    header: Header
    transactions: tuple[Transaction, ...]
    execution: Execution
    next_validators: ValidatorSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What a block is built on."""

    hash: Hash
    height: int
    time_ms: Milliseconds
    validators: ValidatorSet
    """Set that votes on the block to build."""
    parameters: Parameters


class CommittedIds:
    """Ids of committed transactions; the database is asked only about what does not wait here.

    What enters the pool was looked up among the committed ones, and what a block holds leaves it
    before anything is executed on that block; so what waits in the pool is in no block.
    """

    def __init__(self, store: TransactionIndex, pool: Mempool) -> None:
        self._store = store
        self._pool = pool

    def holds(self, transaction_id: Hash) -> bool:
        """Returns whether a committed block holds this id."""
        return not self._pool.holds(transaction_id) and self._store.holds(transaction_id)


class Workshop:
    """Executes blocks on the head and holds the candidates of one height.

    Args:
        genesis: of the chain.
        store: committed blocks and state.
        tree: authenticated tree over the same state.
        contracts: of this chain.
        index: committed ids; the store's own where None.
    """

    def __init__(
        self,
        *,
        genesis: Genesis,
        store: BlockStore,
        tree: StateTree,
        contracts: NodeContracts,
        index: TransactionIndex | None = None,
    ) -> None:
        self.chain_id = genesis.chain_id
        self._parameters = genesis.parameters
        self.store = store
        self._tree = tree
        self._index: TransactionIndex = store if index is None else index
        self.contracts = contracts
        self.committed = RecordCache(store)
        """Records of the state after the head."""
        self._candidates: dict[Hash, Candidate] = {}
        self._bodies: dict[Hash, dict[Hash, bytes]] = {}
        """Wire bytes by id, of each candidate: a peer may ask for thousands of ids at once."""
        self.parent = self._read_parent(genesis)

    @property
    def state_key_count(self) -> int:
        """Returns the number of keys in the committed state."""
        return self._tree.key_count

    @property
    def state_root(self) -> Hash:
        """Returns the root of the committed state."""
        return self._tree.root

    def prove(self, key: bytes) -> StateProof:
        """Returns the proof of a key's value, or of its absence, in the committed state."""
        return self._tree.prove(key)

    def candidate(self, block_hash: Hash) -> Candidate | None:
        """Returns what was built or judged here under this hash."""
        return self._candidates.get(block_hash)

    def body(self, transaction_id: Hash) -> bytes | None:
        """Returns the wire bytes of a transaction that stands in some candidate."""
        for bodies in self._bodies.values():
            if transaction_id in bodies:
                return bodies[transaction_id]
        return None

    def build(
        self, transactions: Sequence[Transaction], *, time_ms: Milliseconds, proposer: PublicKey
    ) -> Candidate:
        """Executes transactions and states the result in a new header.

        Raises:
            TransactionBug: names the transaction to leave out.
        """
        candidate = self._result_of(transactions, time_ms=time_ms, proposer=proposer)
        self._keep(candidate)
        return candidate

    def _result_of(
        self, transactions: Sequence[Transaction], *, time_ms: Milliseconds, proposer: PublicKey
    ) -> Candidate:
        execution = self._execute(transactions, time_ms)
        next_validators = self._next_validators(execution)
        parent = self.parent
        header = Header(
            chain_id=self.chain_id,
            height=parent.height + 1,
            parent_hash=parent.hash,
            time_ms=time_ms,
            proposer=proposer,
            transaction_count=len(transactions),
            transaction_root=transaction_root([each.id for each in transactions]),
            receipt_root=execution.receipt_root,
            state_root=execution.state_root,
            validator_set_hash=parent.validators.hash,
            next_validator_set_hash=next_validators.hash,
            parameters_hash=parent.parameters.hash,
        )
        return Candidate(
            header=header,
            transactions=tuple(transactions),
            execution=execution,
            next_validators=next_validators,
        )

    def check(self, header: Header, transactions: Sequence[Transaction]) -> Candidate:
        """Executes a block of somebody else and compares every field of its header.

        Raises:
            InvalidBlock: names the first field that differs.
            TransactionBug: a contract failed unexpectedly; says nothing about the proposer.
        """
        known = self._candidates.get(header.hash)
        if known is not None:
            return known
        candidate = self._result_of(transactions, time_ms=header.time_ms, proposer=header.proposer)
        if candidate.header != header:
            raise _difference(expected=candidate.header, got=header)
        self._keep(candidate)
        return candidate

    def advance(self, candidate: Candidate) -> None:
        """Moves on to the next height; the candidate's batch is durable."""
        self._tree.apply(candidate.execution.tree_update)
        self.committed.apply(candidate.execution.changes)
        self._candidates.clear()
        self._bodies.clear()
        self.parent = Parent(
            hash=candidate.header.hash,
            height=candidate.header.height,
            time_ms=candidate.header.time_ms,
            validators=candidate.next_validators,
            parameters=self._parameters,
        )

    def _keep(self, candidate: Candidate) -> None:
        block_hash = candidate.header.hash
        self._candidates[block_hash] = candidate
        self._bodies[block_hash] = {each.id: each.wire for each in candidate.transactions}
        if len(self._candidates) > CANDIDATES_MAX:
            oldest = next(iter(self._candidates))
            del self._candidates[oldest]
            del self._bodies[oldest]

    def _execute(self, transactions: Sequence[Transaction], time_ms: Milliseconds) -> Execution:
        context = BlockContext(
            chain_id=self.chain_id,
            height=self.parent.height + 1,
            time_ms=time_ms,
            parent_time_ms=self.parent.time_ms,
            parameters=self.parent.parameters,
        )
        return execute_block(
            context=context,
            transactions=transactions,
            committed=self.committed,
            tree=self._tree,
            index=self._index,
            runtime=self.contracts,
        )

    def _next_validators(self, execution: Execution) -> ValidatorSet:
        changed = execution.changes.get(VALIDATORS_KEY)
        return self.parent.validators if changed is None else ValidatorSet.decode(changed)

    def _read_parent(self, genesis: Genesis) -> Parent:
        stored = self.store.get(VALIDATORS_KEY)
        assert stored is not None, "the state of every chain names its validators"
        validators = ValidatorSet.decode(stored)
        head = self.store.head()
        if head is None:
            return Parent(
                hash=self.chain_id,
                height=0,
                time_ms=genesis.time_ms,
                validators=validators,
                parameters=self._parameters,
            )
        header, _ = head
        return Parent(
            hash=header.hash,
            height=header.height,
            time_ms=header.time_ms,
            validators=validators,
            parameters=self._parameters,
        )


def _difference(*, expected: Header, got: Header) -> InvalidBlock:
    for name in Header.__dataclass_fields__:
        ours, theirs = getattr(expected, name), getattr(got, name)
        if ours != theirs:
            return InvalidBlock(f"header {name}", expected=_words(ours), got=_words(theirs))
    raise AssertionError("headers that differ differ in a field")


def _words(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
