"""What one client may take from a node: every number with its reason, and who counts them.

A client that goes beyond a limit gets a clear answer and nothing else; the limits are per remote
address, because whoever sends rubbish has no account to count it by.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from node.rpc.problems import Problem, ProblemError

TRANSACTIONS_PER_REQUEST_MAX: Final = 200
"""Transactions of one POST; a kernel step checks 200 signatures in about 20 ms."""
PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1_000
"""Entries of one page of any list; readings and events take about 300 bytes each."""
EVENT_BLOCKS_PER_PAGE_MAX: Final = 256
"""Blocks that one page of events looks through; the next page goes on from there."""
WAIT_DEFAULT_MS: Final = 10_000
WAIT_MAX_MS: Final = 120_000
"""Longest wait for a commit; beyond it a client asks again, so that no request lives for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcLimits:
    """Limits that a deployment may move; the defaults fit a consortium node."""

    body_bytes_max: int = 8 * 2**20
    """Of one request body; the largest transaction is 4 MiB, in base64 5.6."""
    bodies_bytes_max: int = 128 * 2**20
    """Of all bodies in memory at once."""
    body_timeout_s: float = 30.0
    """Until a body is complete (slowloris)."""
    idle_timeout_s: float = 10.0
    """Until the headers of the first or the next request of a connection are complete."""
    write_timeout_s: float = 30.0
    """Until a client has taken an answer or a piece of a stream (slow reader)."""
    connections_max: int = 1_024
    """Open connections; more are closed at once."""
    connections_per_remote_max: int = 256
    """Open connections of one address, so that one host cannot take them all."""
    requests_per_second: int = 500
    """Of one address, on average; batches of 200 make 100,000 transactions of it."""
    requests_burst: int = 1_000
    """Of one address, at once after silence."""
    remotes_max: int = 4_096
    """Addresses that are remembered; the one unheard for longest is forgotten first."""
    subscribers_max: int = 256
    """Open event streams."""
    heartbeat_s: float = 15.0
    """Between signs of life on a quiet event stream; proxies give up after 30 to 60."""


class TokenBuckets:
    """One bucket of requests for each remote address.

    Args:
        limits: rate, burst and number of addresses.
        monotonic_s: the clock.
    """

    def __init__(self, limits: RpcLimits, monotonic_s: Callable[[], float]) -> None:
        self._rate = limits.requests_per_second
        self._burst = float(limits.requests_burst)
        self._remotes_max = limits.remotes_max
        self._now_s = monotonic_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, remote: str) -> None:
        """Takes one token.

        Raises:
            ProblemError: RATE_LIMITED, with the seconds until there is one again.
        """
        now_s = self._now_s()
        tokens, then_s = self._buckets.pop(remote, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - then_s) * self._rate)
        has_token = tokens >= 1.0
        self._buckets[remote] = (tokens - 1.0 if has_token else tokens, now_s)
        if len(self._buckets) > self._remotes_max:
            self._buckets.popitem(last=False)
        if not has_token:
            raise ProblemError(
                Problem(
                    code="RATE_LIMITED",
                    detail=f"requests: expected at most {self._rate} a second from one address, "
                    "got more; send many transactions in one request",
                    retry_after_s=1,
                )
            )


class BodyBudget:
    """Bytes of request bodies that are in memory now."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0

    def take(self, size: int) -> None:
        """Counts bytes that have come.

        Raises:
            ProblemError: OVERLOADED; nothing was counted.
        """
        if self._bytes + size > self._bytes_max:
            raise ProblemError(
                Problem(
                    code="OVERLOADED",
                    detail=f"request bodies: expected at most {self._bytes_max} bytes at once "
                    "over all clients, got more; try again a little later or another node",
                )
            )
        self._bytes += size

    def give_back(self, size: int) -> None:
        """Uncounts bytes that have been dealt with."""
        self._bytes -= size
        assert self._bytes >= 0, "given back more than taken"
