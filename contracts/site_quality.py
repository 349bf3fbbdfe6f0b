"""Quality of a site's month: the counts of the meters that its totals are made of, added up."""

from dataclasses import dataclass

from chain.codec import Record
from chain.state import State
from chain.types import U32, U64, Milliseconds
from contracts.calendars import require_calendar
from contracts.check import CHECK_COUNT
from contracts.emissions import counts_for_site
from contracts.meter_quality import CheckCounts
from contracts.meters import meters_at
from contracts.quality import quality_of_month
from contracts.reading import Quality, emits


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuality(Record):
    """Counts of one local month, or of more that were added up."""

    meter_count: U32
    """Meters whose emissions are part of the site's totals."""
    expected: U64
    """Intervals that they had to report."""
    present: U64
    """Intervals with a value."""
    substituted: U64
    """Intervals that an estimate or substitute counts for."""
    flagged: U64
    """Intervals that failed any check when they came."""
    applied: CheckCounts
    """Intervals that a check applied to, by check number from 1."""
    failed: CheckCounts
    off: U32
    """Checks that were off for a meter when a reading of it was committed."""

    @property
    def availability_permille(self) -> int | None:
        """Returns present of expected intervals, rounded down; None where none is expected."""
        return _permille(self.present, self.expected)

    @property
    def substituted_permille(self) -> int | None:
        """Returns substituted of expected intervals, rounded up to whole permille."""
        share = _permille(-self.substituted, self.expected)
        return None if share is None else -share

    @property
    def score_permille(self) -> int | None:
        """Returns passed of applicable checks, rounded down; None where none applied."""
        applied = sum(self.applied)
        return _permille(applied - sum(self.failed), applied)


NO_QUALITY = SiteQuality(
    meter_count=0,
    expected=0,
    present=0,
    substituted=0,
    flagged=0,
    applied=(0,) * CHECK_COUNT,
    failed=(0,) * CHECK_COUNT,
    off=0,
)


def site_quality(state: State, site_id: str, month: int, until_ms: Milliseconds) -> SiteQuality:
    """Returns the quality of a site's month.

    Args:
        state: committed or of a block.
        site_id: the site; each of its meters is looked at once.
        month: local, since 1970-01.
        until_ms: intervals that end later are not expected yet.
    """
    total = NO_QUALITY
    for meter in meters_at(state, site_id):
        if not emits(meter) or not counts_for_site(meter):
            continue
        calendar = require_calendar(state, meter.calendar)
        quality = quality_of_month(state, meter, calendar, month, until_ms)
        counts = quality.counts
        of_quality = dict(zip(Quality, counts.qualities, strict=True))
        one = SiteQuality(
            meter_count=1,
            expected=quality.expected,
            present=counts.present,
            substituted=of_quality[Quality.ESTIMATED] + of_quality[Quality.SUBSTITUTE],
            flagged=counts.flagged,
            applied=counts.applied,
            failed=counts.failed,
            off=counts.off,
        )
        total = added(total, one)
    return total


def added(one: SiteQuality, other: SiteQuality) -> SiteQuality:
    """Returns the counts of both."""
    return SiteQuality(
        meter_count=one.meter_count + other.meter_count,
        expected=one.expected + other.expected,
        present=one.present + other.present,
        substituted=one.substituted + other.substituted,
        flagged=one.flagged + other.flagged,
        applied=tuple(map(sum, zip(one.applied, other.applied, strict=True))),
        failed=tuple(map(sum, zip(one.failed, other.failed, strict=True))),
        off=one.off | other.off,
    )


def _permille(part: int, whole: int) -> int | None:
    return part * 1_000 // whole if whole else None
