"""The chain's events as a client sees them, and the framing in which they stream.

A cursor means the same on every node, because all have the same blocks; so a reader that loses one
node goes on at another, after the last event that it has handled.
"""

from dataclasses import dataclass
from typing import Final

from client.errors import MalformedAnswer
from client.nodes import Document, Json, integer_member, text_member

MESSAGE_BYTES_MAX: Final = 4 * 2**20
"""One event; the largest content that a contract emits has some kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvent:
    """One event of a final block."""

    cursor: str
    """Give it back as ``after`` to go on behind this event."""
    height: int
    index: int
    """Of the event within its block."""
    time_ms: int
    """Block time."""
    transaction_id: str
    """Hexadecimal; zeros for the block's own work."""
    kind: str
    """Such as ``alert.opened``."""
    subject: str
    """What it is about: a meter, alert or baseline id."""
    content: Json
    """The event's record by name, or hexadecimal text where the node does not know its kind."""


def event_of(document: Document) -> ChainEvent:
    """Reads an event from its JSON form.

    Raises:
        MalformedAnswer: a member is missing or of another kind.
    """
    return ChainEvent(
        cursor=text_member(document, "cursor"),
        height=integer_member(document, "height"),
        index=integer_member(document, "index"),
        time_ms=integer_member(document, "time_ms"),
        transaction_id=text_member(document, "transaction_id"),
        kind=text_member(document, "kind"),
        subject=text_member(document, "subject"),
        content=document.get("content"),
    )


class EventStreamParser:
    """Server-sent events (WHATWG HTML 9.2), sans-IO: bytes in, ``data`` of whole messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Takes bytes and returns the data of each message that they complete.

        Comments and messages without data are signs of life and left out.

        Raises:
            MalformedAnswer: a message without end.
        """
        self._buffer += chunk
        messages: list[bytes] = []
        while (end := self._buffer.find(b"\n\n")) >= 0:
            lines = bytes(self._buffer[:end]).split(b"\n")
            del self._buffer[: end + 2]
            data = [line[6:] for line in lines if line.startswith(b"data: ")]
            if data:
                messages.append(b"\n".join(data))
        if len(self._buffer) > MESSAGE_BYTES_MAX:
            raise MalformedAnswer(f"event stream: a message of over {MESSAGE_BYTES_MAX} bytes")
        return messages
