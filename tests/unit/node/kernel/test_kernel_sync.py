"""Blocks from peers: what a peer can forge costs it its credit and never halts the node."""

from dataclasses import replace

from chain.transaction import SignedPayload
from consensus.effects import ReportFault
from consensus.messages import MESSAGES, Blocks
from node.kernel.events import PayloadReceived
from tests import chain_samples as samples
from tests.kernel_samples import LoneNode, note

LIAR = samples.SIGNERS[1].public_key
HONEST = samples.SIGNERS[0].public_key


def receive(node: LoneNode, peer: bytes, blocks: Blocks) -> None:
    node.step(PayloadReceived(peer=peer, payload=MESSAGES.encode(blocks)))


def test_a_forged_signature_in_a_certified_block_is_the_peers_fault_and_the_next_one_suffices() -> (
    None
):
    validator = LoneNode()
    validator.submit(note(validator.genesis, 1))
    good = validator.store.block(1)
    assert good is not None
    payload = SignedPayload.decode(good.transactions[0]).payload
    forged = SignedPayload(payload=payload, signature=bytes(64)).encode()
    observer = LoneNode(signer=None)

    receive(observer, LIAR, Blocks(blocks=(replace(good, transactions=(forged,)),)))

    assert observer.halts == []
    assert observer.store.head_height() == 0
    assert [each.peer for each in observer.effects if isinstance(each, ReportFault)] == [LIAR]

    receive(observer, HONEST, Blocks(blocks=(good,)))

    assert observer.store.block(1) == good


def test_a_body_that_waits_in_the_pool_does_not_excuse_a_forged_signature() -> None:
    validator = LoneNode()
    sent = note(validator.genesis, 1)
    validator.submit(sent)
    good = validator.store.block(1)
    assert good is not None
    forged = SignedPayload(
        payload=SignedPayload.decode(sent.wire).payload, signature=bytes(64)
    ).encode()
    observer = LoneNode(signer=None)
    observer.submit(sent)

    receive(observer, LIAR, Blocks(blocks=(replace(good, transactions=(forged,)),)))

    assert observer.store.head_height() == 0
    assert observer.halts == []
