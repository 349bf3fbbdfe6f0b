"""Catching up: claims cause requests, proof moves the node, liars are reported and passed over."""

from dataclasses import replace

import pytest

from chain.block import CertifiedBlock
from chain.transaction import SignedPayload
from chain.validator_set import ValidatorSet
from consensus.effects import CommitBlock, Send
from consensus.events import MessageReceived
from consensus.messages import (
    Blocks,
    BlocksRequest,
    Certified,
    Commit,
    LeaveReason,
    Message,
    Prepare,
    Status,
)
from consensus.state import PEERS_MAX
from tests.unit.consensus.cluster import Cluster, Envelope
from tests.unit.consensus.forgery import certificate, commit, header, pre_prepare, sent
from tests.unit.consensus.toy_chain import Node, transaction


def status(height: int) -> Status:
    return Status(height=height, view=0, head_hash=bytes(32), leave_reason=LeaveReason.NONE)


def late_joiner(blocks: int = 5) -> Cluster:
    """Validator 0 is new at genesis; the others have committed some blocks without it."""
    cluster = Cluster(4).start()
    cluster.crash(0)
    for number in range(blocks):
        cluster.submit(f"note {number}", to=(1, 2, 3))
        cluster.run()
    assert cluster.heights == [0, blocks, blocks, blocks]
    cluster.nodes[0].is_down = False
    return cluster


def requests(node: Node) -> list[tuple[bytes, BlocksRequest]]:
    return [
        (effect.peer, effect.message)
        for effect in node.effects
        if isinstance(effect, Send) and isinstance(effect.message, BlocksRequest)
    ]


@pytest.mark.parametrize("blocks", [1, 2, 70])
def test_a_node_that_was_away_catches_up(blocks: int) -> None:
    cluster = late_joiner(blocks)

    cluster.restart(0)
    cluster.advance(1_500)

    assert cluster.heights == [blocks] * 4
    assert cluster.nodes[0].hashes == cluster.nodes[1].hashes


def test_a_claimed_height_causes_a_request_and_nothing_else() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]

    cluster.drop = lambda _: True
    cluster.deliver(2, 0, status(1_000_000))

    assert [peer for peer, _ in requests(node)] == [cluster.nodes[2].key]
    assert not node.replica.is_syncing
    assert node.replica.height == 1
    cluster.drop = lambda _: False
    cluster.submit("a")
    cluster.run()
    assert len(sent(node, Prepare)) == 1


def test_a_peer_one_height_ahead_is_given_time_before_blocks_are_asked_for() -> None:
    cluster = Cluster(4).start().run()

    cluster.deliver(2, 0, status(2))

    assert requests(cluster.nodes[0]) == []


def test_a_verified_certificate_far_ahead_stops_voting_until_it_is_reached() -> None:
    cluster = late_joiner(3)
    node = cluster.nodes[0]
    proof = cluster.nodes[1].blocks[2].certificate
    cluster.drop = lambda e: e.sender == 0 or e.receiver == 0
    cluster.restart(0)

    cluster.deliver(1, 0, Certified(certificate=proof))

    assert node.replica.is_syncing
    body = transaction("note 0")
    node.pool[body.id] = body.wire
    block = cluster.nodes[1].blocks[0].header
    cluster.deliver(1, 0, pre_prepare(cluster, 1, block, "note 0"))
    assert sent(node, Prepare) == []

    cluster.drop = lambda _: False
    cluster.advance(5_000)
    assert cluster.heights == [3, 3, 3, 3]
    assert not node.replica.is_syncing


def test_a_forged_certificate_far_ahead_is_a_claim_and_no_more() -> None:
    cluster = Cluster(4).start().run()
    forged = certificate(cluster, bytes(32), [1, 2], height=9)

    cluster.deliver(2, 0, Certified(certificate=forged))

    assert not cluster.nodes[0].replica.is_syncing
    assert [peer for peer, _ in requests(cluster.nodes[0])] == [cluster.nodes[2].key]


def test_a_forged_certificate_of_this_height_is_reported() -> None:
    cluster = Cluster(4).start().run()
    too_few = certificate(cluster, bytes(32), [1, 2])

    cluster.deliver(2, 0, Certified(certificate=too_few))

    assert cluster.nodes[0].faults == ["certificate has 2 votes, needs 3"]


class Liar:
    """Answers requests for blocks with something else than what is there."""

    def __init__(self, cluster: Cluster, liars: tuple[int, ...], answer: Blocks) -> None:
        self.cluster = cluster
        self.liars = liars
        self.answer = answer
        cluster.drop = self

    def __call__(self, envelope: Envelope) -> bool:
        message: Message = envelope.message
        if isinstance(message, BlocksRequest) and envelope.receiver in self.liars:
            self.cluster.queue.append(
                Envelope(sender=envelope.receiver, receiver=envelope.sender, message=self.answer)
            )
            return True
        return False


