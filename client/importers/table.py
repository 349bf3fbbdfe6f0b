"""Any CSV file of one meter: a stamp and a value, and channels in columns of their names.

Columns: ``stamp`` (ISO 8601; with an offset, or local to the zone given), ``value`` (the meter's
own value as people read it, such as 1.35 kWh), and any of the channels by name in lower case, such
as ``demand_w``, in the channel's unit.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from client.importers.raw import raw_reading
from client.importers.source_file import SourceRow, rows_of, scaled
from client.importers.wall_clock import WallClock, utc_ms, zone_of
from contracts.meter import MeterProperties, ValueKind
from contracts.reading import Channel, RawReading

STAMP: Final = "stamp"
VALUE: Final = "value"


def read_table(path: Path, meter: MeterProperties, zone_name: str) -> tuple[RawReading, ...]:
    """Reads the readings of one meter.

    Args:
        path: the file, plain or gzip.
        meter: its kind says what the value is, its scale how many digits are sent.
        zone_name: zone of stamps without offset.

    Returns:
        One reading a row, in file order.

    Raises:
        SourceError: names line and column.
        UnknownZone: no such zone.
        NoSuchTime: a stamp that the clocks skipped.
    """
    clock = WallClock(zone_of(zone_name), meter.interval_ms)
    return tuple(
        _reading_of(row, meter, _stamp_ms(row, clock))
        for row in rows_of(path, (STAMP, VALUE), has_header=True)
    )


def _reading_of(row: SourceRow, meter: MeterProperties, stamp_ms: int) -> RawReading:
    value = scaled(row, VALUE, -meter.scale)
    if value is not None and value < 0 and meter.kind is ValueKind.REGISTER:
        raise row.fault(VALUE, expected="a register of at least 0")
    is_register = meter.kind is ValueKind.REGISTER
    return raw_reading(
        stamp_ms=stamp_ms,
        register=value if is_register else None,
        amount=None if is_register else value,
        channels={
            channel: scaled(row, channel.name.lower(), 0)
            for channel in Channel
            if channel.name.lower() in row.cells
        },
    )


def _stamp_ms(row: SourceRow, clock: WallClock) -> int:
    try:
        stamp = datetime.fromisoformat(row[STAMP])
    except ValueError:
        raise row.fault(
            STAMP, expected="ISO 8601 such as 2026-03-01T12:15:00+08:00 or 2026-03-01 12:15"
        ) from None
    if stamp.tzinfo is None:
        return clock.read(stamp)
    return utc_ms(stamp.replace(tzinfo=None), zone_of("UTC"), fold=0) - _offset_ms(stamp)


def _offset_ms(stamp: datetime) -> int:
    offset = stamp.utcoffset()
    assert offset is not None, "a stamp with a zone has an offset"
    return (offset.days * 86_400 + offset.seconds) * 1_000
