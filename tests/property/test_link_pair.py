"""Two links over a pipe that cuts and delays at will; and one link against anything at all."""

from collections import deque

from hypothesis import example, given, strategies as st

from p2p.frames import Lane, encode_frame
from p2p.handshake import LocalHello
from p2p.messages import Goodbye, Hello, Ping, Pong, Reason, Welcome, encode_message
from p2p.peer import LinkClosed, LinkLimits, LinkReady, LinkState, MessageReceived, PeerLink
from p2p.traffic import Traffic

CHAIN = b"\xcc" * 32
IDS = (b"\x01" * 32, b"\x02" * 32)
HELLOS = [LocalHello(chain_id=CHAIN, node_id=one, software="pair") for one in IDS]


def new_link(index: int, now_s: float = 0.0) -> PeerLink:
    link = PeerLink(
        local=HELLOS[index],
        peer_id=IDS[1 - index],
        limits=LinkLimits(),
        traffic=Traffic(),
        now_s=now_s,
    )
    link.connected(now_s)
    return link


SENDS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([Lane.VOTES, Lane.TRANSACTIONS, Lane.SYNC]),
        st.binary(min_size=1, max_size=40),
    ),
    max_size=30,
)
STEPS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 60), st.integers(1, 90)), max_size=60)


@given(SENDS, STEPS)
@example([(0, Lane.VOTES, b"v"), (0, Lane.VOTES, b"w")], [])  # A vote overtook the welcome.
def test_whatever_the_pipe_does_all_messages_arrive_in_the_order_of_their_lane(
    sends: list[tuple[int, Lane, bytes]], steps: list[tuple[int, int, int]]
) -> None:
    links = [new_link(0), new_link(1)]
    pipes = [bytearray(), bytearray()]
    received: list[list[MessageReceived]] = [[], []]
    readies = [0, 0]
    waiting = deque(sends)
    accepted: list[list[tuple[Lane, bytes]]] = [[], []]

    def carry(index: int, write_bytes: int, read_bytes: int) -> None:
        """One side writes some; the other reads some of what was written before."""
        pipes[index] += links[index].take_bytes(write_bytes)
        piece = bytes(pipes[index][:read_bytes])
        del pipes[index][:read_bytes]
        other = links[1 - index]
        other.receive(piece, 0.0)
        while (event := other.next_event(0.0)) is not None:
            if isinstance(event, MessageReceived):
                received[1 - index].append(event)
            else:
                assert isinstance(event, LinkReady)
                readies[1 - index] += 1
        if waiting:
            sender, lane, payload = waiting.popleft()
            if links[sender].send(lane, encode_frame(lane, payload)):
                accepted[sender].append((lane, payload))

    for index, write_bytes, read_bytes in steps:
        carry(index, write_bytes, read_bytes)
    while waiting or any(link.has_bytes for link in links) or any(pipes):
        carry(0, 1000, 1000)
        carry(1, 1000, 1000)

    assert readies == [1, 1]
    for index in (0, 1):
        for lane in Lane:
            came = [one.payload for one in received[1 - index] if one.lane == lane]
            assert came == [payload for sent_on, payload in accepted[index] if sent_on == lane]


ANY_FRAME = st.one_of(
    st.binary(max_size=60),
    st.builds(encode_frame, st.sampled_from(Lane), st.binary(min_size=1, max_size=60)),
    st.builds(
        lambda message: encode_frame(Lane.CONTROL, encode_message(message)),
        st.sampled_from(
            [
                HELLOS[1].to_message(),
                Hello(version=1, chain_id=CHAIN, node_id=IDS[0], software=""),
                Welcome(),
                Ping(token=1),
                Pong(token=1),
                Goodbye(reason=Reason.SHUTDOWN, detail=""),
            ]
        ),
    ),
)


@given(st.lists(st.tuples(ANY_FRAME, st.floats(0, 3)), max_size=40))
def test_nothing_a_peer_sends_raises_and_a_closed_link_stays_closed_and_silent(
    pieces: list[tuple[bytes, float]],
) -> None:
    link = new_link(0)
    now_s = 0.0
    closings = 0
    for piece, pause_s in pieces:
        now_s += pause_s
        was_closed = link.state is LinkState.CLOSED
        link.receive(piece, now_s)
        while (event := link.next_event(now_s)) is not None:
            assert not was_closed
            if isinstance(event, MessageReceived):
                assert link.state is LinkState.READY
            closings += isinstance(event, LinkClosed)
        link.tick(now_s)
        while (event := link.next_event(now_s)) is not None:
            assert isinstance(event, LinkClosed)
            closings += 1

    assert closings == (link.state is LinkState.CLOSED)
