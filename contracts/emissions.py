"""Emissions: base units times the factor that was valid, added up undivided.

A numerator of CO2e is in 1e-10 g and is never rounded; a report divides once (carbon.md, 3:
rounding each reading under-reports the steel plant's year by 7.8 %). Numerators outgrow 64 bits, so
records hold them as signed big-endian bytes.

Amounts are added up apart for each period of a factor, so emissions are amount times factor at the
end, gas by gas, and another factor for the same amounts is a multiplication and no recount. The
month of a meter stands here, that of a site in :mod:`contracts.site_month`.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Final

from chain.codec import Record
from chain.types import I64, U32, U64, Length, Milliseconds
from contracts.factor import Factor
from contracts.meter import Direction, Meter, Quantity

NUMERATOR_BYTES: Final = 20
"""159 bits: amounts below 2**46 times 64-bit factors, 2**49 of them."""
AMOUNT_MAX: Final = 2**46 - 1
"""Largest amount of one interval in base units that is counted, such as 70 TWh; a day of seconds of
it still fits into 64 bits."""
GRAMS_DENOMINATOR: Final = 10**10
"""A numerator of CO2e divided by this is in grams."""
SHARES_MAX: Final = 2_048
"""Factor periods, and versions of them, within one month of one meter."""

Numerator = Annotated[bytes, Length(NUMERATOR_BYTES, NUMERATOR_BYTES)]


class Scope(IntEnum):
    """Scope of the GHG Protocol."""

    DIRECT = 1
    PURCHASED_ENERGY = 2
    VALUE_CHAIN = 3


class IsoCategory(IntEnum):
    """Category of ISO 14064-1:2018, 5.2.4."""

    DIRECT = 1
    IMPORTED_ENERGY = 2
    TRANSPORT = 3
    PRODUCTS_USED = 4
    """Products that the organisation uses."""
    USE_OF_PRODUCTS = 5
    """Products of the organisation that others use."""
    OTHER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Record):
    """What fell into one period of a factor, in one of its versions."""

    valid_from_ms: Milliseconds
    """Names the period."""
    version: U32
    co2e_per_unit: U64
    """1e-10 g per base unit, as in the factor."""
    amount: Numerator
    """Base units; amounts below zero are faults and are not counted here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTotal(Record):
    """What a meter measured in one local month."""

    amount: Numerator
    """Base units."""
    co2e: Numerator
    """1e-10 g CO2e: the sum of amount times factor over ``shares``."""
    interval_count: U64
    """Intervals with a value."""
    flagged_count: U64
    """Intervals whose value failed a check when it came."""
    without_factor_count: I64
    """Intervals with an amount for which no factor was valid; not in ``co2e``. Below zero only
    where a closed month is counted apart and a correction takes such an interval off."""
    shares: Annotated[tuple[Share, ...], Length(0, SHARES_MAX)]
    """By period and version; of a meter that emits nothing, none."""


def pack_numerator(value: int) -> bytes:
    """Returns a numerator as a record holds it."""
    return value.to_bytes(NUMERATOR_BYTES, "big", signed=True)


def numerator_of(packed: bytes) -> int:
    """Returns the numerator that a record holds."""
    return int.from_bytes(packed, "big", signed=True)


def co2e_of(amount: int | None, per_unit: int | None) -> int:
    """Returns the emissions of an interval in 1e-10 g.

    An amount below zero is a fault of its reading and takes nothing off any total.

    Args:
        amount: base units; None where it is unknown.
        per_unit: 1e-10 g per base unit; None where no factor is valid.
    """
    if amount is None or per_unit is None or amount < 0:
        return 0
    return amount * per_unit


def rounded_half_even(numerator: int, denominator: int) -> int:
    """Returns the nearest integer to a quotient, the even one of two: the one division of a report.

    Args:
        numerator: of either sign.
        denominator: above zero.
    """
    quotient, rest = divmod(numerator, denominator)
    is_up = 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    return quotient + is_up


def grams_of(numerator: int) -> int:
    """Returns a numerator of CO2e in whole grams, half to even."""
    return rounded_half_even(numerator, GRAMS_DENOMINATOR)


def scope_of(quantity: Quantity) -> Scope:
    """Returns the scope that a quantity's emissions fall under at the site that measures it."""
    if quantity in {Quantity.ELECTRICITY, Quantity.HEAT, Quantity.STEAM}:
        return Scope.PURCHASED_ENERGY
    return Scope.DIRECT


def category_of(quantity: Quantity) -> IsoCategory:
    """Returns the category that a quantity's emissions fall under at the site that measures it."""
    is_bought = scope_of(quantity) is Scope.PURCHASED_ENERGY
    return IsoCategory.IMPORTED_ENERGY if is_bought else IsoCategory.DIRECT


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


class MutableShare:
    """A :class:`Share` while a block adds to it."""

    __slots__ = ("amount", "co2e_per_unit")

    def __init__(self, co2e_per_unit: int, amount: int = 0) -> None:
        self.co2e_per_unit = co2e_per_unit
        self.amount = amount


class MutableTotal:
    """A :class:`MonthTotal` while a block adds to it; fields as there, numerators as integers."""

    __slots__ = (
        "amount",
        "flagged_count",
        "interval_count",
        "shares",
        "without_factor_count",
    )

    def __init__(self, record: MonthTotal | None = None) -> None:
        self.amount = self.interval_count = self.flagged_count = self.without_factor_count = 0
        self.shares: dict[tuple[int, int], MutableShare] = {}
        """By start of the factor's period and its version."""
        if record is not None:
            self.amount = numerator_of(record.amount)
            self.interval_count = record.interval_count
            self.flagged_count = record.flagged_count
            self.without_factor_count = record.without_factor_count
            for each in record.shares:
                share = MutableShare(each.co2e_per_unit, numerator_of(each.amount))
                self.shares[each.valid_from_ms, each.version] = share

    @property
    def co2e(self) -> int:
        """Returns the emissions, 1e-10 g."""
        return sum(each.amount * each.co2e_per_unit for each in self.shares.values())

    def share_of(self, factor: Factor) -> MutableShare:
        """Returns where amounts under a factor are added up."""
        key = (factor.valid_from_ms, factor.version)
        share = self.shares.get(key)
        if share is None:
            share = self.shares[key] = MutableShare(factor.co2e_per_unit)
        return share

    def absorb(self, record: MonthTotal) -> None:
        """Adds what was counted apart."""
        self.amount += numerator_of(record.amount)
        self.interval_count += record.interval_count
        self.flagged_count += record.flagged_count
        self.without_factor_count += record.without_factor_count
        for each in record.shares:
            key = (each.valid_from_ms, each.version)
            share = self.shares.setdefault(key, MutableShare(each.co2e_per_unit))
            share.amount += numerator_of(each.amount)

    def rebook(self, factor: Factor) -> bool:
        """Moves amounts under older versions to a factor's; returns whether there were any."""
        older = [
            key for key in self.shares if key[0] == factor.valid_from_ms and key[1] < factor.version
        ]
        moved = [self.shares.pop(key).amount for key in older]
        if not any(moved):
            return False
        self.share_of(factor).amount += sum(moved)
        return True

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
            shares=tuple(
                Share(
                    valid_from_ms=valid_from_ms,
                    version=version,
                    co2e_per_unit=share.co2e_per_unit,
                    amount=pack_numerator(share.amount),
                )
                for (valid_from_ms, version), share in sorted(self.shares.items())
                if share.amount
            ),
        )
