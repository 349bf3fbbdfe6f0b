"""Outgoing queues: each bound at and above, priority, fairness, and what a full lane does."""

import pytest

from p2p.frames import Lane, encode_frame
from p2p.queues import QUEUE_LIMITS, Admission, QueueLimit, SendQueues
from p2p.traffic import Traffic

FRAME_BYTES = 10
TEN = {lane: QueueLimit(messages_max=10, bytes_max=1000) for lane in Lane}


def frame(lane: Lane, number: int, size: int = FRAME_BYTES) -> bytes:
    return encode_frame(lane, bytes([number]) * (size - 5))


def numbers(taken: bytes) -> list[int]:
    """First payload byte of each frame of ten bytes."""
    return list(taken[5::FRAME_BYTES])


def new_queues(limits: dict[Lane, QueueLimit] | None = None) -> tuple[SendQueues, Traffic]:
    traffic = Traffic()
    return SendQueues(limits or TEN, traffic), traffic


def test_every_lane_has_room_for_one_frame_of_its_limit() -> None:
    for lane, payload_bytes in (
        (Lane.CONTROL, 512),
        (Lane.VOTES, 8_388_608),
        (Lane.TRANSACTIONS, 8_388_608),
        (Lane.SYNC, 25_165_824),
    ):
        queues, _ = new_queues(dict(QUEUE_LIMITS))
        assert queues.put(lane, encode_frame(lane, bytes(payload_bytes))) is Admission.QUEUED


def test_an_empty_queue_gives_nothing() -> None:
    queues, _ = new_queues()

    assert not queues
    assert queues.take(1000) == b""


def test_votes_go_first_then_control_then_the_rest() -> None:
    queues, _ = new_queues()
    for lane, number in (
        (Lane.SYNC, 1),
        (Lane.TRANSACTIONS, 2),
        (Lane.CONTROL, 3),
        (Lane.VOTES, 4),
        (Lane.VOTES, 5),
    ):
        assert queues.put(lane, frame(lane, number)) is Admission.QUEUED

    assert numbers(queues.take(1000)) == [4, 5, 3, 2, 1]
    assert not queues


def test_a_late_vote_overtakes_what_already_waits() -> None:
    queues, _ = new_queues()
    for number in (1, 2, 3):
        queues.put(Lane.SYNC, frame(Lane.SYNC, number))

    assert numbers(queues.take(FRAME_BYTES)) == [1]
    queues.put(Lane.VOTES, frame(Lane.VOTES, 9))

    assert numbers(queues.take(1000)) == [9, 2, 3]


def test_transactions_and_sync_share_by_bytes_not_by_messages() -> None:
    queues, _ = new_queues()
    for number in (1, 2):
        queues.put(Lane.SYNC, frame(Lane.SYNC, number, size=40))
    for number in range(11, 19):
        queues.put(Lane.TRANSACTIONS, frame(Lane.TRANSACTIONS, number))

    order = []
    while queues:
        order.append(queues.take(1)[5])

    assert order == [11, 1, 12, 13, 14, 15, 2, 16, 17, 18]


def test_a_lane_that_was_idle_has_saved_nothing_up() -> None:
    queues, _ = new_queues()
    for number in range(1, 9):
        queues.put(Lane.SYNC, frame(Lane.SYNC, number))
    assert len(queues.take(60)) == 60
    for number in (11, 12, 13):
        queues.put(Lane.TRANSACTIONS, frame(Lane.TRANSACTIONS, number))

    assert numbers(queues.take(1000)) == [11, 7, 12, 8, 13]


def test_a_write_holds_whole_frames_until_its_size_is_reached() -> None:
    queues, _ = new_queues()
    for number in (1, 2, 3):
        queues.put(Lane.VOTES, frame(Lane.VOTES, number))

    assert numbers(queues.take(20)) == [1, 2]
    assert numbers(queues.take(1)) == [3]


@pytest.mark.parametrize(
    "limit",
    [QueueLimit(messages_max=3, bytes_max=1000), QueueLimit(messages_max=10, bytes_max=30)],
)
class TestAFullLane:
    """Room for three frames, by count and by bytes."""

    def test_of_transactions_drops_the_oldest(self, limit: QueueLimit) -> None:
        queues, traffic = new_queues(TEN | {Lane.TRANSACTIONS: limit})
        for number in (1, 2, 3, 4):
            admission = queues.put(Lane.TRANSACTIONS, frame(Lane.TRANSACTIONS, number))
            assert admission is Admission.QUEUED

        assert numbers(queues.take(1000)) == [2, 3, 4]
        assert traffic.dropped[Lane.TRANSACTIONS] == 1

    @pytest.mark.parametrize("lane", [Lane.SYNC, Lane.CONTROL])
    def test_of_sync_or_control_drops_the_newest(self, limit: QueueLimit, lane: Lane) -> None:
        queues, traffic = new_queues(TEN | {lane: limit})
        for number in (1, 2, 3):
            assert queues.put(lane, frame(lane, number)) is Admission.QUEUED

        assert queues.put(lane, frame(lane, 4)) is Admission.DROPPED
        assert numbers(queues.take(1000)) == [1, 2, 3]
        assert traffic.dropped[lane] == 1

    def test_of_votes_drops_nothing_and_says_so(self, limit: QueueLimit) -> None:
        queues, traffic = new_queues(TEN | {Lane.VOTES: limit})
        for number in (1, 2, 3):
            assert queues.put(Lane.VOTES, frame(Lane.VOTES, number)) is Admission.QUEUED

        assert queues.put(Lane.VOTES, frame(Lane.VOTES, 4)) is Admission.OVERFLOWED
        assert numbers(queues.take(1000)) == [1, 2, 3]
        assert traffic.dropped[Lane.VOTES] == 0


def test_a_batch_that_could_never_fit_does_not_empty_the_queue() -> None:
    queues, traffic = new_queues(
        TEN | {Lane.TRANSACTIONS: QueueLimit(messages_max=10, bytes_max=30)}
    )
    queues.put(Lane.TRANSACTIONS, frame(Lane.TRANSACTIONS, 1))

    admission = queues.put(Lane.TRANSACTIONS, frame(Lane.TRANSACTIONS, 2, size=31))

    assert admission is Admission.DROPPED
    assert queues.waiting_messages(Lane.TRANSACTIONS) == 1
    assert traffic.dropped[Lane.TRANSACTIONS] == 1


def test_what_waits_and_what_went_is_counted() -> None:
    queues, traffic = new_queues()
    queues.put(Lane.VOTES, frame(Lane.VOTES, 1))
    queues.put(Lane.SYNC, frame(Lane.SYNC, 2, size=25))

    assert queues.waiting_messages(Lane.SYNC) == 1
    assert queues.waiting_bytes(Lane.SYNC) == 25
    queues.take(10)
    queues.clear()

    assert queues.waiting_bytes(Lane.SYNC) == 0
    counted = {entry.lane: entry for entry in traffic.snapshot()}
    assert (counted[Lane.VOTES].messages_sent, counted[Lane.VOTES].bytes_sent) == (1, 10)
    assert (counted[Lane.SYNC].messages_sent, counted[Lane.SYNC].dropped) == (0, 1)
