"""The meter: what is measured, in which unit, on which grid, and who answers for it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U64, Hash, Identifier, Milliseconds, Name, PublicKey, Range


class Quantity(IntEnum):
    """What a meter measures."""

    ELECTRICITY = 1
    GAS = 2
    HEAT = 3
    STEAM = 4
    FUEL = 5
    CO2_MASS = 6
    TEMPERATURE = 7
    """Auxiliary: outdoor or machine temperature, no emissions."""
    PRODUCTION = 8
    """Auxiliary: what a plant makes, in pieces or by mass; no emissions."""


class Unit(IntEnum):
    """Unit of submitted values; the base unit beside it is what the state counts in."""

    WATT_HOUR = 1
    """UCUM W.h; base of electricity."""
    KILOWATT_HOUR = 2
    """UCUM kW.h; 1,000 W.h."""
    MEGAWATT_HOUR = 3
    """UCUM MW.h; 1,000,000 W.h."""
    KILOJOULE = 4
    """UCUM kJ; base of heat and steam."""
    GIGAJOULE = 5
    """UCUM GJ; 1,000,000 kJ."""
    CUBIC_DECIMETRE = 6
    """UCUM dm3; base of gas and liquid fuel."""
    CUBIC_METRE = 7
    """UCUM m3; 1,000 dm3."""
    GRAM = 8
    """UCUM g; base of solid fuel and CO2 mass."""
    KILOGRAM = 9
    """UCUM kg; 1,000 g."""
    TONNE = 10
    """UCUM t; 1,000,000 g."""
    DECI_CELSIUS = 11
    """A tenth of a degree Celsius; base of temperature."""
    PERSON_KILOMETRE = 12
    """Of activities only, as the two below: travel."""
    TONNE_KILOMETRE = 13
    """Freight."""
    CENT = 14
    """A hundredth of the currency that the factor's name says."""
    PIECE = 15
    """Of production that is counted, and of whatever a factor's name says one of."""


class ValueKind(IntEnum):
    """What the meter's own value is."""

    REGISTER = 1
    """A counter that only rises, until it rolls over at the modulus."""
    INTERVAL = 2
    """The amount of the interval itself."""


class StampConvention(IntEnum):
    """Which end of its interval a source stamp names."""

    START = 1
    END = 2


class Direction(IntEnum):
    """Direction of energy at the meter."""

    IMPORT = 1
    EXPORT = 2


class MeterMode(IntEnum):
    """Whether lateness is judged by block time (architecture.md, Two clocks)."""

    BACKFILL = 1
    LIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterProperties(Record):
    """What whoever registers a meter says of it."""

    meter_id: Identifier
    site: Identifier
    name: Name
    serial: Name
    make: Name
    accuracy_class_permille: Annotated[int, Range(1, 1_000)]
    """Class 1 is 10 permille."""
    quantity: Quantity
    unit: Unit
    """Of submitted values; one of :data:`UNITS_OF` the quantity."""
    scale: Annotated[int, Range(-6, 6)]
    """Power of ten of submitted values in ``unit``: 1 kWh sent as 100 has scale -2."""
    kind: ValueKind
    direction: Direction
    transformer_ratio: tuple[U64, U64]
    """CT/PT ratio as numerator and denominator; (1, 1) where values are primary already."""
    multiplier: tuple[U64, U64]
    """Further multiplier of the register, numerator and denominator."""
    register_modulus: U64 | None
    """Register value at which it starts again from 0, in submitted units; None for INTERVAL, or
    where it is unknown and so no decrease is a rollover."""
    nameplate_w: U64 | None
    """Nameplate capacity in watts (base units an hour for other quantities)."""
    interval_ms: Annotated[int, Range(1_000, 86_400_000)]
    """Grid; must divide a UTC day."""
    stamp: StampConvention
    calendar: tuple[Identifier, Annotated[int, Range(1, 65_535)]]
    """Calendar id and version of the site."""
    parent: Identifier | None
    """Meter that this one is a sub-meter of."""
    factor: Identifier | None
    """Factor series that turns its base units into CO2e; None where it emits nothing."""
    co2_check: tuple[U64, U64] | None
    """Check 18: factor in 1e-4 kg CO2 per kWh and reporting step in grams, inferred from the
    source and used for this check only; None where CO2 is not reported."""
    responsible: PublicKey
    """Account that answers alerts."""
    calibration_certificate: Hash
    """SHA-256 of the certificate's file; zeros where there is none."""
    calibration_valid_until_ms: Milliseconds
    installed_from_ms: Milliseconds
    installed_to_ms: Milliseconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter(MeterProperties):
    """A registered meter."""

    organisation: Identifier
    """Owner; the organisation of whoever registered it, and of its site."""
    mode: MeterMode
    live_from_ms: Milliseconds | None
    """Block time of ``meter.go_live``; None in BACKFILL."""


