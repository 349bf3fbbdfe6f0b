"""Frames: header, limits, and that no length is believed before it is checked."""

import pytest

from p2p.errors import FrameError
from p2p.frames import (
    CONTROL_LIMITS,
    LANE_LIMITS,
    Frame,
    FrameDecoder,
    Lane,
    encode_frame,
    encode_frames,
)


def test_a_frame_is_length_lane_and_payload() -> None:
    assert encode_frame(Lane.VOTES, b"abc") == bytes.fromhex("00000003 01 616263")
    assert encode_frame(Lane.CONTROL, b"\x02") == bytes.fromhex("00000001 00 02")


def test_the_numbers_of_the_lanes_never_change() -> None:
    assert {lane.name: int(lane) for lane in Lane} == {
        "CONTROL": 0,
        "VOTES": 1,
        "TRANSACTIONS": 2,
        "SYNC": 3,
    }


def test_many_frames_are_encoded_for_one_write() -> None:
    frames = [Frame(lane=Lane.SYNC, payload=b"x"), Frame(lane=Lane.VOTES, payload=b"yz")]

    assert encode_frames(frames) == bytes.fromhex("00000001 03 78 00000002 01 797a")
    assert encode_frames([]) == b""


def test_a_piece_may_hold_many_frames() -> None:
    decoder = FrameDecoder()

    frames = decoder.feed(bytes.fromhex("00000001 03 78 00000002 01 797a 000000"))

    assert frames == [
        Frame(lane=Lane.SYNC, payload=b"x"),
        Frame(lane=Lane.VOTES, payload=b"yz"),
    ]
    assert decoder.buffered_bytes == 3


def test_half_a_frame_waits_for_the_rest() -> None:
    decoder = FrameDecoder()

    assert decoder.feed(bytes.fromhex("00000002 01 79")) == []
    assert decoder.peek_lane() is None
    decoder.append(b"z")
    assert decoder.peek_lane() == Lane.VOTES
    assert decoder.next_frame() == Frame(lane=Lane.VOTES, payload=b"yz")
    assert decoder.peek_lane() is None
    assert decoder.next_frame() is None


@pytest.mark.parametrize(
    ("lane", "limit"),
    [
        (Lane.CONTROL, 512),
        (Lane.VOTES, 8_388_608),
        (Lane.TRANSACTIONS, 8_388_608),
        (Lane.SYNC, 25_165_824),
    ],
)
def test_a_lane_takes_its_limit_and_not_a_byte_more(lane: Lane, limit: int) -> None:
    header_at = limit.to_bytes(4, "big") + bytes((lane,))
    header_above = (limit + 1).to_bytes(4, "big") + bytes((lane,))

    assert LANE_LIMITS[lane] == limit
    assert FrameDecoder().feed(header_at) == []
    with pytest.raises(FrameError) as caught:
        FrameDecoder().feed(header_above)
    assert (caught.value.rule, caught.value.got) == ("length", str(limit + 1))
    with pytest.raises(FrameError):
        encode_frame(lane, bytes(limit + 1))


def test_a_frame_of_exactly_the_limit_arrives() -> None:
    payload = bytes(range(256)) * 2

    assert FrameDecoder().feed(encode_frame(Lane.CONTROL, payload)) == [
        Frame(lane=Lane.CONTROL, payload=payload)
    ]


def test_a_promise_of_four_gibibytes_is_refused_at_its_fifth_byte() -> None:
    decoder = FrameDecoder()

    assert decoder.feed(b"\xff\xff\xff\xff") == []
    with pytest.raises(FrameError):
        decoder.feed(b"\x01")
    assert decoder.buffered_bytes == 5


def test_an_empty_payload_is_refused() -> None:
    with pytest.raises(FrameError):
        FrameDecoder().feed(bytes.fromhex("00000000 01"))
    with pytest.raises(FrameError):
        encode_frame(Lane.VOTES, b"")


@pytest.mark.parametrize("number", [4, 0xFF])
def test_an_unknown_lane_is_refused(number: int) -> None:
    with pytest.raises(FrameError) as caught:
        FrameDecoder().feed(bytes((0, 0, 0, 1, number)))

    assert (caught.value.rule, caught.value.got) == ("lane", str(number))
    assert caught.value.expected == "one of CONTROL, VOTES, TRANSACTIONS, SYNC"


def test_a_broken_stream_stays_broken() -> None:
    decoder = FrameDecoder()
    for received in (b"\x00\x00\x00\x01\x09", b"", encode_frame(Lane.VOTES, b"good")):
        with pytest.raises(FrameError):
            decoder.feed(received)


def test_only_the_admitted_lanes_pass_until_more_are_admitted() -> None:
    decoder = FrameDecoder(CONTROL_LIMITS)
    vote = encode_frame(Lane.VOTES, b"v")

    assert decoder.feed(encode_frame(Lane.CONTROL, b"c"))[0].lane == Lane.CONTROL
    with pytest.raises(FrameError):
        decoder.feed(vote)
    decoder.admit(LANE_LIMITS)
    assert decoder.feed(b"") == [Frame(lane=Lane.VOTES, payload=b"v")]


def test_the_buffer_is_cut_when_much_of_it_is_consumed() -> None:
    decoder = FrameDecoder()
    frame = encode_frame(Lane.SYNC, bytes(200_000))
    decoder.append(frame * 3)

    assert decoder.next_frame() is not None
    assert decoder.buffered_bytes == 2 * len(frame)
    assert decoder.next_frame() is not None
    assert len(decoder._buffer) == len(frame)
