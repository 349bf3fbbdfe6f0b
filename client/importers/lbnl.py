"""The LBNL office building: mean power of quarter hours and the outdoor temperature of hours.

Both are stamped at their start in Californian time. Power is turned into the energy of its quarter
hour, the quantity that factors multiply; rows without a number are not sent, so that the contract
sees them as missing.
"""

from pathlib import Path
from typing import Final

from client.importers.raw import raw_reading, wall_time
from client.importers.source_file import rows_of, scaled
from client.importers.wall_clock import WallClock, zone_of
from contracts.reading import RawReading
from contracts.statistics import divide_half_even

ZONE_NAME: Final = "America/Los_Angeles"
INTERVAL_MS: Final = 900_000
AMOUNT_DECIMALS: Final = 2
"""A mean power to 1 W is an energy of a quarter hour to 0.25 Wh."""
TEMPERATURE_INTERVAL_MS: Final = 3_600_000
_STAMP: Final = "time"
_POWER: Final = "kw"
_FAHRENHEIT: Final = "fahrenheit"
_LAYOUT: Final = "%Y-%m-%d %H:%M:%S"


def read_lbnl(path: Path) -> tuple[RawReading, ...]:
    """Reads the building's file, for a meter of INTERVAL values in Wh of scale -2 stamped at START.

    Args:
        path: ``lbnl/kw.csv.gz``.

    Returns:
        One reading a row that holds a number, in file order: amount in hundredths of a Wh.

    Raises:
        SourceError: not that file.
        NoSuchTime: a stamp that the clocks skipped.
    """
    clock = WallClock(zone_of(ZONE_NAME), INTERVAL_MS)
    readings: list[RawReading] = []
    for row in rows_of(path, (_STAMP, _POWER), has_header=False):
        stamp_ms = clock.read(wall_time(row, _STAMP, _LAYOUT))
        power_w = scaled(row, _POWER, 3)
        if power_w is not None:
            # A quarter of an hour: 1 W is 0.25 Wh, which is 25 hundredths.
            readings.append(raw_reading(stamp_ms=stamp_ms, amount=power_w * 25))
    return tuple(readings)


def read_lbnl_temperature(path: Path) -> tuple[RawReading, ...]:
    """Reads the outdoor temperature, for an hourly INTERVAL meter of DECI_CELSIUS stamped at START.

    Args:
        path: ``lbnl/temperature.csv.gz``.

    Returns:
        One reading a row that holds a number: tenths of a degree Celsius, rounded half to even.

    Raises:
        SourceError: not that file.
        NoSuchTime: a stamp that the clocks skipped.
    """
    clock = WallClock(zone_of(ZONE_NAME), TEMPERATURE_INTERVAL_MS)
    readings: list[RawReading] = []
    for row in rows_of(path, (_STAMP, _FAHRENHEIT), has_header=False):
        stamp_ms = clock.read(wall_time(row, _STAMP, _LAYOUT))
        fahrenheit = scaled(row, _FAHRENHEIT, 2)
        if fahrenheit is not None:
            # (F - 32) * 5 / 9 degrees Celsius, of hundredths of F to tenths of C.
            amount = divide_half_even(fahrenheit - 3_200, 18)
            readings.append(raw_reading(stamp_ms=stamp_ms, amount=amount))
    return tuple(readings)
