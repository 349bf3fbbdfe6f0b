"""Execution of a block: transactions and parent state in, receipts and new roots out.

Execution happens before agreement (consensus.md, Shape): the primary runs it to build a header,
each backup runs it to check one, and sync runs it again, always with this function. Contracts are
reached through :class:`ContractRuntime` only, so this package does not import them.

What a contract refuses is a failed receipt. Any other exception is a bug: it leaves this module as
:class:`TransactionBug`, so that the node can leave the transaction out and name it, and no client
can stop the consortium with it (consensus.md 25).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chain.errors import ChainError, ContractRefusal, InvalidBlock, InvalidTransaction
from chain.merkle import merkle_root
from chain.parameters import Parameters
from chain.receipt import Event, Receipt, Status
from chain.state import RecordCache, State, StateReader, UnencodableRecord
from chain.state_tree import StateTree, TreeUpdate
from chain.transaction import Transaction, check_window
from chain.types import TEXT_BYTES_MAX, Hash, Height, Milliseconds

BLOCK_RECEIPT_ID: Final = bytes(32)
"""Transaction id of the receipt that holds the block's own events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockContext:
    """What contracts may know of the block they run in."""

    chain_id: Hash
    height: Height
    time_ms: Milliseconds
    """Block time; the only clock a contract sees."""
    parent_time_ms: Milliseconds
    parameters: Parameters


class ContractRuntime(Protocol):
    """The contracts, as execution sees them."""

    def begin_block(self, state: State, block: BlockContext) -> tuple[Event, ...]:
        """Does the block's own work, such as the due queue, before its transactions."""
        ...

    def execute(
        self, state: State, block: BlockContext, transaction: Transaction
    ) -> tuple[bytes, tuple[Event, ...]]:
        """Runs one transaction; returns its result and events.

        Raises:
            ContractRefusal: the contract refuses it on purpose.
        """
        ...

    def work_of(self, transaction: Transaction) -> int:
        """Returns the work units of a transaction: one, and one for each reading in it."""
        ...


class TransactionIndex(Protocol):
    """Ids of committed transactions within the replay window."""

    def holds(self, transaction_id: Hash) -> bool:
        """Returns whether a committed block holds this id."""
        ...


class TransactionBug(ChainError):
    """A contract did what it never does on purpose; names the transaction and the cause."""

    def __init__(self, transaction_id: Hash, cause: Exception) -> None:
        self.transaction_id = transaction_id
        self.cause = cause
        super().__init__(f"transaction {transaction_id.hex()}: {type(cause).__name__}: {cause}")


class BlockBug(ChainError):
    """The block's own work failed unexpectedly; leaving out transactions does not help."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause
        super().__init__(f"the block's own work: {type(cause).__name__}: {cause}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Result of executing a block's transactions; not yet applied anywhere."""

    receipts: tuple[Receipt, ...]
    """One per transaction in order, then the block's own."""
    encoded_receipts: tuple[bytes, ...]
    receipt_root: Hash
    state_root: Hash
    changes: dict[bytes, bytes | None]
    """State writes by key in byte order; None means removed."""
    tree_update: TreeUpdate


