"""The checker of invariants finds each kind of broken state; else it would prove nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chain.vote import VoteKind
from consensus.invariants import check
from consensus.messages import LeaveReason, Status
from consensus.sign_guard import SignGuard
from consensus.state import PEERS_MAX, Candidate, ReplicaState
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    certificate,
    commit,
    header,
    pre_prepare,
    prepare,
    prepared,
    view_change,
    vote,
)

CLUSTER = Cluster(4)
DIGEST = bytes([9]) * 32


def _height(state: ReplicaState) -> None:
    state.height = 2


def _inactive_view_0(state: ReplicaState) -> None:
    state.instance.is_active = False


def _active_without_new_view(state: ReplicaState) -> None:
    state.instance.view = 1


def _proposal_of_another_primary(state: ReplicaState) -> None:
    state.instance.proposal = pre_prepare(CLUSTER, 2, header(CLUSTER, 2, "a"), "a")


def _prepared_in_a_later_view(state: ReplicaState) -> None:
    state.instance.prepared = prepared(CLUSTER, DIGEST, [0, 3], view=1)


def _committing_without_certificate(state: ReplicaState) -> None:
    state.instance.is_committing = True


def _stale_certificate(state: ReplicaState) -> None:
    state.sync.highest = certificate(CLUSTER, DIGEST, [0, 1, 2])


def _vote_unknown_to_the_guard(state: ReplicaState) -> None:
    state.instance.own_votes[0, VoteKind.PREPARE] = prepare(CLUSTER, 0, DIGEST).vote


def _vote_beyond_the_guard(state: ReplicaState) -> None:
    state.guard = SignGuard(last=vote(CLUSTER, 0, VoteKind.PREPARE, DIGEST))
    state.instance.own_votes[0, VoteKind.COMMIT] = commit(CLUSTER, 0, DIGEST).vote


def _vote_beyond_the_view(state: ReplicaState) -> None:
    late = prepare(CLUSTER, 0, DIGEST, view=3).vote
    state.guard = SignGuard(last=late)
    state.instance.own_votes[3, VoteKind.PREPARE] = late


def _prepare_of_the_primary(state: ReplicaState) -> None:
    state.instance.prepares[1] = prepare(CLUSTER, 1, DIGEST).vote


def _prepare_in_the_wrong_slot(state: ReplicaState) -> None:
    state.instance.prepares[3] = prepare(CLUSTER, 2, DIGEST).vote


def _commit_in_the_wrong_slot(state: ReplicaState) -> None:
    state.instance.commits[3] = commit(CLUSTER, 2, DIGEST).vote


def _view_change_in_the_wrong_slot(state: ReplicaState) -> None:
    state.instance.view_changes[3] = view_change(CLUSTER, 2, 1)


def _too_many_candidates(state: ReplicaState) -> None:
    block = header(CLUSTER, 1, "a")
    for number in range(5):
        candidate = Candidate(header=replace(block, time_ms=number), transaction_ids=())
        state.instance.candidates[bytes([number]) * 32] = candidate


def _too_many_peers(state: ReplicaState) -> None:
    status = Status(height=1, view=0, head_hash=DIGEST, leave_reason=LeaveReason.NONE)
    for number in range(PEERS_MAX + 1):
        state.peers[number.to_bytes(32, "big")] = status


def test_a_fresh_state_is_sound() -> None:
    check(Cluster(4).nodes[0].replica._state)


@pytest.mark.parametrize(
    "break_it",
    [
        _height,
        _inactive_view_0,
        _active_without_new_view,
        _proposal_of_another_primary,
        _prepared_in_a_later_view,
        _committing_without_certificate,
        _stale_certificate,
        _vote_unknown_to_the_guard,
        _vote_beyond_the_guard,
        _vote_beyond_the_view,
        _prepare_of_the_primary,
        _prepare_in_the_wrong_slot,
        _commit_in_the_wrong_slot,
        _view_change_in_the_wrong_slot,
        _too_many_candidates,
        _too_many_peers,
    ],
)
def test_each_broken_invariant_is_found(break_it: Callable[[ReplicaState], None]) -> None:
    state = Cluster(4).nodes[0].replica._state
    break_it(state)

    with pytest.raises(AssertionError):
        check(state)
