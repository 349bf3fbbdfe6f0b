"""Records as JSON for people and their programs: one set of rules, in one place.

* byte strings are lower-case hexadecimal;
* enumerations are their names;
* a moment (``*_ms``) is followed by the same moment in ISO 8601 (``*_utc``);
* integers beyond 2**53 are decimal strings, because JavaScript would round them;
* members stand in the order of the record's fields.

Bytes that are themselves a record (arguments of a transaction, content of an event) are decoded
where :mod:`node.rpc.record_kinds` knows the class, and stay hexadecimal otherwise.
"""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from chain.block import CertifiedBlock, Header
from chain.certificate import CommitCertificate
from chain.codec import Record
from chain.errors import DecodeError
from chain.receipt import Event, Receipt, Status
from chain.transaction import Transaction
from node.rpc.record_kinds import argument_record_of, event_record_of, result_record_of
from node.rpc.strict_json import Json

SAFE_INTEGER_MAX: Final = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly (RFC 8259, 6)."""
MOMENT_MS_MIN: Final = 10**11
"""1973-03-03. A smaller number of milliseconds is a span (three years are 0.95 * 10**11)."""
_MOMENT_MS_MAX: Final = 253_402_300_799_999
"""The last moment that ISO 8601 writes with four digits of a year."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def present(value: object) -> Json:
    """Returns a record, or anything that fields hold, as JSON."""
    match value:
        case None | bool() | str():
            return value
        case Enum():
            return value.name
        case int():
            return value if abs(value) <= SAFE_INTEGER_MAX else str(value)
        case bytes():
            return value.hex()
        case tuple() | list():
            return [present(element) for element in value]
        case _:
            assert is_dataclass(value), f"no presentation of a {type(value).__name__}"
            members: dict[str, Json] = {}
            for field in fields(value):
                add_member(members, field.name, getattr(value, field.name))
            return members


def present_object(value: object) -> dict[str, Json]:
    """Returns a record as a JSON object, for adding members to it."""
    members = present(value)
    assert isinstance(members, dict), "records are objects"
    return members


def add_member(members: dict[str, Json], name: str, value: object) -> None:
    """Adds a member, and for a moment its ISO 8601 form beside it."""
    members[name] = present(value)
    if name.endswith("_ms") and type(value) is int and MOMENT_MS_MIN <= value <= _MOMENT_MS_MAX:
        members[f"{name.removesuffix('_ms')}_utc"] = iso_utc(value)


def iso_utc(time_ms: int) -> str:
    """Returns a moment such as ``2026-03-01T12:00:00.250Z``."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def present_header(header: Header) -> dict[str, Json]:
    """Returns a header with its hash."""
    return {"hash": header.hash.hex(), **present_object(header)}


def present_certificate(certificate: CommitCertificate) -> dict[str, Json]:
    """Returns a commit certificate; signers are indexes of the validator set of its height."""
    members = present_object(certificate)
    members["signatures"] = [
        {"signer": signer, "signature": signature.hex()}
        for signer, signature in certificate.signatures
    ]
    return members


def present_block(block: CertifiedBlock, receipts: tuple[Receipt, ...]) -> dict[str, Json]:
    """Returns a block with its transactions, each beside its receipt, and its own events."""
    transactions = block.parse_transactions()
    return {
        "header": present_header(block.header),
        "certificate": present_certificate(block.certificate),
        "transactions": [
            {
                **present_transaction(transaction),
                "receipt": present_receipt(receipt, transaction.payload.method),
            }
            for transaction, receipt in zip(transactions, receipts[:-1], strict=True)
        ],
        "block_events": [present_event(event) for event in receipts[-1].events],
    }


def present_transaction(transaction: Transaction) -> dict[str, Json]:
    """Returns a transaction with its arguments by name."""
    payload = transaction.payload
    members: dict[str, Json] = {"id": transaction.id.hex()}
    for name in ("sender", "method", "nonce", "valid_until_ms"):
        add_member(members, name, getattr(payload, name))
    members["arguments"] = _present_encoded(payload.arguments, argument_record_of(payload.method))
    members["signature"] = transaction.signature.hex()
    return members


def present_receipt(receipt: Receipt, method: str = "") -> dict[str, Json]:
    """Returns what a transaction did; its result by name where its method is given and known."""
    members: dict[str, Json] = {"status": receipt.status.name}
    if receipt.status is not Status.OK:
        members |= {"code": receipt.code, "detail": receipt.detail}
    members["result"] = _present_encoded(receipt.result, result_record_of(method))
    members["events"] = [present_event(event) for event in receipt.events]
    return members


def present_event(event: Event) -> dict[str, Json]:
    """Returns an event with its content by name."""
    return {
        "kind": event.kind,
        "subject": event.subject,
        "content": _present_encoded(event.content, event_record_of(event.kind)),
    }


def outcome_of(receipt: Receipt) -> str:
    """Returns the word for a transaction that stands in a block: committed or failed."""
    return "committed" if receipt.status is Status.OK else "failed"


def present_placed_receipt(
    receipt: Receipt, *, height: int, position: int, time_ms: int, method: str = ""
) -> dict[str, Json]:
    """Returns a transaction's final outcome with its place and block time.

    Args:
        receipt: not the block's own.
        height: of the block.
        position: within the block; that of the one that took effect where there are more.
        time_ms: block time.
        method: decodes the result; empty leaves it hexadecimal.
    """
    members: dict[str, Json] = {
        "id": receipt.transaction_id.hex(),
        "state": outcome_of(receipt),
        "height": height,
        "position": position,
    }
    add_member(members, "time_ms", time_ms)
    members["receipt"] = present_receipt(receipt, method)
    return members


def _present_encoded(encoded: bytes, record: type[Record] | None) -> Json:
    if record is None:
        return encoded.hex()
    try:
        return present(record.decode(encoded))
    except DecodeError:
        # Arguments that broke their schema are in a block too, with a failed receipt.
        return encoded.hex()
