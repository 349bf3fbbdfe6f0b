"""Blocks from peers: what a peer can forge costs it its credit and never halts the node."""

from dataclasses import replace

import pytest

from chain.transaction import SignedPayload
from consensus.effects import Persist, ReportFault
from consensus.messages import MESSAGES, Blocks
from node.kernel.effects import StoreBlock
from node.kernel.events import PayloadReceived
from tests import chain_samples as samples
from tests.kernel_samples import LoneNode, NodeNotes, note

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


def test_after_a_certified_block_that_cannot_be_executed_nothing_is_signed_or_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = LoneNode()
    elsewhere.submit(note(elsewhere.genesis, 1))
    elsewhere.submit(note(elsewhere.genesis, 2))
    blocks = [elsewhere.store.block(height) for height in (1, 2)]
    node = LoneNode()
    with monkeypatch.context() as broken:
        broken.setattr(NodeNotes, "begin_block", None)
        receive(node, LIAR, Blocks(blocks=tuple(each for each in blocks[:1] if each)))
    (reason,) = node.halts
    assert "certified block 1" in reason
    assert node.kernel.halt_reason == reason
    node.effects.clear()

    receive(node, LIAR, Blocks(blocks=tuple(each for each in blocks if each)))
    node.submit(note(node.genesis, 3))
    node.tick(120_000)

    assert not [each for each in node.effects if isinstance(each, Persist | StoreBlock)]
    assert node.store.head_height() == 0
