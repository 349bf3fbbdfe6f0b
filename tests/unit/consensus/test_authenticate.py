"""Only what is signed by the right validator, for this height and content, reaches a handler."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain.certificate import CommitCertificate
from chain.validator_set import ValidatorSet
from chain.vote import VoteKind, sign_vote
from consensus.authenticate import VIEW_MAX
from consensus.messages import Certified, Commit, Message, NewView, Prepare, PrePrepare, ViewChange
from consensus.state import AgreementMessage
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    certificate,
    commit,
    header,
    pre_prepare,
    prepare,
    prepared,
    unsigned,
    view_change,
    vote,
)
from tests.unit.consensus.toy_chain import CHAIN_ID, CheapSigner

DIGEST = bytes([9]) * 32
Make = Callable[[Cluster], AgreementMessage]


def at_height_2() -> Cluster:
    cluster = Cluster(4).start()
    cluster.submit("a")
    cluster.run()
    return cluster


def refused(cluster: Cluster, message: Message) -> str:
    """Delivers a message to validator 0 and returns the fault that it reports."""
    cluster.nodes[0].told.clear()
    cluster.deliver(3, 0, message)
    (fault,) = cluster.nodes[0].faults
    return fault


def _bad_pre_prepare(cluster: Cluster) -> PrePrepare:
    good = pre_prepare(cluster, 1, header(cluster, 1, "a"), "a")
    return replace(good, vote=unsigned(good.vote))


def _bad_prepare(cluster: Cluster) -> Prepare:
    return Prepare(vote=unsigned(prepare(cluster, 2, DIGEST).vote))


def _bad_commit(cluster: Cluster) -> Commit:
    return Commit(vote=unsigned(commit(cluster, 2, DIGEST).vote))


def _bad_view_change(cluster: Cluster) -> ViewChange:
    good = view_change(cluster, 2, 1)
    return replace(good, vote=unsigned(good.vote))


@pytest.mark.parametrize("make", [_bad_pre_prepare, _bad_prepare, _bad_commit, _bad_view_change])
def test_a_signature_that_does_not_verify_is_reported(make: Make) -> None:
    cluster = Cluster(4).start().run()

    assert refused(cluster, make(cluster)).endswith("the signature does not verify")


def test_a_vote_of_another_chain_set_height_view_kind_or_signer_does_not_verify() -> None:
    cluster = Cluster(4).start().run()
    good = commit(cluster, 2, DIGEST).vote
    elsewhere = {
        "chain_id": bytes(32),
        "validators": ValidatorSet(keys=cluster.genesis_validators.keys[:3]),
        "kind": VoteKind.PREPARE,
        "height": 2,
        "view": 1,
        "digest": bytes(32),
    }
    for name, value in elsewhere.items():
        arguments: dict[str, Any] = {
            "chain_id": CHAIN_ID,
            "validators": cluster.genesis_validators,
            "kind": VoteKind.COMMIT,
            "height": 1,
            "view": 0,
            "digest": DIGEST,
        }
        arguments[name] = value
        replayed = sign_vote(cluster.signers[2], **arguments)
        refused(cluster, Commit(vote=replace(good, signature=replayed.signature)))
    refused(cluster, Commit(vote=replace(good, signer=3)))

    assert cluster.nodes[0].replica._state.instance.commits == {}


def test_a_non_member_and_an_index_beyond_the_set_are_refused() -> None:
    cluster = Cluster(4).start().run()
    stranger = CheapSigner("stranger")
    good = commit(cluster, 2, DIGEST).vote

    refused(cluster, Commit(vote=replace(good, signature=stranger.sign(b"x"))))
    refused(cluster, Commit(vote=replace(good, signer=4)))
    refused(cluster, Commit(vote=replace(good, signer=65_535)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda c: Prepare(vote=commit(c, 2, DIGEST).vote), "PREPARE: expected its own vote"),
        (lambda c: Commit(vote=prepare(c, 2, DIGEST).vote), "COMMIT: expected its own vote"),
        (lambda c: prepare(c, 1, DIGEST), "PREPARE: expected one of a backup"),
        (lambda c: commit(c, 2, DIGEST, view=VIEW_MAX + 1), "COMMIT: expected a view up to"),
        (
            lambda c: pre_prepare(c, 2, header(c, 2, "a"), "a"),
            "PRE_PREPARE in view 0: expected primary 1, got validator 2",
        ),
        (
            lambda c: replace(
                pre_prepare(c, 1, header(c, 1, "a"), "a"), header=header(c, 1, "a", "b")
            ),
            "PRE_PREPARE: expected a vote for",
        ),
        (lambda c: view_change(c, 2, 0), "VIEW-CHANGE: expected a view above 0"),
        (
            lambda c: replace(view_change(c, 2, 1), prepared=prepared(c, DIGEST, [0, 2])),
            "VIEW_CHANGE: expected a vote for",
        ),
        (
            lambda c: view_change(c, 2, 1, prepared=prepared(c, DIGEST, [2])),
            "certificate has 1 votes, needs 2",
        ),
        (
            lambda c: view_change(c, 2, 1, prepared=replace(prepared(c, DIGEST, [2, 3]), height=2)),
            "prepared certificate: expected height 1",
        ),
        (
            lambda c: view_change(c, 2, 1, prepared=prepared(c, DIGEST, [2, 3], view=1)),
            "prepared certificate: expected height 1 and a view below 1",
        ),
        (
            lambda c: view_change(
                c, 2, 1, prepared=replace(prepared(c, DIGEST, [0, 3]), primary=2)
            ),
            "prepared certificate: expected primary 1",
        ),
        (
            lambda c: view_change(c, 2, 1, parent=certificate(c, CHAIN_ID, [0, 1, 2], height=0)),
            "parent certificate: expected none at height 1",
        ),
    ],
)
def test_each_guard_names_what_it_expected(make: Make, words: str) -> None:
    cluster = Cluster(4).start().run()

    assert refused(cluster, make(cluster)).startswith(words)


def test_a_view_change_carries_the_certificate_of_the_height_before() -> None:
    cluster = at_height_2()
    head = cluster.nodes[0].hashes[0]
    good = certificate(cluster, head, [0, 1, 3])

    def at(parent: CommitCertificate | None) -> ViewChange:
        return view_change(cluster, 2, 1, height=2, parent=parent)

    assert refused(cluster, at(None)).startswith("parent certificate: expected one at height 2")
    other = certificate(cluster, DIGEST, [0, 1, 3])
    assert refused(cluster, at(other)).startswith("parent certificate: expected one of block")
    few = certificate(cluster, head, [0, 1])
    assert refused(cluster, at(few)) == "certificate has 2 votes, needs 3"

    cluster.nodes[0].told.clear()
    cluster.deliver(2, 0, at(good))

    assert cluster.nodes[0].faults == []
    assert 2 in cluster.nodes[0].replica._state.instance.view_changes


def test_the_own_and_known_certificates_need_no_second_check() -> None:
    cluster = at_height_2()
    node = cluster.nodes[0]
    own = node.replica._state.head_certificate

    cluster.deliver(2, 0, view_change(cluster, 2, 1, height=2, parent=own))

    assert node.faults == []


def test_a_message_that_is_held_already_costs_no_verification() -> None:
    cluster = Cluster(4).start().run()
    node = cluster.nodes[0]
    first = commit(cluster, 2, DIGEST)
    cluster.deliver(2, 0, first)

    class Refusing:
        def verify(self, *_: object) -> bool:
            raise AssertionError("verified again")

    node.replica._state.scheme = Refusing()
    cluster.deliver(3, 0, first)
    cluster.deliver(3, 0, commit(cluster, 3, DIGEST, height=2))
    cluster.deliver(3, 0, commit(cluster, 3, DIGEST, height=9))

    assert node.faults == []


def test_votes_for_the_next_height_are_kept_one_slot_for_each_sender_and_kind() -> None:
    cluster = Cluster(4, observers=1).start().run()
    node = cluster.nodes[0]

    for view in range(50):
        cluster.deliver(2, 0, commit(cluster, 2, DIGEST, height=2, view=view))
        cluster.deliver(4, 0, commit(cluster, 3, DIGEST, height=2, view=view))
    cluster.deliver(2, 0, prepare(cluster, 2, DIGEST, height=2))

    assert len(node.replica._state.ahead) == 2


def test_kept_votes_count_when_their_height_comes() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: e.sender == 3
    early = vote(cluster, 3, VoteKind.COMMIT, DIGEST, height=2)
    cluster.deliver(3, 0, Commit(vote=early))
    cluster.deliver(
        2, 0, Commit(vote=unsigned(vote(cluster, 2, VoteKind.COMMIT, DIGEST, height=2)))
    )

    cluster.submit("a")
    cluster.run()

    assert cluster.nodes[0].replica._state.instance.commits == {3: early}
    assert len(cluster.nodes[0].faults) == 1


def test_a_view_change_of_the_next_height_brings_the_certificate_that_is_lacking() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: e.receiver == 0 and isinstance(e.message, Commit | Certified)
    cluster.submit("a")
    cluster.run()
    assert cluster.heights == [0, 1, 1, 1]
    parent = cluster.nodes[1].blocks[0].certificate

    cluster.deliver(2, 0, view_change(cluster, 2, 1, height=2, parent=parent))

    assert cluster.heights[0] == 1
    assert 2 in cluster.nodes[0].replica._state.instance.view_changes


def test_a_new_view_of_the_next_height_brings_the_certificate_too() -> None:
    cluster = Cluster(4).start().run()
    cluster.drop = lambda e: e.receiver == 0 and isinstance(e.message, Commit | Certified)
    cluster.submit("a")
    cluster.run()
    parent = cluster.nodes[1].blocks[0].certificate
    changes = tuple(
        view_change(cluster, signer, 1, height=2, parent=parent) for signer in (1, 2, 3)
    )
    proposal = pre_prepare(cluster, 2, header(cluster, 2, "b"), "b", view=1)
    message = NewView(
        view_changes=changes,
        proposal=proposal,
        vote=vote(cluster, 2, VoteKind.NEW_VIEW, DIGEST, height=2, view=1),
    )

    cluster.deliver(2, 0, message)

    assert cluster.heights[0] == 1
