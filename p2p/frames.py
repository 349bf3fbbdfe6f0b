"""Frames: how a stream of bytes between two nodes is cut into payloads. Pure, no I/O.

A frame is ``[u32 length][u8 lane][payload]``, big-endian; ``length`` counts the payload only, and
is at least 1. The five bytes of the header decide everything: an unknown lane, an empty payload
or one beyond the limit of its lane is refused before a byte of the payload is waited for. The
decoder holds what has arrived and never allocates by what a header promises, so a header that
promises 4 GiB costs five bytes (faults.md A10). There is no compression, hence no bomb.

A link admits lane CONTROL alone until its handshake is done: see ``FrameDecoder.admit``.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from p2p.errors import FrameError


class Lane(IntEnum):
    """Kind of traffic; each lane has its own queue, limits and budget (consensus.md 35)."""

    CONTROL = 0
    """Hello, welcome, ping, pong, goodbye: the link's own, invisible to its users."""
    VOTES = 1
    """What agreement waits for; never queued behind anything else."""
    TRANSACTIONS = 2
    """Gossip of bodies in batches; what is lost is asked for again by id."""
    SYNC = 3
    """Requests and replies of blocks, certificates and bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One payload and the lane it came on."""

    lane: Lane
    payload: bytes
    """Opaque, 1 byte up to the limit of the lane."""


_HEADER: Final = struct.Struct(">IB")

HEADER_BYTES: Final = _HEADER.size
"""Bytes before each payload: 4 of length and 1 of lane."""

CONTROL_PAYLOAD_BYTES_MAX: Final = 512
"""The longest control message has 260 bytes; an unknown peer can send no more than this."""

VOTES_PAYLOAD_BYTES_MAX: Final = 8 * 1024 * 1024
"""A proposal of 100,000 ids (the most a chain may allow) has 3.4 MB, a NEW-VIEW of 100 validators
about 1 MiB more."""

TRANSACTIONS_PAYLOAD_BYTES_MAX: Final = 8 * 1024 * 1024
"""Batches are much smaller; the largest single body that a chain may allow is 4 MiB."""

SYNC_PAYLOAD_BYTES_MAX: Final = 24 * 1024 * 1024
"""One block has to fit with bodies (16 MiB is the most a chain may allow), ids and certificate."""

CONTROL_LIMITS: Final[Mapping[Lane, int]] = MappingProxyType(
    {Lane.CONTROL: CONTROL_PAYLOAD_BYTES_MAX}
)
"""Limits before the handshake is done: nothing but control."""

LANE_LIMITS: Final[Mapping[Lane, int]] = MappingProxyType(
    {
        Lane.CONTROL: CONTROL_PAYLOAD_BYTES_MAX,
        Lane.VOTES: VOTES_PAYLOAD_BYTES_MAX,
        Lane.TRANSACTIONS: TRANSACTIONS_PAYLOAD_BYTES_MAX,
        Lane.SYNC: SYNC_PAYLOAD_BYTES_MAX,
    }
)
"""Payload bytes at most, by lane, once the handshake is done."""

_LANES: Final = tuple(Lane)
"""By number; calling the enumeration costs half a microsecond a frame."""

_COMPACT_BYTES: Final = 256 * 1024
"""Consumed bytes are cut off the buffer in pieces of this size: neither each time nor never."""


def encode_frame(lane: Lane, payload: bytes) -> bytes:
    """Returns the bytes of one frame.

    Args:
        lane: The lane it travels on.
        payload: Opaque bytes.

    Returns:
        Header and payload; the same object may be queued for many peers.

    Raises:
        FrameError: When the payload is empty or exceeds the limit of its lane.
    """
    _check_length(lane, len(payload), LANE_LIMITS[lane])
    return _HEADER.pack(len(payload), lane) + payload


def encode_frames(frames: Iterable[Frame]) -> bytes:
    """Returns the bytes of many frames, in order, for one write.

    Args:
        frames: The frames.

    Returns:
        Their encodings, joined; empty for no frames.

    Raises:
        FrameError: When a payload is empty or exceeds the limit of its lane.
    """
    return b"".join(encode_frame(frame.lane, frame.payload) for frame in frames)


class FrameDecoder:
    """Cuts a stream into frames, however it was split on the way.

    After a :class:`FrameError` the stream has no known boundary any more: the same error comes
    again at each call, and the link is to be closed.
    """

    __slots__ = ("_buffer", "_header", "_limits", "_position")

    def __init__(self, limits: Mapping[Lane, int] = LANE_LIMITS) -> None:
        self._buffer = bytearray()
        self._position = 0
        """Index of the first byte that is not consumed yet."""
        self._header: tuple[int, Lane] | None = None
        """Checked length and lane of the frame at ``_position``; None where not looked at yet."""
        self._limits = limits

    @property
    def buffered_bytes(self) -> int:
        """Bytes that have arrived and are not part of a returned frame yet."""
        return len(self._buffer) - self._position

    def admit(self, limits: Mapping[Lane, int]) -> None:
        """Replaces the limits, from the next frame on; lanes without a limit are refused."""
        self._limits = limits
        self._header = None

    def feed(self, received: bytes) -> list[Frame]:
        """Takes bytes off the wire and returns the frames that they complete.

        Args:
            received: Any piece of the stream, also an empty one.

        Returns:
            Complete frames in order; empty where more bytes are needed.

        Raises:
            FrameError: When a header is refused; frames before it in this piece are lost with
                the link.
        """
        self.append(received)
        frames = []
        while (frame := self.next_frame()) is not None:
            frames.append(frame)
        return frames

    def append(self, received: bytes) -> None:
        """Takes bytes off the wire; ``next_frame`` then returns what they complete."""
        self._buffer += received

    def peek_lane(self) -> Lane | None:
        """Returns the lane of the next frame if that frame is complete, without consuming it.

        Raises:
            FrameError: When the next header is refused.
        """
        header = self._next_header()
        if header is None or len(self._buffer) - self._position < HEADER_BYTES + header[0]:
            return None
        return header[1]

    def next_frame(self) -> Frame | None:
        """Returns the next complete frame, or None where more bytes are needed.

        Raises:
            FrameError: When the next header is refused.
        """
        header = self._next_header()
        if header is None:
            return None
        length, lane = header
        start = self._position + HEADER_BYTES
        end = start + length
        if end > len(self._buffer):
            return None
        with memoryview(self._buffer) as view:
            payload = bytes(view[start:end])
        self._position = end
        self._header = None
        if end == len(self._buffer) or end >= _COMPACT_BYTES:
            del self._buffer[:end]
            self._position = 0
        return Frame(lane=lane, payload=payload)

    def _next_header(self) -> tuple[int, Lane] | None:
        """Length and lane of the next frame, both checked; None before its fifth byte."""
        if self._header is not None:
            return self._header
        if len(self._buffer) - self._position < HEADER_BYTES:
            return None
        length, number = _HEADER.unpack_from(self._buffer, self._position)
        limit = self._limits.get(number)
        if limit is None:
            names = ", ".join(lane.name for lane in sorted(self._limits))
            raise FrameError("lane", expected=f"one of {names}", got=str(number))
        lane = _LANES[number]
        _check_length(lane, length, limit)
        self._header = length, lane
        return self._header


def _check_length(lane: Lane, length: int, limit: int) -> None:
    if not 1 <= length <= limit:
        raise FrameError("length", expected=f"1 to {limit} bytes on {lane.name}", got=str(length))
