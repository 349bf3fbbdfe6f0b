"""Gossip of this node's own clients' transactions: sent at once, again when stuck, then complained.

Every validator hears of a transaction from the node that admitted it. While no blocks go by, one
that has not moved for half a view timeout is sent to all again, so that all their timers run
(consensus.md 12). While blocks go by it most likely stands in a long line: it is sent again before
it counts as censored, in case that it was lost, and not once a second, which would cost the nodes
most when they have most to do.

What waits for T_c while blocks go by is censored (consensus.md 14), unless it stands in a line that
moves: its sender was served within T_c and nothing that the sender sent later was. An honest
primary takes each sender's transactions in order, so a line that takes longer than T_c is no reason
to replace it; one that leaves out a sender, or a single transaction of one, shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chain.types import Hash, Milliseconds, PublicKey
from consensus.messages import BODIES_MAX

GOSSIP_BYTES_MAX: Final = 1_048_576
"""Bytes of bodies in one message, well below the frame limit."""
STALE_BATCH_MAX: Final = 500
"""Transactions sent again at one tick."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """When some of our own transactions went out; those of one submission share it."""

    sender: PublicKey
    first_ms: Milliseconds
    last_ms: Milliseconds
    blocks_before: int


@dataclass(frozen=True, slots=True)
class _Served:
    """What a sender has got of late."""

    at_ms: Milliseconds
    """When a block last held something that it sent through this node."""
    newest_ms: Milliseconds
    """When the latest of what blocks held had first gone out."""


class Gossip:
    """What this node sent to all validators and waits for."""

    def __init__(self, t0_ms: Milliseconds, censorship_timeout_ms: Milliseconds) -> None:
        self._t0_ms = t0_ms
        self._censorship_timeout_ms = censorship_timeout_ms
        self._flows_until_ms = -1
        """A view timeout after the newest block: so long, blocks go by."""
        self._sent: dict[Hash, _Sent] = {}
        """In the order in which they first went out."""
        self._served: dict[PublicKey, _Served] = {}
        """Senders that were served within T_c before the newest block."""
        self._newest = _Sent(b"", 0, 0, 0)
        self._block_count = 0

    def remember(self, transaction_id: Hash, sender: PublicKey, now_ms: Milliseconds) -> None:
        """Notes that a transaction has been sent to all."""
        sent = _Sent(sender, now_ms, now_ms, self._block_count)
        if sent != self._newest:
            self._newest = sent
        self._sent[transaction_id] = self._newest

    def block_stored(self, transaction_ids: Sequence[Hash], now_ms: Milliseconds) -> None:
        """Notes a block, and drops what it holds."""
        self._block_count += 1
        self._flows_until_ms = now_ms + self._t0_ms
        for transaction_id in transaction_ids:
            sent = self._sent.pop(transaction_id, None)
            if sent is not None:
                before = self._served.get(sent.sender)
                newest_ms = max(sent.first_ms, before.newest_ms if before else 0)
                self._served[sent.sender] = _Served(now_ms, newest_ms)
        recent_ms = now_ms - self._censorship_timeout_ms
        for sender in [each for each, got in self._served.items() if got.at_ms <= recent_ms]:
            del self._served[sender]

    def forget(self, transaction_ids: Sequence[Hash]) -> None:
        """Drops what is waited for no longer."""
        for transaction_id in transaction_ids:
            self._sent.pop(transaction_id, None)

    def stale(self, now_ms: Milliseconds) -> tuple[Hash, ...]:
        """Returns what is to be sent again now, oldest first, and notes that it is."""
        is_flowing = now_ms < self._flows_until_ms
        after_ms = (self._censorship_timeout_ms if is_flowing else self._t0_ms) // 2
        stale: dict[Hash, _Sent] = {}
        for transaction_id, sent in self._sent.items():
            is_young = now_ms < sent.first_ms + after_ms
            if is_young or len(stale) == STALE_BATCH_MAX:
                break  # All behind it are younger still.
            if now_ms >= sent.last_ms + after_ms:
                stale[transaction_id] = replace(sent, last_ms=now_ms)
        # An assignment to a key that is there keeps the order.
        self._sent.update(stale)
        return tuple(stale)

    def is_censored(self, now_ms: Milliseconds) -> bool:
        """Returns whether the oldest has waited for T_c although blocks went by, out of line.

        What is censored becomes the oldest soon, because what stands in lines that move goes.
        """
        oldest = next(iter(self._sent.values()), None)
        if oldest is None or now_ms < oldest.first_ms + self._censorship_timeout_ms:
            return False
        served = self._served.get(oldest.sender)
        is_in_line = served is not None and served.newest_ms <= oldest.first_ms
        return self._block_count > oldest.blocks_before and not is_in_line


def batches_of(wires: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Splits bodies into messages of bounded count and bytes, in order."""
    batch: list[bytes] = []
    size = 0
    for wire in wires:
        if batch and (len(batch) == BODIES_MAX or size + len(wire) > GOSSIP_BYTES_MAX):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(wire)
        size += len(wire)
    if batch:
        yield tuple(batch)


def batches_of_ids(transaction_ids: Sequence[Hash]) -> Iterator[tuple[Hash, ...]]:
    """Splits ids into requests of bounded count, in order."""
    for start in range(0, len(transaction_ids), BODIES_MAX):
        yield tuple(transaction_ids[start : start + BODIES_MAX])
