"""STATUS says where a node is, and is answered with what the sender lacks, and no more."""

import pytest

from consensus.effects import Send
from consensus.exchange import make_status
from consensus.messages import (
    Certified,
    Commit,
    LeaveReason,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    Status,
    ViewChange,
)
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    certificate,
    commit,
    header,
    new_view,
    pre_prepare,
    prepare,
    view_change,
)
from tests.unit.consensus.toy_chain import transaction


def status(
    height: int = 1,
    view: int = 0,
    *,
    prepares: int = 0,
    commits: int = 0,
    has_proposal: bool = False,
) -> Status:
    return Status(
        height=height,
        view=view,
        head_hash=bytes(32),
        leave_reason=LeaveReason.NONE,
        prepares=prepares,
        commits=commits,
        has_proposal=has_proposal,
    )


def answers(cluster: Cluster, sender: int, message: Status) -> list[Message]:
    """Delivers a STATUS to validator 0 and returns what it sends back."""
    node = cluster.nodes[0]
    node.effects.clear()
    cluster.deliver(sender, 0, message)
    return [
        effect.message
        for effect in node.effects
        if isinstance(effect, Send) and effect.peer == cluster.signers[sender].public_key
    ]


def with_proposal() -> Cluster:
    """Validator 0 has agreed to a proposal, and holds one PREPARE and one COMMIT of others."""
    cluster = Cluster(5, observers=1).start().run()
    block = header(cluster, 1, "a")
    body = transaction("a")
    cluster.nodes[0].pool[body.id] = body.wire
    cluster.deliver(1, 0, pre_prepare(cluster, 1, block, "a"))
    cluster.deliver(2, 0, prepare(cluster, 2, block.hash))
    cluster.deliver(1, 0, commit(cluster, 1, block.hash))
    return cluster


def kinds(messages: list[Message]) -> list[str]:
    return [type(message).__name__ for message in messages]


def test_a_status_counts_what_is_held_of_the_present_view() -> None:
    cluster = with_proposal()

    got = make_status(cluster.nodes[0].replica._state)

    assert (got.height, got.view, got.has_proposal) == (1, 0, True)
    assert (got.prepares, got.commits) == (2, 1)
    assert got == cluster.nodes[0].replica.status()


def test_a_peer_that_has_nothing_gets_proposal_and_all_votes() -> None:
    got = answers(with_proposal(), 3, status())

    assert kinds(got) == ["PrePrepare", "Prepare", "Prepare", "Commit"]
    assert [m.vote.signer for m in got if isinstance(m, Prepare)] == [0, 2]


def test_a_peer_that_has_as_many_votes_gets_the_own_one_in_case_it_lacks_that() -> None:
    got = answers(with_proposal(), 3, status(prepares=2, commits=1, has_proposal=True))

    assert [(type(m).__name__, m.vote.signer) for m in got if isinstance(m, Prepare)] == [
        ("Prepare", 0)
    ]
    assert kinds(got) == ["Prepare"]


def test_a_peer_that_has_a_quorum_of_votes_gets_none() -> None:
    got = answers(with_proposal(), 3, status(prepares=4, commits=4, has_proposal=True))

    assert got == []


def test_an_observer_gets_no_votes() -> None:
    assert answers(with_proposal(), 5, status()) == []


def test_a_peer_in_a_lower_view_gets_the_view_change_or_the_new_view() -> None:
    cluster = Cluster(4).start().run()
    changes = [view_change(cluster, signer, 1) for signer in (1, 2, 3)]
    cluster.deliver(2, 0, changes[1])
    cluster.deliver(3, 0, changes[2])
    assert [type(m) for m in answers(cluster, 1, status())] == [ViewChange]
    assert [type(m) for m in answers(cluster, 1, status(view=1))] == [ViewChange]

    proposal = pre_prepare(cluster, 2, header(cluster, 2, "a"), "a", view=1)
    cluster.deliver(2, 0, new_view(cluster, 2, 1, changes, proposal))

    assert [type(m) for m in answers(cluster, 1, status())] == [NewView]
    lacking = answers(cluster, 1, status(view=1))
    assert [type(m) for m in lacking] == [NewView]
    assert not any(isinstance(m, PrePrepare) for m in lacking)


def test_a_peer_in_a_higher_view_gets_nothing() -> None:
    assert answers(with_proposal(), 3, status(view=1)) == []


@pytest.mark.parametrize(("height", "expected"), [(1, []), (2, ["Certified"]), (3, [])])
def test_a_peer_one_height_below_gets_the_heads_certificate(
    height: int, expected: list[str]
) -> None:
    cluster = Cluster(4).start()
    for name in ("a", "b"):
        cluster.submit(name)
        cluster.run()

    assert kinds(answers(cluster, 3, status(height=height))) == expected


def test_an_observer_below_is_told_where_the_chain_is() -> None:
    cluster = Cluster(4, observers=1).start()
    cluster.submit("a")
    cluster.run()

    got = answers(cluster, 4, status(height=1))

    assert kinds(got) == ["Certified", "Status"]


def test_a_node_that_knows_the_decision_but_not_the_block_tells_those_who_have_it() -> None:
    """Found by the adversary: COMMITs of f liars went to one node only, and then silence."""
    cluster = Cluster(4).start().run()
    block = header(cluster, 1, "a")
    proof = certificate(cluster, block.hash, [0, 1, 3])

    cluster.deliver(3, 0, Certified(certificate=proof))

    assert cluster.nodes[0].replica.is_syncing
    assert answers(cluster, 3, status()) == [Certified(certificate=proof)]
    assert not any(isinstance(m, Commit) for m in answers(cluster, 3, status()))
