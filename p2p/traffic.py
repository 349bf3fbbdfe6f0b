"""Counters of what links carried; they outlive the links and only ever rise."""

from dataclasses import dataclass, fields

from p2p.frames import Lane
from p2p.identity import Role
from p2p.messages import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTraffic:
    """What one lane carried since the node started."""

    lane: Lane
    messages_received: int
    bytes_received: int
    """With frame headers, without TLS."""
    messages_sent: int
    """Handed to the connection; whether they arrived nobody knows."""
    bytes_sent: int
    """With frame headers, without TLS."""
    dropped: int
    """Outgoing messages that a full queue or a closed link cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSnapshot:
    """One link that is up."""

    node_id: bytes
    role: Role
    software: str
    round_trip_s: float | None
    """None before the first pong."""
    waiting_messages: int
    """Queued on all lanes."""
    waiting_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSnapshot:
    """Counters since the start, and the links of this moment in order of node ids."""

    links: tuple[LinkSnapshot, ...]
    traffic: tuple[LaneTraffic, ...]
    connects: int
    """Links that came up."""
    reconnects: int
    """Of these, links to peers that had been up before."""
    dial_failures: int
    """Attempts that did not reach established TLS."""
    accept_refusals: int
    """Connections turned away at once for a limit."""
    accept_failures: int
    """Connections that did not reach established TLS: strangers, mostly."""
    throttled: int
    """How often a peer had to wait for its budget."""
    closed: tuple[tuple[Reason, int], ...]
    """How often links and handshakes ended, by reason."""


class Traffic:
    """Mutable counters by lane, shared by all links of a transport."""

    __slots__ = (
        "bytes_received",
        "bytes_sent",
        "dropped",
        "messages_received",
        "messages_sent",
        "throttled",
    )

    def __init__(self) -> None:
        self.messages_received = dict.fromkeys(Lane, 0)
        self.bytes_received = dict.fromkeys(Lane, 0)
        self.messages_sent = dict.fromkeys(Lane, 0)
        self.bytes_sent = dict.fromkeys(Lane, 0)
        self.dropped = dict.fromkeys(Lane, 0)
        self.throttled = 0
        """How often a peer had to wait for its budget."""

    def snapshot(self) -> tuple[LaneTraffic, ...]:
        """Returns the counters of this moment, one entry a lane in order of their numbers."""
        names = [entry.name for entry in fields(LaneTraffic) if entry.name != "lane"]
        return tuple(
            LaneTraffic(lane=lane, **{name: getattr(self, name)[lane] for name in names})
            for lane in Lane
        )
