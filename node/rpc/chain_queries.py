"""Reading the chain itself: transactions, blocks, the node's status, accounts and proofs."""

from typing import TypeVar

from aiohttp import web

from chain.codec import Record
from chain.proof import InclusionProof, prove_receipt, prove_transaction
from chain.receipt import Receipt
from chain.transaction import Transaction
from chain.types import Hash
from contracts.account import Account, account_key
from node.ports import Location
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import parse_bytes, parse_hash, parse_integer
from node.rpc.presentation import (
    add_member,
    present,
    present_block,
    present_certificate,
    present_header,
    present_object,
    present_placed_receipt,
    present_transaction,
)
from node.rpc.problems import unknown
from node.rpc.strict_json import Json

RecordT = TypeVar("RecordT", bound=Record)


async def transaction(context: RpcContext, request: web.Request) -> web.Response:
    """Tells what became of a transaction: unknown, pending, committed, failed or expired."""
    transaction_id = parse_hash(request.match_info["id"], "id")
    valid_until_text = request.query.get("valid_until_ms")
    valid_until_ms = (
        None if valid_until_text is None else parse_integer(valid_until_text, "valid_until_ms")
    )
    # In this order: what leaves the pool on commit is then found in its block.
    is_pending = context.service.pending(transaction_id)
    document = await context.read(_transaction_document, context, transaction_id, valid_until_ms)
    if document["state"] == "unknown" and is_pending:
        document["state"] = "pending"
    return answer(document)


def _transaction_document(
    context: RpcContext, transaction_id: Hash, valid_until_ms: int | None
) -> dict[str, Json]:
    head = context.store.head()
    location = context.store.locate(transaction_id)
    if location is not None:
        return _placed(context, location)
    # The next block is later than the head; so nothing that ends by the head's time can come.
    is_over = head is not None and valid_until_ms is not None and head[0].time_ms >= valid_until_ms
    return {"id": transaction_id.hex(), "state": "expired" if is_over else "unknown"}


def _placed(context: RpcContext, location: Location) -> dict[str, Json]:
    block = context.store.block(location.height)
    assert block is not None, "a located transaction stands in a block"
    encoded = context.store.encoded_receipts(location.height)
    found = Transaction.parse(block.transactions[location.position])
    document = present_placed_receipt(
        Receipt.decode(encoded[location.position]),
        height=location.height,
        position=location.position,
        time_ms=block.header.time_ms,
        method=found.payload.method,
    )
    document["transaction"] = present_transaction(found)
    return document


async def block(context: RpcContext, request: web.Request) -> web.Response:
    """Shows a block with its transactions, receipts and certificate."""
    text = request.match_info["height"]
    height = None if text == "latest" else parse_integer(text, "height")
    return answer(await context.read(_block_document, context, height))


def _block_document(context: RpcContext, height: int | None) -> dict[str, Json]:
    if height is None:
        head = context.store.head()
        height = 0 if head is None else head[0].height
    found = context.store.block(height)
    if found is None:
        raise unknown("UNKNOWN_BLOCK", "height", str(height))
    return {
        **present_block(found, context.store.receipts(height)),
        **_certified(found.header.encode(), found.certificate.encode()),
    }


async def status(context: RpcContext, _request: web.Request) -> web.Response:
    """Shows the node's state at this moment."""
    return answer(present(context.service.status()))


async def genesis(context: RpcContext, _request: web.Request) -> web.Response:
    """Shows the founding record, for people and in its canonical bytes."""
    record = context.service.genesis
    return answer(
        {
            "chain_id": record.chain_id.hex(),
            "genesis": present(record),
            "canonical": record.encode().hex(),
        }
    )


async def account(context: RpcContext, request: web.Request) -> web.Response:
    """Shows an account by its public key."""
    public_key = parse_hash(request.match_info["key"], "key")
    found = await context.read(read_record, context, Account, account_key(public_key))
    if found is None:
        raise unknown("UNKNOWN_ACCOUNT", "key", public_key.hex())
    return answer(present(found))


def read_record(context: RpcContext, cls: type[RecordT], key: bytes) -> RecordT | None:
    """Returns the committed record under a state key, or None."""
    stored = context.store.get(key)
    return None if stored is None else cls.decode(stored)


async def state_proof(context: RpcContext, request: web.Request) -> web.Response:
    """Proves the value of a state key, or its absence, at the newest block."""
    key = parse_bytes(request.match_info["key"], "key")
    proven = await context.read(context.prover.prove, key)
    return answer(
        {
            "key": key.hex(),
            "value": present(proven.value),
            "proof": present(proven.proof),
            "canonical_proof": proven.proof.encode().hex(),
            **_certified(proven.header.encode(), proven.certificate.encode()),
            "header": present_header(proven.header),
            "certificate": present_certificate(proven.certificate),
        }
    )


async def transaction_proof(context: RpcContext, request: web.Request) -> web.Response:
    """Proves that a final block holds a transaction and its receipt."""
    transaction_id = parse_hash(request.match_info["id"], "id")
    return answer(await context.read(_proof_document, context, transaction_id))


def _proof_document(context: RpcContext, transaction_id: Hash) -> dict[str, Json]:
    location = context.store.locate(transaction_id)
    if location is None:
        raise unknown("UNKNOWN_TRANSACTION", "id", transaction_id.hex())
    found = context.store.block(location.height)
    assert found is not None, "a located transaction stands in a block"
    encoded_receipts = context.store.encoded_receipts(location.height)
    ids = [each.id for each in found.parse_transactions()]
    in_block = prove_transaction(found.header, found.certificate, ids, location.position)
    of_receipt = prove_receipt(found.header, found.certificate, encoded_receipts, location.position)
    document: dict[str, Json] = {
        "id": transaction_id.hex(),
        "transaction": found.transactions[location.position].hex(),
        "receipt": encoded_receipts[location.position].hex(),
        "transaction_proof": _inclusion(in_block),
        "receipt_proof": _inclusion(of_receipt),
        "header": present_header(found.header),
        "certificate": present_certificate(found.certificate),
    }
    add_member(document, "time_ms", found.header.time_ms)
    return document


def _inclusion(proof: InclusionProof) -> dict[str, Json]:
    members = present_object(proof)
    return {
        "index": members["index"],
        "path": members["path"],
        "canonical": proof.encode().hex(),
    }


def _certified(header: bytes, certificate: bytes) -> dict[str, Json]:
    return {"canonical_header": header.hex(), "canonical_certificate": certificate.hex()}
