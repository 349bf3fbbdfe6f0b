"""What a rule sees of a reading, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from contracts.meter import Meter
from contracts.meter_state import Memory


class Deviation(NamedTuple):
    """A failed check."""

    observed: int
    """What the reading shows, in the check's own unit."""
    expected: int
    """What it was held against, in the same unit."""


PASSED: Final = True
Verdict: TypeAlias = Deviation | Literal[True] | None
"""A deviation, PASSED, or None where the check does not apply."""


@dataclass(frozen=True, slots=True)
class BaselineCell:
    """What the baseline in force says of an interval, base units an interval."""

    median: int
    sigma: int
    """Standard deviation that the spread of the training window stands for."""


@dataclass(slots=True)
class Observation:
    """A reading that has taken its slot, with what is known of its surroundings."""

    meter: Meter
    memory: Memory
    """Of everything before this reading."""
    start_ms: int
    """Start of the interval."""
    amount: int | None
    """Base units; None where it is unknown."""
    span_ms: int
    """Time that the amount covers: more than an interval where registers before it are missing."""
    is_newest: bool
    """Whether the interval is the newest of the meter; what depends on order applies only then."""
    is_contiguous: bool
    """Whether it follows on from the newest interval before it, and that one's amount is known."""
    channels: Mapping[int, int]
    excess: int | None = None
    """Amount that is beyond what is counted; ``amount`` is None then."""
    resolution: int = 1
    """Base units that one submitted unit is, at least 1."""
    register_before: int | None = None
    """Register that it was compared with, submitted units."""
    register: int | None = None
    register_verdict: Verdict = None
    """What the register chain says."""
    baseline: BaselineCell | None = None
