"""Budgets and back-off: how much a peer may cost, as pure functions of the time passed in.

Seconds are a monotonic clock's, as floats; nothing here is part of any agreement.
"""

from dataclasses import dataclass
from typing import Final

RECONNECT_FIRST_S: Final = 0.1
"""Longest wait before the second attempt: a peer that merely restarts is back at once."""

RECONNECT_CAP_S: Final = 5.0
"""Longest wait of all: a host that was away for a week is found again within this."""

_DOUBLINGS_MAX: Final = 16
"""Beyond it the cap has long been reached; keeps the power small for any attempt number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a bucket refills by and holds."""

    per_second: float
    """Units a second in the long run, above 0."""
    burst: float
    """Units at once after a pause, above 0."""


class TokenBucket:
    """A budget that may be overdrawn by one charge and then makes its user wait.

    Debt instead of refusal: a message has already arrived when its cost is known, so it is paid
    in full and the next one waits. In the long run no more than the rate gets through.
    """

    __slots__ = ("_rate", "_tokens", "_updated_at_s")

    def __init__(self, rate: Rate, now_s: float) -> None:
        assert rate.per_second > 0
        assert rate.burst > 0
        self._rate = rate
        self._tokens = rate.burst
        self._updated_at_s = now_s

    def charge(self, cost: float, now_s: float) -> None:
        """Takes ``cost`` units, also where the bucket does not hold them.

        Args:
            cost: Units, at least 0.
            now_s: Seconds; a clock that stands still or steps back refills nothing.
        """
        self._refill(now_s)
        self._tokens -= cost

    def wait_s(self, now_s: float) -> float:
        """Returns the seconds until the debt is paid; 0 where there is none."""
        self._refill(now_s)
        return max(0.0, -self._tokens / self._rate.per_second)

    def charge_unless_owing(self, cost: float, now_s: float) -> float:
        """Takes ``cost`` units where there is no debt.

        Args:
            cost: Units, at least 0.
            now_s: Seconds.

        Returns:
            0.0 where it was taken; otherwise the seconds until the debt is paid.
        """
        self._refill(now_s)
        if self._tokens < 0:
            return -self._tokens / self._rate.per_second
        self._tokens -= cost
        return 0.0

    def holds(self, cost: float, now_s: float) -> bool:
        """Tells whether ``cost`` units could be charged without a debt."""
        self._refill(now_s)
        return self._tokens >= cost

    def _refill(self, now_s: float) -> None:
        elapsed_s = now_s - self._updated_at_s
        if elapsed_s > 0:
            refilled = self._tokens + elapsed_s * self._rate.per_second
            self._tokens = min(self._rate.burst, refilled)
            self._updated_at_s = now_s


def reconnect_delay_s(attempt: int, draw: float) -> float:
    """Returns how long to wait before an attempt to connect.

    Doubles from 0.1 s to 5 s, of which each node waits between half and all: after a switch came
    back not all of them dial at the same moment (faults.md N09).

    Args:
        attempt: Failures so far, 1 or more.
        draw: A random number, 0 <= draw < 1, drawn by the caller.

    Returns:
        Seconds, 0.05 to 5.
    """
    assert attempt >= 1
    assert 0 <= draw < 1
    doublings = min(attempt - 1, _DOUBLINGS_MAX)
    longest_s = min(RECONNECT_CAP_S, RECONNECT_FIRST_S * 2.0**doublings)
    return longest_s * (0.5 + 0.5 * draw)
