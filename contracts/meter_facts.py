"""What follows from a meter's records alone, found once and not at every reading.

A meter's record changes when it goes live or its device is exchanged, and is the same object from
block to block until then; so is the record of its checks' settings. So what follows from the two is
kept beside them: its conversion, its grid, the state keys that its readings touch, and the rules
that can say anything of it.
"""

from dataclasses import dataclass
from typing import Final

from chain.state import RECORDS_MAX
from contracts.calendars import calendar_key
from contracts.check_settings import ALL_CHECKS, CheckSettings, Settings, settings_of
from contracts.conversion import Conversion, conversion_of
from contracts.deviation.clock import tolerance_of
from contracts.deviation.table import CHANNEL_RULES, Rule, rules_of
from contracts.emissions import category_of, counts_for_site, meter_month_prefix, scope_of
from contracts.meter import Meter, MeterMode, StampConvention, ValueKind
from contracts.meter_quality import quality_prefix
from contracts.meter_state import meter_state_key
from contracts.reading import emits
from contracts.reading_page import page_prefix, slots_per_page
from contracts.site_month import Booking


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What follows from a meter's record."""

    meter: Meter
    settings_record: CheckSettings | None
    """Version of the settings that these facts are of; None for the defaults."""
    settings: Settings
    off: int
    """Mask of the checks that are off."""
    conversion: Conversion
    resolution: int
    """Base units of one submitted unit, at least 1."""
    tolerance_ms: int
    """Furthest that a stamp may be off the grid."""
    shift_ms: int
    """From the stamp on the grid back to the start of its interval."""
    page_ms: int
    """Time that a page covers."""
    is_register: bool
    is_live: bool
    emits: bool
    calendar_key: bytes
    state_key: bytes
    """Of the meter's memory."""
    page_prefix: bytes
    month_prefix: bytes
    quality_prefix: bytes
    is_part_of_site: bool
    """Whether its emissions are part of its site's total."""
    booking: Booking
    """Where its emissions belong."""
    rules: tuple[tuple[Rule, ...], ...]
    """By :func:`rule_set_of`."""
    channel_rules: tuple[Rule, ...]
    """Rules that also run when a supplement brings the channels that they need."""


def rule_set_of(*, has_channels: bool, has_baseline: bool) -> int:
    """Returns the place in :attr:`MeterFacts.rules` of the rules for a reading."""
    return 2 * has_baseline + has_channels


_kept: Final[dict[str, MeterFacts]] = {}
"""By meter id, in the order in which they were found."""


def facts_of(meter: Meter, settings_record: CheckSettings | None = None) -> MeterFacts:
    """Returns what follows from the records of a meter; the same for the same objects."""
    facts = _kept.get(meter.meter_id)
    if facts is None or facts.meter is not meter or facts.settings_record is not settings_record:
        facts = find_facts(meter, settings_record)
        if len(_kept) >= RECORDS_MAX:
            _kept.pop(next(iter(_kept)), None)
        _kept[meter.meter_id] = facts
    return facts


def find_facts(meter: Meter, settings_record: CheckSettings | None = None) -> MeterFacts:
    """Finds what follows from the records of a meter."""
    settings = settings_of(settings_record)
    conversion = conversion_of(meter)
    does_emit = emits(meter)
    return MeterFacts(
        meter=meter,
        settings_record=settings_record,
        settings=settings,
        off=ALL_CHECKS & ~settings.enabled,
        conversion=conversion,
        resolution=conversion.resolution,
        tolerance_ms=tolerance_of(meter.interval_ms),
        shift_ms=meter.interval_ms if meter.stamp is StampConvention.END else 0,
        page_ms=meter.interval_ms * slots_per_page(meter.interval_ms),
        is_register=meter.kind is ValueKind.REGISTER,
        is_live=meter.mode is MeterMode.LIVE,
        emits=does_emit,
        calendar_key=calendar_key(*meter.calendar),
        state_key=meter_state_key(meter.meter_id),
        page_prefix=page_prefix(meter.meter_id),
        month_prefix=meter_month_prefix(meter.meter_id),
        quality_prefix=quality_prefix(meter.meter_id),
        is_part_of_site=does_emit and counts_for_site(meter),
        booking=Booking(
            scope=scope_of(meter.quantity),
            category=category_of(meter.quantity),
            s3_category=0,
            is_removal=False,
        ),
        rules=tuple(
            rules_of(
                meter,
                has_channels=has_channels,
                has_baseline=has_baseline,
                enabled=settings.enabled,
            )
            for has_baseline in (False, True)
            for has_channels in (False, True)
        ),
        channel_rules=tuple(rule for rule in CHANNEL_RULES if settings.enabled & rule.check_bit),
    )
