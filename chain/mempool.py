"""The pool of transactions that wait for a block: bounded, fair between senders, in their order.

The pool checks nothing about a transaction but its own limits: whoever adds one has parsed it,
checked its signature, chain id, size, work and validity window, and looked it up among the
committed ones (that is where each of these costs is paid once). It has no clock: arrival times come
with each call, from a clock that never steps; validity goes by block time.

One sender's transactions are proposed in the order in which they arrived. Between senders blocks
are filled in rounds, one transaction of each at a time, and whoever was served goes to the end of
the line; so a flood of one sender delays nobody else by more than a round. Every operation costs
the same however full the pool is, per transaction that it adds, returns or removes.

A node's own clients may bring a share of what the pool takes from a sender, so that all nodes'
shares together find room in every pool. Otherwise each node would fill up with a flood of its own,
and a primary would not hold, and not propose, what the others have accepted.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Final

from chain.errors import InvalidTransaction
from chain.parameters import Parameters
from chain.transaction import Transaction
from chain.types import U64_MAX, Hash, Milliseconds, PublicKey

QUARANTINE_MAX: Final = 1_024
"""Quarantined ids remembered; each cost a withheld proposal, so they are rare. A forgotten one may
come again and is then quarantined again."""
MISFITS_MAX: Final = 64
"""Senders whose next transaction no longer fits before a block counts as full. One misfit is no
proof (a smaller one may follow), a search through thousands of senders is no bargain either."""
_STALE_DEADLINES_MIN: Final = 1_024
"""Deadlines of removed transactions that are tolerated before they are swept out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolLimits:
    """Bounds of one node's pool; node configuration, not chain parameters."""

    transactions_max: int
    bytes_max: int
    """Wire bytes of all transactions together."""
    per_sender_max: int
    """Transactions of one key, so that one sender cannot take the whole pool."""
    per_sender_own_max: int
    """How many of those this node's own clients may bring."""


@dataclass(slots=True)
class _Entry:
    transaction: Transaction
    arrived_ms: Milliseconds
    is_own: bool
    """Whether it came from one of this node's own clients."""
    work: int | None = None
    """Work units, once asked for: the contracts decode arguments to know it."""


