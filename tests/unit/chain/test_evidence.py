"""Equivocation: what is evidence and what is not."""

import dataclasses

import pytest

from chain.crypto import ED25519
from chain.errors import InvalidProof
from chain.evidence import Equivocation, conflict, equivocation_of
from chain.vote import Vote, VoteKind
from tests.chain_samples import CHAIN_ID, VALIDATORS, vote

SMALL, LARGE = vote(1, digest=b"a" * 32), vote(1, digest=b"b" * 32)


def check(evidence: Equivocation) -> None:
    evidence.verify(chain_id=CHAIN_ID, validators=VALIDATORS, scheme=ED25519)


def test_two_votes_for_different_digests_are_evidence() -> None:
    check(equivocation_of(SMALL, LARGE))


def test_the_same_pair_has_one_encoding() -> None:
    assert equivocation_of(LARGE, SMALL).encode() == equivocation_of(SMALL, LARGE).encode()
    assert Equivocation.decode(equivocation_of(SMALL, LARGE).encode()).first == SMALL


@pytest.mark.parametrize(
    "other",
    [
        SMALL,
        vote(1, digest=b"b" * 32, height=6),
        vote(1, digest=b"b" * 32, view=3),
        vote(1, VoteKind.PREPARE, digest=b"b" * 32),
        vote(2, digest=b"b" * 32),
    ],
)
def test_votes_that_an_honest_validator_may_make_are_no_evidence(other: Vote) -> None:
    assert not conflict(SMALL, other)
    with pytest.raises(InvalidProof, match="expected two votes for different digests"):
        check(Equivocation(first=SMALL, second=other))


def test_the_smaller_digest_stands_first() -> None:
    with pytest.raises(InvalidProof, match="expected the smaller digest first"):
        check(Equivocation(first=LARGE, second=SMALL))


@pytest.mark.parametrize("field", ["first", "second"])
def test_a_forged_vote_is_no_evidence(field: str) -> None:
    pair = equivocation_of(SMALL, LARGE)
    forged = dataclasses.replace(getattr(pair, field), signature=bytes(64))

    with pytest.raises(InvalidProof, match="signature of validator 1 is not its own"):
        check(dataclasses.replace(pair, **{field: forged}))


def test_only_conflicting_votes_are_joined() -> None:
    with pytest.raises(AssertionError):
        equivocation_of(SMALL, SMALL)
