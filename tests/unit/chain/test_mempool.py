"""The pool: limits, order within a sender, fairness between them, and what never comes back."""

import contextlib
import dataclasses
from collections.abc import Sequence

import pytest

from chain.crypto import Ed25519Signer
from chain.errors import InvalidTransaction
from chain.mempool import MISFITS_MAX, QUARANTINE_MAX, Mempool, MempoolLimits
from chain.parameters import Parameters
from chain.transaction import Transaction
from tests.chain_samples import GENESIS_TIME_MS, OTHER_SENDER, SENDER, transaction

LIMITS = MempoolLimits(
    transactions_max=100, bytes_max=100_000, per_sender_max=50, per_sender_own_max=20
)
THIRD_SENDER = Ed25519Signer(b"t" * 32)


def pool_of(*transactions: Transaction, limits: MempoolLimits = LIMITS) -> Mempool:
    pool = Mempool(limits)
    for now_ms, each in enumerate(transactions):
        pool.add(each, now_ms)
    return pool


def picked(
    pool: Mempool, parameters: Parameters | None = None, *, time_ms: int = GENESIS_TIME_MS + 1
) -> list[Transaction]:
    return pool.pick(
        parent_time_ms=GENESIS_TIME_MS,
        time_ms=time_ms,
        parameters=parameters or Parameters(),
        work_of=lambda each: 1 + len(each.payload.arguments),
    )


def of(sender: Ed25519Signer, numbers: Sequence[int]) -> list[Transaction]:
    return [transaction(number, sender=sender) for number in numbers]


def refusal_of(pool: Mempool, refused: Transaction) -> str:
    before = (pool.count, pool.bytes)
    with pytest.raises(InvalidTransaction) as caught:
        pool.add(refused, 0)
    assert (pool.count, pool.bytes) == before
    return caught.value.code


def test_an_empty_pool_has_nothing() -> None:
    pool = Mempool(LIMITS)

    assert (pool.count, pool.bytes, pool.oldest_ms) == (0, 0, None)
    assert picked(pool) == []
    assert pool.expire(2**63) == []


def test_a_transaction_is_found_by_its_id() -> None:
    one = transaction(1)
    pool = pool_of(one)

    assert pool.get(one.id) is one
    assert pool.holds(one.id)
    assert pool.get(bytes(32)) is None
    assert not pool.holds(bytes(32))
    assert (pool.count, pool.bytes) == (1, len(one.wire))


def test_a_transaction_is_taken_once() -> None:
    assert refusal_of(pool_of(transaction(1)), transaction(1)) == "DUPLICATE"


def test_the_pool_is_full_at_its_count() -> None:
    limits = dataclasses.replace(LIMITS, transactions_max=2)
    pool = pool_of(transaction(1), transaction(2), limits=limits)

    assert refusal_of(pool, transaction(3)) == "MEMPOOL_FULL"


def test_the_pool_is_full_at_its_bytes() -> None:
    size = len(transaction(1).wire)
    limits = dataclasses.replace(LIMITS, bytes_max=2 * size)
    pool = pool_of(transaction(1), transaction(2), limits=limits)
    assert pool.bytes == 2 * size

    assert refusal_of(pool, transaction(3)) == "MEMPOOL_FULL"


def test_one_byte_too_many_is_refused() -> None:
    limits = dataclasses.replace(LIMITS, bytes_max=2 * len(transaction(1).wire) - 1)

    assert refusal_of(pool_of(transaction(1), limits=limits), transaction(2)) == "MEMPOOL_FULL"


def test_a_sender_has_a_quota_of_its_own() -> None:
    limits = dataclasses.replace(LIMITS, per_sender_max=2)
    pool = pool_of(*of(SENDER, [1, 2]), limits=limits)

    assert refusal_of(pool, transaction(3)) == "SENDER_QUOTA"
    pool.add(transaction(3, sender=OTHER_SENDER), 0)


