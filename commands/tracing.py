"""From readings to the genesis: transaction, block and certificate, checked on this machine."""

from typing import TYPE_CHECKING, Any

from chain.crypto import ED25519
from chain.proof import InclusionProof, verify_receipt_proof, verify_transaction_proof
from chain.receipt import Receipt
from chain.transaction import Transaction
from client.errors import MalformedAnswer
from commands.output import fail, time_text
from node.genesis_file import load_genesis

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient
    from node.provisioning import Network


def trace_transaction(
    client: "SyncTanlianClient", network: "Network | None", text: str
) -> dict[str, Any]:
    """Fetches the proofs of a transaction and its receipt, and checks them.

    Args:
        client: any node; it need not be trusted.
        network: its genesis is what is trusted.
        text: transaction id, hexadecimal.

    Returns:
        What is proven, by name.

    Raises:
        CommandFailed: no id, or no network to trust.
        ChainError: a proof does not hold.
        RpcProblem: the node knows no such transaction in a block.
    """
    try:
        transaction_id = bytes.fromhex(text)
    except ValueError:
        transaction_id = b""
    if len(transaction_id) != 32:
        fail(f"transaction id: expected 64 hexadecimal digits, got {text!a}")
    if network is None:
        fail("--network: expected a network whose genesis is trusted, got only a URL")
    genesis = load_genesis(network.genesis_path)
    document = client.transaction_proof(transaction_id)
    transaction = Transaction.parse(_bytes(document, "transaction"))
    receipt = Receipt.decode(_bytes(document, "receipt"))
    in_block = InclusionProof.decode(_canonical(document, "transaction_proof"))
    of_receipt = InclusionProof.decode(_canonical(document, "receipt_proof"))
    if transaction.id != transaction_id:
        raise MalformedAnswer("transaction: expected the one that was asked for, got another")
    verify_transaction_proof(in_block, transaction_id, genesis=genesis, scheme=ED25519)
    verify_receipt_proof(of_receipt, receipt, genesis=genesis, scheme=ED25519)
    header, certificate = in_block.header, in_block.certificate
    names = [member.node_id for member in genesis.members]
    return {
        "transaction": transaction_id.hex(),
        "method": transaction.payload.method,
        "sender": transaction.payload.sender.hex(),
        "receipt": receipt.status.name,
        "block": header.height,
        "block_time": time_text(header.time_ms),
        "block_hash": header.hash.hex(),
        "certificate": f"{len(certificate.signatures)} of {genesis.validator_set().count} "
        "validators signed",
        "genesis": genesis.chain_id.hex(),
        "nodes_of_genesis": ", ".join(names),
        "proof": "holds",
    }


def _bytes(document: dict[str, Any], name: str) -> bytes:
    value = document.get(name)
    if not isinstance(value, str):
        raise MalformedAnswer(f"{name}: expected hexadecimal text, got {value!r:.60}")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise MalformedAnswer(f"{name}: expected hexadecimal text, got {value!r:.60}") from None


def _canonical(document: dict[str, Any], name: str) -> bytes:
    proof = document.get(name)
    if not isinstance(proof, dict):
        raise MalformedAnswer(f"{name}: expected an object, got {proof!r:.60}")
    return _bytes(proof, "canonical")
