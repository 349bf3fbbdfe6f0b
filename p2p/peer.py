"""One link to one peer, as a state machine without a socket or a clock. Pure, no I/O.

::

    CONNECTING ──connected──► HANDSHAKE ──welcome both ways──► READY
        │                        │  │                            │
        └────────────────────────┴──┴── close, lost, violation ──┴──► CLOSED

Bytes go in with ``receive`` and come out of ``next_event`` as what happened; ``send`` queues,
and ``take_bytes`` says what to write. Time is passed in, in seconds of a monotonic clock.

The budget of a peer is applied before its messages are handed up (consensus.md 35): when it is
overdrawn, ``next_event`` returns nothing and ``read_resume_at_s`` says when to go on. The caller
stops reading meanwhile, so that TCP slows the peer down; nothing is lost and nothing grows.

A peer is alive while it sends whole frames, or at least 64 KiB of one, every few seconds; pings
see to it that an idle one has something to send. So a half-open connection, or half a frame for
ever, ends within ``silence_timeout_s`` (faults.md N05, A10). Time in which this node itself did
not run (a stopped process, a long garbage collection) counts against nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, assert_never

from p2p.budget import Rate, TokenBucket
from p2p.errors import FrameError, HandshakeRefused, MessageError
from p2p.frames import (
    CONTROL_LIMITS,
    HEADER_BYTES,
    LANE_LIMITS,
    Frame,
    FrameDecoder,
    Lane,
    encode_frame,
)
from p2p.handshake import LocalHello, validate_hello
from p2p.messages import (
    ControlMessage,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reason,
    Welcome,
    decode_message,
    encode_message,
)
from p2p.queues import QUEUE_LIMITS, Admission, QueueLimit, SendQueues
from p2p.traffic import Traffic

PROGRESS_BYTES: Final = 64 * 1024
"""Bytes of an unfinished frame that count as a sign of life; 13 KB/s at the default time-out."""

MESSAGE_RATES: Final[Mapping[Lane, Rate]] = MappingProxyType(
    {
        Lane.CONTROL: Rate(per_second=50, burst=100),
        Lane.VOTES: Rate(per_second=2_000, burst=4_000),
        Lane.TRANSACTIONS: Rate(per_second=2_000, burst=4_000),
        Lane.SYNC: Rate(per_second=2_000, burst=4_000),
    }
)
"""Far above honest traffic (some hundred a second), at a tenth of what saturates a core with
signature checks."""

BYTE_RATE: Final = Rate(per_second=64 * 1024 * 1024, burst=64 * 1024 * 1024)
"""All lanes together; half a gigabit a second from one peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLimits:
    """How long and how much of everything; the defaults suit a consortium's network."""

    handshake_timeout_s: float = 5.0
    """From the connected socket to ready."""
    ping_interval_s: float = 1.0
    silence_timeout_s: float = 5.0
    """Without a sign of life for this long the peer is gone."""
    write_stall_timeout_s: float = 10.0
    """With a full write buffer for this long the peer does not read any more."""
    queues: Mapping[Lane, QueueLimit] = field(default_factory=lambda: QUEUE_LIMITS)
    message_rates: Mapping[Lane, Rate] = field(default_factory=lambda: MESSAGE_RATES)
    byte_rate: Rate = BYTE_RATE


class LinkState(Enum):
    """Where a link is in its life."""

    CONNECTING = auto()
    HANDSHAKE = auto()
    READY = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReady:
    """Both ends have accepted each other."""

    software: str
    """What the peer runs, in its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A payload within all limits and budgets, for the users of the link."""

    lane: Lane
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkClosed:
    """The end of the link; comes once, and last."""

    reason: Reason
    detail: str
    """Printable text; the peer's own words where ``by_peer``."""
    by_peer: bool
    was_ready: bool


LinkEvent = LinkReady | MessageReceived | LinkClosed


