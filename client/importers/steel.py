"""The steel plant's year (UCI 851): quarter hours, stamped at their end, Korean time.

Midnight belongs to the day that it ends: the 365 rows of 0:00 carry the date of the day before and
stand after its 23:45. Only the order of the file says so, hence a row whose stamp steps back by
almost a day is of the following one.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final

from client.importers.raw import raw_reading, wall_time
from client.importers.source_file import rows_of, scaled
from client.importers.wall_clock import utc_ms, zone_of
from contracts.reading import Channel, RawReading

ZONE_NAME: Final = "Asia/Seoul"
_USAGE: Final = "Usage_kWh"
_LAGGING: Final = "Lagging_Current_Reactive.Power_kVarh"
_LEADING: Final = "Leading_Current_Reactive_Power_kVarh"
_LAGGING_FACTOR: Final = "Lagging_Current_Power_Factor"
_LEADING_FACTOR: Final = "Leading_Current_Power_Factor"
_CO2: Final = "CO2(tCO2)"
_STAMP: Final = "date"
_COLUMNS: Final = (
    _STAMP,
    _USAGE,
    _LAGGING,
    _LEADING,
    _CO2,
    _LAGGING_FACTOR,
    _LEADING_FACTOR,
)
_DAY: Final = timedelta(days=1)


def read_steel(path: Path) -> tuple[RawReading, ...]:
    """Reads the plant's file, for a meter of INTERVAL values in Wh stamped at END.

    Args:
        path: ``steel/readings.csv.gz``.

    Returns:
        One reading a row, in file order: amount in Wh, reactive energy in varh, reported CO2 in
        grams, power factors in ten thousandths.

    Raises:
        SourceError: not that file.
    """
    zone = zone_of(ZONE_NAME)
    readings: list[RawReading] = []
    for row in rows_of(path, _COLUMNS, has_header=True):
        stamp = wall_time(row, _STAMP, "%d/%m/%Y %H:%M")
        stamp_ms = utc_ms(stamp, zone, fold=0)
        if readings and stamp_ms < readings[-1].stamp_ms:
            stamp_ms = utc_ms(stamp + _DAY, zone, fold=0)
        if readings and stamp_ms <= readings[-1].stamp_ms:
            raise row.fault(_STAMP, expected="a stamp later than that of the row before")
        readings.append(
            raw_reading(
                stamp_ms=stamp_ms,
                amount=scaled(row, _USAGE, 3),
                channels={
                    Channel.REACTIVE_LAGGING_VARH: scaled(row, _LAGGING, 3),
                    Channel.REACTIVE_LEADING_VARH: scaled(row, _LEADING, 3),
                    Channel.REPORTED_CO2_G: scaled(row, _CO2, 6),
                    Channel.POWER_FACTOR_LAGGING_E4: scaled(row, _LAGGING_FACTOR, 2),
                    Channel.POWER_FACTOR_LEADING_E4: scaled(row, _LEADING_FACTOR, 2),
                },
            )
        )
    return tuple(readings)