def test_own_clients_may_bring_a_share_of_a_senders_quota_and_peers_the_rest() -> None:
    limits = dataclasses.replace(LIMITS, per_sender_max=3, per_sender_own_max=1)
    pool = pool_of(limits=limits)
    pool.add(transaction(1), 0, is_own=True)

    with pytest.raises(InvalidTransaction, match="1 transactions of this sender that came to this"):
        pool.add(transaction(2), 0, is_own=True)
    pool.add(transaction(3, sender=OTHER_SENDER), 0, is_own=True)
    pool.add(transaction(2), 0)
    pool.add(transaction(4), 0)
    assert refusal_of(pool, transaction(5)) == "SENDER_QUOTA"


@pytest.mark.parametrize("leave", ["remove", "expire", "quarantine"])
def test_the_share_of_own_clients_is_free_again_however_a_transaction_leaves(leave: str) -> None:
    pool = pool_of(limits=dataclasses.replace(LIMITS, per_sender_own_max=1))
    one = transaction(1)
    pool.add(one, 0, is_own=True)

    match leave:
        case "remove":
            pool.remove([one.id])
        case "expire":
            assert pool.expire(one.payload.valid_until_ms) == [one.id]
        case _:
            pool.quarantine(one.id)

    pool.add(transaction(2), 0, is_own=True)
    with pytest.raises(InvalidTransaction, match="came to this node"):
        pool.add(transaction(3), 0, is_own=True)


def test_pools_that_hear_of_all_shares_hold_the_same_and_turn_nothing_away() -> None:
    limits = dataclasses.replace(LIMITS, per_sender_max=8, per_sender_own_max=2)
    pools = [Mempool(limits) for _ in range(4)]
    for node, pool in enumerate(pools):
        for number in range(5):  # a flood at each node, before any gossip arrives
            one = transaction(10 * node + number)
            with contextlib.suppress(InvalidTransaction):
                pool.add(one, 0, is_own=True)
    accepted = [list(pool.transactions()) for pool in pools]
    for node, pool in enumerate(pools):
        for other in (*accepted[:node], *accepted[node + 1 :]):
            for one in other:
                pool.add(one, 1)

    assert {pool.count for pool in pools} == {8}
    assert len({frozenset(each.id for each in pool.transactions()) for pool in pools}) == 1


def test_a_committed_transaction_makes_room() -> None:
    limits = dataclasses.replace(LIMITS, per_sender_max=1)
    pool = pool_of(transaction(1), limits=limits)

    pool.remove([transaction(1).id, bytes(32)])
    pool.add(transaction(2), 0)

    assert picked(pool) == [transaction(2)]


def test_one_sender_keeps_its_order() -> None:
    sent = of(SENDER, [5, 3, 9, 1])

    assert picked(pool_of(*sent)) == sent


def test_senders_take_turns() -> None:
    many, few = of(SENDER, range(6)), of(OTHER_SENDER, range(2))
    pool = pool_of(*many, *few)

    assert picked(pool) == [many[0], few[0], many[1], few[1], *many[2:]]


def test_who_was_served_goes_to_the_end_of_the_line() -> None:
    a, b, c = (of(sender, [1, 2]) for sender in (SENDER, OTHER_SENDER, THIRD_SENDER))
    pool = pool_of(*a, *b, *c)
    two = dataclasses.replace(Parameters(), block_transactions_max=2)

    blocks = []
    for _ in range(3):
        blocks.append(picked(pool, two))
        pool.remove([each.id for each in blocks[-1]])

    assert blocks == [[a[0], b[0]], [c[0], a[1]], [b[1], c[1]]]


def test_picking_takes_nothing_out() -> None:
    pool = pool_of(*of(SENDER, [1, 2]))

    assert picked(pool) == picked(pool)
    assert pool.count == 2


def test_work_is_asked_for_once() -> None:
    pool = pool_of(transaction(1))
    asked: list[Transaction] = []

    def work_of(each: Transaction) -> int:
        asked.append(each)
        return 1

    for _ in range(2):
        pool.pick(
            parent_time_ms=GENESIS_TIME_MS,
            time_ms=GENESIS_TIME_MS + 1,
            parameters=Parameters(),
            work_of=work_of,
        )

    assert asked == [transaction(1)]


