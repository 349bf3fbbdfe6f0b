"""What a new primary proposes: fetching it, judging it, and what it does when it cannot."""

import pytest

from chain.evidence import Equivocation
from consensus.effects import JudgeProposal
from consensus.events import ProposalAssembled, ProposalJudged
from consensus.messages import (
    Bodies,
    Commit,
    NewView,
    Prepare,
    PrePrepare,
    Proposal,
    ProposalRequest,
    ViewChange,
)
from consensus.voting import halt
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    changed,
    header,
    new_view,
    pre_prepare,
    prepared,
    sent,
    view_change,
)
from tests.unit.consensus.toy_chain import Node, transaction

NOTE = transaction("a")


def new_primary_lacking_the_block() -> tuple[Cluster, Node, PrePrepare]:
    """Validator 2 begins view 1 and has to propose block "a", which 0, 1 and 3 prepared."""
    cluster = Cluster(4).start().run()
    cluster.drop = lambda _: True
    node = cluster.nodes[2]
    proposal = pre_prepare(cluster, 1, header(cluster, 1, "a"), "a")
    certificate = prepared(cluster, proposal.vote.digest, [0, 3])
    cluster.deliver(0, 2, view_change(cluster, 0, 1, prepared=certificate))
    cluster.deliver(3, 2, view_change(cluster, 3, 1, prepared=certificate))
    assert node.replica.view == 1
    return cluster, node, proposal


def test_the_block_is_asked_of_all_who_prepared_it_and_again_while_it_is_lacking() -> None:
    cluster, node, proposal = new_primary_lacking_the_block()
    assert len(sent(node, ProposalRequest)) == 3

    cluster.advance(300)

    requests = sent(node, ProposalRequest)
    assert len(requests) == 6
    assert {request.block_hash for request in requests} == {proposal.vote.digest}


def test_the_fetched_block_is_judged_and_then_proposed() -> None:
    cluster, node, proposal = new_primary_lacking_the_block()
    node.pool[NOTE.id] = NOTE.wire

    cluster.deliver(
        3, 2, Proposal(header=proposal.header, transaction_ids=proposal.transaction_ids)
    )

    (message,) = sent(node, NewView)
    assert message.proposal.header == proposal.header
    assert sent(node, PrePrepare) == []


def test_an_answer_with_another_header_or_other_ids_is_not_taken() -> None:
    cluster, node, proposal = new_primary_lacking_the_block()

    other = Proposal(header=header(cluster, 1, "b"), transaction_ids=(transaction("b").id,))
    cluster.deliver(3, 2, other)
    assert node.faults == []
    cluster.deliver(3, 2, Proposal(header=proposal.header, transaction_ids=()))

    assert len(node.faults) == 1
    assert node.replica._state.instance.candidates == {}


def test_a_block_that_does_not_execute_here_is_not_proposed() -> None:
    cluster, node, proposal = new_primary_lacking_the_block()
    node.pool[NOTE.id] = NOTE.wire
    node.refused = "state_root"

    cluster.deliver(
        3, 2, Proposal(header=proposal.header, transaction_ids=proposal.transaction_ids)
    )

    assert sent(node, NewView) == []
    assert node.replica._state.instance.candidates == {}


def test_a_block_that_is_held_but_not_yet_judged_is_judged_with_the_help_of_a_holder() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda _: True
    node = cluster.nodes[2]
    proposal = pre_prepare(cluster, 1, header(cluster, 1, "a"), "a")
    cluster.deliver(1, 2, proposal)
    assert node.replica._state.instance.candidates[proposal.vote.digest].is_accepted is False
    certificate = prepared(cluster, proposal.vote.digest, [0, 3])
    cluster.deliver(0, 2, view_change(cluster, 0, 1, prepared=certificate))
    cluster.deliver(3, 2, view_change(cluster, 3, 1, prepared=certificate))

    orders = [effect for effect in node.effects if isinstance(effect, JudgeProposal)]
    assert len(orders) == 2
    verdict = ProposalJudged(block_hash=proposal.vote.digest, fault=None, transactions=(NOTE.wire,))
    cluster.step(node, verdict)

    assert len(sent(node, NewView)) == 1


