"""The ledger of one meter within one call: amounts and emissions by page and local month."""

from chain.state import State
from contracts.emissions import (
    MutableTotal,
    add_to_total,
    co2e_of,
    counts_for_site,
    meter_month_key,
    scope_of,
    site_month_key,
)
from contracts.factors import factor_at
from contracts.local_clock import LocalClock
from contracts.meter import Meter
from contracts.reading import emits
from contracts.reading_page import MutablePage


class Ledger:
    """Adds up what intervals count; :meth:`write` puts the sums into the state."""

    __slots__ = ("_clock", "_emits", "_factor", "_meter", "_state", "_totals")

    def __init__(self, state: State, meter: Meter, clock: LocalClock) -> None:
        self._state = state
        self._meter = meter
        self._clock = clock
        self._emits = emits(meter)
        self._factor = (0, 0, 0)
        """From, until and value of the factor last asked for."""
        self._totals: dict[int, MutableTotal] = {}

    def count(self, start_ms: int, page: MutablePage, slot: int, *, is_flagged: bool) -> bool:
        """Counts a new interval; returns False where its amount has no valid factor."""
        total = self._total_at(start_ms)
        total.interval_count += 1
        if is_flagged:
            total.flagged_count += 1
        amount = page.amount_at(slot)
        has_factor = self._add(total, start_ms, page, amount, 1)
        if not has_factor:
            total.without_factor_count += 1
        return has_factor

    def correct(self, start_ms: int, page: MutablePage, slot: int, amount: int | None) -> None:
        """Sets the amount of an interval that was counted, and counts the new one instead."""
        total = self._total_at(start_ms)
        self._add(total, start_ms, page, page.amount_at(slot), -1)
        page.set_amount(slot, amount)
        self._add(total, start_ms, page, amount, 1)

    def write(self) -> None:
        """Adds the sums of this call to the totals in the state."""
        meter = self._meter
        is_part_of_site = self._emits and counts_for_site(meter)
        for month, total in self._totals.items():
            key = meter_month_key(meter.meter_id, month)
            add_to_total(self._state, key, total, with_amount=True)
            if is_part_of_site:
                key = site_month_key(meter.site, scope_of(meter.quantity), month)
                add_to_total(self._state, key, total, with_amount=False)

    def _add(
        self,
        total: MutableTotal,
        start_ms: int,
        page: MutablePage,
        amount: int | None,
        sign: int,
    ) -> bool:
        """Adds an amount to page and total, or takes it off; returns whether a factor held."""
        if amount is None:
            return True
        total.amount += sign * amount
        if not self._emits:
            return True
        factor = self._factor_at(start_ms)
        co2e = sign * co2e_of(amount, factor)
        page.co2e += co2e
        total.co2e += co2e
        return factor is not None

    def _total_at(self, start_ms: int) -> MutableTotal:
        self._clock.hour_at(start_ms)
        total = self._totals.get(self._clock.month)
        if total is None:
            total = self._totals[self._clock.month] = MutableTotal()
        return total

    def _factor_at(self, start_ms: int) -> int | None:
        valid_from_ms, valid_to_ms, value = self._factor
        if valid_from_ms <= start_ms < valid_to_ms:
            return value
        assert self._meter.factor is not None, "a meter that emits names a factor"
        factor = factor_at(self._state, self._meter.factor, start_ms)
        if factor is None:
            return None
        self._factor = (factor.valid_from_ms, factor.valid_to_ms, factor.value)
        return factor.value
