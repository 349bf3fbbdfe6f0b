"""What is remembered of a meter from reading to reading: bounded, whatever it sends.

At most 30 recent values and 168 hourly levels (carbon.md 4.4), in order of the intervals' time. A
reading that comes later than a newer one is judged by what does not depend on order.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import HASH_BYTES, I64, U8, U16, U32, U64, Hash, Length, Milliseconds, Range
from contracts.calendars import HOUR_MS
from contracts.statistics import median_of_sorted

RECENT_MAX: Final = 30
"""Amounts of the latest intervals without a gap."""
RATIOS_MAX: Final = 28
"""Days of which the ratio to the profile is remembered."""
LEVELS_MAX: Final = 168
"""Hours of the trailing week."""
LEVELS_MIN: Final = 144
"""Hours from which on the trailing week says anything: six days, so one of a weekend at least."""
MISSING_SEQUENCES_MAX: Final = 30
"""Sequence numbers that are waited for."""

_LEVEL_BYTES: Final = 8
_LEVELS_BYTES_MIN: Final = _LEVEL_BYTES * LEVELS_MIN
_LEVELS_BYTES_MAX: Final = _LEVEL_BYTES * LEVELS_MAX
_SUMMARIES_MAX: Final = 4_096
"""Trailing weeks whose summary is kept, 1.6 KB each: that of a meter changes once an hour only."""
_RECENT: Final = [Struct(f">{count}q") for count in range(RECENT_MAX + 1)]
_LEVELS: Final = [Struct(f">{count}q") for count in range(LEVELS_MAX + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState(Record):
    """Memory of one meter, rewritten in each block that holds a reading of it."""

    newest_ms: Milliseconds | None
    """Start of the newest interval with a value."""
    newest_page_ms: Milliseconds | None
    """Start of the page that was begun last; each page names the one begun before it."""
    register_ms: Milliseconds | None
    """Start of the newest interval whose register counts."""
    register: U64
    """Its register in submitted units."""
    alerting: U32
    """Mask of the checks whose condition is held by an alert."""
    next_sequence: U64 | None
    last_leaf: Hash
    """Leaf of the reading with the highest sequence number."""
    missing_sequences: Annotated[tuple[U64, ...], Length(0, MISSING_SEQUENCES_MAX)]
    gap_ms: Milliseconds | None
    """Start of the first interval that was missing when the gap opened that is not judged yet."""
    gap_until_ms: Milliseconds
    """Start of the interval that ended it."""
    gap_count: U32
    """Intervals still missing of it."""
    recent: Annotated[bytes, Length(0, 8 * RECENT_MAX)]
    """Signed 64 bits each, newest last; intervals without a gap between them."""
    equal_count: U32
    """How many of the newest amounts are equal, the newest included."""
    levels: Annotated[bytes, Length(0, 8 * LEVELS_MAX)]
    """Signed 64 bits each, newest last: mean amount of an interval, by hour."""
    hour: U64
    """Hour that is being summed up, since 1970."""
    hour_sum: I64
    hour_count: U32
    unit_slip: U8
    """Place of the ratio, from 1, by which the unit slipped; 0 while it has not."""
    off_baseline_ms: Milliseconds | None
    """Start of the first of the intervals on end that are away from the baseline."""
    far_baseline_ms: Milliseconds | None
    """Start of the first of those on end that are far away from it."""
    run_side: Annotated[int, Range(-1, 1)]
    """1 where those intervals are above the baseline, -1 below, 0 where there are none."""
    run_score: U64
    """How far away they are together: tenths of sigma beyond the allowance, times milliseconds."""
    is_run_confirmed: bool
    """Whether they are enough to be a deviation."""
    ratios: Annotated[bytes, Length(0, 4 * RATIOS_MAX)]
    """Of the latest whole local days, newest last, 32 bits each: amount against the profile, in
    permille."""
    profile_level: I64
    """Mean of the profile that the ratios are against."""
    ratio_day: I64
    """Local day that is being summed up."""
    ratio_amount: I64
    ratio_expected: I64
    ratio_ms: U64
    """Time that both sums cover."""
    cusum_above: U64
    cusum_below: U64
    """Check 12, thousandths of sigma."""
    ewma: I64
    """Check 13, thousandths of sigma."""
    demand_amount: U64
    """Base units by the register in the window of check 16."""
    demand_integral: U64
    """Base units by the demand over the same intervals."""
    demand_ms: U64
    """Length of those intervals."""
    volt_ampere_count: U16
    """Consecutive intervals in which volts and amperes disagreed with power."""
    judged_day: U32
    """First local day, since 1970-01-01, that was not held against a day model yet."""


def meter_state_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's memory."""
    return b"meter-state/" + meter_id.encode()


