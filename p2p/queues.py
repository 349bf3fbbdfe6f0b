"""Outgoing queues of one link: bounded, by lane, votes first. Pure, no I/O.

What happens when a lane is full follows from what its messages are worth:

- TRANSACTIONS drops the oldest: newer ones are likelier to be missing at the peer, and what is
  lost is fetched by id.
- SYNC drops the newest: its sender asks again, and answers to earlier requests go out first.
- VOTES drops nothing. A peer that does not take a thousand votes is as good as gone, and a link
  that silently lost one would only look alive: the queue says so and the link is closed.
- CONTROL drops the newest: a pong too few ends in a time-out, which is right for such a peer.

Votes go before control, both before the rest; transactions and sync share what is left by bytes.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from p2p.frames import HEADER_BYTES, LANE_LIMITS, Lane
from p2p.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimit:
    """Bounds of one lane; whichever is met first counts."""

    messages_max: int
    """1 or more."""
    bytes_max: int
    """With frame headers; a lane always has room for one frame of its limit."""


QUEUE_LIMITS: Final[Mapping[Lane, QueueLimit]] = MappingProxyType(
    {
        Lane.CONTROL: QueueLimit(messages_max=64, bytes_max=64 * 1024),
        Lane.VOTES: QueueLimit(messages_max=1024, bytes_max=16 * 1024 * 1024),
        Lane.TRANSACTIONS: QueueLimit(messages_max=4096, bytes_max=16 * 1024 * 1024),
        Lane.SYNC: QueueLimit(messages_max=256, bytes_max=32 * 1024 * 1024),
    }
)
"""At most about 64 MiB a peer, and only of one that reads slower than it is written to."""


class Admission(Enum):
    """What became of a message that was put into a queue."""

    QUEUED = auto()
    DROPPED = auto()
    """The lane is full and gives this message up."""
    OVERFLOWED = auto()
    """The lane is full and may not drop: close the link."""


class SendQueues:
    """Frames that wait for the connection to take them."""

    __slots__ = ("_bytes", "_frames", "_limits", "_served", "_traffic")

    def __init__(self, limits: Mapping[Lane, QueueLimit], traffic: Traffic) -> None:
        for lane in Lane:
            assert limits[lane].messages_max >= 1
            assert limits[lane].bytes_max >= HEADER_BYTES + 1
        self._limits = limits
        self._traffic = traffic
        self._frames: dict[Lane, deque[bytes]] = {lane: deque() for lane in Lane}
        self._bytes = dict.fromkeys(Lane, 0)
        self._served = {Lane.TRANSACTIONS: 0, Lane.SYNC: 0}
        """Bytes taken so far of the lanes that share; the one behind is served next."""

    def __bool__(self) -> bool:
        """True where anything waits."""
        return any(self._frames.values())

    def waiting_messages(self, lane: Lane) -> int:
        """Returns the number of frames that wait on a lane."""
        return len(self._frames[lane])

    def waiting_bytes(self, lane: Lane) -> int:
        """Returns the bytes that wait on a lane, with headers."""
        return self._bytes[lane]

    def put(self, lane: Lane, frame: bytes) -> Admission:
        """Queues one encoded frame, or applies the rule of its full lane.

        Args:
            lane: The lane of the frame.
            frame: Header and payload; kept by reference, so many queues may share it.

        Returns:
            What became of it; drops, also of older frames, are counted here.
        """
        assert HEADER_BYTES < len(frame) <= HEADER_BYTES + LANE_LIMITS[lane]
        if not self._has_room(lane, len(frame)):
            if lane is Lane.VOTES:
                return Admission.OVERFLOWED
            if lane is Lane.TRANSACTIONS:
                self._drop_oldest_for(lane, len(frame))
            if not self._has_room(lane, len(frame)):
                self._traffic.dropped[lane] += 1
                return Admission.DROPPED
        if lane in self._served and not self._frames[lane]:
            # A lane that was idle starts level with the other one: it has saved nothing up.
            self._served[lane] = max(self._served.values())
        self._frames[lane].append(frame)
        self._bytes[lane] += len(frame)
        return Admission.QUEUED

    def take(self, bytes_max: int) -> bytes:
        """Removes what goes out next and returns it joined, for one write.

        Args:
            bytes_max: Frames are added until this is reached; the last one may exceed it.

        Returns:
            Whole frames in order of priority; empty where nothing waits.
        """
        taken: list[bytes] = []
        size = 0
        while size < bytes_max:
            lane = self._next_lane()
            if lane is None:
                break
            frame = self._pop_oldest(lane)
            if lane in self._served:
                self._served[lane] += len(frame)
            self._traffic.messages_sent[lane] += 1
            self._traffic.bytes_sent[lane] += len(frame)
            taken.append(frame)
            size += len(frame)
        return b"".join(taken)

    def clear(self) -> None:
        """Gives everything up, when the link closes; all of it counts as dropped."""
        for lane in Lane:
            self._traffic.dropped[lane] += len(self._frames[lane])
            self._frames[lane].clear()
            self._bytes[lane] = 0

    def _has_room(self, lane: Lane, frame_bytes: int) -> bool:
        limit = self._limits[lane]
        return (
            len(self._frames[lane]) < limit.messages_max
            and self._bytes[lane] + frame_bytes <= limit.bytes_max
        )

    def _drop_oldest_for(self, lane: Lane, frame_bytes: int) -> None:
        if frame_bytes > self._limits[lane].bytes_max:
            return  # Would not fit into an empty queue: no reason to empty it.
        while not self._has_room(lane, frame_bytes):
            self._pop_oldest(lane)
            self._traffic.dropped[lane] += 1

    def _pop_oldest(self, lane: Lane) -> bytes:
        frame = self._frames[lane].popleft()
        self._bytes[lane] -= len(frame)
        return frame

    def _next_lane(self) -> Lane | None:
        for lane in (Lane.VOTES, Lane.CONTROL):
            if self._frames[lane]:
                return lane
        sharing = [lane for lane in self._served if self._frames[lane]]
        return min(sharing, key=self._served.__getitem__, default=None)
