"""Signed transactions, made before anybody looks at the clock.

Built from plain values instead of records, because a million readings are signed here; a test holds
that they are the canonical bytes of the records.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from chain.codec import Value, encode
from chain.crypto import Domain, Ed25519Signer
from chain.transaction import TRANSACTION_VERSION
from chain.types import NONCE_BYTES, Hash
from contracts.meter import Unit
from contracts.reading import Quality

METERS: Final = 500
INTERVAL_MS: Final = 900_000
FIRST_START_MS: Final = 1_735_689_600_000
"""2025-01-01; the meters are filled from here on, as gateways that catch up do."""
LIFETIME_MS: Final = 3_600_000
UNIT: Final = Unit.WATT_HOUR
SINGLES: Final = "meter"
"""Prefix of the meters that send one reading a transaction."""
BATCHES: Final = "batch"
"""Prefix of the meters that send many; apart from the others, so that each keeps its order."""
FLOOD: Final = "flood"
"""Prefix of the meters of one operator who sends more than is good, through all nodes."""
_METHOD: Final = "readings.submit"
_LOAD_WH: Final = 20_000
_SWING_WH: Final = 997
"""Readings vary by less than this, in a pattern that repeats in no day and alerts nobody."""


def meter_name(index: int, prefix: str = SINGLES) -> str:
    """Returns the id of a meter, such as ``meter-0007``."""
    return f"{prefix}-{index:04d}"


def amount_of(meter: int, interval: int) -> int:
    """Returns the watt hours of an interval, both by index."""
    return _LOAD_WH + (interval * 7_919 + meter * 31) % _SWING_WH


def plain_reading(meter: int, interval: int) -> Value:
    """Returns a reading with a value and nothing else, as the values of a ``RawReading``."""
    return (
        FIRST_START_MS + interval * INTERVAL_MS,
        None,
        amount_of(meter, interval),
        int(Quality.MEASURED),
        None,
        None,
        (),
        None,
    )


@dataclass(slots=True)
class Workload:
    """Signs the next readings of each meter.

    Meter ``i`` belongs to organisation ``i mod organisations`` and its gateway posts to the node of
    the same index, its lane, so that the readings of one meter arrive in their order.

    Args:
        chain_id: what signatures commit to.
        signers: operator of each organisation, in the order of the nodes.
        prefix: of the names of the meters.
        meters: how many there are; of those that do not divide by the lanes, the last are left out.
        reading: values of the reading of a meter and an interval, both by index.
    """

    chain_id: Hash
    signers: tuple[Ed25519Signer, ...]
    prefix: str = SINGLES
    meters: int = METERS
    reading: Callable[[int, int], Value] = plain_reading
    _next: dict[int, int] = field(default_factory=dict)
    """Index of the next interval of each meter."""
    _turns: dict[int, int] = field(default_factory=dict)
    """Transactions signed for each lane."""

    @property
    def lanes(self) -> int:
        """Returns the number of organisations, and so of nodes that are posted to."""
        return len(self.signers)

    def sign(self, lane: int, count: int, readings: int) -> Iterator[bytes]:
        """Yields so many transactions of a lane, of its meters in turn.

        Args:
            lane: whose meters and operator.
            count: transactions.
            readings: consecutive readings of one meter in each transaction.
        """
        own = self.meters // self.lanes
        for _ in range(count):
            turn = self._turns.get(lane, 0)
            self._turns[lane] = turn + 1
            yield self._sign(lane + turn % own * self.lanes, lane, readings)

    def sign_lanes(self, count: int, readings: int) -> list[deque[bytes]]:
        """Returns for each lane its share of so many transactions, rounded up."""
        share = -(-count // self.lanes)
        return [deque(self.sign(lane, share, readings)) for lane in range(self.lanes)]

    def _sign(self, meter: int, owner: int, readings: int) -> bytes:
        first = self._next.get(meter, 0)
        self._next[meter] = first + readings
        reading = self.reading
        arguments = encode(
            (
                meter_name(meter, self.prefix),
                int(UNIT),
                tuple(reading(meter, index) for index in range(first, first + readings)),
            )
        )
        signer = self.signers[owner]
        payload = encode(
            (
                TRANSACTION_VERSION,
                self.chain_id,
                signer.public_key,
                os.urandom(NONCE_BYTES),
                time.time_ns() // 1_000_000 + LIFETIME_MS,
                _METHOD,
                arguments,
            )
        )
        return encode((payload, signer.sign(Domain.TRANSACTION.value + payload)))