def test_a_request_is_answered_for_a_block_of_this_height_that_is_held() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    proposal = pre_prepare(cluster, 1, header(cluster, 1, "a"), "a")
    cluster.deliver(1, 0, proposal)

    cluster.deliver(2, 0, ProposalRequest(height=1, block_hash=bytes(32)))
    cluster.deliver(2, 0, ProposalRequest(height=2, block_hash=proposal.vote.digest))
    assert sent(node, Proposal) == []
    cluster.deliver(2, 0, ProposalRequest(height=1, block_hash=proposal.vote.digest))

    assert sent(node, Proposal) == [
        Proposal(header=proposal.header, transaction_ids=proposal.transaction_ids)
    ]


def assembled(cluster: Cluster, proposer: int, view: int) -> ProposalAssembled:
    return ProposalAssembled(
        view=view,
        header=header(cluster, proposer, "a"),
        transactions=(NOTE.wire,),
        transaction_ids=(NOTE.id,),
    )


def test_a_fresh_block_is_not_taken_where_a_prepared_one_has_to_be_proposed() -> None:
    cluster, node, _ = new_primary_lacking_the_block()

    cluster.step(node, assembled(cluster, 2, 1))

    assert sent(node, NewView) == []


def test_a_primary_that_halted_meanwhile_proposes_nothing() -> None:
    cluster = Cluster(4).start().run()
    first, second = cluster.nodes[1], cluster.nodes[2]
    for signer in (0, 3):
        cluster.deliver(signer, 2, view_change(cluster, signer, 1))
    halt(first.replica._state, "a reason")
    halt(second.replica._state, "a reason")

    cluster.step(first, assembled(cluster, 1, 0))
    cluster.step(second, assembled(cluster, 2, 1))

    assert sent(first, PrePrepare) == []
    assert sent(second, NewView) == []


def test_a_backup_that_halted_sends_neither_prepare_nor_commit_nor_view_change() -> None:
    cluster = Cluster(4).start().run()
    halt(cluster.nodes[0].replica._state, "a reason")

    cluster.submit("a")
    cluster.crash(1)
    cluster.submit("b", to=(0,))
    cluster.advance(60_000)

    assert sent(cluster.nodes[0], Prepare) == []
    assert sent(cluster.nodes[0], Commit) == []
    assert sent(cluster.nodes[0], ViewChange) == []


@pytest.mark.parametrize("receiver", [0, 1, 3])
def test_a_new_view_on_contradicting_certificates_stops_the_node(receiver: int) -> None:
    cluster = Cluster(4).start().run()
    changes = [
        view_change(cluster, 0, 1, prepared=prepared(cluster, bytes([8]) * 32, [0, 3])),
        view_change(cluster, 2, 1),
        view_change(cluster, 3, 1, prepared=prepared(cluster, bytes([9]) * 32, [0, 3])),
    ]
    proposal = pre_prepare(cluster, 2, header(cluster, 2, "a"), "a", view=1)

    cluster.deliver(2, receiver, new_view(cluster, 2, 1, changes, proposal))

    node = cluster.nodes[receiver]
    assert len(node.halts) == 1
    assert all(isinstance(item, Equivocation) for item in node.evidence)
    assert {item.first.signer for item in node.evidence} == {0, 1, 3}


@pytest.mark.parametrize(
    "changes", [{"parent_hash": bytes(32)}, {"time_ms": 1}, {"transaction_count": 7}]
)
def test_a_new_view_with_an_invalid_fresh_block_is_refused(changes: dict[str, bytes | int]) -> None:
    cluster = Cluster(4).start().run()
    block = changed(header(cluster, 2, "a"), **changes)
    votes = [view_change(cluster, signer, 1) for signer in (0, 2, 3)]

    cluster.deliver(
        2, 0, new_view(cluster, 2, 1, votes, pre_prepare(cluster, 2, block, "a", view=1))
    )

    assert cluster.nodes[0].replica.view == 0
    assert len(cluster.nodes[0].faults) == 1


def test_what_the_kernel_answers_is_nothing_to_the_replica() -> None:
    cluster = Cluster(4).start().run()
    cluster.nodes[0].effects.clear()

    cluster.deliver(2, 0, Bodies(transactions=()))

    assert cluster.nodes[0].effects == []
    assert cluster.nodes[0].replica.public_key == cluster.nodes[0].key
