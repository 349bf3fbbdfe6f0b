"""Transactions: bytes kept as they came, an id without the signature, a validity window."""

import dataclasses
from typing import Any

import pytest

from chain.crypto import ED25519, Domain, hash_of
from chain.errors import DecodeError, InvalidTransaction
from chain.transaction import Payload, SignedPayload, Transaction, check_window, sign
from tests.chain_samples import GENESIS_TIME_MS, OTHER_SENDER, SENDER, transaction

DAY_MS = 86_400_000


def test_a_signed_transaction_is_parsed_as_it_was_made() -> None:
    made = transaction(1)

    assert Transaction.parse(made.wire) == made
    assert made.is_signed(ED25519)


def test_the_id_is_the_hash_of_the_payload_and_not_of_the_signature() -> None:
    made = transaction(1)
    resigned = SignedPayload(payload=made.payload.encode(), signature=bytes(64)).encode()

    assert Transaction.parse(resigned).id == made.id
    assert made.id == hash_of(Domain.TRANSACTION_ID, made.payload.encode())
    assert not Transaction.parse(resigned).is_signed(ED25519)


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": b"x" * 32},
        {"nonce": b"n" * 16},
        {"valid_until_ms": 1},
        {"method": "note.other"},
        {"arguments": b"other"},
    ],
)
def test_each_field_of_the_payload_is_under_id_and_signature(changes: dict[str, Any]) -> None:
    made = transaction(1)
    payload = dataclasses.replace(made.payload, **changes)
    forged = Transaction.parse(
        SignedPayload(payload=payload.encode(), signature=made.signature).encode()
    )

    assert forged.id != made.id
    assert not forged.is_signed(ED25519)


def test_another_senders_signature_does_not_verify() -> None:
    made = transaction(1)
    payload = dataclasses.replace(made.payload, sender=OTHER_SENDER.public_key)
    forged = SignedPayload(payload=payload.encode(), signature=made.signature)

    assert not Transaction.parse(forged.encode()).is_signed(ED25519)


def test_a_payload_is_signed_by_its_sender() -> None:
    with pytest.raises(AssertionError, match="signed by its sender"):
        sign(OTHER_SENDER, transaction(1).payload)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("version", 2, "version: expected an integer from 1 to 1, got 2"),
        ("chain_id", bytes(31), "chain_id: expected 32 bytes, got 31 bytes"),
        ("sender", bytes(33), "sender: expected 32 bytes, got 33 bytes"),
        ("nonce", bytes(15), "nonce: expected 16 bytes, got 15 bytes"),
        ("valid_until_ms", -1, "valid_until_ms: expected an integer from 0"),
        ("method", "Note", "method: expected 1 to 64 of a-z"),
        ("arguments", "text", "arguments: expected a byte string, got text 'text'"),
    ],
)
def test_a_malformed_field_is_named(field: str, value: Any, words: str) -> None:
    payload = dataclasses.replace(transaction(1).payload, **{field: value})
    wire = SignedPayload(payload=payload.encode(), signature=bytes(64)).encode()

    with pytest.raises(DecodeError, match=f"Payload.{words}"):
        Transaction.parse(wire)


@pytest.mark.parametrize("wire", [b"", b"\x90", transaction(1).wire + b"\x00"])
def test_bytes_that_are_no_transaction_are_refused(wire: bytes) -> None:
    with pytest.raises(DecodeError, match="SignedPayload: "):
        Transaction.parse(wire)


def test_a_payload_in_a_longer_encoding_is_refused() -> None:
    payload = transaction(1).payload.encode()
    assert payload[:2] == b"\x97\x01"
    longer = SignedPayload(payload=b"\x97\xcc\x01" + payload[2:], signature=bytes(64))

    with pytest.raises(DecodeError, match="Payload: expected the shortest encoding"):
        Transaction.parse(longer.encode())


def payload_until(valid_until_ms: int) -> Payload:
    return transaction(1, sender=SENDER, valid_until_ms=valid_until_ms).payload


@pytest.mark.parametrize("time_ms", [GENESIS_TIME_MS + 1, GENESIS_TIME_MS + 500])
def test_a_transaction_is_valid_up_to_its_last_millisecond(time_ms: int) -> None:
    check_window(
        payload_until(GENESIS_TIME_MS + 500),
        parent_time_ms=GENESIS_TIME_MS,
        time_ms=time_ms,
        lifetime_max_ms=DAY_MS,
    )


def test_a_transaction_is_expired_one_millisecond_later() -> None:
    with pytest.raises(InvalidTransaction, match="sign it anew") as caught:
        check_window(
            payload_until(GENESIS_TIME_MS + 500),
            parent_time_ms=GENESIS_TIME_MS,
            time_ms=GENESIS_TIME_MS + 501,
            lifetime_max_ms=DAY_MS,
        )

    assert caught.value.code == "TRANSACTION_EXPIRED"


def test_a_transaction_may_live_for_the_lifetime_after_the_parent() -> None:
    check_window(
        payload_until(GENESIS_TIME_MS + DAY_MS),
        parent_time_ms=GENESIS_TIME_MS,
        time_ms=GENESIS_TIME_MS + 1,
        lifetime_max_ms=DAY_MS,
    )


def test_a_transaction_may_not_live_a_millisecond_longer() -> None:
    with pytest.raises(InvalidTransaction, match=r"\(86400000 ms after the last block\)") as caught:
        check_window(
            payload_until(GENESIS_TIME_MS + DAY_MS + 1),
            parent_time_ms=GENESIS_TIME_MS,
            time_ms=GENESIS_TIME_MS + 1,
            lifetime_max_ms=DAY_MS,
        )

    assert caught.value.code == "TRANSACTION_LIFETIME"
    assert "set the clock of the host that signs where it is ahead" in str(caught.value)
