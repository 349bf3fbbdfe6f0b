"""How a transaction gets from untrusted bytes into the pool, from a client or from a peer."""

from collections.abc import Set as AbstractSet

from chain.crypto import SignatureScheme
from chain.errors import ContractRefusal, InvalidTransaction
from chain.mempool import Mempool
from chain.transaction import Transaction
from chain.types import Hash
from consensus.events import Now
from node.kernel.admission import (
    check_signature,
    check_time,
    check_work,
    parse_for_chain,
    refusal_of,
)
from node.kernel.candidates import Workshop
from node.kernel.effects import Admission


class Intake:
    """Checks each transaction once and offers it to the pool."""

    def __init__(self, *, workshop: Workshop, pool: Mempool, scheme: SignatureScheme) -> None:
        self._workshop = workshop
        self._pool = pool
        self._scheme = scheme

    def admit(self, wire: bytes, now: Now) -> tuple[Admission, Transaction | None]:
        """Takes a client's transaction; the answer says what is wrong with it, if anything."""
        transaction: Transaction | None = None
        parent = self._workshop.parent
        try:
            transaction = parse_for_chain(wire, chain_id=self._workshop.chain_id, parent=parent)
            self._refuse_known(transaction)
            check_time(transaction, parent=parent, wall_ms=now.wall_ms)
            self._workshop.contracts.check_admission(self._workshop.committed, transaction)
            check_work(transaction, parent=parent, contracts=self._workshop.contracts)
            check_signature(transaction, self._scheme)
            self._pool.add(transaction, now.monotonic_ms)
        except (InvalidTransaction, ContractRefusal) as error:
            return refusal_of(transaction, error), None
        return Admission(transaction_id=transaction.id, code="", detail=""), transaction

    def take_body(self, wire: bytes, now: Now, wanted: AbstractSet[Hash]) -> Transaction | None:
        """Takes a peer's transaction.

        Args:
            wire: untrusted bytes.
            now: both clocks.
            wanted: ids that a proposal in judgement lacks; these need no room in the pool.

        Returns:
            The transaction where it was wanted, else None: it is in the pool, or was known.

        Raises:
            InvalidTransaction: no block may hold it, or there is no room.
        """
        parent = self._workshop.parent
        transaction = parse_for_chain(wire, chain_id=self._workshop.chain_id, parent=parent)
        is_wanted = transaction.id in wanted
        if self._pool.holds(transaction.id):
            return None
        if not is_wanted:
            if self._workshop.store.holds(transaction.id):
                return None
            check_time(transaction, parent=parent, wall_ms=now.wall_ms)
            check_work(transaction, parent=parent, contracts=self._workshop.contracts)
        check_signature(transaction, self._scheme)
        if is_wanted:
            return transaction
        self._pool.add(transaction, now.monotonic_ms)
        return None

    def _refuse_known(self, transaction: Transaction) -> None:
        is_pending = self._pool.holds(transaction.id)
        if is_pending or self._workshop.store.holds(transaction.id):
            raise InvalidTransaction(
                "DUPLICATE",
                f"transaction {transaction.id.hex()}: already pending or committed; ask for its "
                "status instead of sending it again",
            )
