"""One reading from the command line: a value as the meter shows it, and the moment it is of."""

import time
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from client.importers.raw import raw_reading
from client.importers.wall_clock import utc_ms, zone_of
from commands.output import fail
from commands.registry import newest_interval_ms
from contracts.meter import Meter, MeterMode, StampConvention, ValueKind
from contracts.reading import RawReading

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient

_DIGITS_MAX: Final = 24
"""More than any meter shows, and few enough that decimal arithmetic keeps them all."""


def read_value(
    client: "SyncTanlianClient", meter: Meter, text: str, at: str | None, zone_name: str
) -> RawReading:
    """Returns the reading that a person means.

    Args:
        client: asked for the meter's newest interval where no stamp is given.
        meter: its unit and scale say what the number is.
        text: the number as the meter shows it.
        at: its stamp, ISO 8601; None for the next interval of a meter in BACKFILL and the last
            one that has ended of a LIVE one.
        zone_name: of a stamp without offset.

    Raises:
        CommandFailed: no number, too many digits, or no stamp.
        UnknownZone, NoSuchTime: see :mod:`client.importers.wall_clock`.
    """
    value = value_of(meter, text)
    zone_of(zone_name)
    stamp_ms = _default_stamp_ms(client, meter) if at is None else stamp_of(at, zone_name)
    is_register = meter.kind is ValueKind.REGISTER
    return raw_reading(
        stamp_ms=stamp_ms,
        register=value if is_register else None,
        amount=None if is_register else value,
    )


def value_of(meter: Meter, text: str) -> int:
    """Returns a number in submitted units; refuses digits that the meter's scale would lose.

    Raises:
        CommandFailed: no number, or too many digits.
    """
    unit = meter.unit.name.lower()
    try:
        number = Decimal(text)
    except InvalidOperation:
        fail(f"value: expected a number in {unit} or a CSV file, got {text!a}")
    # Longer numbers would be rounded on the way to an integer.
    if len(number.as_tuple().digits) > _DIGITS_MAX or abs(number.adjusted()) > _DIGITS_MAX:
        fail(f"value: expected a number that {meter.meter_id} can show, got {text[:60]!a}")
    scaled = number.scaleb(-meter.scale)
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        digits = max(-meter.scale, 0)
        fail(
            f"value: expected a number in {unit} with at most {digits} decimals, which is what "
            f"{meter.meter_id} sends, got {text!a}"
        )
    if abs(scaled) >= 2**63 or (scaled < 0 and meter.kind is ValueKind.REGISTER):
        fail(f"value: expected a number that {meter.meter_id} can show, got {text!a}")
    return int(scaled)


def stamp_of(text: str, zone_name: str) -> int:
    """Returns the moment of a stamp, milliseconds UTC.

    Raises:
        CommandFailed: not ISO 8601.
        UnknownZone, NoSuchTime: see :mod:`client.importers.wall_clock`.
    """
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        fail(f"stamp: expected ISO 8601 such as 2026-03-01T12:15:00+08:00, got {text!a}")
    if stamp.tzinfo is None:
        return utc_ms(stamp, zone_of(zone_name), fold=stamp.fold)
    return int(stamp.timestamp()) * 1_000


def _default_stamp_ms(client: "SyncTanlianClient", meter: Meter) -> int:
    newest_ms = newest_interval_ms(client, meter.meter_id)
    if meter.mode is MeterMode.BACKFILL and newest_ms is not None:
        start_ms = newest_ms + meter.interval_ms
    else:
        now_ms = time.time_ns() // 1_000_000
        start_ms = now_ms - now_ms % meter.interval_ms - meter.interval_ms
    return start_ms if meter.stamp is StampConvention.START else start_ms + meter.interval_ms