@pytest.mark.parametrize(("count_max", "expected"), [(2, 2), (3, 3), (4, 3)])
def test_a_block_is_bounded_by_count(count_max: int, expected: int) -> None:
    parameters = dataclasses.replace(Parameters(), block_transactions_max=count_max)

    assert len(picked(pool_of(*of(SENDER, range(3))), parameters)) == expected


@pytest.mark.parametrize(("spare", "expected"), [(-1, 2), (0, 3), (1, 3)])
def test_a_block_is_bounded_by_bytes(spare: int, expected: int) -> None:
    size = len(transaction(1).wire)
    parameters = dataclasses.replace(Parameters(), block_bytes_max=3 * size + spare)

    assert len(picked(pool_of(*of(SENDER, range(4))), parameters)) == expected


@pytest.mark.parametrize(("work_max", "expected"), [(8, 2), (9, 3), (11, 3), (12, 4)])
def test_a_block_is_bounded_by_work(work_max: int, expected: int) -> None:
    parameters = dataclasses.replace(Parameters(), block_readings_max=work_max)
    pool = pool_of(*(transaction(number, arguments=b"xx") for number in range(5)))

    assert len(picked(pool, parameters)) == expected


def test_a_transaction_that_no_longer_fits_holds_back_its_sender_only() -> None:
    large = transaction(1, arguments=b"x" * 20)
    after = transaction(2)
    small = of(OTHER_SENDER, range(3))
    parameters = dataclasses.replace(Parameters(), block_readings_max=10)

    assert picked(pool_of(large, after, *small), parameters) == small


@pytest.mark.parametrize(
    ("misfits", "expected"), [(MISFITS_MAX, [transaction(1)]), (MISFITS_MAX + 1, [])]
)
def test_the_search_for_what_still_fits_ends(misfits: int, expected: list[Transaction]) -> None:
    limits = dataclasses.replace(LIMITS, transactions_max=200)
    large = [
        transaction(1, arguments=b"x" * 20, sender=Ed25519Signer(number.to_bytes(32, "big")))
        for number in range(misfits)
    ]
    pool = pool_of(*large, transaction(1), limits=limits)
    parameters = dataclasses.replace(Parameters(), block_readings_max=10)

    assert picked(pool, parameters) == expected


def test_what_the_blocks_time_has_passed_is_passed_over() -> None:
    late = transaction(1, valid_until_ms=GENESIS_TIME_MS + 10)
    good = transaction(2)
    pool = pool_of(late, good)

    assert picked(pool, time_ms=GENESIS_TIME_MS + 10) == [late, good]
    assert picked(pool, time_ms=GENESIS_TIME_MS + 11) == [good]


def test_what_no_block_may_hold_yet_keeps_its_place_in_the_order() -> None:
    lifetime = Parameters().transaction_lifetime_max_ms
    early = transaction(1, valid_until_ms=GENESIS_TIME_MS + lifetime + 1)
    after = transaction(2)
    other = transaction(3, sender=OTHER_SENDER, valid_until_ms=GENESIS_TIME_MS + lifetime)

    assert picked(pool_of(early, after, other)) == [other]


def test_expiry_forgets_what_no_later_block_may_hold() -> None:
    times = [GENESIS_TIME_MS + 30, GENESIS_TIME_MS + 10, GENESIS_TIME_MS + 20]
    sent = [transaction(number, valid_until_ms=at) for number, at in enumerate(times)]
    pool = pool_of(*sent)

    assert pool.expire(GENESIS_TIME_MS + 9) == []
    assert pool.expire(GENESIS_TIME_MS + 20) == [sent[1].id, sent[2].id]
    assert pool.count == 1
    assert pool.bytes == len(sent[0].wire)


def test_what_is_gone_does_not_expire_again() -> None:
    one = transaction(1)
    pool = pool_of(one)
    pool.remove([one.id])

    assert pool.expire(one.payload.valid_until_ms) == []


