"""Quality of a meter's month: what was there, what it was held against, and what it passed.

The record is maintained with each reading and never counted anew. The intake counts equal masks
together and the record spreads them over the checks once, when it is written. So for each check
but those of whole months (20 and 21) the counts are those of the bits in the pages of the month.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Length
from contracts.check import CHECK_COUNT, Check
from contracts.local_clock import LocalClock
from contracts.reading import Quality

CheckCounts = Annotated[tuple[U32, ...], Length(CHECK_COUNT, CHECK_COUNT)]
"""One count for each check, by number."""
_CHECKS: Final = Struct(f">{CHECK_COUNT}I")
_QUALITIES: Final = Struct(f">{len(Quality)}I")
PackedChecks = Annotated[bytes, Length(_CHECKS.size, _CHECKS.size)]
"""The same packed, unsigned 32 bits each: the record is read and written in every block that holds
a reading of the meter."""
PackedQualities = Annotated[bytes, Length(_QUALITIES.size, _QUALITIES.size)]
"""Packed counts of each :class:`Quality`."""
_MASK_BITS: Final = 32
_QUALITY_BITS: Final = 8
_NO_QUALITY: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterQuality(Record):
    """What is known of one meter's local month, of readings that fill intervals."""

    present: U32
    """Intervals with a value."""
    packed_qualities: PackedQualities
    """Intervals by quality of what counts for them now, in the order of :class:`Quality`: of a
    substitute for a reading that is missing too, which ``present`` leaves out."""
    packed_applied: PackedChecks
    """Intervals that a check applied to; of checks 20 and 21, comparisons of the month."""
    packed_failed: PackedChecks
    """Those of them that failed it."""
    flagged: U32
    """Intervals that failed any check when they came."""
    aside: U32
    """Readings that fill no interval: off the grid, of the future, or without a value."""
    off: U32
    """Checks that were off when a reading of the month was committed."""

    @property
    def qualities(self) -> tuple[int, ...]:
        """Returns intervals by quality, in the order of :class:`Quality`."""
        return _QUALITIES.unpack(self.packed_qualities)

    @property
    def applied(self) -> tuple[int, ...]:
        """Returns for each check, by number, how often it applied."""
        return _CHECKS.unpack(self.packed_applied)

    @property
    def failed(self) -> tuple[int, ...]:
        """Returns for each check, by number, how often it failed."""
        return _CHECKS.unpack(self.packed_failed)


def quality_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's months."""
    return b"meter-quality/" + meter_id.encode() + b"/"


def quality_key(meter_id: str, month: int) -> bytes:
    """Returns the state key of a meter's month; months since 1970-01."""
    return quality_prefix(meter_id) + b"%06d" % month


class MutableQuality:
    """A :class:`MeterQuality` while readings are counted; fields as there."""

    __slots__ = ("_pairs", "applied", "aside", "failed", "flagged", "off", "present", "qualities")

    def __init__(self, record: MeterQuality | None = None) -> None:
        self._pairs: dict[int, int] = {}
        """How often each (applied, failed, quality) came since the counts were last spread."""
        if record is None:
            self.qualities = [0] * len(Quality)
            self.applied, self.failed = [0] * CHECK_COUNT, [0] * CHECK_COUNT
            self.present = self.flagged = self.aside = self.off = 0
        else:
            self.qualities = list(record.qualities)
            self.applied, self.failed = list(record.applied), list(record.failed)
            self.present, self.flagged = record.present, record.flagged
            self.aside, self.off = record.aside, record.off

    def count(self, applied: int, failed: int, quality: int = _NO_QUALITY) -> None:
        """Counts bits that an interval's masks gained.

        Args:
            applied: mask of the checks that have applied for the first time.
            failed: mask of those that have failed for the first time.
            quality: of the value, where the interval has just got it; else 0.
        """
        pair = (applied << _MASK_BITS | failed) << _QUALITY_BITS | quality
        self._pairs[pair] = self._pairs.get(pair, 0) + 1

    def move(self, before: int, after: int) -> None:
        """Counts that what counts for an interval is of another quality; 0 where nothing does."""
        self._spread()
        if before:
            self.qualities[before - 1] -= 1
        if after:
            self.qualities[after - 1] += 1

    def record(self) -> MeterQuality:
        """Returns the counts as they stand."""
        self._spread()
        return MeterQuality(
            present=self.present,
            packed_qualities=_QUALITIES.pack(*self.qualities),
            packed_applied=_CHECKS.pack(*self.applied),
            packed_failed=_CHECKS.pack(*self.failed),
            flagged=self.flagged,
            aside=self.aside,
            off=self.off,
        )

    def _spread(self) -> None:
        for pair, times in self._pairs.items():
            masks, quality = divmod(pair, 1 << _QUALITY_BITS)
            applied, failed = divmod(masks, 1 << _MASK_BITS)
            if quality != _NO_QUALITY:
                self.present += times
                self.qualities[quality - 1] += times
                if failed:
                    self.flagged += times
            _add(self.applied, applied, times)
            _add(self.failed, failed, times)
        self._pairs.clear()


def _add(counts: list[int], mask: int, times: int) -> None:
    while mask:
        lowest = mask & -mask
        counts[lowest.bit_length() - 1] += times
        mask ^= lowest


class QualityBook:
    """The qualities of one meter's months within one block, in drafts.

    Args:
        state: of the block.
        prefix: :func:`quality_prefix` of the meter.
        off: mask of its checks that are off.
        clock: of its calendar.
        drafts: takes the state key of each month that is opened.
    """

    __slots__ = ("_clock", "_drafts", "_off", "_opened", "_prefix", "_state")

    def __init__(
        self, state: State, prefix: bytes, off: int, clock: LocalClock, drafts: dict[bytes, None]
    ) -> None:
        self._state = state
        self._drafts = drafts
        self._prefix = prefix
        self._off = off
        self._clock = clock
        self._opened: dict[int, MutableQuality] = {}
        """By month."""

    def forget(self) -> None:
        """Lets go of all months: what others did to them is to be seen."""
        self._opened.clear()

    def at(self, start_ms: int) -> MutableQuality:
        """Returns the quality of an interval's month."""
        self._clock.hour_at(start_ms)
        month = self._clock.month
        quality = self._opened.get(month)
        if quality is None:
            key = self._prefix + b"%06d" % month
            quality = self._state.edit(MeterQuality, key, MutableQuality)
            quality.off |= self._off
            self._opened[month] = quality
            self._drafts[key] = None
        return quality


def count_later(
    state: State, meter_id: str, month: int, check: Check, passed: int, failed: int
) -> None:
    """Counts what a check says of a month after its readings came; either may be below zero.

    For work of the block and for methods that may still be refused: it leaves no draft open.

    Args:
        state: of the block.
        meter_id: the meter.
        month: local, since 1970-01.
        check: that has judged, or judged again.
        passed: intervals, or comparisons, that have passed it, more than before.
        failed: that have failed it, more than before.
    """
    key = quality_key(meter_id, month)
    quality = MutableQuality(state.get(MeterQuality, key))
    quality.applied[check - 1] += passed + failed
    quality.failed[check - 1] += failed
    state.put(key, quality.record())
