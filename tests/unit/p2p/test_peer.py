"""One link as a state machine: handshake, life, budgets and every way in which it ends."""

from dataclasses import replace

import pytest

from p2p.budget import Rate
from p2p.frames import LANE_LIMITS, FrameDecoder, Lane, encode_frame
from p2p.handshake import LocalHello
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
from p2p.peer import (
    MESSAGE_RATES,
    LinkClosed,
    LinkEvent,
    LinkLimits,
    LinkReady,
    MessageReceived,
    PeerLink,
)
from p2p.queues import QUEUE_LIMITS, QueueLimit
from p2p.traffic import Traffic

CHAIN = b"\xcc" * 32
LOCAL = LocalHello(chain_id=CHAIN, node_id=b"\x01" * 32, software="local 1")
PEER = LocalHello(chain_id=CHAIN, node_id=b"\x02" * 32, software="peer 1")
PEER_HELLO = PEER.to_message()
LIMITS = LinkLimits()


def control(*messages: ControlMessage) -> bytes:
    return b"".join(encode_frame(Lane.CONTROL, encode_message(message)) for message in messages)


def sent(link: PeerLink) -> list[ControlMessage | tuple[Lane, bytes]]:
    """All that the link wants written, parsed."""
    frames = FrameDecoder(LANE_LIMITS).feed(link.take_bytes(1_000_000))
    return [
        decode_message(frame.payload) if frame.lane is Lane.CONTROL else (frame.lane, frame.payload)
        for frame in frames
    ]


def events(link: PeerLink, received: bytes = b"", now_s: float = 0.0) -> list[LinkEvent]:
    link.receive(received, now_s)
    found = []
    while (event := link.next_event(now_s)) is not None:
        found.append(event)
    return found


def state(link: PeerLink) -> str:
    return link.state.name


def new_link(limits: LinkLimits = LIMITS, traffic: Traffic | None = None) -> PeerLink:
    """A link in its handshake at second 0, its hello written."""
    link = PeerLink(
        local=LOCAL,
        peer_id=PEER.node_id,
        limits=limits,
        traffic=traffic or Traffic(),
        now_s=0.0,
    )
    link.connected(0.0)
    assert sent(link) == [LOCAL.to_message()]
    return link


def ready_link(limits: LinkLimits = LIMITS, traffic: Traffic | None = None) -> PeerLink:
    link = new_link(limits, traffic)
    assert events(link, control(PEER_HELLO, Welcome())) == [LinkReady(software="peer 1")]
    assert sent(link) == [Welcome()]
    return link


