"""A vote's signature covers everything that gives it meaning."""

import dataclasses
from typing import Any

import pytest

from chain.crypto import ED25519
from chain.validator_set import ValidatorSet
from chain.vote import Vote, VoteKind, sign_vote, vote_bytes
from tests.chain_samples import CHAIN_ID, SIGNERS, VALIDATORS, vote


def test_a_vote_verifies() -> None:
    assert vote(2).verify(chain_id=CHAIN_ID, validators=VALIDATORS, scheme=ED25519)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": VoteKind.PREPARE},
        {"height": 6},
        {"view": 1},
        {"digest": b"e" * 32},
        {"signer": 1},
        {"signature": bytes(64)},
    ],
)
def test_a_vote_with_one_other_field_does_not_verify(changes: dict[str, Any]) -> None:
    changed = dataclasses.replace(vote(2), **changes)

    assert not changed.verify(chain_id=CHAIN_ID, validators=VALIDATORS, scheme=ED25519)


def test_a_vote_of_another_chain_does_not_verify() -> None:
    assert not vote(2).verify(chain_id=b"x" * 32, validators=VALIDATORS, scheme=ED25519)


def test_a_vote_under_another_set_does_not_verify_even_where_the_signer_keeps_its_index() -> None:
    larger = ValidatorSet(keys=(*VALIDATORS.keys, SIGNERS[4].public_key))

    assert not vote(2).verify(chain_id=CHAIN_ID, validators=larger, scheme=ED25519)


@pytest.mark.parametrize("signer", [4, 2**16 - 1])
def test_a_vote_of_nobody_in_the_set_does_not_verify(signer: int) -> None:
    changed = dataclasses.replace(vote(2), signer=signer)

    assert not changed.verify(chain_id=CHAIN_ID, validators=VALIDATORS, scheme=ED25519)


def test_only_a_member_votes() -> None:
    with pytest.raises(AssertionError, match="only a member of the set votes"):
        sign_vote(
            SIGNERS[4],
            chain_id=CHAIN_ID,
            validators=VALIDATORS,
            kind=VoteKind.PREPARE,
            height=1,
            view=0,
            digest=bytes(32),
        )


def test_the_signed_bytes_are_domain_chain_and_fields() -> None:
    signed = vote_bytes(
        chain_id=b"c" * 32,
        kind=VoteKind.COMMIT,
        height=5,
        view=2,
        digest=b"d" * 32,
        signer=3,
        validator_set_hash=b"v" * 32,
    )

    expected = (
        b"tanlian/vote/1\x00" + b"c" * 32 + b"\x96\x05\x05\x02\xc4\x20" + b"d" * 32
        + b"\x03\xc4\x20" + b"v" * 32
    )  # fmt: skip
    assert signed == expected


def test_votes_round_trip() -> None:
    assert Vote.decode(vote(1).encode()) == vote(1)
