"""Emission factors: dated, sourced, graded integers (carbon.md 1 and 3.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U32, U64, Identifier, Milliseconds, Name, Range, Text
from contracts.gas import Gases
from contracts.meter import Unit

UNCERTAINTY_PERMILLE_MAX: Final = 10_000


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
class FuelBasis(Record):
    """What a fuel's CO2 is computed from: NCV x CC x OF x 44/12 (carbon.md 3.2)."""

    heating_value: U64
    """Net calorific value, 1e-2 GJ per ``base_units``."""
    carbon: U64
    """Carbon content, 1e-2 t of carbon per TJ."""
    oxidation: U64
    """Share of the carbon that is oxidised, 1e-4."""
    base_units: U64
    """Base units that the heating value is of: 1e6 g are a tonne, 1e7 dm3 are 1e4 Nm3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorUncertainty(Record):
    """How far a factor may be off, as somebody declares it."""

    permille: Annotated[int, Range(0, UNCERTAINTY_PERMILLE_MAX)]
    """Of the factor, half of a 95 % interval, as an activity's is of its amount; 0 where the factor
    is exact."""
    source: Text
    """Publisher and document of the number; not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor(Record):
    """One factor of a series, valid for one period, in one version."""

    factor_id: Identifier
    """Series such as ``cn-grid-northwest``; a meter names it."""
    version: U32
    """1 as it was set; a restatement adds one. Older ones stay under keys of their own."""
    name: Name
    basis: FactorBasis
    base_unit: Unit
    value: U64
    """For people: 1e-4 g CO2e per base unit (1e-4 kg per kWh), rounded half to even where gases
    give it more finely."""
    gases: Gases
    """What emissions are computed from, by gas."""
    co2e_per_unit: U64
    """1e-10 g CO2e per base unit: the sum over ``gases`` of mass times potential, without biogenic
    CO2."""
    fuel: FuelBasis | None
    """Where CO2 was computed from heating value, carbon and oxidation."""
    gwp_set: Identifier | None
    """Set of potentials that ``gases`` are weighed by; None where there is CO2 only."""
    valid_from_ms: Milliseconds
    valid_to_ms: Milliseconds
    """Exclusive; periods of a series do not overlap."""
    source: Text
    evidence: EvidenceGrade
    evidence_note: Text
    """Where the value was seen, in words; may be empty."""
    factor_set: Identifier | None
    """Publication that it is part of."""
    uncertainty: FactorUncertainty | None
    """None where nobody declared one: it is unknown then, and not 0."""
    set_ms: Milliseconds
    """Block time at which this version was set."""


FACTOR_PREFIX: Final = b"factor/"


def factor_key(factor_id: str, valid_from_ms: int) -> bytes:
    """Returns the state key of one period, in the version in force; a series sorts by time."""
    return f"factor/{factor_id}/{valid_from_ms:020d}".encode()


def factor_version_key(factor_id: str, valid_from_ms: int, version: int) -> bytes:
    """Returns the state key of a version that is no longer in force."""
    return factor_version_prefix(factor_id, valid_from_ms) + b"%010d" % version


def factor_version_prefix(factor_id: str, valid_from_ms: int) -> bytes:
    """Returns the prefix of the state keys of a period's older versions."""
    return f"factor-version/{factor_id}/{valid_from_ms:020d}/".encode()
