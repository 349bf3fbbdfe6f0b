"""Emission factors: dated, sourced, graded integers (carbon.md 1 and 3.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chain.codec import Record
from chain.types import U64, Identifier, Milliseconds, Name, Text
from contracts.meter import Unit


class FactorBasis(IntEnum):
    """What a factor is meant for."""

    LOCATION_BASED = 1
    MARKET_BASED = 2
    RESIDUAL_MIX = 3
    COMBUSTION = 4


class EvidenceGrade(IntEnum):
    """How far the value was confirmed against its source."""

    CONFIRMED = 1
    """Seen in the publisher's own text."""
    SECONDARY = 2
    """Seen in a source that cites the publisher."""
    UNCONFIRMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor(Record):
    """One factor of a series, valid for one period.

    The value is in 1e-4 kg CO2e per kWh for electricity, that is in 1e-4 g per Wh; for other
    quantities in 1e-4 g per base unit. So emissions in 1e-4 g are base units times the value.
    """

    factor_id: Identifier
    """Series such as ``cn-grid-northwest``; a meter names it."""
    name: Name
    basis: FactorBasis
    base_unit: Unit
    value: U64
    """Integer, 1e-4 g CO2e per base unit."""
    valid_from_ms: Milliseconds
    valid_to_ms: Milliseconds
    """Exclusive; periods of a series do not overlap."""
    source: Text
    evidence: EvidenceGrade
    set_ms: Milliseconds
    """Block time at which it was set."""


FACTOR_PREFIX: Final = b"factor/"


def factor_key(factor_id: str, valid_from_ms: int) -> bytes:
    """Returns the state key of one period; keys of a series sort by time."""
    return f"factor/{factor_id}/{valid_from_ms:020d}".encode()