class Mempool:
    """Transactions by id, in order of arrival and by sender.

    Args:
        limits: bounds that :meth:`add` holds.
    """

    def __init__(self, limits: MempoolLimits) -> None:
        self._limits = limits
        # Both kinds of queue lose entries at the front all the time; an OrderedDict finds its
        # first entry at once, where a dict first passes over all that was removed before it.
        self._entries: OrderedDict[Hash, _Entry] = OrderedDict()
        self._queues: OrderedDict[PublicKey, OrderedDict[Hash, _Entry]] = OrderedDict()
        self._own_counts: dict[PublicKey, int] = {}
        """Transactions of own clients, of each sender that has some."""
        self._deadlines: list[tuple[Milliseconds, Hash]] = []
        self._quarantined: OrderedDict[Hash, None] = OrderedDict()
        self._bytes = 0
        self._latest_deadline_ms = 0

    @property
    def count(self) -> int:
        """Returns the number of transactions."""
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """Returns the wire bytes of all transactions."""
        return self._bytes

    @property
    def oldest_ms(self) -> Milliseconds | None:
        """Returns when the one that waits longest arrived, or None where nothing waits."""
        for entry in self._entries.values():
            return entry.arrived_ms
        return None

    @property
    def latest_deadline_ms(self) -> Milliseconds:
        """Returns the latest ``valid_until_ms`` of all transactions; 0 where nothing waits."""
        return self._latest_deadline_ms

    def has_work(
        self, *, parent_time_ms: Milliseconds, time_ms: Milliseconds, lifetime_max_ms: Milliseconds
    ) -> bool:
        """Returns whether a block of this time may hold anything that waits here.

        What waits and may not be proposed is no work: it would keep the view timers of all nodes
        running, and drive out one primary after another for nothing.

        Args:
            parent_time_ms: block time of the parent.
            time_ms: block time of the block.
            lifetime_max_ms: how far ahead of the parent ``valid_until`` may lie.
        """
        if self._latest_deadline_ms < time_ms:
            return False
        latest_ms = parent_time_ms + lifetime_max_ms
        return any(
            _first_deadline(queue.values(), time_ms) <= latest_ms for queue in self._queues.values()
        )

    def add(self, transaction: Transaction, now_ms: Milliseconds, *, is_own: bool = False) -> None:
        """Takes in a transaction that the caller has verified.

        Args:
            transaction: verified as the module says.
            now_ms: arrival by a clock that never steps back.
            is_own: whether it comes from one of this node's own clients.

        Raises:
            InvalidTransaction: ``DUPLICATE`` (it is here already), ``QUARANTINED``,
                ``MEMPOOL_FULL`` or ``SENDER_QUOTA``; the pool is unchanged.
        """
        transaction_id = transaction.id
        if transaction_id in self._entries:
            raise InvalidTransaction(
                "DUPLICATE", f"transaction {transaction_id.hex()} is already in the pool"
            )
        if transaction_id in self._quarantined:
            raise InvalidTransaction(
                "QUARANTINED",
                f"transaction {transaction_id.hex()}: its execution failed unexpectedly on this "
                "node; its operator has been told",
            )
        self.check_room(transaction, is_own=is_own)
        sender = transaction.payload.sender
        entry = _Entry(transaction, now_ms, is_own)
        self._entries[transaction_id] = entry
        self._queues.setdefault(sender, OrderedDict())[transaction_id] = entry
        if is_own:
            self._own_counts[sender] = self._own_counts.get(sender, 0) + 1
        self._bytes += len(transaction.wire)
        deadline_ms = transaction.payload.valid_until_ms
        self._latest_deadline_ms = max(self._latest_deadline_ms, deadline_ms)
        heappush(self._deadlines, (deadline_ms, transaction_id))

    def get(self, transaction_id: Hash) -> Transaction | None:
        """Returns the transaction with an id, or None where it is not here."""
        entry = self._entries.get(transaction_id)
        return None if entry is None else entry.transaction

    def holds(self, transaction_id: Hash) -> bool:
        """Returns whether a transaction is here."""
        return transaction_id in self._entries

    def is_quarantined(self, transaction_id: Hash) -> bool:
        """Returns whether an id is quarantined."""
        return transaction_id in self._quarantined

    def transactions(self) -> Iterator[Transaction]:
        """Yields all transactions in order of arrival; the pool must not change meanwhile."""
        for entry in self._entries.values():
            yield entry.transaction

    def waiting_since(self, moment_ms: Milliseconds, count_max: int) -> list[Transaction]:
        """Returns transactions that arrived at or before a moment, oldest first, at most so many.

        These are the ones to send to all validators, because they have not moved (consensus.md
        12, 14).
        """
        waiting: list[Transaction] = []
        for entry in islice(self._entries.values(), count_max):
            if entry.arrived_ms > moment_ms:
                break
            waiting.append(entry.transaction)
        return waiting

    def pick(
        self,
        *,
        parent_time_ms: Milliseconds,
        time_ms: Milliseconds,
        parameters: Parameters,
        work_of: Callable[[Transaction], int],
        work_max: int | None = None,
    ) -> list[Transaction]:
        """Returns transactions for a block, in order; they stay in the pool until removed.

        Args:
            parent_time_ms: block time of the parent.
            time_ms: block time of the block.
            parameters: limits of the block, and how far ahead ``valid_until`` may lie.
            work_of: work units of a transaction; asked once for each.
            work_max: work units after which the block is full, below the limit of the chain; the
                first transaction may have more.
        """
        filling = _Filling(
            parameters=parameters,
            time_ms=time_ms,
            valid_until_max_ms=parent_time_ms + parameters.transaction_lifetime_max_ms,
            work_of=work_of,
            work_max=work_max,
        )
        # The first round walks the line of senders itself, so that a short block does not pay for
        # a long line; later rounds are over those who have more.
        lanes: Iterable[Iterator[_Entry]] = (
            iter(queue.values()) for queue in self._queues.values()
        )
        while True:
            served: list[Iterator[_Entry]] = []
            for lane in lanes:
                if filling.take_from(lane):
                    served.append(lane)
                if filling.is_full:
                    return filling.picked
            if not served:
                return filling.picked
            lanes = served

    def remove(self, transaction_ids: Iterable[Hash]) -> None:
        """Forgets transactions that a block holds; ids that are not here are passed over."""
        deadlines = [
            self._forget(transaction_id)
            for transaction_id in transaction_ids
            if transaction_id in self._entries
        ]
        if deadlines and max(deadlines) == self._latest_deadline_ms:
            self._find_latest_deadline()
        self._sweep_deadlines()

    def expire(self, block_time_ms: Milliseconds) -> list[Hash]:
        """Forgets transactions that no block after one of this time may hold; returns their ids.

        The next block is later than its parent, so ``valid_until_ms`` equal to the parent's time
        is too early already.
        """
        expired: list[Hash] = []
        while self._deadlines and self._deadlines[0][0] <= block_time_ms:
            _, transaction_id = heappop(self._deadlines)
            if transaction_id in self._entries:
                self._forget(transaction_id)
                expired.append(transaction_id)
        if not self._entries:
            self._latest_deadline_ms = 0
        return expired

    def quarantine(self, transaction_id: Hash) -> None:
        """Forgets a transaction whose execution hit a bug, and refuses it from now on.

        It must not merely be passed over: as long as it counted as waiting, it would keep the
        view timers of all nodes running for nothing (consensus.md 12, 25).
        """
        self.remove([transaction_id])
        self._quarantined[transaction_id] = None
        if len(self._quarantined) > QUARANTINE_MAX:
            self._quarantined.popitem(last=False)

    def check_room(self, transaction: Transaction, *, is_own: bool = False) -> None:
        """Checks that a transaction would find room, before anything dear is done for it.

        Args:
            transaction: not in the pool.
            is_own: whether it comes from one of this node's own clients.

        Raises:
            InvalidTransaction: ``MEMPOOL_FULL`` or ``SENDER_QUOTA``.
        """
        limits, size = self._limits, len(transaction.wire)
        if len(self._entries) >= limits.transactions_max:
            raise InvalidTransaction(
                "MEMPOOL_FULL",
                f"the pool holds {len(self._entries)} transactions, its limit; try again later or "
                "another node",
            )
        if self._bytes + size > limits.bytes_max:
            raise InvalidTransaction(
                "MEMPOOL_FULL",
                f"the pool holds {self._bytes} of {limits.bytes_max} bytes and has no room for "
                f"{size} more; try again later or another node",
            )
        sender = transaction.payload.sender
        if len(self._queues.get(sender, ())) >= limits.per_sender_max:
            raise InvalidTransaction(
                "SENDER_QUOTA",
                f"the pool holds {limits.per_sender_max} transactions of this sender, its limit; "
                "wait until some are committed",
            )
        if is_own and self._own_counts.get(sender, 0) >= limits.per_sender_own_max:
            raise InvalidTransaction(
                "SENDER_QUOTA",
                f"the pool holds {limits.per_sender_own_max} transactions of this sender that came "
                "to this node, its limit; wait until some are committed, or use other nodes too",
            )

    def _find_latest_deadline(self) -> None:
        # Once a block at most, and over little: what has the latest deadline mostly came last.
        self._latest_deadline_ms = max(
            (entry.transaction.payload.valid_until_ms for entry in self._entries.values()),
            default=0,
        )

    def _forget(self, transaction_id: Hash) -> Milliseconds:
        """Takes out a transaction and sends its sender to the end of the line.

        Returns:
            Its ``valid_until_ms``.
        """
        entry = self._entries.pop(transaction_id)
        transaction = entry.transaction
        self._bytes -= len(transaction.wire)
        sender = transaction.payload.sender
        if entry.is_own:
            self._own_counts[sender] -= 1
            if not self._own_counts[sender]:
                del self._own_counts[sender]
        queue = self._queues[sender]
        del queue[transaction_id]
        if queue:
            self._queues.move_to_end(sender)
        else:
            del self._queues[sender]
        return transaction.payload.valid_until_ms

    def _sweep_deadlines(self) -> None:
        """Rebuilds the deadlines where most belong to transactions that are gone."""
        if len(self._deadlines) > 2 * len(self._entries) + _STALE_DEADLINES_MIN:
            self._deadlines = [
                (entry.transaction.payload.valid_until_ms, transaction_id)
                for transaction_id, entry in self._entries.items()
            ]
            heapify(self._deadlines)


