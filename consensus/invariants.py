"""What is true of a replica's state after every step, whatever the peers do.

Checked in tests and in the simulator; a failure is a bug of this package, never of a peer.
"""

from typing import Final

from chain.vote import VoteKind
from consensus.predicates import primary_index
from consensus.sign_guard import place_of
from consensus.state import PEERS_MAX, ReplicaState

CANDIDATES_MAX: Final = 4
"""The proposed, the prepared, the certified and the wanted block."""


def check(state: ReplicaState) -> None:
    """Asserts every invariant.

    Raises:
        AssertionError: names the one that is broken.
    """
    check_place(state)
    check_votes(state)
    check_bounds(state)


def check_place(state: ReplicaState) -> None:
    """Asserts that head, height and view fit together."""
    instance = state.instance
    head_height = 0 if state.head is None else state.head.height
    assert state.height == head_height + 1, "the height in agreement is the head's plus one"
    assert instance.view > 0 or instance.is_active, "view 0 is active from the start"
    assert instance.proposal is None or instance.is_active, "a proposal is of an active view"
    assert (instance.new_view is not None) == (instance.view > 0 and instance.is_active), (
        "a NEW-VIEW, and nothing else, makes a higher view active"
    )
    if instance.proposal is not None:
        vote = instance.proposal.vote
        assert (vote.height, vote.view) == (state.height, instance.view)
        assert vote.signer == primary_index(state, instance.view)
    if instance.prepared is not None:
        assert instance.prepared.height == state.height
        assert instance.prepared.view <= instance.view, "nothing is prepared in a later view"
    assert not instance.is_committing or instance.certificate is not None
    if state.sync.highest is not None:
        assert state.sync.highest.height > state.height, "an overtaken certificate is dropped"


def check_votes(state: ReplicaState) -> None:
    """Asserts that what this node signed is what its guard and its slots say."""
    instance = state.instance
    for (view, kind), vote in instance.own_votes.items():
        assert (vote.height, vote.view, vote.kind) == (state.height, view, kind)
        assert view <= instance.view, "nothing is signed beyond the present view"
        if state.observation is None and state.guard is not None:
            assert state.guard.last is not None
            assert place_of(vote) <= place_of(state.guard.last), "the guard knows every vote"
    for signer, prepare in instance.prepares.items():
        assert (prepare.signer, prepare.kind) == (signer, VoteKind.PREPARE)
        assert signer != primary_index(state, prepare.view), "a primary does not PREPARE"
    for signer, commit in instance.commits.items():
        assert (commit.signer, commit.kind) == (signer, VoteKind.COMMIT)
    for signer, message in instance.view_changes.items():
        assert (message.vote.signer, message.vote.kind) == (signer, VoteKind.VIEW_CHANGE)


def check_bounds(state: ReplicaState) -> None:
    """Asserts that nothing grows with what peers send."""
    count = state.validators.count
    instance = state.instance
    for slots in (instance.prepares, instance.commits, instance.view_changes):
        assert len(slots) <= count
        assert all(0 <= signer < count for signer in slots)
    assert len(instance.candidates) <= CANDIDATES_MAX
    assert len(instance.exposed) <= count * len(VoteKind)
    assert len(instance.answered) <= count + 1
    assert len(state.peers) <= PEERS_MAX
