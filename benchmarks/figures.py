"""Arithmetic of the benchmark: percentiles, the signature ceiling, shares. No clock, no I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Latencies of one phase, milliseconds from the moment of sending to the committed answer."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def percentile(ascending: Sequence[float], percent: float) -> float:
    """Returns the nearest-rank percentile: the least value that so many percent do not exceed.

    Args:
        ascending: at least one value, in ascending order.
        percent: above 0, up to 100.
    """
    if not ascending or not 0 < percent <= 100:
        raise ValueError(f"expected values and 0 < percent <= 100, got {len(ascending)}, {percent}")
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]


def latency_of(seconds: Sequence[float]) -> Latency | None:
    """Returns the figures of measured seconds, or None where there are none."""
    if not seconds:
        return None
    ascending = [each * 1_000 for each in sorted(seconds)]
    return Latency(
        count=len(ascending),
        p50_ms=percentile(ascending, 50),
        p95_ms=percentile(ascending, 95),
        p99_ms=percentile(ascending, 99),
        max_ms=ascending[-1],
    )


def ceiling_per_second(*, cores: int, validators: int, verify_us: float) -> float:
    """Returns how many transactions a second signature checks alone would allow.

    Every validator checks every signature once, so ``validators`` checks share the cores.

    Args:
        cores: that the validators share.
        validators: number of nodes that check.
        verify_us: CPU microseconds of one check, all cores busy.
    """
    return cores * 1_000_000 / (validators * verify_us)


def seconds_until(height: int, seen: Sequence[tuple[int, float]], since_s: float) -> float | None:
    """Returns how long it took until a height was seen, or None where it never was.

    Args:
        height: that is waited for.
        seen: heights, ascending, each with the second at which it was first seen; a look may find
            several new blocks at once.
        since_s: start of the wait.
    """
    return next((at_s - since_s for found, at_s in seen if found >= height), None)
