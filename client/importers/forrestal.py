"""The Forrestal building's sub-meters: split registers, data loss, and a night of 25 hours.

Rows are sent as they are, off the grid and with some channels only: snapping to the grid, removing
repeats and checking registers is the contract's, in that order (carbon.md, Demonstrations). The
importer decides only what the contract cannot know: which pass of a repeated hour a row is of.
"""

from pathlib import Path
from typing import Final

from client.importers.raw import raw_reading, wall_time
from client.importers.source_file import SourceRow, rows_of, scaled
from client.importers.wall_clock import WallClock, zone_of
from contracts.reading import Channel, RawReading

ZONE_NAME: Final = "America/New_York"
INTERVAL_MS: Final = 900_000
REGISTER_DECIMALS: Final = 2
"""Registers are kWh with quarter steps."""
_METER: Final = "meter"
_STAMP: Final = "local_time"
_HIGH: Final = "consumptn_hi"
_LOW: Final = "consumptn_lo"
_CHANNELS: Final = {
    Channel.DEMAND_W: ("demand_kw", 3),
    Channel.POWER_FACTOR_PERMILLE: ("power_factor", 3),
    Channel.CURRENT_A_MA: ("current_a", 3),
    Channel.CURRENT_B_MA: ("current_b", 3),
    Channel.CURRENT_C_MA: ("current_c", 3),
    Channel.VOLTAGE_AN_CV: ("voltage_an", 2),
    Channel.VOLTAGE_BN_CV: ("voltage_bn", 2),
    Channel.VOLTAGE_CN_CV: ("voltage_cn", 2),
}
"""Column and decimals of each channel's unit."""
_COLUMNS: Final = (_METER, _STAMP, _HIGH, _LOW, *(column for column, _ in _CHANNELS.values()))


def read_forrestal(path: Path) -> dict[str, tuple[RawReading, ...]]:
    """Reads one day of the building, for meters of REGISTER values in kWh of scale -2.

    Args:
        path: ``forrestal/2014-11-02.csv.gz`` or another of its days.

    Returns:
        Readings by the meter's name in the source, meters and rows in file order. The register is
        the sum of both halves; where only one half came, it is sent as a channel.

    Raises:
        SourceError: not such a file.
        NoSuchTime: a stamp that the clocks skipped.
    """
    zone = zone_of(ZONE_NAME)
    clocks: dict[str, WallClock] = {}
    readings: dict[str, list[RawReading]] = {}
    for row in rows_of(path, _COLUMNS, has_header=True):
        name = row[_METER]
        clock = clocks.setdefault(name, WallClock(zone, INTERVAL_MS))
        stamp_ms = clock.read(wall_time(row, _STAMP, "%Y-%m-%d %H:%M:%S"))
        readings.setdefault(name, []).append(_reading_of(row, stamp_ms))
    return {name: tuple(of_meter) for name, of_meter in readings.items()}


def read_zones(path: Path) -> dict[str, str]:
    """Reads which part of the building each meter serves, by the meter's name.

    Raises:
        SourceError: not such a file.
    """
    return {row[_METER]: row["zone"] for row in rows_of(path, (_METER, "zone"), has_header=True)}


def _reading_of(row: SourceRow, stamp_ms: int) -> RawReading:
    high = scaled(row, _HIGH, REGISTER_DECIMALS)
    low = scaled(row, _LOW, REGISTER_DECIMALS)
    channels = {
        channel: scaled(row, column, decimals) for channel, (column, decimals) in _CHANNELS.items()
    }
    if high is not None and low is not None:
        return raw_reading(stamp_ms=stamp_ms, register=high + low, channels=channels)
    halves = {Channel.REGISTER_HIGH: high, Channel.REGISTER_LOW: low}
    return raw_reading(stamp_ms=stamp_ms, channels=channels | halves)