def test_deadlines_of_what_is_gone_do_not_pile_up() -> None:
    pool = pool_of(transaction(0))
    for number in range(1, 3_000):
        each = transaction(number)
        pool.add(each, 0)
        pool.remove([each.id])

    assert len(pool._deadlines) <= 1_026
    assert pool.expire(transaction(0).payload.valid_until_ms) == [transaction(0).id]


def test_the_oldest_is_the_one_that_waits_longest() -> None:
    pool = pool_of(*of(SENDER, [1, 2]))
    assert pool.oldest_ms == 0

    pool.remove([transaction(1).id])

    assert pool.oldest_ms == 1


def test_those_that_have_waited_are_found_oldest_first() -> None:
    sent = of(SENDER, range(5))
    pool = pool_of(*sent)

    assert pool.waiting_since(2, 10) == sent[:3]
    assert pool.waiting_since(2, 2) == sent[:2]
    assert pool.waiting_since(9, 10) == sent
    assert list(pool.transactions()) == sent


def test_a_quarantined_transaction_is_forgotten_and_refused() -> None:
    bad, good = of(SENDER, [1, 2])
    pool = pool_of(bad, good)

    pool.quarantine(bad.id)

    assert pool.is_quarantined(bad.id)
    assert not pool.is_quarantined(good.id)
    assert not pool.holds(bad.id)
    assert pool.oldest_ms == 1
    assert picked(pool) == [good]
    assert refusal_of(pool, bad) == "QUARANTINED"


def test_the_quarantine_forgets_its_oldest() -> None:
    pool = Mempool(LIMITS)
    for number in range(QUARANTINE_MAX):
        pool.quarantine(number.to_bytes(32, "big"))
    assert pool.is_quarantined(bytes(32))

    pool.quarantine(b"n" * 32)

    assert not pool.is_quarantined(bytes(32))
    assert pool.is_quarantined((1).to_bytes(32, "big"))


def test_the_latest_deadline_is_that_of_what_is_still_here() -> None:
    early = transaction(1, valid_until_ms=GENESIS_TIME_MS + 10)
    late = transaction(2, valid_until_ms=GENESIS_TIME_MS + 20)
    pool = pool_of(early, late)
    assert pool.latest_deadline_ms == GENESIS_TIME_MS + 20

    pool.quarantine(late.id)
    assert pool.latest_deadline_ms == GENESIS_TIME_MS + 10

    pool.expire(GENESIS_TIME_MS + 10)
    assert pool.latest_deadline_ms == 0


def test_work_is_what_a_block_of_now_may_hold_and_nothing_else() -> None:
    parent_ms = GENESIS_TIME_MS
    pool = pool_of(
        transaction(1, valid_until_ms=GENESIS_TIME_MS + 10),
        transaction(2, valid_until_ms=GENESIS_TIME_MS + 100),
    )

    def has_work(time_ms: int, lifetime_ms: int) -> bool:
        return pool.has_work(
            parent_time_ms=parent_ms, time_ms=parent_ms + time_ms, lifetime_max_ms=lifetime_ms
        )

    assert has_work(10, 10)
    assert not has_work(10, 9), "both are valid too long"
    assert not has_work(11, 99), "one has expired, the other is valid too long"
    assert has_work(11, 100)
    assert has_work(100, 100)
    assert not has_work(101, 1_000), "both have expired"
    assert not Mempool(LIMITS).has_work(parent_time_ms=0, time_ms=1, lifetime_max_ms=9)


@pytest.mark.parametrize(
    ("work_max", "count"), [(None, 4), (100, 4), (3, 3), (2, 2), (1, 1), (0, 1)]
)
def test_a_block_may_be_full_before_the_chain_says_so_but_takes_one(
    work_max: int | None, count: int
) -> None:
    pool = Mempool(LIMITS)
    for number in range(4):
        pool.add(transaction(number), 0)

    picked = pool.pick(
        parent_time_ms=GENESIS_TIME_MS,
        time_ms=GENESIS_TIME_MS + 1,
        parameters=Parameters(),
        work_of=lambda _: 1,
        work_max=work_max,
    )

    assert len(picked) == count