class PeerLink:
    """State of one link; see the module for its life.

    Args:
        local: What this node says about itself.
        peer_id: Node that the registry pins to the certificate of the connection, 32 bytes.
        limits: Bounds of time, queues and budgets.
        traffic: Counters to add to.
        now_s: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        *,
        local: LocalHello,
        peer_id: bytes,
        limits: LinkLimits,
        traffic: Traffic,
        now_s: float,
    ) -> None:
        self.peer_id: Final = peer_id
        self.state = LinkState.CONNECTING
        self.read_resume_at_s: float | None = None
        """When the budget allows to go on reading; None while there is no need to wait."""
        self.round_trip_s: float | None = None
        """Of the last answered ping; None before the first."""
        self._local = local
        self._limits = limits
        self._traffic = traffic
        self._queues = SendQueues(limits.queues, traffic)
        self._decoder = FrameDecoder(CONTROL_LIMITS)
        self._byte_budget = TokenBucket(limits.byte_rate, now_s)
        self._message_budgets = {
            lane: TokenBucket(rate, now_s) for lane, rate in limits.message_rates.items()
        }
        self._hello: Hello | None = None
        """The peer's hello once it is accepted."""
        self._is_welcome = False
        """The peer has accepted ours."""
        self._handshake_since_s = now_s
        self._heard_at_s = now_s
        self._partial_bytes = 0
        """Bytes since the last whole frame or sign of life."""
        self._ticked_at_s = now_s
        self._ping_token = 0
        self._pinged_at_s: float | None = None
        """When the ping that waits for its pong was queued."""
        self._next_ping_at_s = now_s
        self._write_paused_at_s: float | None = None
        self._opening = b""
        """Hello and welcome: they go before all queues, since votes overtake lane CONTROL and the
        peer takes none before it is welcome."""
        self._farewell = b""
        """The goodbye frame, once the link is closed."""
        self._closing: LinkClosed | None = None
        """The closing event while it is not handed out."""

    def connected(self, now_s: float) -> None:
        """The connection is up and the certificate is the pinned one: queues the hello."""
        assert self.state is LinkState.CONNECTING
        self.state = LinkState.HANDSHAKE
        self._handshake_since_s = self._heard_at_s = self._ticked_at_s = now_s
        self._send_opening(self._local.to_message())

    def receive(self, received: bytes, now_s: float) -> None:
        """Takes bytes off the connection; call ``next_event`` until it returns None."""
        if self.state is LinkState.CLOSED:
            return
        self._decoder.append(received)
        self._byte_budget.charge(len(received), now_s)
        self._partial_bytes += len(received)
        if self._partial_bytes >= PROGRESS_BYTES:
            self._heard(now_s)

    def next_event(self, now_s: float) -> LinkEvent | None:
        """Returns what happened next, or None where nothing more can happen for now.

        A peer's mistake never raises here: it becomes :class:`LinkClosed`, with a goodbye that
        names it waiting in ``take_bytes``.
        """
        while self.state in (LinkState.HANDSHAKE, LinkState.READY):
            try:
                frame = self._next_frame_within_budget(now_s)
                if frame is None:
                    return None
                self._heard(now_s)
                if frame.lane is not Lane.CONTROL:
                    return MessageReceived(lane=frame.lane, payload=frame.payload)
                event = self._on_control(decode_message(frame.payload), now_s)
            except (FrameError, MessageError) as error:
                self.close(Reason.PROTOCOL_VIOLATION, str(error))
            except HandshakeRefused as refused:
                self.close(Reason(refused.reason), str(refused))
            else:
                if event is not None:
                    return event
        closing, self._closing = self._closing, None
        return closing

    def send(self, lane: Lane, frame: bytes) -> bool:
        """Queues an encoded frame of a lane other than CONTROL.

        Args:
            lane: The lane it was encoded for.
            frame: See :func:`p2p.frames.encode_frame`.

        Returns:
            Whether it was queued; not where the link is not ready, or its lane is full. Where
            that lane is VOTES the link is closed now: call ``next_event``.
        """
        assert lane is not Lane.CONTROL
        if self.state is not LinkState.READY:
            return False
        admission = self._queues.put(lane, frame)
        if admission is Admission.OVERFLOWED:
            self._traffic.dropped[lane] += 1
            self.close(Reason.OVERLOADED, "expected a peer that takes its votes, got a full queue")
        return admission is Admission.QUEUED

    def take_bytes(self, bytes_max: int) -> bytes:
        """Returns what to write next, in one piece; empty where nothing waits.

        Args:
            bytes_max: Frames are added until this is reached; the last one may exceed it.
        """
        if self.state is LinkState.CLOSED:
            farewell, self._farewell = self._farewell, b""
            return farewell
        opening, self._opening = self._opening, b""
        return opening + self._queues.take(bytes_max)

    @property
    def has_bytes(self) -> bool:
        """Whether ``take_bytes`` has something to write."""
        return bool(self._opening or self._queues or self._farewell)

    def waiting_messages(self, lane: Lane) -> int:
        """Returns the number of messages that wait to be written on a lane."""
        return self._queues.waiting_messages(lane)

    def waiting_bytes(self, lane: Lane) -> int:
        """Returns the bytes that wait to be written on a lane, with headers."""
        return self._queues.waiting_bytes(lane)

    def pause_writing(self, now_s: float) -> None:
        """The connection's buffer is full: the peer reads slower than it is written to."""
        self._write_paused_at_s = now_s

    def resume_writing(self) -> None:
        """The connection takes bytes again."""
        self._write_paused_at_s = None

    def resume_reading(self, now_s: float) -> None:
        """The wait for the budget is over; call ``next_event`` until it returns None."""
        self.read_resume_at_s = None
        self._heard(now_s)

    def tick(self, now_s: float) -> None:
        """Checks time-outs and pings; to be called a few times a second.

        Afterwards call ``next_event`` until it returns None, and write.
        """
        self._forgive_own_pause(now_s)
        if self.read_resume_at_s is not None:
            self._heard(now_s)  # It is we who do not listen.
        match self.state:
            case LinkState.HANDSHAKE:
                if now_s - self._handshake_since_s >= self._limits.handshake_timeout_s:
                    self.close(Reason.TIMEOUT, "expected a handshake in time, got none")
            case LinkState.READY:
                self._check_life(now_s)
            case LinkState.CONNECTING | LinkState.CLOSED:
                pass

    def close(self, reason: Reason, detail: str, *, by_peer: bool = False) -> None:
        """Ends the link; what waits is given up, and a goodbye says why.

        Args:
            reason: Why.
            detail: What was expected and what came.
            by_peer: True where the peer ended it, who then needs no goodbye.
        """
        if self.state is LinkState.CLOSED:
            return
        is_connected = self.state is not LinkState.CONNECTING
        was_ready = self.state is LinkState.READY
        self.state = LinkState.CLOSED
        self._queues.clear()
        self.read_resume_at_s = None
        if is_connected and not by_peer and reason is not Reason.CONNECTION_LOST:
            goodbye = Goodbye(reason=reason, detail=detail)
            # After the hello, where that was not written yet: it tells the peer whom it met.
            self._farewell = self._opening + _control_frame(goodbye)
        self._opening = b""
        self._closing = LinkClosed(
            reason=reason, detail=detail, by_peer=by_peer, was_ready=was_ready
        )

    def _next_frame_within_budget(self, now_s: float) -> Frame | None:
        lane = self._decoder.peek_lane()
        if lane is None:
            return None
        wait_s = self._byte_budget.wait_s(now_s)
        if wait_s <= 0:
            wait_s = self._message_budgets[lane].charge_unless_owing(1, now_s)
        if wait_s > 0:
            if self.read_resume_at_s is None:
                self._traffic.throttled += 1
            self.read_resume_at_s = now_s + wait_s
            return None
        frame = self._decoder.next_frame()
        assert frame is not None
        self._traffic.messages_received[lane] += 1
        self._traffic.bytes_received[lane] += HEADER_BYTES + len(frame.payload)
        return frame

    def _on_control(self, message: ControlMessage, now_s: float) -> LinkEvent | None:
        """Acts on a control message.

        - A hello comes first and once; a welcome after it and once.
        - Pings and pongs belong to a ready link.
        - A goodbye may come at any time.
        """
        match message:
            case Hello():
                self._expect("one hello", "another one", holds=self._hello is None)
                validate_hello(message, local=self._local, expected_node_id=self.peer_id)
                self._hello = message
                self._send_opening(Welcome())
            case Welcome():
                self._expect("a hello first", "a welcome", holds=self._hello is not None)
                self._expect("one welcome", "another one", holds=not self._is_welcome)
                self._is_welcome = True
                return self._become_ready(now_s)
            case Ping(token=token):
                self._expect("a handshake first", "a ping", holds=self.state is LinkState.READY)
                self._send_control(Pong(token=token))
            case Pong(token=token):
                self._expect("a handshake first", "a pong", holds=self.state is LinkState.READY)
                if self._pinged_at_s is not None and token == self._ping_token:
                    self.round_trip_s = now_s - self._pinged_at_s
                    self._pinged_at_s = None
            case Goodbye(reason=reason, detail=detail):
                self.close(reason, detail, by_peer=True)
            case _:
                assert_never(message)
        return None

    def _expect(self, expected: str, got: str, *, holds: bool) -> None:
        if not holds:
            raise MessageError("control.kind", expected=expected, got=got)

    def _become_ready(self, now_s: float) -> LinkReady:
        assert self._hello is not None
        self.state = LinkState.READY
        self._decoder.admit(LANE_LIMITS)
        self._next_ping_at_s = now_s
        return LinkReady(software=self._hello.software)

    def _check_life(self, now_s: float) -> None:
        silent_s = now_s - self._heard_at_s
        if silent_s >= self._limits.silence_timeout_s:
            self.close(Reason.TIMEOUT, f"expected a sign of life, got none for {silent_s:.1f} s")
            return
        paused_at_s = self._write_paused_at_s
        if paused_at_s is not None and now_s - paused_at_s >= self._limits.write_stall_timeout_s:
            self.close(Reason.TIMEOUT, "expected a peer that reads, got a full buffer")
            return
        if now_s >= self._next_ping_at_s and self._pinged_at_s is None:
            self._ping_token += 1
            self._pinged_at_s = now_s
            self._next_ping_at_s = now_s + self._limits.ping_interval_s
            self._send_control(Ping(token=self._ping_token))

    def _forgive_own_pause(self, now_s: float) -> None:
        """Moves all deadlines by the time in which this node did not run."""
        elapsed_s = now_s - self._ticked_at_s
        self._ticked_at_s = now_s
        if elapsed_s <= self._limits.ping_interval_s:
            return
        self._handshake_since_s = min(now_s, self._handshake_since_s + elapsed_s)
        self._heard_at_s = min(now_s, self._heard_at_s + elapsed_s)
        if self._write_paused_at_s is not None:
            self._write_paused_at_s = min(now_s, self._write_paused_at_s + elapsed_s)

    def _heard(self, now_s: float) -> None:
        self._heard_at_s = now_s
        self._partial_bytes = 0

    def _send_opening(self, message: Hello | Welcome) -> None:
        frame = _control_frame(message)
        self._opening += frame
        self._traffic.messages_sent[Lane.CONTROL] += 1
        self._traffic.bytes_sent[Lane.CONTROL] += len(frame)

    def _send_control(self, message: Ping | Pong) -> None:
        self._queues.put(Lane.CONTROL, _control_frame(message))


def _control_frame(message: ControlMessage) -> bytes:
    return encode_frame(Lane.CONTROL, encode_message(message))
