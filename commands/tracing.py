"""From readings to the genesis: transaction, block and certificate, checked on this machine."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chain.crypto import ED25519
from chain.proof import InclusionProof, verify_receipt_proof, verify_transaction_proof
from chain.receipt import Receipt, Status
from chain.transaction import Transaction
from client.errors import MalformedAnswer
from commands.input_file import read_genesis
from commands.output import fail, time_text
from commands.registry import meter_of, page_intervals
from contracts.deviation.clock import interval_start_of
from contracts.meter import Meter
from contracts.reading import SubmitReadings, SubmitResult
from contracts.reading_page import page_start

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
    genesis = read_genesis(network.genesis_path)
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
        **_traced(client, transaction, receipt, transaction_id),
        "block": header.height,
        "block_time": time_text(header.time_ms),
        "block_hash": header.hash.hex(),
        "certificate": f"{len(certificate.signatures)} of {genesis.validator_set().count} "
        "validators signed",
        "genesis": genesis.chain_id.hex(),
        "nodes_of_genesis": ", ".join(names),
        "proof": "holds",
    }


def _traced(
    client: "SyncTanlianClient", transaction: Transaction, receipt: Receipt, transaction_id: bytes
) -> dict[str, Any]:
    """Returns what a transaction asked for, and of readings what became of them since."""
    members: dict[str, Any] = {
        "transaction": transaction_id.hex(),
        "method": transaction.payload.method,
        "sender": transaction.payload.sender.hex(),
        "receipt": receipt.status.name,
    }
    if transaction.payload.method != "readings.submit" or receipt.status is not Status.OK:
        return members
    arguments = SubmitReadings.decode(transaction.payload.arguments)
    result = SubmitResult.decode(receipt.result)
    meter = meter_of(client, arguments.meter_id)
    counts = Counter(outcome.name.lower() for outcome in result.outcomes)
    first, last = arguments.readings[0].stamp_ms, arguments.readings[-1].stamp_ms
    span = f"{time_text(first)} to {time_text(last)}"
    members["readings"] = f"{len(arguments.readings)} of {meter.meter_id}, stamped {span}"
    members["outcomes"] = ", ".join(f"{count} {name}" for name, count in counts.items())
    members["root_of_readings"] = result.root.hex()
    members["corrected_since"] = "; ".join(_corrected(client, meter, arguments)) or "none"
    return members


def _corrected(
    client: "SyncTanlianClient", meter: Meter, arguments: SubmitReadings
) -> Iterator[str]:
    """Yields each interval of the readings for which something else counts by now."""
    starts = [interval_start_of(meter, reading.stamp_ms) for reading in arguments.readings]
    known = sorted({start_ms for start_ms in starts if start_ms is not None})
    for page_ms in dict.fromkeys(page_start(meter.interval_ms, start_ms) for start_ms in known):
        for each in page_intervals(client, meter, page_ms):
            if each.in_force is not None and each.start_ms in known:
                yield (
                    f"{time_text(each.start_ms)} counts {each.effective_amount} by correction "
                    f"{each.in_force.number}"
                )


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
