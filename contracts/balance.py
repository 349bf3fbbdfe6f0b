"""Balances: check 15 at a parent, one UTC day after another, by the due queue.

A child's reading may come long after its parent's, so no reading can judge the sum. A parent is
looked at once an hour instead, and each day is judged when parent and children have all gone on to
the next one; two days later it is judged again where something was missing. So an arriving reading
touches nothing for it, and what a look costs is bounded.

A window is the shortest span that is a whole number of intervals of all the meters. It is judged
once, when all of its amounts are there, and the bits stand in the parent's intervals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import HASH_BYTES, Milliseconds
from contracts.alert import Occurrence
from contracts.alerts import clear_alert, raise_alert
from contracts.calendars import DAY_MS, Calendar, calendar_key
from contracts.check import Check, bit
from contracts.check_settings import Settings, is_on, settings_at
from contracts.context import Context
from contracts.conversion import conversion_of
from contracts.correction import effective_amount
from contracts.deviation.observation import PASSED, Deviation
from contracts.deviation.parent_sum import Share, judge_balance
from contracts.local_clock import LocalClock
from contracts.meter import Meter, base_unit_of
from contracts.meter_children import BALANCE_MS, children_of
from contracts.meter_quality import count_later
from contracts.meter_state import get_meter_state
from contracts.meters import require_meter
from contracts.reading_page import (
    MutablePage,
    ReadingPage,
    page_key,
    page_prefix,
    slots_per_page,
)

PAGES_OF_LOOK: Final = 64
"""Pages that one look opens, or those of one day and the second look at another."""
PAGES_OF_DAY_MAX: Final = 512
"""A family whose day has more pages is not balanced: many meters of intervals of seconds."""
WAIT_MS: Final = 35 * DAY_MS
"""How far a parent waits for a child that is behind; then its days are judged without it, which
means that those intervals are not."""
SECOND_LOOK_MS: Final = 2 * DAY_MS
"""How much later a day is judged again where something was missing: the time that readings have."""
_PARENT_SUM_BIT: Final = bit(Check.PARENT_SUM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance(Record):
    """How far the balance of a parent has come."""

    next_day_ms: Milliseconds
    """Start of the first UTC day that was not judged yet."""


def balance_key(meter_id: str) -> bytes:
    """Returns the state key of a parent's balance."""
    return b"balance/" + meter_id.encode()


