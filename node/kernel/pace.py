"""How much a block of this primary may hold, so that it is final well within the first view.

The chain's limits are made for the reference machine. Where nodes share cores, or a disk is slow, a
full block may take longer than the view timeout, and every view that is left costs all its work
once more. So a primary goes by what its own last blocks took: it proposes as much as was agreed in
the time that it aims at. Not less, because state is touched once a block: the more a block holds,
the less each of its transactions costs. A slow block counts at once; a quick one may be luck, where
others work on the machine, and counts as much as all that was known before it: too large a block
costs a view, too small a one only its share.

Where little waits, nothing is waited for: what comes while one block is agreed fills the next.
"""

from typing import Final

from chain.types import Height, Milliseconds

WORK_MIN: Final = 200
"""Least work units of a block, whatever the last one took: 100 transactions of one reading."""
FIRST_DIVISOR: Final = 2
"""The first block may hold this part of what the chain allows: a node does not know its machine."""
SHRINK_MAX: Final = 2
"""A block may be down to half of the largest before it."""


class Pace:
    """Work units that the next block may hold.

    Args:
        target_ms: from proposal to commit of a full block.
        work_max: limit of the chain.
    """

    def __init__(self, *, target_ms: Milliseconds, work_max: int) -> None:
        self._target_ms = target_ms
        self._work_max = work_max
        self._proposed: tuple[Height, int, Milliseconds] | None = None
        self.work_max = min(max(WORK_MIN, work_max // FIRST_DIVISOR), work_max)
        """Work units; one transaction may exceed it by itself."""

    def proposed(self, height: Height, work: int, now_ms: Milliseconds) -> None:
        """Notes that this node has built a block, before it is sent."""
        if self._proposed is not None and self._proposed[0] == height:
            # The last one at this height came to nothing.
            self._set(self.work_max // SHRINK_MAX)
        self._proposed = (height, work, now_ms)

    def committed(self, height: Height, now_ms: Milliseconds) -> None:
        """Learns from a final block, if this node proposed at its height."""
        if self._proposed is None or self._proposed[0] > height:
            return
        proposed_height, work, proposed_ms = self._proposed
        self._proposed = None
        if proposed_height != height:
            return  # It came to nothing, and another's block was agreed.
        took_ms = max(1, now_ms - proposed_ms)
        fitting = work * self._target_ms // took_ms
        if work * SHRINK_MAX >= self.work_max:
            if fitting > self.work_max:
                # The harmonic mean, for it is the time of a work unit that is in doubt.
                fitting = 2 * fitting * self.work_max // (fitting + self.work_max)
            self._set(max(fitting, self.work_max // SHRINK_MAX))
        elif took_ms > self._target_ms:
            # A block that was not full says nothing, unless it was too slow all the same.
            self._set(self.work_max // SHRINK_MAX)

    def _set(self, work: int) -> None:
        self.work_max = min(max(work, WORK_MIN), self._work_max)
