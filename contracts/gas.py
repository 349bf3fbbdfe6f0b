"""Greenhouse gases: what a factor emits of each, and what a gram of it counts (carbon.md 3.2)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U64, Identifier, Length, Range


class Gas(IntEnum):
    """The seven gases and groups of gases of an inventory; a number is never reused."""

    CO2 = 1
    CH4 = 2
    N2O = 3
    HFC = 4
    PFC = 5
    SF6 = 6
    NF3 = 7
    UNSPLIT = 8
    """CO2e that its publisher does not split by gas; a gram of it counts as one of CO2."""


GWP_TENTHS_OF_CO2: Final = 10
"""A gram of CO2 counts as one, and potentials are in tenths (AR6 gives 27.9 for methane)."""
GASES_MAX: Final = 16
"""Gases of one factor."""
Potential = Annotated[int, Range(0, 1_000_000)]
"""Tenths of a gram of CO2e per gram over 100 years; the largest published are near 25,000 g."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GasFactor(Record):
    """What one base unit emits of one gas."""

    species: Identifier
    """Such as ``co2`` or ``hfc-134a``; a group of gases has members of different potential."""
    gas: Gas
    is_biogenic: bool
    """From biomass; such CO2 is reported apart and is part of no total (ISO 14064-1, 5.2.2)."""
    mass: U64
    """1e-9 g of the gas per base unit."""
    potential: Potential

    @property
    def is_apart(self) -> bool:
        """Returns whether it is left out of totals and reported beside them."""
        return self.is_biogenic and self.gas is Gas.CO2

    @property
    def co2e(self) -> int:
        """Returns 1e-10 g CO2e per base unit, also where that is reported apart."""
        return self.mass * self.potential


Gases = Annotated[tuple[GasFactor, ...], Length(1, GASES_MAX)]


def co2e_per_unit(gases: tuple[GasFactor, ...]) -> int:
    """Returns what counts of one base unit, 1e-10 g CO2e."""
    return sum(each.co2e for each in gases if not each.is_apart)