def on_due(context: Context, parent_id: str) -> Milliseconds | None:
    """Judges days of a parent that are complete, as many as one look may; then asks again."""
    state = context.state
    family = Family(state, require_meter(state, parent_id))
    if not family.is_judged:
        return context.time_ms + DAY_MS
    first = next(state.iterate(ReadingPage, page_prefix(parent_id)), None)
    if first is None:
        return context.time_ms + BALANCE_MS
    record = state.get(Balance, balance_key(parent_id))
    if record is None:
        first_ms = int(first[0].rpartition(b"/")[2])
        day_ms = first_ms - first_ms % DAY_MS
    else:
        day_ms = record.next_day_ms
    begun_ms, complete_ms = day_ms, family.complete_until_ms
    days_left = max(PAGES_OF_LOOK // (2 * family.pages_per_day), 1)
    while days_left and day_ms + DAY_MS <= complete_ms:
        if is_on(family.settings, Check.PARENT_SUM):
            family.judge_day(context, day_ms)
            if day_ms >= SECOND_LOOK_MS:
                family.judge_day(context, day_ms - SECOND_LOOK_MS)
        day_ms += DAY_MS
        days_left -= 1
    if day_ms != begun_ms or record is None:
        state.put(balance_key(parent_id), Balance(next_day_ms=day_ms))
    is_behind = day_ms + DAY_MS <= complete_ms
    return context.time_ms + (1 if is_behind else BALANCE_MS)


class Family:
    """A parent with its children, while one look lasts."""

    def __init__(self, state: State, parent: Meter, settings: Settings | None = None) -> None:
        self._state = state
        self.parent = parent
        self.settings = settings_at(state, parent.meter_id) if settings is None else settings
        self.children = [
            child
            for child in (
                require_meter(state, each) for each in children_of(state, parent.meter_id)
            )
            if base_unit_of(child.unit) is base_unit_of(parent.unit)
        ]
        self.window_ms = parent.interval_ms
        for child in self.children:
            self.window_ms = _common_multiple(self.window_ms, child.interval_ms)

    @property
    def pages_per_day(self) -> int:
        """Returns how many pages a day of all of them has; 0 where there is nothing to add up."""
        if not self.children:
            return 0
        return sum(
            DAY_MS // (meter.interval_ms * slots_per_page(meter.interval_ms))
            for meter in (self.parent, *self.children)
        )

    @property
    def is_judged(self) -> bool:
        """Returns whether there is something to add up, and not too much of it."""
        return 0 < self.pages_per_day <= PAGES_OF_DAY_MAX

    @property
    def complete_until_ms(self) -> Milliseconds:
        """Returns until when all have gone on, or the parent has waited long enough."""
        heard = self._heard_until(self.parent)
        latest = min((self._heard_until(child) for child in self.children), default=0)
        return max(min(heard, latest), heard - WAIT_MS)

    def judge_day(self, context: Context, day_ms: Milliseconds) -> None:
        """Judges the windows of a UTC day that are complete and were not judged yet."""
        days = self._days(day_ms)
        of_parent = days[0]
        cleared_ms: int | None = None
        months: dict[int, list[int]] = {}
        clock = self._clock()
        for from_ms in range(day_ms, day_ms + DAY_MS, self.window_ms):
            to_ms = from_ms + self.window_ms
            if of_parent.is_judged(from_ms):
                continue
            verdict = self.judge_window(days, from_ms, to_ms)
            if verdict is None:
                continue
            has_failed = isinstance(verdict, Deviation)
            of_parent.mark(from_ms, to_ms, has_failed=has_failed)
            clock.hour_at(from_ms)
            counts = months.setdefault(clock.month, [0, 0])
            counts[has_failed] += self.window_ms // self.parent.interval_ms
            if isinstance(verdict, Deviation):
                self._raise(context, from_ms, verdict)
                cleared_ms = None
            elif cleared_ms is None:
                cleared_ms = from_ms
        of_parent.put()
        for month, (passed, failed) in months.items():
            parent_id = self.parent.meter_id
            count_later(self._state, parent_id, month, Check.PARENT_SUM, passed, failed)
        if cleared_ms is not None:
            clear_alert(
                context, subject_id=self.parent.meter_id, check=Check.PARENT_SUM, at_ms=cleared_ms
            )

    def verdicts(
        self, from_ms: Milliseconds, to_ms: Milliseconds
    ) -> Iterator[tuple[Milliseconds, bool]]:
        """Yields each window that was judged by its start, and whether it passes now.

        It does not where an amount is missing that was there.

        Args:
            from_ms: a moment in the first window.
            to_ms: a moment in the last one.
        """
        for day_ms in range(from_ms - from_ms % DAY_MS, to_ms + 1, DAY_MS):
            days = self._days(day_ms)
            for start_ms in range(day_ms, min(day_ms + DAY_MS, to_ms + 1), self.window_ms):
                if start_ms + self.window_ms > from_ms and days[0].is_judged(start_ms):
                    end_ms = start_ms + self.window_ms
                    yield start_ms, self.judge_window(days, start_ms, end_ms) is PASSED

    def judge_window(
        self, days: Sequence["_Day"], from_ms: Milliseconds, to_ms: Milliseconds
    ) -> Deviation | bool | None:
        """Returns the verdict of a window; None where an amount is missing or no child is there."""
        shares: list[Share] = []
        for day in days:
            meter = day.meter
            removed_ms = meter.installed_to_ms
            if to_ms <= meter.installed_from_ms or (
                removed_ms is not None and removed_ms <= from_ms
            ):
                if meter is self.parent:
                    return None
                continue  # not there yet, or no longer
            amount = day.amount_between(from_ms, to_ms)
            if amount is None:
                return None
            sign = 1 if meter.direction is self.parent.direction else -1
            resolution = conversion_of(meter).resolution
            shares.append(Share(sign * amount, meter.accuracy_class_permille, resolution))
        if len(shares) < 2:
            return None
        return judge_balance(shares[0], shares[1:], self.settings)

    def _days(self, day_ms: Milliseconds) -> "list[_Day]":
        """Returns a UTC day of each meter, the parent's first."""
        return [_Day(self._state, meter, day_ms) for meter in (self.parent, *self.children)]

    def _heard_until(self, meter: Meter) -> Milliseconds:
        memory = get_meter_state(self._state, meter.meter_id)
        heard = 0 if memory is None or memory.newest_ms is None else memory.newest_ms
        until_ms = heard + meter.interval_ms if heard else 0
        if meter.installed_to_ms is not None and until_ms >= meter.installed_to_ms:
            return 2**63  # removed, and has said all it will
        return until_ms

    def _clock(self) -> LocalClock:
        calendar = self._state.get(Calendar, calendar_key(*self.parent.calendar))
        assert calendar is not None, "a meter's calendar is registered before it"
        return LocalClock(calendar)

    def _raise(self, context: Context, start_ms: Milliseconds, deviation: Deviation) -> None:
        occurrence = Occurrence(
            check=Check.PARENT_SUM,
            interval_start_ms=start_ms,
            observed=deviation.observed,
            expected=deviation.expected,
            leaf=bytes(HASH_BYTES),
        )
        raise_alert(context, self.parent, occurrence)


class _Day:
    """The pages of one meter and UTC day."""

    def __init__(self, state: State, meter: Meter, day_ms: Milliseconds) -> None:
        self.meter = meter
        self._state = state
        self._page_ms = meter.interval_ms * slots_per_page(meter.interval_ms)
        self._pages: dict[int, MutablePage] = {}
        self._marked: dict[int, None] = {}
        conversion = conversion_of(meter)
        for page_ms in range(day_ms, day_ms + DAY_MS, self._page_ms):
            record = state.get(ReadingPage, page_key(meter.meter_id, page_ms))
            if record is not None:
                self._pages[page_ms] = MutablePage(meter, conversion, page_ms, record)

    def amount_between(self, from_ms: Milliseconds, to_ms: Milliseconds) -> int | None:
        """Returns what counts for a span; None where an interval of it has no amount."""
        total = 0
        for start_ms in range(from_ms, to_ms, self.meter.interval_ms):
            page, slot = self._place(start_ms)
            if page is None:
                return None
            amount = effective_amount(self._state, self.meter, page, slot)
            if amount is None:
                return None
            total += amount
        return total

    def is_judged(self, start_ms: Milliseconds) -> bool:
        """Returns whether the window that starts here was judged."""
        page, slot = self._place(start_ms)
        return page is not None and page.applied[slot] & _PARENT_SUM_BIT != 0

    def mark(self, from_ms: Milliseconds, to_ms: Milliseconds, *, has_failed: bool) -> None:
        """Sets the bits of the intervals of a window."""
        for start_ms in range(from_ms, to_ms, self.meter.interval_ms):
            page, slot = self._place(start_ms)
            assert page is not None, "a window that was judged has its pages"
            page.applied[slot] |= _PARENT_SUM_BIT
            if has_failed:
                page.failed[slot] |= _PARENT_SUM_BIT
            self._marked[page.start_ms] = None

    def put(self) -> None:
        """Writes the pages that were marked."""
        for page_ms in self._marked:
            self._state.put(page_key(self.meter.meter_id, page_ms), self._pages[page_ms].record())

    def _place(self, start_ms: Milliseconds) -> tuple[MutablePage | None, int]:
        page_ms = start_ms - start_ms % self._page_ms
        return self._pages.get(page_ms), (start_ms - page_ms) // self.meter.interval_ms


def _common_multiple(one: int, other: int) -> int:
    divisor, rest = one, other
    while rest:
        divisor, rest = rest, divisor % rest
    return one // divisor * other
