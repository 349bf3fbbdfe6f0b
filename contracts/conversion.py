"""From submitted units to base units: scale, unit, transformer ratio and multiplier in one."""

from dataclasses import dataclass
from fractions import Fraction

from contracts.meter import MeterProperties, base_units_in
from contracts.statistics import divide_half_even


@dataclass(frozen=True, slots=True)
class Conversion:
    """A fraction in lowest terms: base units of one submitted unit."""

    numerator: int
    denominator: int

    def amount(self, submitted: int) -> int:
        """Returns the amount of an interval in base units, half-even where it is between."""
        if self.denominator == 1:
            return submitted * self.numerator
        return divide_half_even(submitted * self.numerator, self.denominator)

    def advance(self, before: int, advance: int) -> int:
        """Returns the base units between a register and a later position of it.

        Positions are converted and not differences, so what is cut off never adds up.

        Args:
            before: register in submitted units.
            advance: how far it went on from there, rollovers included.
        """
        if self.denominator == 1:
            return advance * self.numerator
        after = (before + advance) * self.numerator // self.denominator
        return after - before * self.numerator // self.denominator

    @property
    def resolution(self) -> int:
        """Returns the base units of one submitted unit, at least 1."""
        return max(self.numerator // self.denominator, 1)


def conversion_of(meter: MeterProperties) -> Conversion:
    """Returns how a meter's submitted values become base units."""
    numerator = base_units_in(meter.unit) * meter.transformer_ratio[0] * meter.multiplier[0]
    denominator = meter.transformer_ratio[1] * meter.multiplier[1]
    if meter.scale >= 0:
        numerator *= 10**meter.scale
    else:
        denominator *= 10**-meter.scale
    lowest = Fraction(numerator, denominator)
    return Conversion(lowest.numerator, lowest.denominator)
