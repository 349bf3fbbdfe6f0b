"""What a factor says: a value, gases or a fuel, and the gases that follow from it.

The CO2 of a fuel is NCV x CC x OF x 44/12, computed here by every validator and rounded once, half
to even, to 1e-9 g per base unit: natural gas of 389.31 GJ per 1e4 Nm3, 15.30 t C per TJ and 99 %
oxidation emits 2.162188809 g per dm3 (carbon.md 3.2: 2.1622 kg per Nm3).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U64, U64_MAX, Identifier, Length, Range, Text
from contracts.emissions import rounded_half_even
from contracts.factor import EvidenceGrade, FactorUncertainty, FuelBasis
from contracts.gas import (
    GASES_MAX,
    GWP_TENTHS_OF_CO2,
    Gas,
    GasFactor,
    co2e_per_unit,
)
from contracts.potentials import get_factor_set, get_gwp_set
from contracts.refusal import Code, refusal

MASS_OF_VALUE: Final = 10**5
"""1e-9 g in 1e-4 g, the unit of ``value``."""
CO2E_OF_VALUE: Final = MASS_OF_VALUE * GWP_TENTHS_OF_CO2
"""1e-10 g in 1e-4 g."""
FUEL_MAX: Final = 10**9
"""Largest number of a fuel's basis; the heating value of hydrogen is 14,000."""
_CO2: Final = "co2"


@dataclass(frozen=True, slots=True, kw_only=True)
class GasPart(Record):
    """What a base unit emits of one gas, as whoever sets a factor says it."""

    species: Identifier
    """One of the factor's set of potentials, or ``co2``."""
    is_biogenic: bool
    mass: U64
    """1e-9 g of the gas per base unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorContent(Record):
    """What a factor says, apart from when it holds: exactly one of value, and gases or fuel."""

    value: Annotated[int, Range(0, 10**13)]
    """1e-4 g CO2e per base unit (1e-4 kg per kWh), for a factor that is not split by gas; 0 where
    gases or fuel say it."""
    is_co2: bool = False
    """Whether ``value`` is CO2 alone and no mixture."""
    gases: Annotated[tuple[GasPart, ...], Length(0, GASES_MAX)] = ()
    """Each species and origin once."""
    fuel: FuelBasis | None = None
    """Adds CO2 to ``gases``."""
    gwp_set: Identifier | None = None
    """Set of potentials (:mod:`contracts.potentials`); needed for every gas but CO2."""
    source: Text
    """Publisher and document; not empty."""
    evidence: EvidenceGrade
    evidence_note: Text = ""
    """Where the value was seen."""
    factor_set: Identifier | None = None
    """Publication that it is part of (``factor.register_set``)."""
    uncertainty: FactorUncertainty | None = None
    """None where nobody declares one."""


def co2_mass_of(fuel: FuelBasis) -> int:
    """Returns the CO2 of a fuel, 1e-9 g per base unit: NCV x CC x OF x 44/12.

    1e-2 GJ x 1e-2 t/TJ x 1e-4 is 1e-5 g, so 1e4 of 1e-9 g.
    """
    carbon = fuel.heating_value * fuel.carbon * fuel.oxidation
    return rounded_half_even(carbon * 44 * 10**4, 12 * fuel.base_units)


def gases_of(state: State, content: FactorContent) -> tuple[GasFactor, ...]:
    """Returns the gases of a factor, each with its potential.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``, ``UNKNOWN_FACTOR``.
    """
    _check_content(content)
    if content.factor_set is not None and get_factor_set(state, content.factor_set) is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "factor_set",
            expected="a registered set of factors; register it with factor.register_set",
            got=repr(content.factor_set),
        )
    gases = [_weighed(state, content, part) for part in content.gases]
    if content.fuel is not None:
        gases.insert(0, _co2(co2_mass_of(content.fuel)))
    if not gases:
        gas = Gas.CO2 if content.is_co2 else Gas.UNSPLIT
        species = _CO2 if content.is_co2 else "co2e"
        gases.append(_co2(content.value * MASS_OF_VALUE, gas, species))
    largest = max(co2e_per_unit(tuple(gases)), *(gas.mass for gas in gases))
    if largest > U64_MAX:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "gases",
            expected=f"at most {U64_MAX} of 1e-10 g CO2e per base unit",
            got=str(largest),
        )
    return tuple(gases)


def _check_content(content: FactorContent) -> None:
    is_split = content.fuel is not None or bool(content.gases)
    if is_split and (content.value or content.is_co2):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "value",
            expected="0 and not CO2 alone, because gases or fuel say what is emitted",
            got=f"{content.value}, is_co2 {content.is_co2}",
        )
    if not content.source.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "source",
            expected="publisher and document of the value",
            got="an empty text",
        )
    if content.uncertainty is not None and not content.uncertainty.source.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "uncertainty.source",
            expected="publisher and document of the uncertainty",
            got="an empty text",
        )
    keys = [(part.species, part.is_biogenic) for part in content.gases]
    if content.fuel is not None:
        keys.insert(0, (_CO2, False))
        _check_fuel(content.fuel)
    for earlier, later in pairwise(sorted(keys)):
        if earlier == later:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "gases",
                expected="each species and origin once",
                got=f"{later[0]} twice",
            )


def _check_fuel(fuel: FuelBasis) -> None:
    for name, value in (
        ("heating_value", fuel.heating_value),
        ("carbon", fuel.carbon),
        ("oxidation", fuel.oxidation),
        ("base_units", fuel.base_units),
    ):
        largest = 10_000 if name == "oxidation" else FUEL_MAX
        if not 1 <= value <= largest:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"fuel.{name}",
                expected=f"1 to {largest}",
                got=str(value),
            )


def _weighed(state: State, content: FactorContent, part: GasPart) -> GasFactor:
    if content.gwp_set is None:
        if part.species == _CO2:
            return _co2(part.mass, is_biogenic=part.is_biogenic)
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "gwp_set",
            expected=f"a set of potentials, because gases has {part.species}",
            got="none",
        )
    known = get_gwp_set(state, content.gwp_set)
    if known is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "gwp_set",
            expected="a registered set of potentials; register it with gwp.register",
            got=repr(content.gwp_set),
        )
    found = next((each for each in known.potentials if each.species == part.species), None)
    if found is None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "gases",
            expected=f"species of {content.gwp_set}: "
            + ", ".join(each.species for each in known.potentials),
            got=part.species,
        )
    return GasFactor(
        species=part.species,
        gas=found.gas,
        is_biogenic=part.is_biogenic,
        mass=part.mass,
        potential=found.potential,
    )


def _co2(
    mass: int, gas: Gas = Gas.CO2, species: str = _CO2, *, is_biogenic: bool = False
) -> GasFactor:
    return GasFactor(
        species=species,
        gas=gas,
        is_biogenic=is_biogenic,
        mass=mass,
        potential=GWP_TENTHS_OF_CO2,
    )
