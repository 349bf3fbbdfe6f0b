"""Chain parameters: limits and intervals that all replicas share.

They stand in the genesis record and so under the chain id; the header of each block names their
hash. What one node may choose for itself is node configuration and is not here.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.crypto import Domain, hash_of
from chain.types import Hash, Range

PARAMETERS_KEY: Final = b"chain/parameters"
"""State key of the parameters that hold for the next block."""

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(Record):
    """Limits and intervals of one chain."""

    max_block_interval_ms: Annotated[int, Range(100, _DAY_MS)] = _MINUTE_MS
    """A block without transactions is valid only this long after its parent (consensus.md 20)."""
    rotation_blocks: Annotated[int, Range(1, 2**32 - 1)] = 128
    """At each height divisible by this the primary moves on by one (consensus.md 18)."""
    transaction_lifetime_max_ms: Annotated[int, Range(_MINUTE_MS, 30 * _DAY_MS)] = _DAY_MS
    """How far ``valid_until`` may lie ahead of the parent block's time (consensus.md 24)."""
    transaction_bytes_max: Annotated[int, Range(1_024, 4_194_304)] = 262_144
    """Wire bytes of one transaction; 1,000 readings of 100 bytes need 100 KB."""
    block_bytes_max: Annotated[int, Range(65_536, 16_777_216)] = 2_097_152
    """Wire bytes of all transactions of one block."""
    block_transactions_max: Annotated[int, Range(1, 100_000)] = 4_000
    """Transactions of one block."""
    block_readings_max: Annotated[int, Range(1, 1_000_000)] = 10_000
    """Work units of one block: a transaction costs one, and one more for each reading in it, so
    that building and executing a full block takes less than a quarter of the view timeout."""
    readings_per_transaction_max: Annotated[int, Range(1, 10_000)] = 1_000
    """Readings that one transaction may carry."""
    due_entries_per_block_max: Annotated[int, Range(1, 10_000)] = 200
    """Entries of the due queue that one block handles; the rest waits for the next."""

    @property
    def hash(self) -> Hash:
        """Returns the digest that headers carry."""
        return hash_of(Domain.PARAMETERS, self.encode())

    def contradiction(self) -> str | None:
        """Returns what is wrong between parameters that are each within bounds, or None.

        A transaction that every rule admits must fit into a block: one that fits none would wait
        for ever, and keep the view timers of all nodes running while it does.
        """
        if self.transaction_bytes_max > self.block_bytes_max:
            return (
                f"transaction_bytes_max: expected at most block_bytes_max {self.block_bytes_max}, "
                f"got {self.transaction_bytes_max}"
            )
        # A transaction costs one unit of work beside its readings.
        if self.readings_per_transaction_max >= self.block_readings_max:
            return (
                "readings_per_transaction_max: expected below block_readings_max "
                f"{self.block_readings_max}, got {self.readings_per_transaction_max}"
            )
        return None
