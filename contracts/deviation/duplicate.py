"""Check 3, duplicates: what a second reading of the same interval is.

Equal content is idempotent. A row that only repeats or adds channels is a supplement, as gateways
send that poll registers and currents separately. Another value is a conflict: both are kept, the
first stays in the slot, and somebody has to say which is right.
"""

from collections.abc import Mapping

from contracts.deviation.observation import Deviation
from contracts.reading import Outcome, Quality, RawReading, value_of


def compare(
    *,
    value: int | None,
    quality: int,
    channels: Mapping[int, int],
    reading: RawReading,
) -> tuple[Outcome, Deviation | None]:
    """Compares a reading with what its slot holds.

    Args:
        value: what the slot holds in submitted units, or None.
        quality: quality of the held value; 0 where there is none.
        channels: what the slot holds.
        reading: the later one; not of quality MISSING.

    Returns:
        DUPLICATE, SUPPLEMENT, ACCEPTED where it brings the slot its value, or CONFLICT with the
        first pair of values that differ.
    """
    later = value_of(reading)
    if later is not None and value is not None and later != value:
        return Outcome.CONFLICT, Deviation(later, value)
    for channel, number in reading.channels:
        held = channels.get(channel)
        if held is not None and held != number:
            return Outcome.CONFLICT, Deviation(number, held)
    if value is None and later is not None:
        return Outcome.ACCEPTED, None
    is_same = (
        later == value
        and reading.quality == (quality or Quality.MEASURED)
        and len(reading.channels) == len(channels)
        and all(channel in channels for channel, _ in reading.channels)
    )
    return (Outcome.DUPLICATE if is_same else Outcome.SUPPLEMENT), None
