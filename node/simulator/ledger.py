"""Small deterministic contracts for the simulator, so that a seed costs a second and not a minute.

``log.append`` makes the state depend on the order of all transactions; ``log.put`` writes one of a
few keys; ``log.refuse`` is always refused; ``log.break`` is a bug that no contract raises on
purpose (consensus.md 25).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chain.codec import Record
from chain.crypto import Domain, hash_of
from chain.errors import ContractRefusal
from chain.execution import BlockContext
from chain.genesis import Genesis
from chain.receipt import Event
from chain.state import Records, State
from chain.transaction import Transaction
from chain.types import U64, Hash

APPEND: Final = "log.append"
PUT: Final = "log.put"
REFUSE: Final = "log.refuse"
BREAK: Final = "log.break"
METHODS: Final = (APPEND, PUT, REFUSE, BREAK)
LOG_KEY: Final = b"log/tail"
_BLOCKS_KEY: Final = b"log/blocks"
_EMPTY: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail(Record):
    """How many entries there are, and a hash over all of them in order."""

    count: U64
    digest: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(Record):
    """One of the keys that ``log.put`` writes."""

    transaction_id: Hash


class LedgerContracts:
    """The contracts of simulated networks (:class:`node.kernel.contracts_port.NodeContracts`)."""

    def genesis_changes(self, state: State, genesis: Genesis) -> None:
        """Founds an empty log."""
        del genesis
        state.put(LOG_KEY, LogTail(count=0, digest=_EMPTY))

    def begin_block(self, state: State, block: BlockContext) -> tuple[Event, ...]:
        """Notes height and time, so that every block changes the state root."""
        digest = hash_of(Domain.STATE_VALUE, block.time_ms.to_bytes(8, "big"))
        state.put(_BLOCKS_KEY, LogTail(count=block.height, digest=digest))
        return ()

    def execute(
        self, state: State, block: BlockContext, transaction: Transaction
    ) -> tuple[bytes, tuple[Event, ...]]:
        """Runs one of the methods.

        Raises:
            ContractRefusal: ``REFUSED``, by ``log.refuse``.
        """
        match transaction.payload.method:
            case "log.append":
                tail = state.get(LogTail, LOG_KEY)
                assert tail is not None, "the genesis founds the log"
                state.put(LOG_KEY, after(tail, transaction.id))
            case "log.put":
                slot = b"slot/" + transaction.payload.arguments[:1]
                state.put(slot, Slot(transaction_id=transaction.id))
            case "log.refuse":
                raise ContractRefusal("REFUSED", f"refused at height {block.height}")
            case method:
                raise KeyError(method)
        return b"", ()

    def work_of(self, transaction: Transaction) -> int:
        """One for each transaction."""
        del transaction
        return 1

    def check_admission(self, committed: Records, transaction: Transaction) -> None:
        """Knows the four methods.

        Raises:
            ContractRefusal: ``UNKNOWN_METHOD``.
        """
        del committed
        if transaction.payload.method not in METHODS:
            raise ContractRefusal("UNKNOWN_METHOD", transaction.payload.method)

    def index_keys(self, transaction: Transaction) -> tuple[bytes, ...]:
        """Indexes by sender."""
        return (transaction.payload.sender + b"\x00",)


def after(tail: LogTail, transaction_id: Hash) -> LogTail:
    """Returns the log with one entry more."""
    return LogTail(
        count=tail.count + 1, digest=hash_of(Domain.STATE_VALUE, tail.digest, transaction_id)
    )


def tail_of(appended: Iterable[Hash]) -> LogTail:
    """Returns the log that these entries make: the reference that nodes are compared with."""
    tail = LogTail(count=0, digest=_EMPTY)
    for transaction_id in appended:
        tail = after(tail, transaction_id)
    return tail
