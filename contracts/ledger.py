"""The ledger of one meter within one block: amounts by local month and period of the factor."""

from dataclasses import dataclass
from typing import Final

from chain.state import State
from contracts.emissions import MonthTotal, MutableShare, MutableTotal
from contracts.factor import Factor
from contracts.factors import factor_at
from contracts.local_clock import LocalClock
from contracts.meter_facts import MeterFacts
from contracts.month_draft import MutableSiteMonth, MutableStream, edit_site_month
from contracts.period import closed_at, late_prefix
from contracts.reading import AFTER_CLOSE, NO_FACTOR
from contracts.reading_page import MutablePage
from contracts.site_month import organisation_month_key, site_month_key

_NEVER: Final = (0, 0)


class _Place:
    """Where amounts of one month are added up while one period of the factor lasts."""

    __slots__ = ("closed_bit", "from_ms", "of_meter", "of_site", "share", "stream", "to_ms")

    def __init__(
        self, of_meter: MutableTotal, of_site: MutableSiteMonth | None, closed_bit: int
    ) -> None:
        self.of_meter = of_meter
        self.of_site = of_site
        """None where the meter is no part of its site's total."""
        self.closed_bit = closed_bit
        """AFTER_CLOSE where the month is closed, and these are the totals apart."""
        self.from_ms, self.to_ms = _NEVER
        """Period of the factor; empty where none is valid."""
        self.share: MutableShare | None = None
        self.stream: MutableStream | None = None

    def count_without_factor(self, change: int) -> None:
        """Counts intervals whose amount has no valid factor."""
        self.of_meter.without_factor_count += change
        if self.of_site is not None:
            self.of_site.without_factor_count += change


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


class Ledger:
    """Adds up what intervals count, into the totals of meter and site.

    Args:
        state: of the block.
        facts: of the meter.
        clock: of its calendar.
        drafts: takes the state key of each total that is opened to be changed.
    """

    __slots__ = ("_clock", "_drafts", "_emits", "_facts", "_places", "_state")

    def __init__(
        self, state: State, facts: MeterFacts, clock: LocalClock, drafts: dict[bytes, None]
    ) -> None:
        self._state = state
        self._drafts = drafts
        self._facts = facts
        self._clock = clock
        self._emits = facts.emits
        self._places: dict[int, _Place] = {}
        """By month."""

    def forget(self) -> None:
        """Lets go of all totals: what others did to them is to be seen."""
        self._places.clear()

    def count(self, start_ms: int, amount: int | None, *, is_flagged: bool) -> int:
        """Counts a new interval; returns the bits that this adds to its mask of failures.

        Args:
            start_ms: of the interval.
            amount: that the page has for it, in base units.
            is_flagged: whether it failed a check.
        """
        place = self._place_at(start_ms)
        has_factor = self._add(place, amount, 1)
        place.of_meter.count(is_flagged=is_flagged, has_factor=has_factor)
        if place.of_site is not None:
            place.of_site.count(is_flagged=is_flagged, has_factor=has_factor)
        return place.closed_bit if has_factor else place.closed_bit | NO_FACTOR

    def correct(self, start_ms: int, page: MutablePage, slot: int, amount: int | None) -> None:
        """Sets the amount of a reading that was counted, and counts the new one instead.

        Where an approved correction counts for the interval, it goes on to.
        """
        before = counted_at(page, slot)
        page.set_amount(slot, amount)
        if not page.is_corrected(slot):
            has_factor = self.replace(start_ms, before, amount)
            mark_factor(page, slot, has_factor=has_factor)

    def replace(self, start_ms: int, before: Counted, amount: int | None) -> bool:
        """Counts an amount in the place of another; returns False where it has no valid factor.

        Args:
            start_ms: of the interval.
            before: what is counted for the interval now.
            amount: what is to be counted, in base units; None for nothing.
        """
        place = self._place_at(start_ms)
        if before.has_factor:
            self._add(place, before.amount, -1)
        elif before.amount is not None:
            place.of_meter.amount -= before.amount
            place.count_without_factor(-1)
        has_factor = self._add(place, amount, 1)
        if not has_factor:
            place.count_without_factor(1)
        return has_factor

    def _add(self, place: _Place, amount: int | None, sign: int) -> bool:
        """Adds an amount, or takes it off; returns whether a factor held."""
        if amount is None:
            return True
        signed = sign * amount
        place.of_meter.amount += signed
        if not self._emits:
            return True
        if place.share is None:
            return False
        if amount > 0:  # one below zero is a fault of its reading and takes nothing off
            place.share.amount += signed
            if place.stream is not None:
                place.stream.amount += signed
        return True

    def _place_at(self, start_ms: int) -> _Place:
        self._clock.hour_at(start_ms)
        month = self._clock.month
        place = self._places.get(month)
        if place is None:
            place = self._places[month] = self._open(month)
        if self._emits and not place.from_ms <= start_ms < place.to_ms:
            self._enter_period(place, start_ms)
        return place

    def _open(self, month: int) -> _Place:
        state, facts = self._state, self._facts
        meter = facts.meter
        is_closed = closed_at(state, meter.site, month) is not None
        prefix = late_prefix(meter.site, month) if is_closed else b""
        key = prefix + facts.month_prefix + b"%06d" % month
        of_meter = state.edit(MonthTotal, key, MutableTotal)
        self._drafts[key] = None
        of_site = None
        if facts.is_part_of_site:
            of_site = edit_site_month(state, meter.organisation, meter.site, month, prefix)
            self._drafts[prefix + site_month_key(meter.site, month)] = None
            self._drafts[prefix + organisation_month_key(meter.organisation, month)] = None
        return _Place(of_meter, of_site, AFTER_CLOSE if is_closed else 0)

    def _enter_period(self, place: _Place, start_ms: int) -> None:
        factor = self._factor_at(start_ms)
        if factor is None:
            place.from_ms, place.to_ms = _NEVER
            place.share = place.stream = None
            return
        place.from_ms, place.to_ms = factor.valid_from_ms, factor.valid_to_ms
        place.share = place.of_meter.share_of(factor)
        if place.of_site is not None:
            place.stream = place.of_site.stream_of(self._facts.booking, factor)

    def _factor_at(self, start_ms: int) -> Factor | None:
        factor_id = self._facts.meter.factor
        assert factor_id is not None, "a meter that emits names a factor"
        return factor_at(self._state, factor_id, start_ms)
