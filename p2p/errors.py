"""Errors of the links between nodes, as one small tree.

::

    LinkError
    ├── FrameError          bytes that are no frame: empty, oversized, of an unknown lane
    ├── MessageError        a control frame whose payload is no control message
    ├── HandshakeRefused    a well-formed hello of somebody this node does not talk to
    └── InvalidPeerRecord   a registry record, or a set of them, that no link can be built on

The first three are the other end's doing: they close that one link, with a reason frame, and are
counted; they never leave the transport. The last one is raised to whoever supplied the record.
"""


class LinkError(Exception):
    """Root of all errors that the package ``p2p`` raises on purpose."""


class FrameError(LinkError):
    """Bytes, or a payload to be sent, that no frame may hold."""

    def __init__(self, rule: str, *, expected: str, got: str) -> None:
        self.rule = rule
        """What was broken: ``lane``, ``length`` or ``lane order``."""
        self.expected = expected
        self.got = got
        super().__init__(f"frame {rule}: expected {expected}, got {got}")


class MessageError(LinkError):
    """A control payload that is none of the control messages, byte for byte."""

    def __init__(self, field: str, *, expected: str, got: str) -> None:
        self.field = field
        """Message and field, such as ``hello.chain_id``."""
        self.expected = expected
        self.got = got
        super().__init__(f"{field}: expected {expected}, got {got}")


class HandshakeRefused(LinkError):
    """A hello that was understood and is turned down.

    ``reason`` is the code of :class:`p2p.messages.Reason` that the peer is told.
    """

    def __init__(self, reason: int, *, expected: str, got: str) -> None:
        self.reason = reason
        self.expected = expected
        self.got = got
        super().__init__(f"expected {expected}, got {got}")


class InvalidPeerRecord(LinkError):
    """A peer record that contradicts itself or another record of the same registry."""

    def __init__(self, field: str, *, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(f"peer record, {field}: expected {expected}, got {got}")
