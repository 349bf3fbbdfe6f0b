"""Certificates: each guard violated alone."""

import dataclasses
from typing import Any

import pytest

from chain.certificate import (
    CommitCertificate,
    PreparedCertificate,
    commit_certificate_of,
    prepared_certificate_of,
)
from chain.crypto import ED25519
from chain.errors import DecodeError, InvalidCertificate
from chain.validator_set import ValidatorSet
from chain.vote import VoteKind
from tests.chain_samples import CHAIN_ID, SIGNERS, VALIDATORS, vote

LONE = ValidatorSet(keys=(SIGNERS[0].public_key,))


def committed(*signers: int) -> CommitCertificate:
    return commit_certificate_of([vote(signer) for signer in signers])


def prepared(primary: int, *signers: int) -> PreparedCertificate:
    return prepared_certificate_of(
        vote(primary, VoteKind.PRE_PREPARE),
        [vote(signer, VoteKind.PREPARE) for signer in signers],
    )


def check(
    certificate: CommitCertificate | PreparedCertificate, validators: ValidatorSet = VALIDATORS
) -> None:
    certificate.verify(chain_id=CHAIN_ID, validators=validators, scheme=ED25519)


def test_a_quorum_of_commits_is_a_certificate() -> None:
    check(committed(0, 1, 3))
    check(committed(0, 1, 2, 3))


def test_signatures_are_sorted_by_signer_whatever_the_order_of_the_votes() -> None:
    assert committed(3, 0, 1) == committed(0, 1, 3)
    assert [signer for signer, _ in committed(3, 0, 1).signatures] == [0, 1, 3]


def test_fewer_votes_than_a_quorum_are_none() -> None:
    with pytest.raises(InvalidCertificate, match="certificate has 2 votes, needs 3"):
        check(committed(0, 1))


def test_a_repeated_signer_counts_for_nothing() -> None:
    once = committed(0, 1, 2).signatures
    repeated = dataclasses.replace(committed(0, 1), signatures=(once[0], once[1], once[1]))

    with pytest.raises(InvalidCertificate, match=r"signers \[0, 1, 1\]: expected each once"):
        check(repeated)


def test_signers_stand_in_ascending_order() -> None:
    turned = dataclasses.replace(committed(0, 1, 2), signatures=committed(0, 1, 2).signatures[::-1])

    with pytest.raises(InvalidCertificate, match="in ascending order"):
        check(turned)


def test_a_vote_of_a_stranger_spoils_a_certificate() -> None:
    with_stranger = dataclasses.replace(
        committed(0, 1, 2), signatures=(*committed(0, 1, 2).signatures, (4, bytes(64)))
    )

    with pytest.raises(InvalidCertificate, match="signer 4: expected an index below 4"):
        check(with_stranger)


@pytest.mark.parametrize("changes", [{"height": 6}, {"view": 3}, {"block_hash": b"e" * 32}])
def test_votes_for_something_else_are_found(changes: dict[str, Any]) -> None:
    changed = dataclasses.replace(committed(0, 1, 2), **changes)

    with pytest.raises(InvalidCertificate, match=r"COMMIT of validator 0 .* does not verify"):
        check(changed)


def test_a_vote_of_another_view_spoils_a_certificate() -> None:
    other = commit_certificate_of([vote(2, view=1)]).signatures
    mixed = dataclasses.replace(committed(0, 1), signatures=committed(0, 1).signatures + other)

    with pytest.raises(
        InvalidCertificate, match="COMMIT of validator 2 at height 5, view 2: the signature"
    ):
        check(mixed)


def test_prepares_do_not_commit() -> None:
    prepares = prepared(0, 1, 2, 3).prepares
    disguised = dataclasses.replace(committed(1, 2, 3), signatures=prepares)

    with pytest.raises(InvalidCertificate, match="COMMIT of validator 1"):
        check(disguised)


def test_votes_of_different_things_are_never_joined() -> None:
    with pytest.raises(AssertionError, match="agree in all but the signer"):
        commit_certificate_of([vote(0), vote(1, view=3)])


def test_a_certificate_without_votes_is_no_record() -> None:
    empty = dataclasses.replace(committed(0), signatures=())

    with pytest.raises(DecodeError, match="signatures: expected an array of 1 to 100 elements"):
        CommitCertificate.decode(empty.encode())


def test_a_pre_prepare_and_prepares_of_a_quorum_less_one_are_prepared() -> None:
    check(prepared(1, 0, 2))
    check(prepared(1, 0, 2, 3))


def test_the_primary_does_not_count_twice() -> None:
    with pytest.raises(InvalidCertificate, match="primary 1 is among the PREPAREs"):
        check(prepared(1, 0, 1))


def test_prepares_below_the_quorum_are_not_prepared() -> None:
    with pytest.raises(InvalidCertificate, match="certificate has 1 votes, needs 2"):
        check(prepared(1, 0))


def test_repeated_prepares_are_not_prepared() -> None:
    once = prepared(1, 0).prepares

    with pytest.raises(InvalidCertificate, match=r"signers \[0, 0\]"):
        check(dataclasses.replace(prepared(1, 0), prepares=once + once))


def test_a_stranger_as_primary_is_found() -> None:
    with pytest.raises(InvalidCertificate, match=r"PRE_PREPARE of validator 4"):
        check(dataclasses.replace(prepared(1, 0, 2), primary=4))


def test_a_pre_prepare_of_another_is_found() -> None:
    with pytest.raises(InvalidCertificate, match=r"PRE_PREPARE of validator 1"):
        check(dataclasses.replace(prepared(1, 0, 2), pre_prepare=prepared(3, 0, 2).pre_prepare))


def test_a_prepare_that_does_not_verify_is_found() -> None:
    forged = dataclasses.replace(
        prepared(1, 0, 2), prepares=((0, bytes(64)), prepared(1, 0, 2).prepares[1])
    )

    with pytest.raises(InvalidCertificate, match=r"PREPARE of validator 0"):
        check(forged)


def test_a_lone_validator_prepares_without_others() -> None:
    alone = prepared_certificate_of(vote(0, VoteKind.PRE_PREPARE, validators=LONE), [])

    check(alone, LONE)
    assert PreparedCertificate.decode(alone.encode()) == alone


def test_certificates_round_trip() -> None:
    assert CommitCertificate.decode(committed(0, 1, 2).encode()) == committed(0, 1, 2)
    assert PreparedCertificate.decode(prepared(1, 0, 2).encode()) == prepared(1, 0, 2)