def forgeries(cluster: Cluster) -> dict[str, CertifiedBlock]:
    good, second = cluster.nodes[1].blocks[:2]
    few = replace(good.certificate, signatures=good.certificate.signatures[:2])
    bad_signatures = tuple((signer, bytes(64)) for signer, _ in good.certificate.signatures)
    signed = SignedPayload.decode(good.transactions[0])
    # The id leaves the signature out, so roots and certificate are those of the good block.
    forged = SignedPayload(payload=signed.payload, signature=bytes(64)).encode()
    return {
        "a body whose signature is forged": replace(good, transactions=(forged,)),
        "too few votes": replace(good, certificate=few),
        "bad signatures": replace(
            good, certificate=replace(good.certificate, signatures=bad_signatures)
        ),
        "certificate of another block": replace(good, certificate=second.certificate),
        "another header": replace(good, header=replace(good.header, time_ms=7)),
        "other bodies": replace(good, transactions=(transaction("x").wire,)),
        "no bodies": replace(good, transactions=()),
        "bodies that are none": replace(good, transactions=(b"\xc1",)),
        "another chain": replace(good, header=replace(good.header, chain_id=bytes(32))),
        "another parent": replace(good, header=replace(good.header, parent_hash=bytes(32))),
        "another set": replace(good, header=replace(good.header, validator_set_hash=bytes(32))),
        "another height": second,
    }


@pytest.mark.parametrize("name", sorted(forgeries(late_joiner())))
def test_a_peer_that_sends_a_bad_block_is_reported_and_an_honest_one_suffices(name: str) -> None:
    cluster = late_joiner()
    Liar(cluster, (2, 3), Blocks(blocks=(forgeries(cluster)[name],)))

    cluster.restart(0)
    cluster.advance(10_000)

    assert cluster.heights == [5, 5, 5, 5]
    assert cluster.nodes[0].hashes == cluster.nodes[1].hashes


def test_a_body_with_a_forged_signature_is_a_bad_block_although_every_root_agrees() -> None:
    cluster = late_joiner()
    cluster.drop = lambda e: e.receiver == 0
    cluster.restart(0)
    bad = forgeries(cluster)["a body whose signature is forged"]

    cluster.deliver(2, 0, Blocks(blocks=(bad,)))

    (fault,) = cluster.nodes[0].faults
    transaction_id = transaction("note 0").id.hex()
    assert fault == (
        f"block at height 1: transaction {transaction_id}: expected a signature of its sender, "
        "got another"
    )
    assert cluster.heights[0] == 0


def test_a_bad_block_names_the_peer_and_the_fault() -> None:
    cluster = late_joiner()
    cluster.drop = lambda e: e.receiver == 0
    cluster.restart(0)
    bad = replace(cluster.nodes[1].blocks[0], transactions=())

    cluster.deliver(2, 0, Blocks(blocks=(bad,)))

    (fault,) = cluster.nodes[0].faults
    assert fault == "block at height 1: transaction_count: expected 0, got 1"
    assert cluster.heights[0] == 0


def test_a_peer_that_claims_a_height_and_has_no_blocks_is_reported_and_another_asked() -> None:
    cluster = late_joiner()
    Liar(cluster, (3,), Blocks(blocks=()))
    cluster.restart(0)

    cluster.deliver(3, 0, status(1_000_000))
    cluster.advance(2_000)

    assert "expected blocks from height 1 on as claimed, got none" in cluster.nodes[0].faults
    assert cluster.heights == [5, 5, 5, 5]


def test_a_peer_that_does_not_answer_is_passed_over_after_a_while() -> None:
    cluster = late_joiner()
    cluster.drop = lambda e: isinstance(e.message, BlocksRequest) and e.receiver == 3
    cluster.restart(0)

    cluster.deliver(3, 0, status(1_000_000))
    cluster.advance(6_000)

    assert cluster.heights == [5, 5, 5, 5]


def test_pushed_blocks_that_continue_the_chain_are_taken_and_others_ignored() -> None:
    cluster = late_joiner()
    blocks = tuple(cluster.nodes[1].blocks)
    cluster.drop = lambda e: 0 in (e.sender, e.receiver)
    cluster.restart(0)

    cluster.deliver(1, 0, Blocks(blocks=blocks[1:3]))
    assert cluster.heights[0] == 0
    cluster.deliver(1, 0, Blocks(blocks=blocks[:2]))
    assert cluster.heights[0] == 2
    cluster.deliver(1, 0, Blocks(blocks=blocks))

    assert cluster.heights[0] == 5
    assert cluster.nodes[0].faults == []


def test_blocks_commit_one_after_the_other() -> None:
    cluster = late_joiner()
    cluster.drop = lambda e: 0 in (e.sender, e.receiver)
    cluster.restart(0)

    cluster.deliver(1, 0, Blocks(blocks=tuple(cluster.nodes[1].blocks)))

    orders = [e for e in cluster.nodes[0].effects if isinstance(e, CommitBlock)]
    assert [order.header.height for order in orders] == [1, 2, 3, 4, 5]
    assert all(order.transactions is not None for order in orders)


