"""The pool against a list that is searched from the front."""

import dataclasses

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chain.crypto import Ed25519Signer
from chain.errors import InvalidTransaction
from chain.mempool import Mempool, MempoolLimits
from chain.parameters import Parameters
from chain.transaction import Transaction
from tests.chain_samples import GENESIS_TIME_MS, transaction

SENDERS = tuple(Ed25519Signer(bytes([number]) * 32) for number in range(3))
SAMPLES = tuple(
    transaction(
        number,
        arguments=b"x" * (number % 4),
        sender=SENDERS[number % 3],
        valid_until_ms=GENESIS_TIME_MS + 10 * (number % 7),
    )
    for number in range(30)
)
numbers = st.integers(0, len(SAMPLES) - 1)
LIMITS = MempoolLimits(
    transactions_max=12,
    bytes_max=9 * len(SAMPLES[0].wire) + 30,
    per_sender_max=5,
    per_sender_own_max=2,
)


class PoolMachine(RuleBasedStateMachine):
    """Adds, picks, removes, expires and quarantines; the model is a list in order of arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Mempool(LIMITS)
        self.waiting: list[Transaction] = []
        self.own: set[bytes] = set()
        """Ids that came from own clients, once and maybe no longer waiting."""
        self.quarantined: list[bytes] = []
        self.now_ms = 0

    @rule(number=numbers, is_own=st.booleans())
    def add(self, number: int, *, is_own: bool) -> None:
        one = SAMPLES[number]
        self.now_ms += 1
        expected = self.refusal_of(one, is_own=is_own)
        if expected is None:
            self.pool.add(one, self.now_ms, is_own=is_own)
            self.waiting.append(one)
            self.own.discard(one.id)
            if is_own:
                self.own.add(one.id)
            return
        with pytest.raises(InvalidTransaction) as caught:
            self.pool.add(one, self.now_ms, is_own=is_own)
        assert caught.value.code == expected

    def refusal_of(self, one: Transaction, *, is_own: bool) -> str | None:
        if one in self.waiting:
            return "DUPLICATE"
        if one.id in self.quarantined:
            return "QUARANTINED"
        if len(self.waiting) >= LIMITS.transactions_max:
            return "MEMPOOL_FULL"
        if sum(len(each.wire) for each in (*self.waiting, one)) > LIMITS.bytes_max:
            return "MEMPOOL_FULL"
        same = [each for each in self.waiting if each.payload.sender == one.payload.sender]
        own = [each for each in same if each.id in self.own]
        is_over = is_own and len(own) >= LIMITS.per_sender_own_max
        return "SENDER_QUOTA" if is_over or len(same) >= LIMITS.per_sender_max else None

    @rule(some_numbers=st.lists(numbers, max_size=5))
    def remove(self, some_numbers: list[int]) -> None:
        some = [SAMPLES[number] for number in some_numbers]
        self.pool.remove([each.id for each in some])
        self.waiting = [each for each in self.waiting if each not in some]

    @rule(after_ms=st.integers(-1, 70))
    def expire(self, after_ms: int) -> None:
        time_ms = GENESIS_TIME_MS + after_ms
        gone = [each for each in self.waiting if each.payload.valid_until_ms <= time_ms]
        assert sorted(self.pool.expire(time_ms)) == sorted(each.id for each in gone)
        self.waiting = [each for each in self.waiting if each not in gone]

    @rule(number=numbers)
    def quarantine(self, number: int) -> None:
        one = SAMPLES[number]
        self.pool.quarantine(one.id)
        self.quarantined.append(one.id)
        self.waiting = [each for each in self.waiting if each != one]

    @rule(after_ms=st.integers(0, 70), count_max=st.integers(1, 14), work_max=st.integers(1, 40))
    def pick(self, after_ms: int, count_max: int, work_max: int) -> None:
        time_ms = GENESIS_TIME_MS + after_ms
        block = self.pool.pick(
            parent_time_ms=GENESIS_TIME_MS - 1,
            time_ms=time_ms,
            parameters=dataclasses.replace(
                Parameters(), block_transactions_max=count_max, block_readings_max=work_max
            ),
            work_of=work_of,
        )
        valid = [each for each in self.waiting if each.payload.valid_until_ms >= time_ms]
        assert len(block) <= count_max
        assert sum(map(work_of, block)) <= work_max
        for sender in SENDERS:
            taken = [each for each in block if each.payload.sender == sender.public_key]
            line = [each for each in valid if each.payload.sender == sender.public_key]
            assert taken == line[: len(taken)]
            if len(taken) < len(line):
                left = work_max - sum(map(work_of, block))
                assert len(block) == count_max or work_of(line[len(taken)]) > left

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        assert list(self.pool.transactions()) == self.waiting
        assert self.pool.count == len(self.waiting)
        assert self.pool.bytes == sum(len(each.wire) for each in self.waiting)
        assert all(self.pool.get(each.id) is each for each in self.waiting)


def work_of(one: Transaction) -> int:
    return 1 + len(one.payload.arguments)


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
