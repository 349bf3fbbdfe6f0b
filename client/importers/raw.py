"""Making raw readings: what a source says and nothing more."""

from datetime import datetime

from client.importers.source_file import SourceRow
from contracts.reading import Channel, Quality, RawReading


def raw_reading(
    *,
    stamp_ms: int,
    register: int | None = None,
    amount: int | None = None,
    channels: dict[Channel, int | None] | None = None,
) -> RawReading:
    """Returns a measured reading; one that says nothing at all is of quality MISSING.

    Args:
        stamp_ms: the source's stamp, UTC.
        register: counter in submitted units.
        amount: amount of the interval in submitted units.
        channels: further quantities; None where the row does not have one.
    """
    given = {channel: value for channel, value in (channels or {}).items() if value is not None}
    is_silent = register is None and amount is None and not given
    return RawReading(
        stamp_ms=stamp_ms,
        register=register,
        amount=amount,
        quality=Quality.MISSING if is_silent else Quality.MEASURED,
        sequence=None,
        previous_leaf=None,
        channels=tuple(sorted(given.items())),
    )


def wall_time(row: SourceRow, column: str, layout: str) -> datetime:
    """Returns a stamp without offset.

    Args:
        row: where it stands.
        column: in which column.
        layout: as for ``datetime.strptime``.

    Raises:
        SourceError: another layout.
    """
    try:
        return datetime.strptime(row[column], layout)  # noqa: DTZ007  the stamp has no zone
    except ValueError:
        raise row.fault(column, expected=f"a stamp such as {_EXAMPLE.strftime(layout)}") from None


_EXAMPLE = datetime.fromisoformat("2018-01-31 13:45")