class TestHandshake:
    def test_a_link_begins_by_connecting_and_says_nothing_before(self) -> None:
        link = PeerLink(
            local=LOCAL, peer_id=PEER.node_id, limits=LIMITS, traffic=Traffic(), now_s=0.0
        )

        assert state(link) == "CONNECTING"
        assert not link.has_bytes
        link.tick(1_000.0)
        assert link.next_event(1_000.0) is None

    def test_a_link_is_ready_when_both_have_welcomed_each_other(self) -> None:
        link = new_link()

        assert events(link, control(PEER_HELLO)) == []
        assert sent(link) == [Welcome()]
        assert state(link) == "HANDSHAKE"
        assert events(link, control(Welcome())) == [LinkReady(software="peer 1")]
        assert state(link) == "READY"

    def test_a_vote_in_the_same_piece_as_the_welcome_arrives(self) -> None:
        link = new_link()
        vote = encode_frame(Lane.VOTES, b"vote")

        assert events(link, control(PEER_HELLO, Welcome()) + vote) == [
            LinkReady(software="peer 1"),
            MessageReceived(lane=Lane.VOTES, payload=b"vote"),
        ]

    def test_a_vote_does_not_overtake_the_welcome_that_the_peer_needs_first(self) -> None:
        link = new_link()
        events(link, control(PEER_HELLO, Welcome()))

        assert link.send(Lane.VOTES, encode_frame(Lane.VOTES, b"vote"))

        assert sent(link) == [Welcome(), (Lane.VOTES, b"vote")]
        assert sent(link) == []

    def test_a_peer_that_is_refused_at_once_learns_whom_it_met(self) -> None:
        link = PeerLink(
            local=LOCAL, peer_id=PEER.node_id, limits=LIMITS, traffic=Traffic(), now_s=0.0
        )
        link.connected(0.0)
        link.close(Reason.NOT_REGISTERED, "no")

        assert sent(link) == [
            LOCAL.to_message(),
            Goodbye(reason=Reason.NOT_REGISTERED, detail="no"),
        ]

    @pytest.mark.parametrize(
        ("invalid_hello", "reason"),
        [
            (replace(PEER_HELLO, version=2), Reason.WRONG_VERSION),
            (replace(PEER_HELLO, chain_id=b"\xcd" * 32), Reason.WRONG_CHAIN),
            (replace(PEER_HELLO, node_id=b"\x03" * 32), Reason.WRONG_IDENTITY),
        ],
    )
    def test_a_refused_hello_is_answered_with_the_reason(
        self, invalid_hello: Hello, reason: Reason
    ) -> None:
        link = new_link()

        (closed,) = events(link, control(invalid_hello))

        assert isinstance(closed, LinkClosed)
        assert (closed.reason, closed.by_peer, closed.was_ready) == (reason, False, False)
        assert sent(link) == [Goodbye(reason=reason, detail=closed.detail)]
        assert events(link, control(PEER_HELLO)) == []

    @pytest.mark.parametrize(
        "invalid_frames",
        [
            control(Welcome()),
            control(PEER_HELLO, PEER_HELLO),
            control(Ping(token=1)),
            control(Pong(token=1)),
            control(PEER_HELLO, Ping(token=1)),
            encode_frame(Lane.VOTES, b"vote"),
            control(PEER_HELLO) + encode_frame(Lane.SYNC, b"sync"),
            b"\x00\x00\x02\x01\x00",
            b"\x00\x00\x00\x01\x00\x09",
            b"GET / HTTP/1.1\r\n",
        ],
    )
    def test_anything_else_before_ready_is_a_violation(self, invalid_frames: bytes) -> None:
        link = new_link()

        (closed,) = events(link, invalid_frames)

        assert isinstance(closed, LinkClosed)
        assert closed.reason is Reason.PROTOCOL_VIOLATION
        assert state(link) == "CLOSED"

    def test_a_goodbye_tells_why_the_peer_refuses(self) -> None:
        link = new_link()

        assert events(link, control(Goodbye(reason=Reason.WRONG_CHAIN, detail="other"))) == [
            LinkClosed(reason=Reason.WRONG_CHAIN, detail="other", by_peer=True, was_ready=False)
        ]
        assert not link.has_bytes

    def test_a_handshake_ends_in_time(self) -> None:
        link = new_link()
        for now_s in (1.0, 2.0, 3.0, 4.0, 4.999):
            link.tick(now_s)
            assert state(link) == "HANDSHAKE"

        link.tick(5.0)

        (closed,) = events(link, now_s=5.0)
        assert isinstance(closed, LinkClosed)
        assert closed.reason is Reason.TIMEOUT


