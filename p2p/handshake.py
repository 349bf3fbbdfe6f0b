"""Who may talk: the one decision of the handshake. Pure, no I/O.

TLS has proved that the other end holds the key of a certificate, and the registry says whose
certificate that is. Both ends then send a hello at once; each judges the other's and answers
with a welcome, or with a goodbye that says why not. A link is ready when a node has sent *and*
received a welcome, so neither end reports a link that the other one is about to refuse.

A valid certificate with another node's id in the hello is refused (faults.md A09): whatever
arrives on a link is attributed to the id of its certificate, never to a claim.
"""

from dataclasses import dataclass

from p2p.errors import HandshakeRefused
from p2p.messages import CHAIN_ID_BYTES, NODE_ID_BYTES, PROTOCOL_VERSION, Hello, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHello:
    """What this node says about itself and expects of every peer."""

    chain_id: bytes
    """32 bytes."""
    node_id: bytes
    """32 bytes."""
    software: str
    """Name and version of the program, printable ASCII."""

    def __post_init__(self) -> None:
        assert len(self.chain_id) == CHAIN_ID_BYTES
        assert len(self.node_id) == NODE_ID_BYTES

    def to_message(self) -> Hello:
        """Returns the hello that this node sends first on every link."""
        return Hello(
            version=PROTOCOL_VERSION,
            chain_id=self.chain_id,
            node_id=self.node_id,
            software=self.software,
        )


def validate_hello(hello: Hello, *, local: LocalHello, expected_node_id: bytes) -> None:
    """Accepts a hello or refuses it.

    It is accepted when

    - it speaks the protocol version of this node,
    - it is of this chain,
    - it names the node that the certificate of the link is registered for.

    Args:
        hello: The hello of the other end.
        local: What this node says about itself.
        expected_node_id: The node that the registry pins to the peer's certificate, 32 bytes.

    Raises:
        HandshakeRefused: For the first condition that does not hold, in the order above.
    """
    if hello.version != PROTOCOL_VERSION:
        raise HandshakeRefused(
            Reason.WRONG_VERSION,
            expected=f"protocol version {PROTOCOL_VERSION}",
            got=str(hello.version),
        )
    if hello.chain_id != local.chain_id:
        raise HandshakeRefused(
            Reason.WRONG_CHAIN, expected=f"chain {local.chain_id.hex()}", got=hello.chain_id.hex()
        )
    if hello.node_id != expected_node_id:
        raise HandshakeRefused(
            Reason.WRONG_IDENTITY,
            expected=f"node {expected_node_id.hex()} of the pinned certificate",
            got=hello.node_id.hex(),
        )