def execute_block(
    *,
    context: BlockContext,
    transactions: Sequence[Transaction],
    committed: StateReader | RecordCache,
    tree: StateTree,
    index: TransactionIndex,
    runtime: ContractRuntime,
) -> Execution:
    """Executes transactions in order on an overlay of the committed state.

    Args:
        context: the block's place and time.
        transactions: parsed, signatures already checked by the caller, each once.
        committed: state after the parent block.
        tree: authenticated tree over the same state; read only here.
        index: committed ids for duplicate detection.
        runtime: the contracts.

    Returns:
        Receipts, roots and changes; nothing is written.

    Raises:
        InvalidBlock: limits exceeded, or a transaction outside its validity window.
        TransactionBug: a contract failed unexpectedly on one transaction.
        BlockBug: it failed in the block's own work.
    """
    check_limits(transactions, context.parameters, runtime)
    state = State(committed)
    block_events = _begin_block(state, context, runtime)
    receipts: list[Receipt] = []
    seen: dict[Hash, None] = {}
    for transaction in transactions:
        _check_window(transaction, context)
        if transaction.id in seen or index.holds(transaction.id):
            receipts.append(_duplicate(transaction))
            continue
        seen[transaction.id] = None
        receipts.append(_execute(state, context, transaction, runtime))
    receipts.append(Receipt(transaction_id=BLOCK_RECEIPT_ID, status=Status.OK, events=block_events))
    encoded = tuple(receipt.encode() for receipt in receipts)
    changes = _changes_of(state)
    update = tree.update(changes)
    return Execution(
        receipts=tuple(receipts),
        encoded_receipts=encoded,
        receipt_root=merkle_root(encoded),
        state_root=update.root,
        changes=changes,
        tree_update=update,
    )


def check_limits(
    transactions: Sequence[Transaction], parameters: Parameters, runtime: ContractRuntime
) -> None:
    """Checks count, bytes and work of a block against the chain's parameters.

    Raises:
        InvalidBlock: names the limit.
    """
    if len(transactions) > parameters.block_transactions_max:
        raise InvalidBlock(
            "transaction count",
            expected=f"at most {parameters.block_transactions_max}",
            got=str(len(transactions)),
        )
    size = sum(len(transaction.wire) for transaction in transactions)
    if size > parameters.block_bytes_max:
        raise InvalidBlock(
            "block bytes", expected=f"at most {parameters.block_bytes_max}", got=str(size)
        )
    work = sum(runtime.work_of(transaction) for transaction in transactions)
    if work > parameters.block_readings_max:
        raise InvalidBlock(
            "block work", expected=f"at most {parameters.block_readings_max}", got=str(work)
        )


def _check_window(transaction: Transaction, context: BlockContext) -> None:
    try:
        check_window(
            transaction.payload,
            parent_time_ms=context.parent_time_ms,
            time_ms=context.time_ms,
            lifetime_max_ms=context.parameters.transaction_lifetime_max_ms,
        )
    except InvalidTransaction as error:
        raise InvalidBlock(
            "validity window",
            expected="transactions valid at the block's time",
            got=f"{transaction.id.hex()}: {error}",
        ) from error


def _begin_block(
    state: State, context: BlockContext, runtime: ContractRuntime
) -> tuple[Event, ...]:
    try:
        return runtime.begin_block(state, context)
    except Exception as error:
        raise BlockBug(error) from error


def _changes_of(state: State) -> dict[bytes, bytes | None]:
    try:
        return state.changes()
    except UnencodableRecord as error:
        if error.writer is None:
            raise BlockBug(error) from error
        raise TransactionBug(error.writer, error) from error


def _duplicate(transaction: Transaction) -> Receipt:
    return Receipt(
        transaction_id=transaction.id,
        status=Status.DUPLICATE,
        code="DUPLICATE",
        detail="an earlier transaction of this chain has the same id",
    )


def _execute(
    state: State, context: BlockContext, transaction: Transaction, runtime: ContractRuntime
) -> Receipt:
    state.begin()
    try:
        result, events = runtime.execute(state, context, transaction)
    except ContractRefusal as refusal:
        state.drop()
        return Receipt(
            transaction_id=transaction.id,
            status=Status.FAILED,
            code=refusal.code,
            detail=_clipped(refusal.detail),
        )
    except Exception as error:
        # Here a contract's bug is caught, to give it the transaction's name.
        raise TransactionBug(transaction.id, error) from error
    state.keep(transaction.id)
    return Receipt(transaction_id=transaction.id, status=Status.OK, result=result, events=events)


def _clipped(detail: str) -> str:
    """Returns a detail that fits its receipt: it may quote what a client sent."""
    return detail.encode()[:TEXT_BYTES_MAX].decode(errors="ignore")
