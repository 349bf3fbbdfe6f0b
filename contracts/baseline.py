"""The baseline: what a meter is expected to measure by local hour and day type, and its gate.

A baseline is a consensus object: each validator computes it anew from the readings of the window
that the transaction names, with its CV(RMSE) and NMBE (ASHRAE Guideline 14), and one that does not
qualify never comes into force (carbon.md, What decides the design, 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Annotated, Final

from chain.codec import Record
from chain.types import I64, U32, U64, Identifier, Length, Milliseconds, PublicKey
from contracts.calendars import DayType

HOURS: Final = 24
CELLS: Final = len(DayType) * HOURS
"""Cells of a profile: each local hour of each day type."""
PROFILE_BYTES: Final = 8 * CELLS
IN_FORCE_MAX: Final = 256
"""Baselines that a meter can have in force one after the other."""
_PROFILE: Final = Struct(f">{CELLS}q")

Profile = Annotated[bytes, Length(PROFILE_BYTES, PROFILE_BYTES)]
"""Signed 64 bits for each cell, by day type and then hour, in base units an interval."""


class Reason(IntEnum):
    """Why a fitted baseline does not qualify."""

    WINDOW_TOO_SHORT = 1
    """Readings span fewer days than a baseline needs."""
    COVERAGE_TOO_LOW = 2
    """Too many intervals of the window have no amount."""
    SCATTER_TOO_HIGH = 3
    """CV(RMSE) above the gate."""
    BIAS_TOO_HIGH = 4
    """NMBE beyond the gate."""
    NO_CONSUMPTION = 5
    """The mean is not above zero, so neither measure is defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Record):
    """One fitted baseline of a meter, qualified or refused; a version never changes content."""

    meter_id: Identifier
    version: U32
    """From 1, counted over qualified and refused ones."""
    from_ms: Milliseconds
    to_ms: Milliseconds
    """Exclusive end of the training window."""
    interval_count: U32
    """Intervals of the window with an amount."""
    coverage_permille: U32
    cv_rmse_permille: U64
    """Rounded up, so that what is above the gate never shows as the gate."""
    nmbe_permille: I64
    """Rounded away from zero; positive where the baseline is below the readings."""
    reason: Reason | None
    """None where it qualifies."""
    medians: Profile
    sigmas: Profile
    """Standard deviation that the median absolute deviation stands for."""
    known_cells: Annotated[bytes, Length(CELLS // 8, CELLS // 8)]
    """Cells that the window says something of; the first is the lowest bit of the last byte."""
    fitted_ms: Milliseconds
    """Block time."""
    fitted_by: PublicKey

    @property
    def qualifies(self) -> bool:
        """Returns whether it passed the gate."""
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineLine(Record):
    """Which versions a meter has, and which are in force from when."""

    last_version: U32
    in_force: Annotated[tuple[tuple[Milliseconds, U32], ...], Length(0, IN_FORCE_MAX)]
    """(from_ms, version), ascending by time of the readings."""


def cell_of(day_type: DayType, hour: int) -> int:
    """Returns the place of a local hour of a day type in a profile."""
    return day_type * HOURS + hour


def pack_profile(values: Sequence[int]) -> bytes:
    """Returns a profile as a record holds it."""
    return _PROFILE.pack(*values)


def profile_of(packed: bytes) -> tuple[int, ...]:
    """Returns the cells of a profile."""
    return _PROFILE.unpack(packed)


BASELINE_PREFIX: Final = b"baseline/"


def baseline_key(meter_id: str, version: int) -> bytes:
    """Returns the state key of a baseline; those of a meter sort by version."""
    return BASELINE_PREFIX + f"{meter_id}/{version:06d}".encode()


def line_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's line of baselines."""
    return f"baseline-line/{meter_id}".encode()
