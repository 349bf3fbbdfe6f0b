"""The node's two clocks: UTC for what is dated, monotonic for what is waited for."""

import time
from typing import Protocol

from consensus.events import Now


class Clock(Protocol):
    """Tells the moment of a step."""

    def now(self) -> Now:
        """Returns both clocks, in milliseconds."""
        ...


class SystemClock:
    """The clocks of this host."""

    def now(self) -> Now:
        """Returns both clocks, in milliseconds."""
        return Now(
            wall_ms=time.time_ns() // 1_000_000, monotonic_ms=time.monotonic_ns() // 1_000_000
        )
