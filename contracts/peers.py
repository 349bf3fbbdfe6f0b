"""Check 21, peers: a site's energy per floor area against like sites, once a month.

With e the energy of a site's month in Wh per square metre, m the median of the others of the same
use, and MAD their median absolute deviation, a site is off where |e - m| > 3 max(MAD, 8 % of m, 1).
The floor is that of all robust limits here (carbon.md 4.4): five offices may agree by chance. It
takes five others whose month is there; each meter by the months of its own calendar.
"""

from dataclasses import dataclass
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Milliseconds
from contracts.bills import sum_of_month
from contracts.calendars import DAY_MS, require_calendar
from contracts.check import Check
from contracts.check_settings import Settings, is_on, settings_at
from contracts.comparison import (
    ComparedWith,
    Comparison,
    is_heard_beyond,
    record_comparison,
    within,
)
from contracts.context import Context
from contracts.emissions import month_of_day
from contracts.meter import Meter, Unit, base_unit_of
from contracts.meters import require_meter
from contracts.quality import quality_of_month
from contracts.site_profile import SiteProfile, UseType, get_profile, sites_of_use
from contracts.statistics import median, median_absolute_deviation

SETTLE_MS: Final = 5 * DAY_MS
"""How long after the end of a month, UTC, its readings are waited for."""
AVAILABILITY_PERMILLE: Final = 900
"""Of a month's intervals that must be there."""
FLOOR_PERCENT: Final = 8
"""Of the median; the least deviation that a limit is made of."""
_FIFTHS_OF: Final = {Unit.WATT_HOUR: 18, Unit.KILOJOULE: 5}
"""Fifths of a kilojoule in a base unit: 3.6 kJ are a watt hour."""


Intensities = dict[str, tuple[SiteProfile, int]]
"""Profile and energy per floor area, by site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRound(Record):
    """How far the comparison of one use has come."""

    next_month: U32
    """First month that was not compared."""


def round_key(use_type: UseType) -> bytes:
    """Returns the state key of the comparison of one use."""
    return b"peer-round/%02d" % use_type


def on_due(context: Context, use_name: str) -> Milliseconds | None:
    """Compares the sites of a use over the last month that is settled, once; asks daily.

    Args:
        context: the block's own work.
        use_name: name of the use type in lower case.
    """
    use_type = UseType[use_name.upper()]
    month = month_of_day((context.time_ms - SETTLE_MS) // DAY_MS) - 1
    record = context.state.get(PeerRound, round_key(use_type))
    if record is None or record.next_month <= month:
        compare_peers(context, use_type, month)
        context.state.put(round_key(use_type), PeerRound(next_month=month + 1))
    if not sites_of_use(context.state, use_type):
        return None
    return context.time_ms + DAY_MS


def compare_peers(context: Context, use_type: UseType, month: int) -> None:
    """Compares the sites of one use over a month."""
    known = _known_of(context, use_type, month)
    for site_id, (profile, _) in known.items():
        meter = require_meter(context.state, profile.main_meters[0])
        settings = settings_at(context.state, meter.meter_id)
        if is_on(settings, Check.PEER):
            comparison = _comparison(context, known, site_id, month, settings)
            if comparison is not None:
                record_comparison(context, meter, comparison)


def compare_again(
    context: Context, meter: Meter, month: int, settings: Settings
) -> Comparison | None:
    """Returns how the month of a meter's site compares now with what its peers come to now.

    None where the site's month is not there, or too few others are.
    """
    profile = get_profile(context.state, meter.site)
    if profile is None:
        return None
    known = _known_of(context, profile.use_type, month)
    return _comparison(context, known, meter.site, month, settings)


def _known_of(context: Context, use_type: UseType, month: int) -> Intensities:
    """Returns the sites of one use whose month is there, with what it came to."""
    found = (
        (profile, intensity_of(context, profile, month))
        for profile in _profiles(context.state, use_type)
    )
    return {
        profile.site_id: (profile, intensity)
        for profile, intensity in found
        if intensity is not None
    }


def intensity_of(context: Context, profile: SiteProfile, month: int) -> int | None:
    """Returns the energy of a site's month in Wh per square metre, rounded down.

    None where a main meter's month is not there: not heard beyond it, or too little of it.
    """
    state, fifths = context.state, 0
    for meter_id in profile.main_meters:
        meter = require_meter(state, meter_id)
        calendar = require_calendar(state, meter.calendar)
        quality = quality_of_month(state, meter, calendar, month, context.time_ms)
        available = quality.availability_permille
        if available is None or available < AVAILABILITY_PERMILLE:
            return None
        if not is_heard_beyond(state, meter, calendar, month):
            return None
        fifths += sum_of_month(state, meter_id, month) * _FIFTHS_OF[base_unit_of(meter.unit)]
    return fifths // (_FIFTHS_OF[Unit.WATT_HOUR] * profile.floor_area_m2)


def limit_of(others: list[int], mad_tenths: int) -> tuple[int, int]:
    """Returns the median of the others, and how far from it passes."""
    centre = median(others)
    spread = max(median_absolute_deviation(others, centre), centre * FLOOR_PERCENT // 100, 1)
    return centre, spread * mad_tenths // 10


def _comparison(
    context: Context, known: Intensities, site_id: str, month: int, settings: Settings
) -> Comparison | None:
    others = [intensity for other, (_, intensity) in known.items() if other != site_id]
    if site_id not in known or len(others) < settings.peer_peers_min:
        return None
    profile, intensity = known[site_id]
    centre, limit = limit_of(others, settings.peer_mad_tenths)
    return Comparison(
        meter_id=profile.main_meters[0],
        month=month,
        compared_with=ComparedWith.PEERS,
        observed=within(intensity),
        expected=within(centre),
        limit=within(limit),
        has_passed=abs(intensity - centre) <= limit,
        source=f"{len(others)} other sites of use {profile.use_type.name}",
        judged_ms=context.time_ms,
    )


def _profiles(state: State, use_type: UseType) -> list[SiteProfile]:
    profiles = (get_profile(state, site_id) for site_id in sites_of_use(state, use_type))
    return [profile for profile in profiles if profile is not None]
