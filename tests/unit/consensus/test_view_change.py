"""VIEW-CHANGE and NEW-VIEW: what they carry, what is refused, what is proposed again."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chain.block import Header
from chain.vote import VoteKind
from consensus.messages import (
    Commit,
    NewView,
    Prepare,
    PrePrepare,
    Proposal,
    ProposalRequest,
    ViewChange,
)
from tests.unit.consensus.cluster import Cluster, Envelope
from tests.unit.consensus.forgery import (
    header,
    new_view,
    pre_prepare,
    prepared,
    sent,
    unsigned,
    view_change,
    vote,
)
from tests.unit.consensus.toy_chain import CHAIN_ID, SCHEME, transaction

T0_MS = 2_000


def ready(count: int = 4) -> Cluster:
    """A started cluster in which every pool, but no proposal, holds transaction "a"."""
    cluster = Cluster(count).start().run()
    for node in cluster.nodes:
        body = transaction("a")
        node.pool[body.id] = body.wire
    return cluster


def is_commit_of_view_0(envelope: Envelope) -> bool:
    return isinstance(envelope.message, Commit) and envelope.message.vote.view == 0


def is_proposal_to(receiver: int, envelope: Envelope) -> bool:
    return isinstance(envelope.message, PrePrepare) and envelope.receiver == receiver


@pytest.mark.parametrize("count", [4, 5, 6, 7])
def test_a_dead_primary_costs_one_timeout_and_is_not_primary_at_the_next_heights(
    count: int,
) -> None:
    cluster = Cluster(count).start()
    cluster.crash(1)

    cluster.submit("a")
    cluster.advance(T0_MS)
    cluster.submit("b")
    cluster.run()

    assert cluster.heights == [2, 0] + [2] * (count - 2)
    assert [block.certificate.view for block in cluster.nodes[0].blocks] == [1, 0]
    assert {block.header.proposer for block in cluster.nodes[0].blocks} == {cluster.nodes[2].key}


@pytest.mark.parametrize("count", [7, 10])
def test_as_many_dead_primaries_in_a_row_as_may_fail_are_replaced(count: int) -> None:
    cluster = Cluster(count).start()
    dead = range(1, 1 + (count - 1) // 3)
    cluster.crash(*dead)

    cluster.submit("a")
    cluster.advance(30_000)

    assert [h for i, h in enumerate(cluster.heights) if i not in dead] == [1] * (count - len(dead))


def test_a_prepared_block_is_proposed_again_with_unchanged_bytes() -> None:
    cluster = Cluster(4).start()
    cluster.drop = is_commit_of_view_0
    cluster.submit("a")
    cluster.run()
    first = cluster.nodes[0].replica._state.instance.prepared
    assert first is not None
    cluster.drop = lambda e: is_commit_of_view_0(e) or 1 in (e.sender, e.receiver)

    cluster.advance(T0_MS)

    block = cluster.nodes[0].blocks[0]
    assert block.header.hash == first.block_hash
    assert block.header.proposer == cluster.nodes[1].key
    assert block.certificate.view == 1


def test_a_prepared_block_is_never_too_old_to_be_proposed_again() -> None:
    cluster = Cluster(4).start()
    cluster.drop = is_commit_of_view_0
    cluster.submit("a")
    cluster.run()
    first = cluster.nodes[0].replica._state.instance.prepared
    assert first is not None
    cluster.drop = lambda _: True
    cluster.advance(10 * 24 * 3_600_000 // 1_000)
    cluster.wall_ms += 10 * 24 * 3_600_000

    cluster.drop = lambda _: False
    cluster.advance(130_000)

    assert cluster.nodes[0].hashes[0] == first.block_hash


def test_a_new_primary_that_lacks_the_prepared_block_fetches_it() -> None:
    cluster = ready()
    # Validator 2, the next primary, sees neither the proposal nor any vote.
    cluster.drop = lambda e: is_commit_of_view_0(e) or is_proposal_to(2, e)
    cluster.submit("a")
    cluster.run()
    assert cluster.nodes[0].replica._state.instance.prepared is not None
    cluster.drop = lambda e: (
        is_commit_of_view_0(e) or is_proposal_to(2, e) or 1 in (e.sender, e.receiver)
    )

    cluster.advance(T0_MS + 1_000)

    assert len(sent(cluster.nodes[2], ProposalRequest)) >= 1
    assert len(sent(cluster.nodes[0], Proposal)) >= 1
    assert [cluster.heights[i] for i in (0, 2, 3)] == [1, 1, 1]
    assert cluster.nodes[2].blocks[0].header.proposer == cluster.nodes[1].key


def test_an_answer_that_nobody_asked_for_or_that_has_another_hash_is_ignored() -> None:
    cluster = ready()
    block = header(cluster, 1, "a")
    answer = Proposal(header=block, transaction_ids=(transaction("a").id,))

    cluster.deliver(3, 2, answer)

    assert cluster.nodes[2].replica._state.instance.candidates == {}
    assert cluster.nodes[2].faults == []


def test_f_plus_one_in_higher_views_take_a_node_along_to_the_smallest_of_them() -> None:
    cluster = ready()

    cluster.deliver(2, 0, view_change(cluster, 2, 7))
    assert cluster.nodes[0].replica.view == 0
    cluster.deliver(3, 0, view_change(cluster, 3, 3))

    assert cluster.nodes[0].replica.view == 3
    assert [message.vote.view for message in sent(cluster.nodes[0], ViewChange)] == [3]


@pytest.mark.parametrize(("count", "liars"), [(4, [1]), (7, [1, 2]), (10, [1, 2, 3])])
def test_f_nodes_never_move_an_honest_one_whatever_views_they_name(
    count: int, liars: list[int]
) -> None:
    cluster = ready(count)

    for view in (1, 2, 2**32, 2**63):
        for liar in liars:
            cluster.deliver(liar, 0, view_change(cluster, liar, view))

    assert cluster.nodes[0].replica.view == 0
    assert len(cluster.nodes[0].replica._state.instance.view_changes) == len(liars)


def test_the_target_does_not_rise_while_fewer_than_q_have_left_the_view() -> None:
    cluster = ready()
    cluster.crash(1, 2, 3)

    cluster.tell_work(0)
    cluster.advance(300_000)

    assert cluster.nodes[0].replica.view == 1
    assert len(sent(cluster.nodes[0], ViewChange)) > 100


def mute(index: int) -> Callable[[Envelope], bool]:
    """Drops the NEW-VIEWs of one node, which is primary of the next view."""
    return lambda e: isinstance(e.message, NewView) and e.sender == index


def test_a_primary_that_never_sends_its_new_view_is_passed_over() -> None:
    cluster = Cluster(7).start()
    cluster.crash(1)
    cluster.drop = mute(2)

    cluster.submit("a")
    cluster.advance(60_000)

    assert {cluster.heights[i] for i in (0, 3, 4, 5, 6)} == {1}


def changes_to_view_1(cluster: Cluster) -> list[ViewChange]:
    return [view_change(cluster, signer, 1) for signer in (0, 2, 3)]


def fresh_new_view(cluster: Cluster) -> NewView:
    proposal = pre_prepare(cluster, 2, header(cluster, 2, "a"), "a", view=1)
    return new_view(cluster, 2, 1, changes_to_view_1(cluster), proposal)


def test_a_valid_new_view_is_entered_and_its_proposal_prepared() -> None:
    cluster = ready()

    cluster.deliver(2, 0, fresh_new_view(cluster))

    assert cluster.nodes[0].replica.view == 1
    assert [message.vote.view for message in sent(cluster.nodes[0], Prepare)] == [1]


def test_a_pre_prepare_of_a_higher_view_without_a_new_view_is_not_acceptable() -> None:
    cluster = ready()

    cluster.deliver(2, 0, pre_prepare(cluster, 2, header(cluster, 2, "a"), "a", view=1))

    assert sent(cluster.nodes[0], Prepare) == []


def rebuilt(cluster: Cluster, changes: list[ViewChange], *, view: int = 1) -> NewView:
    proposal = pre_prepare(cluster, 2, header(cluster, 2, "a"), "a", view=1)
    return new_view(cluster, 2, view, changes, proposal)


def _too_few(cluster: Cluster) -> NewView:
    return rebuilt(cluster, changes_to_view_1(cluster)[:2])


def _too_many(cluster: Cluster) -> NewView:
    return rebuilt(cluster, [view_change(cluster, signer, 1) for signer in range(4)])


def _repeated_signer(cluster: Cluster) -> NewView:
    one, two, _ = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, two])


def _unsorted(cluster: Cluster) -> NewView:
    return rebuilt(cluster, changes_to_view_1(cluster)[::-1])


def _of_another_view(cluster: Cluster) -> NewView:
    one, two, _ = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, view_change(cluster, 3, 2)])


def _of_another_height(cluster: Cluster) -> NewView:
    one, two, _ = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, view_change(cluster, 3, 1, height=2)])


def _bad_signature_inside(cluster: Cluster) -> NewView:
    one, two, three = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, replace(three, vote=unsigned(three.vote))])


def _of_another_primary(cluster: Cluster) -> NewView:
    proposal = pre_prepare(cluster, 3, header(cluster, 3, "a"), "a", view=1)
    return new_view(cluster, 3, 1, changes_to_view_1(cluster), proposal)


def _bad_signature(cluster: Cluster) -> NewView:
    good = fresh_new_view(cluster)
    return replace(good, vote=unsigned(good.vote))


def _bad_proposal_signature(cluster: Cluster) -> NewView:
    good = fresh_new_view(cluster)
    return replace(good, proposal=replace(good.proposal, vote=unsigned(good.proposal.vote)))


def _proposal_of_another_view(cluster: Cluster) -> NewView:
    proposal = pre_prepare(cluster, 2, header(cluster, 2, "a"), "a", view=5)
    return new_view(cluster, 2, 1, changes_to_view_1(cluster), proposal)


def _another_block_than_signed(cluster: Cluster) -> NewView:
    good = fresh_new_view(cluster)
    other = pre_prepare(cluster, 2, header(cluster, 2, "a", "b"), "a", "b", view=1)
    return replace(good, proposal=other)


def _hides_the_prepared_block(cluster: Cluster) -> NewView:
    certificate = prepared(cluster, bytes([9]) * 32, [2, 3])
    one, two, _ = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, view_change(cluster, 3, 1, prepared=certificate)])


def _forged_prepared_certificate(cluster: Cluster) -> NewView:
    certificate = prepared(cluster, bytes([9]) * 32, [2, 3])
    forged = replace(certificate, pre_prepare=bytes(64))
    one, two, _ = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, view_change(cluster, 3, 1, prepared=forged)])


def _prepared_in_this_view(cluster: Cluster) -> NewView:
    certificate = prepared(cluster, bytes([9]) * 32, [0, 3], view=1)
    one, two, _ = changes_to_view_1(cluster)
    return rebuilt(cluster, [one, two, view_change(cluster, 3, 1, prepared=certificate)])


def _wrong_proposer(cluster: Cluster) -> NewView:
    proposal = pre_prepare(cluster, 2, header(cluster, 3, "a"), "a", view=1)
    return new_view(cluster, 2, 1, changes_to_view_1(cluster), proposal)


def _view_zero(cluster: Cluster) -> NewView:
    good = fresh_new_view(cluster)
    return replace(good, vote=vote(cluster, 1, VoteKind.NEW_VIEW, good.vote.digest))


@pytest.mark.parametrize(
    "forge",
    [
        _too_few,
        _too_many,
        _repeated_signer,
        _unsorted,
        _of_another_view,
        _of_another_height,
        _bad_signature_inside,
        _of_another_primary,
        _bad_signature,
        _bad_proposal_signature,
        _proposal_of_another_view,
        _another_block_than_signed,
        _hides_the_prepared_block,
        _forged_prepared_certificate,
        _prepared_in_this_view,
        _wrong_proposer,
        _view_zero,
    ],
)
def test_a_new_view_forged_in_one_element_is_refused(forge: Callable[[Cluster], NewView]) -> None:
    cluster = ready()

    cluster.deliver(2, 0, forge(cluster))

    assert cluster.nodes[0].replica.view == 0
    assert sent(cluster.nodes[0], Prepare) == []
    assert len(cluster.nodes[0].faults) == 1


def test_a_new_view_must_propose_the_block_of_the_highest_prepared_certificate() -> None:
    cluster = ready()
    low, high = header(cluster, 1, "a"), header(cluster, 2, "a")
    older = prepared(cluster, low.hash, [2, 3], view=0)
    newer = prepared(cluster, high.hash, [0, 3], view=1)
    changes = [
        view_change(cluster, 0, 2, prepared=older),
        view_change(cluster, 1, 2, prepared=newer),
        view_change(cluster, 2, 2),
    ]

    def propose(block: Header) -> NewView:
        return new_view(cluster, 3, 2, changes, pre_prepare(cluster, 3, block, "a", view=2))

    cluster.deliver(3, 0, propose(low))
    assert cluster.nodes[0].replica.view == 0

    cluster.deliver(3, 0, propose(high))
    assert cluster.nodes[0].replica.view == 2
    assert [message.vote.digest for message in sent(cluster.nodes[0], Prepare)] == [high.hash]


def test_an_invalid_view_change_is_ignored_and_the_valid_ones_count() -> None:
    cluster = ready()
    forged = replace(prepared(cluster, bytes([9]) * 32, [2, 3]), pre_prepare=bytes(64))

    cluster.deliver(1, 2, view_change(cluster, 1, 1, prepared=forged))
    cluster.deliver(0, 2, view_change(cluster, 0, 1))
    assert cluster.nodes[2].replica.view == 0
    cluster.deliver(3, 2, view_change(cluster, 3, 1))
    cluster.tell_work(2)

    (message,) = sent(cluster.nodes[2], NewView)
    assert isinstance(message, NewView)
    assert [change.vote.signer for change in message.view_changes] == [0, 2, 3]


def test_two_prepared_certificates_of_one_view_stop_the_node_with_evidence() -> None:
    cluster = ready()
    one = prepared(cluster, bytes([8]) * 32, [2, 3])
    other = prepared(cluster, bytes([9]) * 32, [2, 3])

    cluster.deliver(2, 0, view_change(cluster, 2, 1, prepared=one))
    cluster.deliver(3, 0, view_change(cluster, 3, 1, prepared=other))

    (reason,) = cluster.nodes[0].halts
    assert reason.startswith("two prepared certificates for height 1, view 0")
    accused = {(item.first.signer, item.first.kind) for item in cluster.nodes[0].evidence}
    assert accused == {(1, VoteKind.PRE_PREPARE), (2, VoteKind.PREPARE), (3, VoteKind.PREPARE)}
    for item in cluster.nodes[0].evidence:
        item.verify(chain_id=CHAIN_ID, validators=cluster.genesis_validators, scheme=SCHEME)
    assert sent(cluster.nodes[0], ViewChange) == []


def test_an_idle_new_primary_waits_with_its_new_view_until_there_is_work() -> None:
    cluster = Cluster(4).start().run()
    for signer in (0, 3):
        cluster.deliver(signer, 2, view_change(cluster, signer, 1))
    assert cluster.nodes[2].replica.view == 1
    assert sent(cluster.nodes[2], NewView) == []

    cluster.submit("a", to=(2,))

    assert len(sent(cluster.nodes[2], NewView)) == 1
    assert sent(cluster.nodes[2], PrePrepare) == []
