"""Calendars for the chain, from zone rules and a list of holidays.

The chain asks no time-zone database (architecture.md, Decisions); whoever registers a site makes
its calendar here, once, and signs it.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from client.importers.source_file import SourceError, SourceRow, rows_of
from client.importers.wall_clock import tzdata_version, zone_of
from contracts.calendars import Calendar

_EPOCH_DAY: Final = date(1970, 1, 1)
_HOUR: Final = timedelta(hours=1)


def build_calendar(
    *,
    calendar_id: str,
    version: int,
    zone_name: str,
    years: range,
    holidays: tuple[date, ...],
    holiday_source: str,
) -> Calendar:
    """Builds the calendar of a place for some years.

    Args:
        calendar_id: name on the chain.
        version: version on the chain, from 1.
        zone_name: IANA name.
        years: years whose changes of offset it lists, without gaps.
        holidays: local dates; those outside the years are kept too.
        holiday_source: who says so; becomes part of the calendar's source.

    Raises:
        UnknownZone: no such zone.
    """
    return Calendar(
        calendar_id=calendar_id,
        version=version,
        source=f"IANA tzdata {tzdata_version()}, {zone_name}; holidays: {holiday_source}",
        transitions=transitions_of(zone_of(zone_name), years),
        holidays=tuple(sorted({(day - _EPOCH_DAY).days for day in holidays})),
    )


def transitions_of(zone: ZoneInfo, years: range) -> tuple[tuple[int, int], ...]:
    """Returns (from_utc_ms, offset_s) for the begin of the first year and each later change."""
    moment = datetime(years[0], 1, 1, tzinfo=UTC)
    end = datetime(years[-1] + 1, 1, 1, tzinfo=UTC)
    offset_s = _offset_s(zone, moment)
    transitions = [(_utc_ms(moment), offset_s)]
    while moment < end:
        later = moment + _HOUR * 24
        if _offset_s(zone, later) != offset_s:
            change = _change_between(zone, moment, later)
            offset_s = _offset_s(zone, change)
            transitions.append((_utc_ms(change), offset_s))
            moment = change
        else:
            moment = later
    return tuple(transitions)


def read_holidays(path: Path) -> tuple[date, ...]:
    """Reads the ``date`` column of a list of holidays, as in examples/data/calendars.

    Raises:
        SourceError: not such a file.
    """
    return tuple(_date_of(row["date"], row.path, row.line) for row in _holiday_rows(path))


def holiday_source(path: Path) -> str:
    """Returns what the first row of a list of holidays says of its source.

    Raises:
        SourceError: an empty list, or not such a file.
    """
    for row in _holiday_rows(path):
        return row["source"]
    raise SourceError(f"{path}: expected holidays, got none")


def _holiday_rows(path: Path) -> Iterator[SourceRow]:
    return rows_of(path, ("date", "name", "source"), has_header=True)


def _date_of(text: str, path: Path, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SourceError(
            f"{path}, line {line}, date: expected a date such as 2018-05-07, got {text[:60]!a}"
        ) from None


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Returns the second at which the offset changes; there is exactly one change between."""
    old_s = _offset_s(zone, before)
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(zone, before + timedelta(seconds=middle)) == old_s:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset_s(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None, "a zone has an offset at every moment"
    return offset.days * 86_400 + offset.seconds


def _utc_ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000
