"""What a rule sees of a reading, and what it answers."""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from contracts.check_settings import DEFAULTS, Settings
from contracts.meter import Meter
from contracts.meter_state import Memory


class Deviation(NamedTuple):
    """A failed check."""

    observed: int
    """What the reading shows, in the check's own unit."""
    expected: int
    """What it was held against, in the same unit."""
    since_ms: int | None = None
    """Start of the run that this reading has confirmed: its intervals before are marked too."""


PASSED: Final = True
Verdict: TypeAlias = Deviation | Literal[True] | None
"""A deviation, PASSED, or None where the check does not apply."""


class BaselineCell(NamedTuple):
    """What the baseline in force says of an interval, base units an interval."""

    median: int
    sigma: int
    """Standard deviation that the spread of the training window stands for."""
    lowest: int
    highest: int
    """Least and greatest median of this hour and those beside it: schedules shift by an hour."""
    level: int
    """Mean of the profile's medians."""


class DayCell(NamedTuple):
    """A completed day beside what the day model in force expects of it, base units."""

    amount: int
    expected: int
    sigma: int
    """Standard deviation of the days that the model was fitted to."""


def _nothing_known(_start_ms: int) -> None:
    return None


class Observation:
    """A reading that has taken its slot, with what is known of its surroundings."""

    __slots__ = (
        "amount",
        "baseline",
        "channels",
        "day",
        "day_score",
        "excess",
        "is_contiguous",
        "is_newest",
        "judged_before",
        "local_day",
        "memory",
        "meter",
        "register",
        "register_before",
        "register_verdict",
        "resolution",
        "settings",
        "span_ms",
        "start_ms",
    )

    def __init__(
        self,
        meter: Meter,
        memory: Memory,
        *,
        resolution: int = 1,
        settings: Settings = DEFAULTS,
        judged_before: Callable[[int], tuple[int, int] | None] = _nothing_known,
    ) -> None:
        self.meter = meter
        self.memory = memory
        """Of everything before this reading."""
        self.resolution = resolution
        """Base units that one submitted unit is, at least 1."""
        self.settings = settings
        """Of the meter's checks, in force when the reading is committed."""
        self.judged_before = judged_before
        """Tells the amount of an earlier interval and the mask of what it failed, or None; costs a
        look at its page."""
        self.begin(0, meter.interval_ms, {}, is_newest=False)

    def begin(
        self, start_ms: int, span_ms: int, channels: Mapping[int, int], *, is_newest: bool
    ) -> None:
        """Begins with another reading, of which no more than this is known yet."""
        self.start_ms = start_ms
        """Start of the interval."""
        self.span_ms = span_ms
        """Time that the amount covers: more than an interval where registers before are missing."""
        self.channels = channels
        self.is_newest = is_newest
        """Whether the interval is the newest of the meter; what depends on order applies only
        then."""
        self.is_contiguous = False
        """Whether it follows on from the newest interval before it, and that one's amount is
        known."""
        self.amount: int | None = None
        """Base units; None where it is unknown."""
        self.excess: int | None = None
        """Amount that is beyond what is counted; ``amount`` is None then."""
        self.register_before: int | None = None
        """Register that it was compared with, submitted units."""
        self.register: int | None = None
        self.register_verdict: Verdict = None
        """What the register chain says."""
        self.baseline: BaselineCell | None = None
        self.local_day = 0
        """Local date of a reading that has a baseline, as days since 1970-01-01."""
        self.day: DayCell | None = None
        """The day that this reading completes, where a day model is in force."""
        self.day_score: int | None = None
        """Distance of the local day that this reading ends from those before, thousandths of
        sigma; None where it ends none that can be judged."""
