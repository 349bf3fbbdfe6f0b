"""Single readings that are signed and not yet sent; what one phase leaves over the next one sends.

Nothing here looks at the clock of a measurement: phases ask before they begin. What was not sent
stays first in its lane, so the readings of each meter go out in their order.
"""

from collections import deque
from dataclasses import dataclass, field

from benchmarks.workload import Workload

Queues = list[deque[bytes]]
"""Signed transactions of each lane, the next one first."""


@dataclass(slots=True)
class Supply:
    """The lanes' queues, filled up before a phase."""

    workload: Workload
    queues: Queues = field(init=False)

    def __post_init__(self) -> None:
        self.queues = [deque() for _ in range(self.workload.lanes)]

    def reserve(self, count: int) -> Queues:
        """Returns the queues with at least so many transactions in all lanes together.

        They are the supply's own: what a phase leaves in them the next one finds.
        """
        share = -(-count // self.workload.lanes)
        for lane in range(self.workload.lanes):
            self._fill(lane, share)
        return self.queues

    def _fill(self, lane: int, count: int) -> None:
        missing = count - len(self.queues[lane])
        self.queues[lane].extend(self.workload.sign(lane, max(0, missing), 1))
