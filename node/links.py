"""The p2p transport as the port that the runtime sends through."""

from collections.abc import Callable, Mapping
from typing import Final

from chain.genesis import Genesis
from chain.member import Member, MemberRole
from chain.types import PublicKey
from node.ports import Traffic
from p2p.frames import Lane
from p2p.identity import PeerRecord, Role
from p2p.transport import Transport

LANE_OF: Final[Mapping[Traffic, Lane]] = {
    Traffic.VOTES: Lane.VOTES,
    Traffic.TRANSACTIONS: Lane.TRANSACTIONS,
    Traffic.SYNC: Lane.SYNC,
}
TRAFFIC_OF: Final[Mapping[Lane, Traffic]] = {lane: traffic for traffic, lane in LANE_OF.items()}
_VALIDATORS: Final = frozenset({Role.VALIDATOR})
_OBSERVERS: Final = frozenset({Role.OBSERVER})


class TransportLinks:
    """Sends over a transport (:class:`node.ports.Links`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        """Queues bytes for one peer."""
        self._transport.send(peer, LANE_OF[traffic], payload)

    def broadcast(self, traffic: Traffic, payload: bytes) -> None:
        """Queues bytes for every other validator."""
        self._transport.broadcast(LANE_OF[traffic], payload, _VALIDATORS)

    def push(self, traffic: Traffic, payload: bytes) -> None:
        """Queues bytes for every observer."""
        self._transport.broadcast(LANE_OF[traffic], payload, _OBSERVERS)

    def report(self, peer: PublicKey, reason: str) -> None:
        """Does nothing beyond the log line that telemetry wrote.

        Members are few and known by name, and the transport's own budgets bound what a faulty one
        can cost; who is cut off for good is a decision of the consortium, not of one node.
        """


def peer_records(genesis: Genesis) -> tuple[PeerRecord, ...]:
    """Returns the registry of the founding members, as the transport takes it."""
    return tuple(_record_of(member) for member in genesis.members)


def on_message(
    receive: Callable[[PublicKey, Traffic, bytes], None],
) -> Callable[[bytes, Lane, bytes], None]:
    """Returns the transport's callback that hands messages to the runtime."""

    def deliver(node_id: bytes, lane: Lane, payload: bytes) -> None:
        traffic = TRAFFIC_OF.get(lane)
        if traffic is not None:
            receive(node_id, traffic, payload)

    return deliver


def _record_of(member: Member) -> PeerRecord:
    return PeerRecord(
        node_id=member.consensus_key,
        certificate_der=member.tls_certificate,
        host=member.host,
        port=member.port,
        role=Role.VALIDATOR if member.role is MemberRole.VALIDATOR else Role.OBSERVER,
    )