def _first_deadline(queue: Iterable[_Entry], time_ms: Milliseconds) -> Milliseconds:
    """Returns the deadline of the first in a sender's line that a block of this time may hold."""
    deadlines = (entry.transaction.payload.valid_until_ms for entry in queue)
    return next((deadline for deadline in deadlines if deadline >= time_ms), U64_MAX)


class _Filling:
    """A block that is being filled."""

    def __init__(
        self,
        *,
        parameters: Parameters,
        time_ms: Milliseconds,
        valid_until_max_ms: Milliseconds,
        work_of: Callable[[Transaction], int],
        work_max: int | None,
    ) -> None:
        self.picked: list[Transaction] = []
        self.is_full = False
        self._time_ms = time_ms
        self._valid_until_max_ms = valid_until_max_ms
        self._work_of = work_of
        self._count_max = parameters.block_transactions_max
        self._bytes_left = parameters.block_bytes_max
        self._work_limit = parameters.block_readings_max
        self._work_left = self._work_limit if work_max is None else work_max
        self._misfits = 0

    def take_from(self, lane: Iterator[_Entry]) -> bool:
        """Takes a sender's next transaction; returns whether the sender may have another turn."""
        for entry in lane:
            payload = entry.transaction.payload
            if payload.valid_until_ms < self._time_ms:
                continue
            # What is not valid yet keeps its place: the sender's later ones wait behind it.
            return payload.valid_until_ms <= self._valid_until_max_ms and self._take(entry)
        return False

    def _take(self, entry: _Entry) -> bool:
        if entry.work is None:
            entry.work = self._work_of(entry.transaction)
        size = len(entry.transaction.wire)
        work_left = self._work_left if self.picked else self._work_limit
        if size > self._bytes_left or entry.work > work_left:
            self._misfits += 1
            self.is_full = self._misfits > MISFITS_MAX
            return False
        self.picked.append(entry.transaction)
        self._bytes_left -= size
        self._work_left -= entry.work
        # Every transaction costs at least one unit of work.
        self.is_full = len(self.picked) >= self._count_max or self._work_left < 1
        return True
