"""Frames survive any way in which a network cuts their stream, and garbage never hurts."""

from itertools import pairwise

from hypothesis import given, strategies as st

from p2p.errors import FrameError, MessageError
from p2p.frames import HEADER_BYTES, LANE_LIMITS, Frame, FrameDecoder, Lane, encode_frames
from p2p.messages import decode_message, encode_message

FRAMES = st.lists(
    st.builds(Frame, lane=st.sampled_from(Lane), payload=st.binary(min_size=1, max_size=512)),
    max_size=20,
)


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(ends)]


@given(FRAMES, st.lists(st.integers(0, 2**32), max_size=60))
def test_any_split_of_the_stream_gives_the_same_frames(
    frames: list[Frame], cuts: list[int]
) -> None:
    decoder = FrameDecoder()

    decoded = [
        frame for piece in split(encode_frames(frames), cuts) for frame in decoder.feed(piece)
    ]

    assert decoded == frames
    assert decoder.buffered_bytes == 0


@given(FRAMES)
def test_byte_by_byte_gives_the_same_frames(frames: list[Frame]) -> None:
    decoder = FrameDecoder()

    decoded = [frame for byte in encode_frames(frames) for frame in decoder.feed(bytes((byte,)))]

    assert decoded == frames


@given(st.lists(st.binary(max_size=200), max_size=30))
def test_garbage_gives_frames_within_limits_or_an_error_and_keeps_no_more_than_came(
    pieces: list[bytes],
) -> None:
    decoder = FrameDecoder()
    came = 0
    for piece in pieces:
        came += len(piece)
        try:
            frames = decoder.feed(piece)
        except FrameError:
            assert decoder.buffered_bytes >= HEADER_BYTES
            break
        assert all(1 <= len(frame.payload) <= LANE_LIMITS[frame.lane] for frame in frames)
        assert decoder.buffered_bytes <= came


@given(
    st.binary(min_size=1, max_size=300) | st.binary(max_size=80).map(b"\x01TANL\x00\x01".__add__)
)
def test_a_control_payload_has_one_encoding_or_is_refused(payload: bytes) -> None:
    try:
        message = decode_message(payload)
    except MessageError:
        return

    # Of a hello in another version only the version is read, so only its start comes back.
    start = 7 if payload[0] == 1 and payload[5:7] != b"\x00\x01" else len(payload)
    assert encode_message(message)[:start] == payload[:start]
