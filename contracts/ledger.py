"""The ledger of one meter within one block: amounts and emissions by page and local month."""

from dataclasses import dataclass
from typing import TypeAlias

from chain.state import State
from contracts.emissions import MonthTotal, MutableTotal, co2e_of
from contracts.factors import factor_at
from contracts.local_clock import LocalClock
from contracts.meter_facts import MeterFacts
from contracts.reading import NO_FACTOR
from contracts.reading_page import MutablePage

_Totals: TypeAlias = tuple[MutableTotal, MutableTotal | None]
"""The meter's month, and its site's where the meter is a part of it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What totals hold for one interval."""

    amount: int | None
    """Base units; None for nothing."""
    has_factor: bool
    """Whether its emissions are counted too; True where there is nothing to count."""


def counted_at(page: MutablePage, slot: int) -> Counted:
    """Returns what is counted for a slot's reading while no correction counts for it."""
    return Counted(page.amount_at(slot), has_factor=not page.failed[slot] & NO_FACTOR)


def mark_factor(page: MutablePage, slot: int, *, has_factor: bool) -> None:
    """Notes whether the emissions of a slot's reading are counted."""
    if has_factor:
        page.failed[slot] &= ~NO_FACTOR
    else:
        page.failed[slot] |= NO_FACTOR


def _count_without_factor(totals: _Totals, change: int) -> None:
    for total in totals:
        if total is not None:
            total.without_factor_count += change


class Ledger:
    """Adds up what intervals count, into pages and into the totals of meter and site."""

    __slots__ = ("_clock", "_emits", "_factor", "_facts", "_state", "_totals")

    def __init__(self, state: State, facts: MeterFacts, clock: LocalClock) -> None:
        self._state = state
        self._facts = facts
        self._clock = clock
        self._emits = facts.emits
        self._factor = (0, 0, 0)
        """From, until and value of the factor last asked for."""
        self._totals: dict[int, _Totals] = {}
        """By month."""

    def begin(self) -> None:
        """Begins a call: what others did to the totals since the last one is to be seen."""
        self._totals.clear()

    def count(
        self, start_ms: int, page: MutablePage, amount: int | None, *, is_flagged: bool
    ) -> bool:
        """Counts a new interval; returns False where its amount has no valid factor.

        Args:
            start_ms: of the interval.
            page: which it belongs to.
            amount: that the page has for it, in base units.
            is_flagged: whether it failed a check.
        """
        totals = of_meter, of_site = self._totals_at(start_ms)
        has_factor = self._add(totals, start_ms, page, amount, 1)
        of_meter.count(is_flagged=is_flagged, has_factor=has_factor)
        if of_site is not None:
            of_site.count(is_flagged=is_flagged, has_factor=has_factor)
        return has_factor

    def correct(self, start_ms: int, page: MutablePage, slot: int, amount: int | None) -> None:
        """Sets the amount of a reading that was counted, and counts the new one instead.

        Where an approved correction counts for the interval, it goes on to.
        """
        before = counted_at(page, slot)
        page.set_amount(slot, amount)
        if not page.is_corrected(slot):
            has_factor = self.replace(start_ms, page, before, amount)
            mark_factor(page, slot, has_factor=has_factor)

    def replace(
        self, start_ms: int, page: MutablePage, before: Counted, amount: int | None
    ) -> bool:
        """Counts an amount in the place of another; returns False where it has no valid factor.

        Args:
            start_ms: of the interval.
            page: which it belongs to.
            before: what is counted for the interval now.
            amount: what is to be counted, in base units; None for nothing.
        """
        totals = self._totals_at(start_ms)
        if before.has_factor:
            self._add(totals, start_ms, page, before.amount, -1)
        elif before.amount is not None:
            totals[0].amount -= before.amount
            _count_without_factor(totals, -1)
        has_factor = self._add(totals, start_ms, page, amount, 1)
        if not has_factor:
            _count_without_factor(totals, 1)
        return has_factor

    def _add(
        self,
        totals: _Totals,
        start_ms: int,
        page: MutablePage,
        amount: int | None,
        sign: int,
    ) -> bool:
        """Adds an amount to page and totals, or takes it off; returns whether a factor held."""
        if amount is None:
            return True
        of_meter, of_site = totals
        of_meter.amount += sign * amount
        if not self._emits:
            return True
        factor = self._factor_at(start_ms)
        co2e = sign * co2e_of(amount, factor)
        page.co2e += co2e
        of_meter.co2e += co2e
        if of_site is not None:
            of_site.co2e += co2e  # and no amount: those of different units would mix
        return factor is not None

    def _totals_at(self, start_ms: int) -> _Totals:
        self._clock.hour_at(start_ms)
        month = self._clock.month
        totals = self._totals.get(month)
        if totals is None:
            state, facts = self._state, self._facts
            of_meter = state.edit(MonthTotal, facts.month_prefix + b"%06d" % month, MutableTotal)
            of_site = None
            if facts.site_month_prefix is not None:
                key = facts.site_month_prefix + b"%06d" % month
                of_site = state.edit(MonthTotal, key, MutableTotal)
            totals = self._totals[month] = (of_meter, of_site)
        return totals

    def _factor_at(self, start_ms: int) -> int | None:
        valid_from_ms, valid_to_ms, value = self._factor
        if valid_from_ms <= start_ms < valid_to_ms:
            return value
        factor_id = self._facts.meter.factor
        assert factor_id is not None, "a meter that emits names a factor"
        factor = factor_at(self._state, factor_id, start_ms)
        if factor is None:
            return None
        self._factor = (factor.valid_from_ms, factor.valid_to_ms, factor.value)
        return factor.value
