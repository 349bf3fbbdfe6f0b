"""What happens to a kernel. Timers and links are the replica's own events and pass through."""

from dataclasses import dataclass

from chain.types import Height, PublicKey
from consensus.events import LinkChanged, TimerFired


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadReceived:
    """Bytes came from a peer whose link is authenticated; nothing in them is checked."""

    peer: PublicKey
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionsSubmitted:
    """A client of this node hands in transactions; answered with AnswerSubmission."""

    ticket: int
    """Returned with the answer."""
    wires: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStored:
    """The batch of a StoreBlock effect is durable; comes before any other event."""

    height: Height


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """A short, regular moment for what has no timer of its own: expiry and asking again."""


KernelEvent = (
    PayloadReceived | TransactionsSubmitted | BlockStored | Ticked | LinkChanged | TimerFired
)