def get_meter_state(state: State, meter_id: str) -> MeterState | None:
    """Returns a meter's memory, or None where it has sent nothing."""
    return state.get(MeterState, meter_state_key(meter_id))


@dataclass(frozen=True, slots=True)
class LevelSummary:
    """The trailing week in three numbers, base units an interval."""

    count: int
    """Hours that it is made of."""
    median: int
    lowest: int
    third_highest: int


def ascending(levels: bytes) -> list[int]:
    """Returns packed levels in ascending order."""
    return sorted(_LEVELS[len(levels) // _LEVEL_BYTES].unpack(levels))


def summary_of(ordered: Sequence[int]) -> LevelSummary:
    """Returns ascending levels in three numbers; at least three levels."""
    return LevelSummary(len(ordered), median_of_sorted(ordered), ordered[0], ordered[-3])


@lru_cache(maxsize=_SUMMARIES_MAX)
def summary_of_packed(levels: bytes) -> LevelSummary:
    """Returns packed levels in three numbers; at least three levels."""
    return summary_of(ascending(levels))


class Memory:
    """A :class:`MeterState` while readings change it; fields as there.

    The levels stay packed: an hour is closed once, and looked at with each reading.
    """

    __slots__ = (
        "_has_closed",
        "_level_summary",
        "_ordered",
        "alerting",
        "cusum_above",
        "cusum_below",
        "demand_amount",
        "demand_integral",
        "demand_ms",
        "equal_count",
        "ewma",
        "far_baseline_ms",
        "gap_count",
        "gap_ms",
        "gap_until_ms",
        "hour",
        "hour_count",
        "hour_sum",
        "is_run_confirmed",
        "judged_day",
        "last_leaf",
        "levels",
        "missing_sequences",
        "newest_ms",
        "newest_page_ms",
        "next_sequence",
        "off_baseline_ms",
        "profile_level",
        "ratio_amount",
        "ratio_day",
        "ratio_expected",
        "ratio_ms",
        "ratios",
        "recent",
        "register",
        "register_ms",
        "run_score",
        "run_side",
        "unit_slip",
        "volt_ampere_count",
    )

    def __init__(self, record: MeterState | None = None) -> None:
        held = record or _NOTHING
        self.newest_ms = held.newest_ms
        self.newest_page_ms = held.newest_page_ms
        self.register_ms = held.register_ms
        self.register = held.register
        self.alerting = held.alerting
        self.next_sequence = held.next_sequence
        self.last_leaf = held.last_leaf
        self.missing_sequences = held.missing_sequences
        self.gap_ms = held.gap_ms
        self.gap_until_ms = held.gap_until_ms
        self.gap_count = held.gap_count
        self.recent = list(_RECENT[len(held.recent) // 8].unpack(held.recent))
        self.equal_count = held.equal_count
        self.levels = held.levels
        self.hour = held.hour
        self.hour_sum = held.hour_sum
        self.hour_count = held.hour_count
        self.unit_slip = held.unit_slip
        self.demand_amount = held.demand_amount
        self.demand_integral = held.demand_integral
        self.demand_ms = held.demand_ms
        self.volt_ampere_count = held.volt_ampere_count
        self.judged_day = held.judged_day
        self._take_baseline(held)
        self._level_summary: LevelSummary | None = None
        self._ordered: list[int] | None = None
        """Levels in ascending order; None until they are asked for after an hour was closed."""
        self._has_closed = False
        """Whether an hour was closed in this block."""

    def _take_baseline(self, held: MeterState) -> None:
        """Takes over what checks 11 to 13 remember."""
        self.off_baseline_ms = held.off_baseline_ms
        self.far_baseline_ms = held.far_baseline_ms
        self.run_side = held.run_side
        self.run_score = held.run_score
        self.is_run_confirmed = held.is_run_confirmed
        self.ratios = held.ratios
        self.profile_level = held.profile_level
        self.ratio_day = held.ratio_day
        self.ratio_amount = held.ratio_amount
        self.ratio_expected = held.ratio_expected
        self.ratio_ms = held.ratio_ms
        self.cusum_above = held.cusum_above
        self.cusum_below = held.cusum_below
        self.ewma = held.ewma

    def record(self) -> MeterState:
        """Returns the memory as it stands."""
        return MeterState(
            newest_ms=self.newest_ms,
            newest_page_ms=self.newest_page_ms,
            register_ms=self.register_ms,
            register=self.register,
            alerting=self.alerting,
            next_sequence=self.next_sequence,
            last_leaf=self.last_leaf,
            missing_sequences=self.missing_sequences,
            gap_ms=self.gap_ms,
            gap_until_ms=self.gap_until_ms,
            gap_count=self.gap_count,
            recent=_RECENT[len(self.recent)].pack(*self.recent),
            equal_count=self.equal_count,
            levels=self.levels,
            hour=self.hour,
            hour_sum=self.hour_sum,
            hour_count=self.hour_count,
            unit_slip=self.unit_slip,
            off_baseline_ms=self.off_baseline_ms,
            far_baseline_ms=self.far_baseline_ms,
            run_side=self.run_side,
            run_score=self.run_score,
            is_run_confirmed=self.is_run_confirmed,
            ratios=self.ratios,
            profile_level=self.profile_level,
            ratio_day=self.ratio_day,
            ratio_amount=self.ratio_amount,
            ratio_expected=self.ratio_expected,
            ratio_ms=self.ratio_ms,
            cusum_above=self.cusum_above,
            cusum_below=self.cusum_below,
            ewma=self.ewma,
            demand_amount=self.demand_amount,
            demand_integral=self.demand_integral,
            demand_ms=self.demand_ms,
            volt_ampere_count=self.volt_ampere_count,
            judged_day=self.judged_day,
        )

    def restart_recent(self) -> None:
        """Forgets the recent amounts: what comes next does not follow on from them."""
        self.recent.clear()
        self.equal_count = 0

    def add_recent(self, amount: int) -> None:
        """Takes up the amount of the interval that follows on from the last."""
        recent = self.recent
        is_equal = bool(recent) and recent[-1] == amount
        self.equal_count = self.equal_count + 1 if is_equal else 1
        recent.append(amount)
        if len(recent) > RECENT_MAX:
            del recent[0]

    def add_level(self, start_ms: Milliseconds, amount: int) -> None:
        """Takes up an amount into the level of its hour."""
        hour = start_ms // HOUR_MS
        if hour != self.hour:
            self._close_hour(hour)
        self.hour_sum += amount
        self.hour_count += 1

    @property
    def level_summary(self) -> LevelSummary | None:
        """Returns the trailing week, or None while less than six days of it are known."""
        summary = self._level_summary
        if summary is None and len(self.levels) >= _LEVELS_BYTES_MIN:
            summary = self._level_summary = self._summarise()
        return summary

    def _summarise(self) -> LevelSummary:
        if not self._has_closed:
            return summary_of_packed(self.levels)  # as in earlier blocks of this hour
        if self._ordered is None:
            self._ordered = ascending(self.levels)
        return summary_of(self._ordered)

    def _close_hour(self, hour: int) -> None:
        if self.hour_count:
            level = self.hour_sum // self.hour_count
            self.levels += level.to_bytes(_LEVEL_BYTES, "big", signed=True)
            if self._ordered is not None:
                insort(self._ordered, level)
            if len(self.levels) > _LEVELS_BYTES_MAX:
                self._forget_oldest_level()
        if hour - self.hour > LEVELS_MAX:
            self.levels, self._ordered = b"", None  # nothing of the trailing week is known
        self.hour, self.hour_sum, self.hour_count = hour, 0, 0
        self._level_summary, self._has_closed = None, True

    def _forget_oldest_level(self) -> None:
        oldest = int.from_bytes(self.levels[:_LEVEL_BYTES], "big", signed=True)
        self.levels = self.levels[_LEVEL_BYTES:]
        if self._ordered is not None:
            del self._ordered[bisect_left(self._ordered, oldest)]


_NOTHING: Final = MeterState(
    newest_ms=None,
    newest_page_ms=None,
    register_ms=None,
    register=0,
    alerting=0,
    next_sequence=None,
    last_leaf=bytes(HASH_BYTES),
    missing_sequences=(),
    gap_ms=None,
    gap_until_ms=0,
    gap_count=0,
    recent=b"",
    equal_count=0,
    levels=b"",
    hour=0,
    hour_sum=0,
    hour_count=0,
    unit_slip=0,
    off_baseline_ms=None,
    far_baseline_ms=None,
    run_side=0,
    run_score=0,
    is_run_confirmed=False,
    ratios=b"",
    profile_level=0,
    ratio_day=0,
    ratio_amount=0,
    ratio_expected=0,
    ratio_ms=0,
    cusum_above=0,
    cusum_below=0,
    ewma=0,
    demand_amount=0,
    demand_integral=0,
    demand_ms=0,
    volt_ampere_count=0,
    judged_day=0,
)
