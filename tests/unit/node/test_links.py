"""Kinds of traffic take the lanes meant for them, to the members meant for them."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from chain.member import MemberRole
from node.links import LANE_OF, TransportLinks, on_message, peer_records
from node.ports import Traffic
from p2p.frames import Lane
from p2p.identity import Role, new_tls_identity
from tests import chain_samples as samples

if TYPE_CHECKING:
    from p2p.transport import Transport

PEER = b"\x05" * 32


class Calls:
    """Stands where a transport would; notes what it is told to send."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def send(self, *arguments: object) -> bool:
        self.made.append(("send", *arguments))
        return True

    def broadcast(self, *arguments: object) -> int:
        self.made.append(("broadcast", *arguments))
        return 1


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def links(calls: Calls) -> TransportLinks:
    return TransportLinks(cast("Transport", calls))


def test_every_kind_of_traffic_has_a_lane_of_its_own() -> None:
    assert LANE_OF == {
        Traffic.VOTES: Lane.VOTES,
        Traffic.TRANSACTIONS: Lane.TRANSACTIONS,
        Traffic.SYNC: Lane.SYNC,
    }
    assert set(LANE_OF) == set(Traffic)


def test_what_is_for_one_goes_to_one(links: TransportLinks, calls: Calls) -> None:
    links.send(PEER, Traffic.SYNC, b"blocks")

    assert calls.made == [("send", PEER, Lane.SYNC, b"blocks")]


def test_a_broadcast_is_for_validators_and_a_push_for_observers(
    links: TransportLinks, calls: Calls
) -> None:
    links.broadcast(Traffic.VOTES, b"vote")
    links.push(Traffic.SYNC, b"block")

    assert calls.made == [
        ("broadcast", Lane.VOTES, b"vote", {Role.VALIDATOR}),
        ("broadcast", Lane.SYNC, b"block", {Role.OBSERVER}),
    ]


def test_a_report_sends_nothing(links: TransportLinks, calls: Calls) -> None:
    links.report(PEER, "sent nonsense")

    assert calls.made == []


def test_messages_arrive_as_the_kind_of_their_lane_and_control_stays_below() -> None:
    received: list[tuple[bytes, Traffic, bytes]] = []
    deliver = on_message(lambda *message: received.append(message))

    for lane in Lane:
        deliver(PEER, lane, lane.name.encode())

    assert received == [
        (PEER, Traffic.VOTES, b"VOTES"),
        (PEER, Traffic.TRANSACTIONS, b"TRANSACTIONS"),
        (PEER, Traffic.SYNC, b"SYNC"),
    ]


def test_the_registry_of_the_transport_is_that_of_the_genesis() -> None:
    certificates = [new_tls_identity()[0] for _ in range(2)]
    genesis = samples.genesis(
        members=(
            samples.member(1, tls_certificate=certificates[0]),
            samples.member(2, tls_certificate=certificates[1], role=MemberRole.OBSERVER),
        )
    )

    first, second = peer_records(genesis)

    assert (first.node_id, first.certificate_der) == (
        samples.SIGNERS[0].public_key,
        certificates[0],
    )
    assert (first.host, first.port, first.role) == ("127.0.0.1", 7_001, Role.VALIDATOR)
    assert (second.port, second.role) == (7_002, Role.OBSERVER)
