"""Signature checks on threads give what checks in a row give, in the same order."""

import threading

import pytest

from chain.crypto import ED25519, SignatureClaim, one_by_one
from chain.types import PublicKey, Signature
from node.verifier import (
    CLAIMS_MIN,
    THREADS_MAX,
    ThreadedVerifier,
    threads_by_default,
    verifier_of,
)
from tests.chain_samples import SENDER


def claim(number: int) -> SignatureClaim:
    message = b"%d" % number
    signature = SENDER.sign(message if number % 3 else b"another")
    return SENDER.public_key, message, signature


class Meeting:
    """Holds each thread back until as many have come: only real threads get through."""

    def __init__(self, count: int) -> None:
        self._barrier = threading.Barrier(count)
        self.threads: set[int] = set()

    def verify(self, public_key: PublicKey, message: bytes, signature: Signature) -> bool:
        del public_key, message, signature
        if threading.get_ident() not in self.threads:
            self.threads.add(threading.get_ident())
            self._barrier.wait(timeout=30)
        return True


@pytest.mark.parametrize("count", [0, 1, CLAIMS_MIN - 1, CLAIMS_MIN, CLAIMS_MIN + 1, 50])
@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_the_answers_are_those_of_checks_in_a_row(count: int, threads: int) -> None:
    claims = [claim(number) for number in range(count)]

    assert verifier_of(ED25519, threads)(claims) == [bool(number % 3) for number in range(count)]


def test_a_batch_is_checked_by_all_threads_at_once() -> None:
    meeting = Meeting(3)

    ThreadedVerifier(meeting, 3)([claim(1)] * CLAIMS_MIN)

    assert len(meeting.threads) == 3


def test_a_small_batch_stays_on_its_own_thread() -> None:
    meeting = Meeting(1)

    ThreadedVerifier(meeting, 3)([claim(1)] * (CLAIMS_MIN - 1))

    assert meeting.threads == {threading.get_ident()}


def test_one_thread_needs_no_pool() -> None:
    assert not isinstance(verifier_of(ED25519, 1), ThreadedVerifier)
    assert one_by_one(ED25519)([]) == []


@pytest.mark.parametrize(
    ("cores", "threads"), [(None, 1), (1, 1), (2, 1), (3, 2), (64, THREADS_MAX)]
)
def test_one_core_stays_for_everything_else(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    assert threads_by_default() == threads
