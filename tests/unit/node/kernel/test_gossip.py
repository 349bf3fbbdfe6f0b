"""What is sent again, what counts as censored, and how messages are split."""

import pytest

from consensus.messages import BODIES_MAX
from node.kernel.gossip import (
    GOSSIP_BYTES_MAX,
    STALE_BATCH_MAX,
    Gossip,
    batches_of,
    batches_of_ids,
)

ID = b"i" * 32
OTHER_ID = b"o" * 32
SENDER = b"s" * 32
OTHER_SENDER = b"t" * 32


def test_what_has_not_moved_is_sent_again_after_the_interval_and_not_before() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)

    assert gossip.stale(999) == ()
    assert gossip.stale(1_000) == (ID,)
    assert gossip.stale(1_999) == ()
    assert gossip.stale(2_000) == (ID,)


def test_sending_again_changes_neither_the_order_nor_the_others_of_the_submission() -> None:
    gossip = Gossip(2_000, 10_000)
    for identity in (ID, OTHER_ID):
        gossip.remember(identity, SENDER, 0)
    gossip.remember(b"n" * 32, SENDER, 500)

    assert gossip.stale(1_000) == (ID, OTHER_ID)
    assert gossip.stale(1_500) == (b"n" * 32,)
    assert gossip.stale(2_500) == (ID, OTHER_ID, b"n" * 32)


def test_what_was_committed_is_not_sent_again() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)

    gossip.block_stored([ID], 0)

    assert gossip.stale(5_000) == ()


def test_while_blocks_go_by_it_is_sent_again_only_before_it_counts_as_censored() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)
    for now_ms in range(500, 12_000, 500):
        gossip.block_stored([], now_ms)
        again = gossip.stale(now_ms)

        assert again == ((ID,) if now_ms in {5_000, 10_000} else ())


def test_what_waits_is_sent_again_once_no_block_has_gone_by_for_a_view_timeout() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)
    gossip.block_stored([], 500)

    assert gossip.stale(2_499) == ()
    assert gossip.stale(2_500) == (ID,)
    assert gossip.stale(3_499) == ()
    assert gossip.stale(3_500) == (ID,)


def test_one_tick_sends_a_bounded_number_again() -> None:
    gossip = Gossip(2_000, 10_000)
    for number in range(STALE_BATCH_MAX + 1):
        gossip.remember(number.to_bytes(32, "big"), SENDER, 0)

    assert len(gossip.stale(1_000)) == STALE_BATCH_MAX
    assert len(gossip.stale(1_000)) == 1


def test_waiting_long_is_censorship_only_while_blocks_go_by() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)

    assert not gossip.is_censored(10_000)
    gossip.block_stored([], 0)
    assert not gossip.is_censored(9_999)
    assert gossip.is_censored(10_000)


def test_blocks_before_the_transaction_prove_no_censorship() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.block_stored([], 0)
    gossip.remember(ID, SENDER, 0)

    assert not gossip.is_censored(20_000)


def test_a_line_that_moves_is_not_censored_however_long_it_takes() -> None:
    gossip = Gossip(2_000, 10_000)
    line = [number.to_bytes(32, "big") for number in range(40)]
    for number, identity in enumerate(line):
        gossip.remember(identity, SENDER, number)

    for number, identity in enumerate(line[:-1]):
        gossip.block_stored([identity], 1_000 * (number + 1))
        assert not gossip.is_censored(1_000 * (number + 1))

    gossip.block_stored([], 39_000 + 9_999)
    assert not gossip.is_censored(39_000 + 9_999)
    gossip.block_stored([], 39_000 + 10_000)
    assert gossip.is_censored(39_000 + 10_000), "blocks passed its last one over for T_c"


@pytest.mark.parametrize(
    ("sender", "sent_ms", "is_censored"),
    [
        (SENDER, 1, True),  # overtaken by a later one of its own sender
        (SENDER, 0, False),  # of one submission, whatever their order
        (OTHER_SENDER, 0, True),  # its sender is left out
    ],
)
def test_what_waits_for_long_is_held_against_what_was_served(
    sender: bytes, sent_ms: int, *, is_censored: bool
) -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)
    gossip.remember(OTHER_ID, sender, sent_ms)

    gossip.block_stored([OTHER_ID], 9_000)

    assert not gossip.is_censored(9_999)
    assert gossip.is_censored(10_000) is is_censored


def test_a_censored_one_shows_although_an_older_line_moves() -> None:
    gossip = Gossip(2_000, 10_000)
    line = [number.to_bytes(32, "big") for number in range(12)]
    for identity in line:
        gossip.remember(identity, OTHER_SENDER, 0)
    gossip.remember(ID, SENDER, 1)

    for number, identity in enumerate(line):
        assert not gossip.is_censored(1_000 * number)
        gossip.block_stored([identity], 1_000 * (number + 1))

    assert gossip.is_censored(12_000)


def test_expiry_ends_a_complaint_and_is_no_block() -> None:
    gossip = Gossip(2_000, 10_000)
    gossip.remember(ID, SENDER, 0)
    gossip.remember(OTHER_ID, SENDER, 0)

    gossip.forget([ID])

    assert not gossip.is_censored(20_000)
    assert gossip.stale(20_000) == (OTHER_ID,)


def test_bodies_are_split_by_count_and_by_bytes_in_order() -> None:
    many = [number.to_bytes(2, "big") for number in range(BODIES_MAX + 1)]
    large = [b"a" * GOSSIP_BYTES_MAX, b"b", b"c"]

    assert [len(batch) for batch in batches_of(many)] == [BODIES_MAX, 1]
    assert b"".join(b"".join(batch) for batch in batches_of(many)) == b"".join(many)
    assert list(batches_of(large)) == [(b"a" * GOSSIP_BYTES_MAX,), (b"b", b"c")]
    assert list(batches_of([])) == []


def test_a_single_body_beyond_the_limit_still_travels() -> None:
    assert list(batches_of([b"a" * (GOSSIP_BYTES_MAX + 1)])) == [(b"a" * (GOSSIP_BYTES_MAX + 1),)]


def test_requests_for_ids_are_split_by_count() -> None:
    ids = [number.to_bytes(32, "big") for number in range(BODIES_MAX + 1)]

    assert [len(batch) for batch in batches_of_ids(ids)] == [BODIES_MAX, 1]
