"""Local time as meters print it: without offset, and twice the same hour in autumn.

A stamp without offset in the hour that the clocks repeat names two moments. Only the order of the
file tells them apart: the meter writes its rows as time passes. So a meter's first row of a slot of
that hour is the first pass and any later one the second (PEP 495: fold 0 and 1).

Zone rules come from the ``tzdata`` package and not from the host, so that what is sent does not
depend on the machine that sends it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownZone(Exception):
    """A zone that the tzdata package does not know."""


class NoSuchTime(Exception):
    """A wall-clock time that the clocks skipped."""


@cache
def tzdata_version() -> str:
    """Returns the release of the zone rules, such as ``2025b``."""
    with files("tzdata").joinpath("zoneinfo", "tzdata.zi").open(encoding="ascii") as rules:
        return rules.readline().removeprefix("# version").strip()


@cache
def zone_of(name: str) -> ZoneInfo:
    """Returns the rules of a zone such as ``Asia/Seoul``.

    Raises:
        UnknownZone: no such zone.
    """
    parts = name.split("/")
    if not all(part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in parts):
        raise UnknownZone(_unknown(name))
    resource = files("tzdata").joinpath("zoneinfo", *parts)
    if not resource.is_file():
        raise UnknownZone(_unknown(name))
    with resource.open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def utc_ms(wall: datetime, zone: ZoneInfo, *, fold: int) -> int:
    """Returns the moment that a wall clock shows, in milliseconds UTC.

    Args:
        wall: without offset.
        zone: rules of the place.
        fold: 0 for the first pass of a repeated hour, 1 for the second; no matter elsewhere.

    Raises:
        NoSuchTime: the clocks were put forward across it, or it is at an end of the calendar.
    """
    try:
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    except OverflowError:
        raise NoSuchTime(
            f"{wall.isoformat(sep=' ')} in {zone.key}: expected a time within the years 1 to 9999 "
            "UTC, got one outside"
        ) from None
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        raise NoSuchTime(
            f"{wall.isoformat(sep=' ')} in {zone.key}: expected a time that the clocks showed, got "
            "one that they skipped; is the zone right?"
        )
    return _milliseconds(moment)


def is_repeated(wall: datetime, zone: ZoneInfo) -> bool:
    """Returns whether the clocks showed this time twice."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None, "a zone has an offset at every time"
    assert second is not None, "a zone has an offset at every time"
    return first > second


@dataclass(slots=True)
class WallClock:
    """Turns one meter's stamps into moments, in the order of its file."""

    zone: ZoneInfo
    interval_ms: int
    """Rows are of one slot where they lie nearest to the same multiple of it."""
    _seen: set[int] = field(default_factory=set)
    """Slots of repeated hours that had their first row."""

    def read(self, wall: datetime) -> int:
        """Returns the moment of the meter's next row, in milliseconds UTC.

        Raises:
            NoSuchTime: the clocks skipped it.
        """
        if not is_repeated(wall, self.zone):
            return utc_ms(wall, self.zone, fold=0)
        slot = (2 * _milliseconds(wall.replace(tzinfo=UTC)) + self.interval_ms) // (
            2 * self.interval_ms
        )
        fold = 1 if slot in self._seen else 0
        self._seen.add(slot)
        return utc_ms(wall, self.zone, fold=fold)


def _milliseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000 + passed.microseconds // 1_000


def _unknown(name: str) -> str:
    return f"zone: expected a name of the IANA list such as Asia/Seoul, got {name[:60]!a}"
