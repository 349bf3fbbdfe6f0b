"""Signed transactions, made before anybody looks at the clock.

Built from plain values instead of records, because a million readings are signed here; a test holds
that they are the canonical bytes of the records.
"""

import os
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from chain.codec import encode
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
_METHOD: Final = "readings.submit"
_LOAD_WH: Final = 20_000
_SWING_WH: Final = 997
"""Readings vary by less than this, in a pattern that repeats in no day and alerts nobody."""


def meter_name(index: int) -> str:
    """Returns the id of the meter with an index below :data:`METERS`."""
    return f"meter-{index:04d}"


@dataclass(slots=True)
class Workload:
    """Signs the next readings of each meter.

    Meter ``i`` belongs to organisation ``i mod organisations`` and its gateway posts to the node of
    the same index, so that the readings of one meter arrive in their order.

    Args:
        chain_id: what signatures commit to.
        signers: operator of each organisation, in the order of the nodes.
    """

    chain_id: Hash
    signers: tuple[Ed25519Signer, ...]
    _next: list[int] = field(default_factory=lambda: [0] * METERS)
    """Index of the next interval of each meter."""
    _turn: int = 0

    def sign_lanes(self, count: int, readings: int) -> list[deque[bytes]]:
        """Returns for each lane its share of so many transactions, of all meters in turn.

        Args:
            count: transactions of all lanes together.
            readings: consecutive readings of one meter in each transaction.
        """
        lanes = len(self.signers)
        meters = METERS - METERS % lanes
        queues: list[deque[bytes]] = [deque() for _ in range(lanes)]
        for turn in range(self._turn, self._turn + count):
            queues[turn % lanes].append(self._sign(turn % meters, turn % lanes, readings))
        self._turn += count
        return queues

    def sign_flood(self, count: int) -> list[deque[bytes]]:
        """Returns for each lane its share of single readings that all come from one operator."""
        lanes = len(self.signers)
        meters = METERS // lanes
        queues: list[deque[bytes]] = [deque() for _ in range(lanes)]
        for turn in range(count):
            own = turn % meters
            queues[own % lanes].append(self._sign(own * lanes, 0, 1))
        return queues

    def _sign(self, meter: int, owner: int, readings: int) -> bytes:
        first = self._next[meter]
        self._next[meter] += readings
        arguments = encode(
            (
                meter_name(meter),
                int(UNIT),
                tuple(
                    (
                        FIRST_START_MS + index * INTERVAL_MS,
                        None,
                        _LOAD_WH + (index * 7_919 + meter * 31) % _SWING_WH,
                        int(Quality.MEASURED),
                        None,
                        None,
                        (),
                    )
                    for index in range(first, first + readings)
                ),
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
