"""Who may begin a TLS handshake: the price of strangers, bounded. Pure, no I/O.

A handshake costs this node a signature before it knows who asks, so connections are counted and
paced before TLS: all together, and for each address, so that one address cannot use up what
belongs to everybody. A connection over a limit is closed unread, which costs next to nothing;
an honest peer tries again within seconds.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from p2p.budget import Rate, TokenBucket

HOSTS_MAX: Final = 1024
"""Addresses whose pace is remembered; a network of nodes has some dozens."""

HANDSHAKE_RATE: Final = Rate(per_second=200, burst=400)
"""About a fifth of a core at a millisecond each."""

HANDSHAKE_RATE_PER_HOST: Final = Rate(per_second=20, burst=100)
"""Room for a hundred nodes on one host that start together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """Connections within their TLS handshake, and how fast new ones may begin it."""

    open_max: int = 128
    """At the same time; each for as long as a handshake may take."""
    open_per_host_max: int = 32
    """Of these from one address."""
    rate: Rate = HANDSHAKE_RATE
    rate_per_host: Rate = HANDSHAKE_RATE_PER_HOST


class AcceptGate:
    """Admits or turns away accepted connections by their address.

    Args:
        limits: The bounds.
        now_s: Seconds of a monotonic clock.
    """

    def __init__(self, limits: GateLimits, now_s: float) -> None:
        self._limits = limits
        self._open: Counter[str] = Counter()
        self._budget = TokenBucket(limits.rate, now_s)
        self._budget_by_host: dict[str, TokenBucket] = {}
        """In order of the last admission; the longest idle one is forgotten first."""

    def admit(self, host: str, now_s: float) -> bool:
        """Decides on one connection; an admitted one is to be released later.

        Args:
            host: Address of the other end.
            now_s: Seconds of a monotonic clock.

        Returns:
            Whether it may begin its handshake.
        """
        is_crowded = (
            self._open.total() >= self._limits.open_max
            or self._open[host] >= self._limits.open_per_host_max
        )
        own_budget = self._budget_by_host.pop(host, None)
        if own_budget is None:
            own_budget = TokenBucket(self._limits.rate_per_host, now_s)
        self._budget_by_host[host] = own_budget
        if len(self._budget_by_host) > HOSTS_MAX:
            del self._budget_by_host[next(iter(self._budget_by_host))]
        if is_crowded or not own_budget.holds(1, now_s) or not self._budget.holds(1, now_s):
            return False
        own_budget.charge(1, now_s)
        self._budget.charge(1, now_s)
        self._open[host] += 1
        return True

    def release(self, host: str) -> None:
        """The handshake of an admitted connection has ended, either way."""
        assert self._open[host] > 0
        self._open -= Counter((host,))  # Keeps no entry at zero.
