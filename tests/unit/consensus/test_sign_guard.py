"""The sign guard decides by (height, view, phase) and notices what the disk has lost."""

import pytest

from chain.vote import Vote, VoteKind
from consensus.sign_guard import (
    Allowed,
    Identical,
    Refused,
    SignGuard,
    accepted_guard,
    compare,
    complete_guard,
    initial_guard,
)
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import certificate, header

KEY = bytes([7]) * 32


def vote(kind: VoteKind, *, height: int = 5, view: int = 2, digest: int = 1) -> Vote:
    return Vote(
        kind=kind,
        height=height,
        view=view,
        digest=bytes([digest]) * 32,
        signer=0,
        signature=bytes([digest]) * 64,
    )


PREPARED = vote(VoteKind.PREPARE)


@pytest.mark.parametrize(
    ("kind", "height", "view"),
    [
        (VoteKind.COMMIT, 5, 2),
        (VoteKind.VIEW_CHANGE, 5, 3),
        (VoteKind.VIEW_CHANGE, 6, 0),
        (VoteKind.PRE_PREPARE, 6, 0),
    ],
)
def test_what_is_above_the_last_vote_may_be_signed(kind: VoteKind, height: int, view: int) -> None:
    guard = SignGuard(last=PREPARED)

    assert guard.decide(kind=kind, height=height, view=view, digest=bytes(32)) == Allowed()


@pytest.mark.parametrize(
    ("kind", "height", "view"),
    [
        (VoteKind.PRE_PREPARE, 5, 2),
        (VoteKind.NEW_VIEW, 5, 2),
        (VoteKind.VIEW_CHANGE, 5, 2),
        (VoteKind.COMMIT, 5, 1),
        (VoteKind.COMMIT, 4, 9),
    ],
)
def test_what_is_below_the_last_vote_is_refused_even_with_the_same_digest(
    kind: VoteKind, height: int, view: int
) -> None:
    guard = SignGuard(last=PREPARED)

    decision = guard.decide(kind=kind, height=height, view=view, digest=PREPARED.digest)

    assert isinstance(decision, Refused)


def test_the_same_vote_gets_the_stored_signature_and_another_digest_is_refused() -> None:
    guard = SignGuard(last=PREPARED)

    same = guard.decide(kind=VoteKind.PREPARE, height=5, view=2, digest=PREPARED.digest)
    other = guard.decide(kind=VoteKind.PREPARE, height=5, view=2, digest=bytes(32))

    assert same == Identical(vote=PREPARED)
    assert other == Refused(
        reason="PREPARE at height 5, view 2: PREPARE at height 5, view 2 was already signed"
    )


def test_after_a_view_change_nothing_of_a_lower_view_is_signed_at_that_height() -> None:
    guard = SignGuard(last=vote(VoteKind.VIEW_CHANGE, view=3))

    for kind in VoteKind:
        decision = guard.decide(kind=kind, height=5, view=2, digest=bytes(32))
        assert isinstance(decision, Refused)


def test_an_accepted_guard_signs_only_above_the_height_that_the_operator_named() -> None:
    guard = SignGuard.decode(accepted_guard(after_height=100))

    at = guard.decide(kind=VoteKind.COMMIT, height=100, view=0, digest=bytes(32))
    above = guard.decide(kind=VoteKind.COMMIT, height=101, view=0, digest=bytes(32))

    assert isinstance(at, Refused)
    assert above == Allowed()


def test_a_guard_survives_encoding() -> None:
    guard = SignGuard(after_height=3, last=PREPARED)

    assert SignGuard.decode(guard.encode()) == guard
    assert SignGuard.decode(initial_guard()) == SignGuard(after_height=0, last=None)


def compare_without_chain(guard: SignGuard | None, own_votes: tuple[Vote, ...]) -> int | None:
    """Compares at genesis and returns the height until which the node observes, 0 for not."""
    found = compare(guard, own_votes=own_votes, head=None, head_certificate=None, own=(KEY, None))
    return 0 if found is None else found.until_height


def test_a_new_key_and_a_matching_journal_agree() -> None:
    assert compare_without_chain(SignGuard(), ()) == 0
    assert compare_without_chain(SignGuard(last=PREPARED), (PREPARED,)) == 0


def test_a_lost_guard_ends_only_by_the_operator() -> None:
    assert compare_without_chain(None, ()) is None


def test_a_guard_beyond_the_journal_observes_until_its_height_is_certified() -> None:
    assert compare_without_chain(SignGuard(last=PREPARED), ()) == 5
    assert compare_without_chain(SignGuard(last=PREPARED), (vote(VoteKind.PREPARE, digest=2),)) == 5


def test_a_journal_beyond_the_guard_observes_until_the_journals_height_is_certified() -> None:
    guard = SignGuard(last=vote(VoteKind.COMMIT, height=3, view=0))
    own_votes = (vote(VoteKind.COMMIT, height=3, view=0), PREPARED)

    assert compare_without_chain(guard, own_votes) == 5


def test_an_accepted_guard_observes_until_a_height_beyond_the_named_one() -> None:
    assert compare_without_chain(SignGuard(after_height=100), ()) == 101


@pytest.mark.parametrize(("own_index", "until"), [(0, 2), (3, 0), (None, 0)])
def test_a_signature_in_the_chain_above_the_guard_means_that_the_guard_is_old(
    own_index: int | None, until: int
) -> None:
    cluster = Cluster(4)
    head = header(cluster, 1, "a")

    found = compare(
        SignGuard(),
        own_votes=(),
        head=head,
        head_certificate=certificate(cluster, head.hash, [0, 1, 2]),
        own=(KEY, own_index),
    )

    assert (0 if found is None else found.until_height) == until


def test_a_block_proposed_by_this_key_above_the_guard_means_that_the_guard_is_old() -> None:
    cluster = Cluster(4)
    head = header(cluster, 1, "a")

    found = compare(
        SignGuard(),
        own_votes=(),
        head=head,
        head_certificate=certificate(cluster, head.hash, [0, 2, 3]),
        own=(cluster.nodes[1].key, 1),
    )

    assert found is not None
    assert found.until_height == 2


def test_a_crash_between_journal_and_guard_is_completed() -> None:
    commit = vote(VoteKind.COMMIT)
    guard = SignGuard(last=PREPARED)

    assert complete_guard(guard, (PREPARED, commit), (commit,)) == SignGuard(last=commit)


def test_a_guard_that_lacks_more_than_the_last_record_is_left_as_it_is() -> None:
    commit = vote(VoteKind.COMMIT)
    guard = SignGuard(last=vote(VoteKind.PRE_PREPARE))

    assert complete_guard(guard, (PREPARED, commit), (commit,)) == guard
