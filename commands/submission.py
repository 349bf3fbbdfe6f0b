"""Sending one transaction for a person: wait for the block, then show the receipt."""

import time
from typing import TYPE_CHECKING, Any, Final

from commands.output import fail, print_fields, print_json, time_text

if TYPE_CHECKING:
    from chain.codec import Record
    from client.outcome import Outcome
    from client.synchronous import SyncTanlianClient


BEHIND_MAX_S: Final = 30.0
"""A node that is further behind than this is of no use."""
_ASK_AGAIN_S: Final = 0.05


def submit(client: "SyncTanlianClient", method: str, arguments: "Record") -> "Outcome":
    """Signs, submits and waits until the transaction is in a block.

    Raises:
        TransactionError: it was refused, failed or expired; says why.
        CommandFailed: somebody pressed Ctrl-C, when it was on its way already.
    """
    transaction = client.sign(method, arguments)
    try:
        return client.send_and_wait(transaction)
    except KeyboardInterrupt:
        fail(
            f"stopped waiting for transaction {transaction.id.hex()}; {still_open(transaction.id)}"
        )


def still_open(transaction_id: bytes) -> str:
    """Returns what to do about a transaction of which nobody knows yet what becomes of it."""
    return (
        f"it may be committed yet: ask with `tanlian reading trace {transaction_id.hex()}` before "
        "you give the command again"
    )


def submit_and_print(
    client: "SyncTanlianClient", method: str, arguments: "Record", *, as_json: bool
) -> dict[str, Any]:
    """Signs, submits, waits until the transaction is in a block, and prints its receipt.

    Returns:
        What the node tells of the transaction.

    Raises:
        TransactionError: it was refused, failed or expired; says why.
    """
    outcome = submit(client, method, arguments)
    document = committed_transaction(client, outcome.transaction_id)
    if as_json:
        print_json(document)
    else:
        print_receipt(document)
    return document


def committed_transaction(client: "SyncTanlianClient", transaction_id: bytes) -> dict[str, Any]:
    """Returns a transaction that is known to be final, with its place and receipt.

    The node that is asked may be a moment behind the one that told so.

    Raises:
        CommandFailed: no node has its block in time.
    """
    deadline_s = time.monotonic() + BEHIND_MAX_S
    while True:
        document: dict[str, Any] = client.transaction(transaction_id)
        if "receipt" in document:
            return document
        if time.monotonic() > deadline_s:
            fail(
                f"transaction {transaction_id.hex()}: expected its receipt, because it is "
                f"committed, got {document['state']}; ask again with `tanlian reading trace`"
            )
        time.sleep(_ASK_AGAIN_S)


def print_receipt(document: dict[str, Any]) -> None:
    """Prints what became of a transaction that is in a block."""
    receipt = document["receipt"]
    events = [f"{event['kind']} {event['subject']}" for event in receipt["events"]]
    place = f"{document['height']}, position {document['position']}"
    print_fields(
        [
            (document["state"], f"transaction {document['id']}"),
            ("block", f"{place}, {time_text(document['time_ms'])}"),
            ("events", "; ".join(events) or "none"),
        ]
    )
