"""How transactions get from untrusted bytes into the pool, from a client or from a peer.

Whole batches are taken: the cheap checks of each come first, room in the pool among them, then the
signatures of those that passed, all at once, so that a verifier may spread them over threads.
"""

from collections.abc import Collection, Iterator, Sequence, Set as AbstractSet
from typing import Final

from chain.crypto import Verifier
from chain.errors import ContractRefusal, InvalidTransaction
from chain.mempool import Mempool
from chain.transaction import Transaction
from chain.types import Hash
from consensus.events import Now
from node.kernel.admission import (
    check_time,
    check_work,
    invalid_signature,
    parse_for_chain,
    refusal_of,
)
from node.kernel.candidates import Workshop
from node.kernel.effects import Admission

_PEER_FAULTS: Final = frozenset({"MALFORMED_TRANSACTION", "WRONG_CHAIN", "INVALID_SIGNATURE"})
"""What no honest peer passes on; the rest may be a matter of heads, clocks and room."""


class Intake:
    """Checks each transaction once and offers it to the pool."""

    def __init__(self, *, workshop: Workshop, pool: Mempool, verify: Verifier) -> None:
        self._workshop = workshop
        self._pool = pool
        self._verify = verify

    def admit(self, wires: Sequence[bytes], now: Now) -> tuple[list[Admission], list[Transaction]]:
        """Takes a client's transactions.

        Returns:
            An answer for each, in order, that says what is wrong with it, if anything; and those
            that are in the pool now.
        """
        answers: dict[int, Admission] = {}
        places: dict[Hash, int] = {}
        checked: list[Transaction] = []
        for place, wire in enumerate(wires):
            transaction: Transaction | None = None
            try:
                transaction = self._parse(wire)
                self._refuse_known(transaction, places)
                self._check_client(transaction, now)
            except (InvalidTransaction, ContractRefusal) as error:
                answers[place] = refusal_of(transaction, error)
            else:
                places[transaction.id] = place
                checked.append(transaction)
        taken: list[Transaction] = []
        for transaction, fault in self._verified(checked):
            refused = fault or self._add(transaction, now, is_own=True)
            if refused is None:
                taken.append(transaction)
                answer = Admission(transaction_id=transaction.id, code="", detail="")
            else:
                answer = refusal_of(transaction, refused)
            answers[places[transaction.id]] = answer
        return [answers[place] for place in range(len(wires))], taken

    def take_bodies(
        self, wires: Sequence[bytes], now: Now, wanted: AbstractSet[Hash]
    ) -> tuple[list[Transaction], list[InvalidTransaction]]:
        """Takes a peer's transactions into the pool, where they are new and there is room.

        Args:
            wires: untrusted bytes.
            now: both clocks.
            wanted: ids that a proposal in judgement lacks; these need no room in the pool.

        Returns:
            The wanted ones, which do not go into the pool; and what no honest peer would have
            sent.
        """
        checked: dict[Hash, Transaction] = {}
        faults: list[InvalidTransaction] = []
        for wire in wires:
            try:
                transaction = self._parse(wire)
                if self._pool.holds(transaction.id):
                    continue
                if transaction.id in wanted or self._is_welcome(transaction, now):
                    checked[transaction.id] = transaction
            except InvalidTransaction as error:
                faults.append(error)
        awaited: list[Transaction] = []
        for transaction, fault in self._verified(checked.values()):
            if fault is not None:
                faults.append(fault)
            elif transaction.id in wanted:
                awaited.append(transaction)
            else:
                self._add(transaction, now, is_own=False)
        return awaited, [each for each in faults if each.code in _PEER_FAULTS]

    def _parse(self, wire: bytes) -> Transaction:
        workshop = self._workshop
        return parse_for_chain(wire, chain_id=workshop.chain_id, parent=workshop.parent)

    def _refuse_known(self, transaction: Transaction, batch: Collection[Hash]) -> None:
        transaction_id = transaction.id
        is_pending = transaction_id in batch or self._pool.holds(transaction_id)
        if is_pending or self._workshop.store.holds(transaction_id):
            raise InvalidTransaction(
                "DUPLICATE",
                f"transaction {transaction_id.hex()}: already pending or committed; ask for its "
                "status instead of sending it again",
            )

    def _check_client(self, transaction: Transaction, now: Now) -> None:
        workshop = self._workshop
        check_time(transaction, parent=workshop.parent, wall_ms=now.wall_ms)
        workshop.contracts.check_admission(workshop.committed, transaction)
        check_work(transaction, parent=workshop.parent, contracts=workshop.contracts)
        self._pool.check_room(transaction, is_own=True)

    def _is_welcome(self, transaction: Transaction, now: Now) -> bool:
        workshop = self._workshop
        if workshop.store.holds(transaction.id):
            return False
        check_time(transaction, parent=workshop.parent, wall_ms=now.wall_ms)
        check_work(transaction, parent=workshop.parent, contracts=workshop.contracts)
        self._pool.check_room(transaction)
        return True

    def _verified(
        self, transactions: Collection[Transaction]
    ) -> Iterator[tuple[Transaction, InvalidTransaction | None]]:
        """Yields each with what its signature says; the one check of it this node ever makes."""
        are_signed = self._verify([each.claim for each in transactions])
        for transaction, is_signed in zip(transactions, are_signed, strict=True):
            yield transaction, None if is_signed else invalid_signature(transaction)

    def _add(
        self, transaction: Transaction, now: Now, *, is_own: bool
    ) -> InvalidTransaction | None:
        try:
            self._pool.add(transaction, now.monotonic_ms, is_own=is_own)
        except InvalidTransaction as error:
            return error
        return None