UNITS_OF: Final[dict[Quantity, tuple[Unit, ...]]] = {
    Quantity.ELECTRICITY: (Unit.WATT_HOUR, Unit.KILOWATT_HOUR, Unit.MEGAWATT_HOUR),
    Quantity.GAS: (Unit.CUBIC_DECIMETRE, Unit.CUBIC_METRE),
    Quantity.HEAT: (Unit.KILOJOULE, Unit.GIGAJOULE),
    Quantity.STEAM: (Unit.KILOJOULE, Unit.GIGAJOULE),
    Quantity.FUEL: (
        Unit.CUBIC_DECIMETRE,
        Unit.CUBIC_METRE,
        Unit.GRAM,
        Unit.KILOGRAM,
        Unit.TONNE,
    ),
    Quantity.CO2_MASS: (Unit.GRAM, Unit.KILOGRAM, Unit.TONNE),
    Quantity.TEMPERATURE: (Unit.DECI_CELSIUS,),
    Quantity.PRODUCTION: (Unit.PIECE, Unit.GRAM, Unit.KILOGRAM, Unit.TONNE),
}
"""Units in which a quantity may be submitted."""

_BASES: Final[dict[Unit, tuple[Unit, int]]] = {
    Unit.WATT_HOUR: (Unit.WATT_HOUR, 1),
    Unit.KILOWATT_HOUR: (Unit.WATT_HOUR, 1_000),
    Unit.MEGAWATT_HOUR: (Unit.WATT_HOUR, 1_000_000),
    Unit.KILOJOULE: (Unit.KILOJOULE, 1),
    Unit.GIGAJOULE: (Unit.KILOJOULE, 1_000_000),
    Unit.CUBIC_DECIMETRE: (Unit.CUBIC_DECIMETRE, 1),
    Unit.CUBIC_METRE: (Unit.CUBIC_DECIMETRE, 1_000),
    Unit.GRAM: (Unit.GRAM, 1),
    Unit.KILOGRAM: (Unit.GRAM, 1_000),
    Unit.TONNE: (Unit.GRAM, 1_000_000),
    Unit.DECI_CELSIUS: (Unit.DECI_CELSIUS, 1),
    Unit.PERSON_KILOMETRE: (Unit.PERSON_KILOMETRE, 1),
    Unit.TONNE_KILOMETRE: (Unit.TONNE_KILOMETRE, 1),
    Unit.CENT: (Unit.CENT, 1),
    Unit.PIECE: (Unit.PIECE, 1),
}

BASE_UNITS: Final = tuple(unit for unit, (base, _) in _BASES.items() if unit is base)
"""Units that the state counts in."""


def base_unit_of(unit: Unit) -> Unit:
    """Returns the unit that the state counts in for values submitted in this one."""
    return _BASES[unit][0]


def base_units_in(unit: Unit) -> int:
    """Returns how many base units one of this unit is, such as 1,000 for KILOWATT_HOUR."""
    return _BASES[unit][1]


METER_PREFIX: Final = b"meter/"


def meter_key(meter_id: str) -> bytes:
    """Returns the state key of a meter."""
    return METER_PREFIX + meter_id.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMeter(Record):
    """Entry of the index of a site's meters."""

    meter_id: Identifier


def site_meters_prefix(site_id: str) -> bytes:
    """Returns the prefix of the index of a site's meters."""
    return b"site-meter/" + site_id.encode() + b"/"


def site_meter_key(site_id: str, meter_id: str) -> bytes:
    """Returns the index key of a meter at its site, which never changes."""
    return site_meters_prefix(site_id) + meter_id.encode()
