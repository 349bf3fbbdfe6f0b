"""Proof files of a chain whose validators change: each set is announced by the one before."""

from typing import Any

import pytest

from chain import jcs
from chain.block import Header
from chain.certificate import commit_certificate_of
from chain.crypto import ED25519
from chain.errors import InvalidProof
from chain.proof_file import FORMAT, Claim, seal_of, verify_proof_file
from chain.state_tree import MemoryBucketReader, StateTree
from chain.validator_set import ValidatorSet
from chain.vote import VoteKind, sign_vote
from tests.chain_samples import SIGNERS, VALIDATORS, genesis, header

GENESIS = genesis()
SECOND = ValidatorSet(keys=tuple(signer.public_key for signer in SIGNERS[3:7]))
KEYS_OF_GENESIS = VALIDATORS.encode().hex()
TREE = StateTree(MemoryBucketReader())
KEY = b"nothing/here"


def at(height: int, voters: ValidatorSet, following: ValidatorSet) -> Header:
    return header(
        chain_id=GENESIS.chain_id,
        height=height,
        time_ms=GENESIS.time_ms + height,
        state_root=TREE.root,
        validator_set_hash=voters.hash,
        next_validator_set_hash=following.hash,
    )


def certified(of: Header, voters: ValidatorSet) -> dict[str, str]:
    signers = {signer.public_key: signer for signer in SIGNERS}
    votes = [
        sign_vote(
            signers[key],
            chain_id=GENESIS.chain_id,
            validators=voters,
            kind=VoteKind.COMMIT,
            height=of.height,
            view=0,
            digest=of.hash,
        )
        for key in voters.keys[:3]
    ]
    certificate = commit_certificate_of(votes)
    return {"header": of.encode().hex(), "certificate": certificate.encode().hex()}


def proof(height: int, voters: ValidatorSet, *sets: dict[str, str]) -> dict[str, Any]:
    """A file that proves an absent key in a block of a height, by these validators."""
    return {
        "format": FORMAT,
        "chain_id": GENESIS.chain_id.hex(),
        "validator_sets": [{"keys": VALIDATORS.encode().hex()}, *sets],
        "blocks": [certified(at(height, voters, voters), voters)],
        "claims": [
            {
                "kind": "state",
                "block": 0,
                "key": KEY.hex(),
                "value": None,
                "proof": TREE.prove(KEY).encode().hex(),
            }
        ],
    }


def change(height: int, before: ValidatorSet, after: ValidatorSet) -> dict[str, str]:
    """The announcement of new validators."""
    announcement = certified(at(height, before, after), before)
    return {"keys": after.encode().hex(), **announcement}


def verified(document: dict[str, Any]) -> tuple[Claim, ...]:
    document["seal"] = seal_of(document).hex()
    text = jcs.encode(document) + b"\n"
    return verify_proof_file(text, document, genesis=GENESIS, scheme=ED25519)


def test_blocks_of_the_validators_of_genesis_need_no_more() -> None:
    (claim,) = verified(proof(7, VALIDATORS))

    assert (claim.block.height, claim.block.votes, claim.block.validators) == (7, 3, 4)


def test_a_block_of_new_validators_is_proved_by_their_announcement() -> None:
    (claim,) = verified(proof(11, SECOND, change(10, VALIDATORS, SECOND)))

    assert claim.block.height == 11


def test_sets_may_change_more_than_once_and_back() -> None:
    changes = change(10, VALIDATORS, SECOND), change(20, SECOND, VALIDATORS)

    for height, voters in ((5, VALIDATORS), (10, VALIDATORS), (15, SECOND), (21, VALIDATORS)):
        (claim,) = verified(proof(height, voters, *changes))
        assert claim.block.height == height


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (proof(11, SECOND), r"blocks\[0\]: validator set: expected"),
        (
            proof(11, VALIDATORS, change(10, VALIDATORS, SECOND)),
            r"blocks\[0\]: validator set: expected",
        ),
        (
            proof(10, SECOND, change(10, VALIDATORS, SECOND)),
            r"blocks\[0\]: validator set: expected",
        ),
        (
            proof(
                11, SECOND, {**change(10, VALIDATORS, SECOND), "keys": VALIDATORS.encode().hex()}
            ),
            r"validator_sets\[1\].keys: expected the new validators",
        ),
        (
            proof(11, SECOND, change(10, SECOND, SECOND)),
            r"validator_sets\[1\]: validator set: expected",
        ),
        (
            proof(11, VALIDATORS, change(10, VALIDATORS, VALIDATORS)),
            r"validator_sets\[1\].keys: expected the new validators",
        ),
        (
            proof(30, VALIDATORS, change(10, VALIDATORS, SECOND), change(9, SECOND, VALIDATORS)),
            r"validator_sets\[2\].header: expected a block after height 10",
        ),
        (
            {**proof(7, VALIDATORS), "validator_sets": [{"keys": SECOND.encode().hex()}]},
            r"validator_sets\[0\]: expected the validators of genesis",
        ),
        (
            {**proof(7, VALIDATORS), "validator_sets": []},
            "validator_sets: expected an array of at least one element",
        ),
    ],
)
def test_nobody_else_can_announce_or_sign(document: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidProof, match=words):
        verified(document)
