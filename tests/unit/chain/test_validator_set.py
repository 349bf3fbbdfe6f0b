"""Quorums: the formula, its two properties, and who is a member."""

import pytest

from chain.errors import DecodeError
from chain.validator_set import (
    VALIDATORS_MAX,
    ValidatorSet,
    fault_tolerance,
    quorum_of,
    weak_quorum_of,
)
from tests.chain_samples import SIGNERS, VALIDATORS


@pytest.mark.parametrize(
    ("count", "tolerance", "quorum", "weak"),
    [
        (1, 0, 1, 1),
        (2, 0, 2, 1),
        (3, 0, 2, 1),
        (4, 1, 3, 2),
        (5, 1, 4, 2),
        (6, 1, 4, 2),
        (7, 2, 5, 3),
        (8, 2, 6, 3),
        (9, 2, 6, 3),
        (10, 3, 7, 4),
        (100, 33, 67, 34),
    ],
)
def test_the_quorum_table(count: int, tolerance: int, quorum: int, weak: int) -> None:
    assert fault_tolerance(count) == tolerance
    assert quorum_of(count) == quorum
    assert weak_quorum_of(count) == weak


@pytest.mark.parametrize("count", range(1, VALIDATORS_MAX + 1))
def test_two_quorums_meet_in_an_honest_validator_and_the_honest_make_one(count: int) -> None:
    f, q = fault_tolerance(count), quorum_of(count)

    assert 2 * q - count >= f + 1
    assert q <= count - f
    assert 2 * (q - 1) - count < f + 1, "one vote less would not do"


def test_an_index_is_the_position_in_the_set() -> None:
    assert [VALIDATORS.index_of(signer.public_key) for signer in SIGNERS] == [
        0,
        1,
        2,
        3,
        None,
        None,
        None,
    ]


def test_a_set_knows_its_size_and_quorums() -> None:
    assert (VALIDATORS.count, VALIDATORS.quorum, VALIDATORS.weak_quorum) == (4, 3, 2)


def test_the_hash_depends_on_the_order() -> None:
    turned = ValidatorSet(keys=VALIDATORS.keys[::-1])

    assert turned.hash != VALIDATORS.hash


@pytest.mark.parametrize("count", [1, VALIDATORS_MAX])
def test_a_set_of_allowed_size_round_trips(count: int) -> None:
    some = ValidatorSet(keys=tuple(bytes([number]) * 32 for number in range(count)))

    assert ValidatorSet.decode(some.encode()) == some


@pytest.mark.parametrize("count", [0, VALIDATORS_MAX + 1])
def test_a_set_of_another_size_is_refused(count: int) -> None:
    too = ValidatorSet(keys=tuple(bytes([number]) * 32 for number in range(count)))

    with pytest.raises(DecodeError, match=r"ValidatorSet.keys: expected an array of 1 to 100"):
        ValidatorSet.decode(too.encode())