def test_a_node_without_the_proposal_fetches_the_block_that_others_decided() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: e.receiver == 0 and not isinstance(e.message, Commit | Blocks)

    cluster.submit("a", to=(1, 2, 3))
    cluster.run()

    assert cluster.heights == [1, 1, 1, 1]


def test_a_late_message_is_answered_with_the_heads_certificate_once() -> None:
    cluster = Cluster(4).start()
    cluster.submit("a")
    cluster.run()
    node = cluster.nodes[0]
    node.effects.clear()
    node.replica._state.instance.answered.clear()
    late = commit(cluster, 3, node.hashes[0])

    cluster.deliver(3, 0, late)
    cluster.deliver(3, 0, late)

    assert [m.certificate for m in sent(node, Certified)] == [node.blocks[0].certificate]


def test_a_validator_set_change_takes_effect_at_the_next_height() -> None:
    cluster = Cluster(4, observers=1)
    five = ValidatorSet(keys=tuple(node.key for node in cluster.nodes))
    cluster.next_set[2] = five
    cluster.start()

    for name in ("a", "b", "c", "d"):
        cluster.submit(name)
        cluster.advance(1_000)

    assert cluster.heights == [4] * 5
    sizes = [len(block.certificate.signatures) for block in cluster.nodes[0].blocks]
    assert sizes == [3, 3, 4, 4]
    assert cluster.nodes[4].replica.is_validator


def test_a_node_catches_up_across_a_change_of_the_validator_set() -> None:
    cluster = late_joiner(1)
    cluster.next_set[2] = ValidatorSet(keys=cluster.genesis_validators.keys[::-1])
    for name in ("x", "y", "z"):
        cluster.submit(name, to=(1, 2, 3))
        cluster.run()

    cluster.restart(0)
    cluster.advance(2_000)

    assert cluster.heights == [4, 4, 4, 4]


def test_the_claims_of_no_more_than_a_bounded_number_of_peers_are_remembered() -> None:
    cluster = Cluster(4).start().run()
    peers = cluster.nodes[0].replica._state.peers
    known = len(peers)
    for number in range(PEERS_MAX - known):
        peers[number.to_bytes(32, "big")] = status(1)

    cluster.signers.append(cluster.signers[0].__class__("stranger"))
    cluster.deliver(4, 0, status(1))

    assert len(peers) == PEERS_MAX


def test_a_proposal_with_the_certified_hash_commits_without_votes() -> None:
    cluster = Cluster(4).start().run()
    block = header(cluster, 1, "a")
    body = transaction("a")
    cluster.nodes[0].pool[body.id] = body.wire
    cluster.drop = lambda _: True
    cluster.deliver(1, 0, pre_prepare(cluster, 1, block, "a"))

    cluster.deliver(3, 0, Certified(certificate=certificate(cluster, block.hash, [1, 2, 3])))

    assert cluster.heights[0] == 1


def test_an_answer_that_skips_a_height_is_reported() -> None:
    cluster = late_joiner()
    blocks = tuple(cluster.nodes[1].blocks)
    Liar(cluster, (3,), Blocks(blocks=blocks[1:]))
    cluster.restart(0)

    cluster.deliver(3, 0, status(1_000_000))
    cluster.advance(2_000)

    assert "expected blocks from height 1 on, got heights [2, 3, 4, 5]" in cluster.nodes[0].faults
    assert cluster.heights == [5, 5, 5, 5]


def test_blocks_from_a_second_peer_do_not_disturb_those_from_the_first() -> None:
    cluster = late_joiner()
    node = cluster.nodes[0]
    cluster.drop = lambda e: 0 in (e.sender, e.receiver)
    cluster.restart(0)
    state = node.replica._state
    blocks = tuple(cluster.nodes[1].blocks)
    received = MessageReceived(sender=cluster.nodes[1].key, message=Blocks(blocks=blocks))
    again = MessageReceived(sender=cluster.nodes[2].key, message=Blocks(blocks=blocks))

    node.replica.step(received, cluster.now)
    effects = node.replica.step(again, cluster.now)

    assert effects == ()
    assert state.sync.source == cluster.nodes[1].key
    assert len(state.sync.blocks) == 4


def test_late_messages_of_many_peers_are_answered_up_to_a_bound() -> None:
    cluster = Cluster(4, observers=3).start()
    cluster.submit("a")
    cluster.run()
    node = cluster.nodes[0]
    node.replica._state.instance.answered.clear()
    node.effects.clear()

    for sender in range(1, 7):
        cluster.deliver(sender, 0, commit(cluster, 3, node.hashes[0]))

    assert len(sent(node, Certified)) == 5
