"""Headers and how they follow one another."""

import dataclasses
from typing import Any

import pytest

from chain.block import CertifiedBlock, Header, check_link, transaction_root
from chain.errors import DecodeError, InvalidBlock
from chain.merkle import merkle_root
from tests.chain_samples import certificate, header, transaction

PARENT = header()
CHILD = header(height=2, parent_hash=PARENT.hash, time_ms=PARENT.time_ms + 1)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Header)])
def test_each_field_is_under_the_block_hash(field: str) -> None:
    value = getattr(PARENT, field)
    other: Any = value + 1 if isinstance(value, int) else b"z" * 32

    assert dataclasses.replace(PARENT, **{field: other}).hash != PARENT.hash


def test_a_header_round_trips() -> None:
    assert Header.decode(PARENT.encode()) == PARENT


def test_the_transaction_root_is_over_the_ids() -> None:
    ids = [transaction(1).id, transaction(2).id]

    assert transaction_root(ids) == merkle_root(ids)


def test_a_child_follows_its_parent() -> None:
    check_link(PARENT, CHILD)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chain_id": b"x" * 32}, "chain id: expected 6363.*, got 7878"),
        ({"height": 1}, "height: expected 2, got 1"),
        ({"height": 3}, "height: expected 2, got 3"),
        ({"parent_hash": b"x" * 32}, "parent hash: expected .*, got 7878"),
        ({"validator_set_hash": b"x" * 32}, "validator set hash: expected .*, got 7878"),
        (
            {"time_ms": PARENT.time_ms},
            "block time: expected above 1700000001000, got 1700000001000",
        ),
    ],
)
def test_a_header_that_does_not_follow_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidBlock, match=words) as caught:
        check_link(PARENT, dataclasses.replace(CHILD, **changes))

    assert words.startswith(caught.value.rule)


def test_a_set_may_change_where_the_parent_announced_it() -> None:
    parent = header(next_validator_set_hash=b"n" * 32)

    check_link(
        parent,
        dataclasses.replace(CHILD, parent_hash=parent.hash, validator_set_hash=b"n" * 32),
    )


def test_a_stored_block_gives_its_transactions_back() -> None:
    block = CertifiedBlock(
        header=PARENT,
        certificate=certificate(PARENT),
        transactions=(transaction(1).wire, transaction(2).wire),
    )

    again = CertifiedBlock.decode(block.encode())

    assert again == block
    assert again.parse_transactions() == (transaction(1), transaction(2))


def test_a_body_that_is_no_transaction_is_found() -> None:
    block = CertifiedBlock(header=PARENT, certificate=certificate(PARENT), transactions=(b"\x90",))

    with pytest.raises(DecodeError, match="SignedPayload: expected an array of 2 fields"):
        block.parse_transactions()
