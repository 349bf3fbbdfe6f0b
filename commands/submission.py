"""Sending one transaction for a person: wait for the block, then show the receipt."""

from typing import TYPE_CHECKING, Any

from commands.output import print_fields, print_json, time_text

if TYPE_CHECKING:
    from chain.codec import Record
    from client.synchronous import SyncTanlianClient


def submit_and_print(
    client: "SyncTanlianClient", method: str, arguments: "Record", *, as_json: bool
) -> dict[str, Any]:
    """Signs, submits, waits until the transaction is in a block, and prints its receipt.

    Returns:
        What the node tells of the transaction.

    Raises:
        TransactionError: it was refused, failed or expired; says why.
    """
    outcome = client.submit_and_wait(method, arguments)
    document: dict[str, Any] = client.transaction(outcome.transaction_id)
    if as_json:
        print_json(document)
    else:
        print_receipt(document)
    return document


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
