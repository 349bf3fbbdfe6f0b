"""Emissions: base units times the factor that was valid, added up undivided.

A numerator is in 1e-4 g CO2e and is never rounded; a report divides once (carbon.md, 3: rounding
each reading under-reports the steel plant's year by 7.8 %). Numerators outgrow 64 bits, so records
hold them as signed big-endian bytes.

Totals by local month stand in state, one for each meter and one for each site and scope, so that
a total is a read. A site's total is what it answers for once: imports of its topmost meters.
Sub-meters and exports have totals of their own and are left out of it.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U64, Length
from contracts.meter import Direction, Meter, Quantity

NUMERATOR_BYTES: Final = 20
"""159 bits: amounts below 2**46 times 64-bit factors, 2**49 of them."""
AMOUNT_MAX: Final = 2**46 - 1
"""Largest amount of one interval in base units that is counted, such as 70 TWh; a day of seconds of
it still fits into 64 bits."""
GRAMS_DENOMINATOR: Final = 10_000
"""A numerator divided by this is in grams."""

Numerator = Annotated[bytes, Length(NUMERATOR_BYTES, NUMERATOR_BYTES)]


class Scope(IntEnum):
    """Scope of the GHG Protocol; scope 2 is location-based."""

    DIRECT = 1
    PURCHASED_ENERGY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTotal(Record):
    """What was measured in one local month."""

    amount: Numerator
    """Base units; of site totals, where units may differ, zero."""
    co2e: Numerator
    """1e-4 g CO2e."""
    interval_count: U64
    """Intervals with a value."""
    flagged_count: U64
    """Intervals whose value failed a check when it came."""
    without_factor_count: U64
    """Intervals with an amount for which no factor was valid; not in ``co2e``."""


def pack_numerator(value: int) -> bytes:
    """Returns a numerator as a record holds it."""
    return value.to_bytes(NUMERATOR_BYTES, "big", signed=True)


def numerator_of(packed: bytes) -> int:
    """Returns the numerator that a record holds."""
    return int.from_bytes(packed, "big", signed=True)


def co2e_of(amount: int | None, factor_value: int | None) -> int:
    """Returns the emissions of an interval in 1e-4 g.

    An amount below zero is a fault of its reading and takes nothing off any total.

    Args:
        amount: base units; None where it is unknown.
        factor_value: 1e-4 g per base unit; None where no factor is valid.
    """
    if amount is None or factor_value is None or amount < 0:
        return 0
    return amount * factor_value


def scope_of(quantity: Quantity) -> Scope:
    """Returns the scope that a quantity's emissions fall under at the site that measures it."""
    if quantity in {Quantity.ELECTRICITY, Quantity.HEAT, Quantity.STEAM}:
        return Scope.PURCHASED_ENERGY
    return Scope.DIRECT


def counts_for_site(meter: Meter) -> bool:
    """Returns whether a meter's emissions are part of its site's total."""
    return meter.parent is None and meter.direction is Direction.IMPORT


@lru_cache(maxsize=1_024)
def month_of_day(day: int) -> int:
    """Returns the month of a date as months since 1970-01.

    Args:
        day: days since 1970-01-01 (proleptic Gregorian; H. Hinnant, civil_from_days).
    """
    shifted = day + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    return (era * 400 + year_of_era) * 12 + march_month + 2 - 1970 * 12


def meter_month_key(meter_id: str, month: int) -> bytes:
    """Returns the state key of a meter's month; months since 1970-01, none before."""
    return meter_month_prefix(meter_id) + b"%06d" % month


def meter_month_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's months."""
    return f"meter-month/{meter_id}/".encode()


def site_month_key(site_id: str, scope: Scope, month: int) -> bytes:
    """Returns the state key of a site's month in one scope."""
    return site_month_prefix(site_id, scope) + b"%06d" % month


def site_month_prefix(site_id: str, scope: Scope) -> bytes:
    """Returns the prefix of the state keys of a site's months in one scope."""
    return f"site-month/{site_id}/{scope:d}/".encode()


class MutableTotal:
    """A :class:`MonthTotal` while a block adds to it; fields as there, numerators as integers."""

    __slots__ = ("amount", "co2e", "flagged_count", "interval_count", "without_factor_count")

    def __init__(self, record: MonthTotal | None = None) -> None:
        if record is None:
            self.amount = self.co2e = 0
            self.interval_count = self.flagged_count = self.without_factor_count = 0
        else:
            self.amount = numerator_of(record.amount)
            self.co2e = numerator_of(record.co2e)
            self.interval_count = record.interval_count
            self.flagged_count = record.flagged_count
            self.without_factor_count = record.without_factor_count

    def count(self, *, is_flagged: bool, has_factor: bool) -> None:
        """Counts an interval."""
        self.interval_count += 1
        if is_flagged:
            self.flagged_count += 1
        if not has_factor:
            self.without_factor_count += 1

    def record(self) -> MonthTotal:
        """Returns the total as it stands."""
        return MonthTotal(
            amount=pack_numerator(self.amount),
            co2e=pack_numerator(self.co2e),
            interval_count=self.interval_count,
            flagged_count=self.flagged_count,
            without_factor_count=self.without_factor_count,
        )