class TestMessages:
    def test_messages_leave_with_votes_first(self) -> None:
        link = ready_link()

        assert link.send(Lane.SYNC, encode_frame(Lane.SYNC, b"s"))
        assert link.send(Lane.VOTES, encode_frame(Lane.VOTES, b"v"))
        assert link.has_bytes
        assert (link.waiting_messages(Lane.SYNC), link.waiting_bytes(Lane.SYNC)) == (1, 6)

        assert sent(link) == [(Lane.VOTES, b"v"), (Lane.SYNC, b"s")]
        assert not link.has_bytes

    def test_nothing_is_queued_for_a_link_that_is_not_ready(self) -> None:
        link = new_link()

        assert not link.send(Lane.VOTES, encode_frame(Lane.VOTES, b"v"))
        assert not link.has_bytes

    def test_a_full_queue_of_votes_closes_the_link(self) -> None:
        one = {Lane.VOTES: QueueLimit(messages_max=1, bytes_max=100)}
        traffic = Traffic()
        link = ready_link(replace(LIMITS, queues={**QUEUE_LIMITS, **one}), traffic)

        assert link.send(Lane.VOTES, encode_frame(Lane.VOTES, b"v"))
        assert not link.send(Lane.VOTES, encode_frame(Lane.VOTES, b"w"))

        (closed,) = events(link)
        assert isinstance(closed, LinkClosed)
        assert (closed.reason, closed.was_ready) == (Reason.OVERLOADED, True)
        assert traffic.dropped[Lane.VOTES] == 2

    def test_a_frame_that_breaks_a_limit_closes_the_link_with_a_reason(self) -> None:
        link = ready_link()

        (closed,) = events(link, b"\xff\xff\xff\xff\x01")

        assert isinstance(closed, LinkClosed)
        assert (closed.reason, closed.was_ready) == (Reason.PROTOCOL_VIOLATION, True)
        assert "4294967295" in closed.detail

    @pytest.mark.parametrize("message", [PEER_HELLO, Welcome()])
    def test_the_handshake_is_not_repeated(self, message: ControlMessage) -> None:
        link = ready_link()

        (closed,) = events(link, control(message))

        assert isinstance(closed, LinkClosed)
        assert closed.reason is Reason.PROTOCOL_VIOLATION

    def test_all_traffic_is_counted_by_lane(self) -> None:
        traffic = Traffic()
        link = ready_link(traffic=traffic)
        events(link, encode_frame(Lane.VOTES, b"vote"))
        link.send(Lane.SYNC, encode_frame(Lane.SYNC, b"ab"))
        sent(link)

        control_lane, votes, _, sync = traffic.snapshot()
        assert (control_lane.messages_sent, control_lane.messages_received) == (2, 2)
        assert (control_lane.bytes_sent, control_lane.bytes_received) == (90, 89)
        assert (votes.messages_received, votes.bytes_received) == (1, 9)
        assert (sync.messages_sent, sync.bytes_sent) == (1, 7)


class TestBudget:
    def test_messages_beyond_the_budget_wait_and_none_is_lost(self) -> None:
        rates = {**MESSAGE_RATES, Lane.VOTES: Rate(per_second=10, burst=2)}
        traffic = Traffic()
        link = ready_link(replace(LIMITS, message_rates=rates), traffic)
        votes = [MessageReceived(lane=Lane.VOTES, payload=bytes([n])) for n in range(5)]
        flood = b"".join(encode_frame(Lane.VOTES, vote.payload) for vote in votes)

        assert events(link, flood, now_s=1.0) == votes[:3]
        assert link.read_resume_at_s == pytest.approx(1.1)
        link.resume_reading(1.11)
        assert events(link, now_s=1.11) == votes[3:4]
        link.resume_reading(1.22)
        assert events(link, now_s=1.22) == votes[4:]
        assert traffic.throttled == 2

    def test_bytes_beyond_the_budget_wait_too(self) -> None:
        link = ready_link(replace(LIMITS, byte_rate=Rate(per_second=1000, burst=1000)))
        message = encode_frame(Lane.SYNC, bytes(1995))

        assert events(link, message, now_s=10.0) == []
        assert link.read_resume_at_s == pytest.approx(11.0)
        link.resume_reading(11.001)
        assert len(events(link, now_s=11.001)) == 1

    def test_one_lane_out_of_budget_does_not_cost_another_link_anything(self) -> None:
        rates = {**MESSAGE_RATES, Lane.VOTES: Rate(per_second=1, burst=1)}
        flooding, other = (ready_link(replace(LIMITS, message_rates=rates)) for _ in range(2))

        events(flooding, encode_frame(Lane.VOTES, b"v") * 10, now_s=1.0)

        assert flooding.read_resume_at_s is not None
        assert len(events(other, encode_frame(Lane.VOTES, b"v"), now_s=1.0)) == 1

    def test_a_peer_that_waits_for_its_budget_is_not_taken_for_dead(self) -> None:
        rates = {**MESSAGE_RATES, Lane.VOTES: Rate(per_second=0.1, burst=1)}
        link = ready_link(replace(LIMITS, message_rates=rates))
        events(link, encode_frame(Lane.VOTES, b"v") * 3, now_s=0.0)

        for quarter in range(1, 40):
            link.tick(quarter / 4)

        assert state(link) == "READY"


