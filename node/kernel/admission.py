"""Which transactions enter the pool: each check once, the cheap ones first.

From a client everything is checked that can be known before execution, so that the answer is a
clear error instead of a failed receipt later. From a peer only what no valid block may break is
checked: accounts are the business of execution, and a peer may know a newer head than this node.
The signature comes last because it costs a hundred times as much as all the rest.
"""

from chain.crypto import SignatureScheme
from chain.errors import ContractRefusal, DecodeError, InvalidTransaction
from chain.transaction import Transaction, check_window
from chain.types import Hash, Milliseconds
from node.kernel.candidates import Parent
from node.kernel.contracts_port import NodeContracts
from node.kernel.effects import Admission


def parse_for_chain(wire: bytes, *, chain_id: Hash, parent: Parent) -> Transaction:
    """Checks size, canonical form and chain of untrusted bytes.

    Raises:
        InvalidTransaction: TRANSACTION_TOO_LARGE, MALFORMED_TRANSACTION or WRONG_CHAIN.
    """
    limit = parent.parameters.transaction_bytes_max
    if len(wire) > limit:
        raise InvalidTransaction(
            "TRANSACTION_TOO_LARGE",
            f"transaction: expected at most {limit} bytes, got {len(wire)}; split the batch",
        )
    try:
        transaction = Transaction.parse(wire)
    except DecodeError as error:
        raise InvalidTransaction("MALFORMED_TRANSACTION", str(error)) from error
    if transaction.payload.chain_id != chain_id:
        raise InvalidTransaction(
            "WRONG_CHAIN",
            f"chain_id: expected {chain_id.hex()}, got {transaction.payload.chain_id.hex()}; "
            "the transaction was signed for another network",
        )
    return transaction


def check_time(transaction: Transaction, *, parent: Parent, wall_ms: Milliseconds) -> None:
    """Checks that the next block may hold the transaction.

    Raises:
        InvalidTransaction: TRANSACTION_EXPIRED or TRANSACTION_LIFETIME.
    """
    # On a quiet chain the head is old; the next block's parent may then be a heartbeat to come.
    check_window(
        transaction.payload,
        parent_time_ms=max(parent.time_ms, wall_ms),
        time_ms=parent.time_ms + 1,
        lifetime_max_ms=parent.parameters.transaction_lifetime_max_ms,
    )


def check_work(transaction: Transaction, *, parent: Parent, contracts: NodeContracts) -> None:
    """Checks that some block may hold the transaction.

    One that fits into no block would wait for ever as work that no primary can do, and drive out
    one after another.

    Raises:
        InvalidTransaction: TRANSACTION_TOO_LARGE.
    """
    work, limit = contracts.work_of(transaction), parent.parameters.block_readings_max
    if work > limit:
        raise InvalidTransaction(
            "TRANSACTION_TOO_LARGE",
            f"transaction: expected at most {limit} units of work, one for itself and one for "
            f"each reading, got {work}; split the batch",
        )


def invalid_signature(transaction: Transaction) -> InvalidTransaction:
    """Returns what to say of a transaction that its sender did not sign."""
    return InvalidTransaction(
        "INVALID_SIGNATURE",
        f"signature: expected one of key {transaction.payload.sender.hex()} over this "
        "payload, got another; sign the exact payload bytes",
    )


def check_signature(transaction: Transaction, scheme: SignatureScheme) -> None:
    """Checks the sender's signature.

    Raises:
        InvalidTransaction: INVALID_SIGNATURE.
    """
    if not transaction.is_signed(scheme):
        raise invalid_signature(transaction)


def refusal_of(
    transaction: Transaction | None, error: InvalidTransaction | ContractRefusal
) -> Admission:
    """Returns the answer for a transaction that was not taken."""
    return Admission(
        transaction_id=None if transaction is None else transaction.id,
        code=error.code,
        detail=error.detail if isinstance(error, ContractRefusal) else str(error),
    )
