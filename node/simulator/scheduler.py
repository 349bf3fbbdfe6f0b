"""Virtual time: one heap of what is to happen.

What is due at the same microsecond happens in an order drawn from the seed, so that orders which a
fair scheduler would never show are explored too.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random


class Scheduler:
    """Runs actions in the order of virtual time, in microseconds from the start."""

    def __init__(self, random: Random) -> None:
        self.now_us = 0
        self.action_count = 0
        self._random = random
        self._heap: list[tuple[int, int, int, Callable[[], None]]] = []
        self._added = 0

    def at(self, time_us: int, action: Callable[[], None]) -> None:
        """Lets an action happen at a moment; at once where that is past."""
        self._added += 1
        entry = (max(time_us, self.now_us), self._random.getrandbits(32), self._added, action)
        heappush(self._heap, entry)

    def after(self, delay_us: int, action: Callable[[], None]) -> None:
        """Lets an action happen after a while."""
        self.at(self.now_us + delay_us, action)

    def run_until(self, end_us: int) -> None:
        """Runs everything that is due up to a moment, which is then the present."""
        heap = self._heap
        while heap and heap[0][0] <= end_us:
            self.now_us, _, _, action = heappop(heap)
            self.action_count += 1
            action()
        self.now_us = end_us