class TestLife:
    def test_an_idle_link_is_pinged_each_second(self) -> None:
        link = ready_link()

        link.tick(0.5)
        assert sent(link) == [Ping(token=1)]
        assert events(link, control(Pong(token=1)), now_s=0.75) == []
        assert link.round_trip_s == pytest.approx(0.25)
        link.tick(1.4)
        assert sent(link) == []
        link.tick(1.5)
        assert sent(link) == [Ping(token=2)]

    def test_a_ping_is_answered(self) -> None:
        link = ready_link()

        assert events(link, control(Ping(token=77))) == []
        assert sent(link) == [Pong(token=77)]

    def test_a_pong_that_nobody_asked_for_measures_nothing(self) -> None:
        link = ready_link()
        link.tick(0.5)

        assert events(link, control(Pong(token=9)), now_s=0.6) == []
        assert link.round_trip_s is None

    def test_silence_ends_the_link_in_time(self) -> None:
        link = ready_link()
        for quarter in range(1, 20):
            link.tick(quarter / 4)
            assert state(link) == "READY"

        link.tick(5.0)

        (closed,) = events(link, now_s=5.0)
        assert isinstance(closed, LinkClosed)
        assert (closed.reason, closed.was_ready) == (Reason.TIMEOUT, True)

    def test_half_a_frame_that_drips_is_silence(self) -> None:
        link = ready_link()
        link.receive(b"\x00\x00\x10\x00\x01", 0.0)
        for quarter in range(1, 21):
            events(link, b"x", now_s=quarter / 4)
            link.tick(quarter / 4)

        assert state(link) == "CLOSED"

    def test_a_large_frame_that_makes_progress_is_a_sign_of_life(self) -> None:
        link = ready_link()
        link.receive((16 * 1024 * 1024).to_bytes(4, "big") + b"\x03", 0.0)
        for quarter in range(1, 41):
            events(link, bytes(4096), now_s=quarter / 4)
            link.tick(quarter / 4)

        assert state(link) == "READY"

    def test_a_peer_that_reads_nothing_is_closed_though_it_talks(self) -> None:
        link = ready_link()
        link.pause_writing(0.0)
        for quarter in range(1, 41):
            assert state(link) == "READY"
            events(link, control(Ping(token=1)), now_s=quarter / 4)
            link.tick(quarter / 4)

        (closed,) = events(link, now_s=10.0)
        assert isinstance(closed, LinkClosed)
        assert closed.reason is Reason.TIMEOUT

    def test_a_peer_that_reads_again_in_time_stays(self) -> None:
        link = ready_link()
        link.pause_writing(0.0)
        for quarter in range(1, 41):
            events(link, control(Ping(token=1)), now_s=quarter / 4)
            if quarter == 39:
                link.resume_writing()
            link.tick(quarter / 4)

        assert state(link) == "READY"

    def test_time_in_which_this_node_stood_still_counts_against_nobody(self) -> None:
        link = ready_link()
        link.pause_writing(0.0)
        link.tick(0.25)

        link.tick(300.0)
        assert state(link) == "READY"
        for quarter in range(1, 19):
            link.tick(300.0 + quarter / 4)
            assert state(link) == "READY"
        link.tick(304.75)
        assert state(link) == "CLOSED"


class TestEnd:
    def test_closing_gives_up_what_waits_and_says_goodbye_once(self) -> None:
        traffic = Traffic()
        link = ready_link(traffic=traffic)
        link.send(Lane.SYNC, encode_frame(Lane.SYNC, b"s"))

        link.close(Reason.SHUTDOWN, "the node stops")
        link.close(Reason.TIMEOUT, "too late to matter")

        assert events(link) == [
            LinkClosed(
                reason=Reason.SHUTDOWN,
                detail="the node stops",
                by_peer=False,
                was_ready=True,
            )
        ]
        assert sent(link) == [Goodbye(reason=Reason.SHUTDOWN, detail="the node stops")]
        assert sent(link) == []
        assert traffic.dropped[Lane.SYNC] == 1
        assert not link.send(Lane.SYNC, encode_frame(Lane.SYNC, b"s"))

    def test_nothing_is_handed_up_after_the_end(self) -> None:
        link = ready_link()
        link.receive(encode_frame(Lane.VOTES, b"v"), 0.0)
        link.close(Reason.NOT_REGISTERED, "removed")

        assert [type(event) for event in events(link)] == [LinkClosed]

    @pytest.mark.parametrize("reason", [Reason.CONNECTION_LOST])
    def test_a_lost_connection_gets_no_goodbye(self, reason: Reason) -> None:
        link = ready_link()

        link.close(reason, "gone")

        assert not link.has_bytes
