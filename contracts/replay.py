"""The replay: the rules of readings run again over a meter's intervals, on what counts now.

The rules of :mod:`contracts.deviation.table` run over the meter's pages, interval by interval in
order of time, with the approved amounts in place of those that were corrected and, where a
baseline is the remedy, with that version for the whole window: it says what is usual now. The
memory of the rules is built up again from the eight days before the window: their intervals are
remembered by what was said of them then, and the rules run from a day before the window on. Of a
corrected interval the channels are left out, for they are those of the reading that it stands in
for.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from chain.state import State
from chain.types import Milliseconds
from contracts.baseline_lookup import BaselineLookup
from contracts.calendars import DAY_MS, require_calendar
from contracts.check import Check, bit
from contracts.check_settings import CheckSettings
from contracts.conversion import conversion_of
from contracts.correction import CorrectedSlot, corrected_slots
from contracts.deviation.day_ratio import follow_day
from contracts.deviation.observation import PASSED, Deviation, Observation
from contracts.deviation.table import run_rules
from contracts.finding import mask_of
from contracts.intake import NOT_TYPICAL
from contracts.local_clock import LocalClock
from contracts.meter import Meter
from contracts.meter_facts import find_facts, rule_set_of
from contracts.meter_state import Memory
from contracts.page_book import PageBook
from contracts.reading_page import MutablePage, ReadingPage, page_key, page_prefix, page_start

WARM_UP_MS: Final = 8 * DAY_MS
"""The trailing week of the rules, and a day."""
WARM_UP_INTERVALS_MAX: Final = 12_000
"""Intervals before the window that are looked at: eight days of minutes, fewer of finer ones."""
JUDGED_BEFORE_MS: Final = DAY_MS
"""Time before the window in which the rules run too: runs and sums may begin there."""
JUDGED_BEFORE_MAX: Final = 500
"""Intervals of it."""


class Interval(NamedTuple):
    """What counts for one interval, as the pages say it."""

    start_ms: Milliseconds
    page: MutablePage
    slot: int
    correction: CorrectedSlot | None
    """The approved one that counts for it; None where the reading itself does."""

    @property
    def amount(self) -> int | None:
        """Returns what counts, base units; None where that is unknown."""
        if self.correction is not None:
            return self.correction.amount
        return self.page.amount_at(self.slot)

    def had_failed(self, check: Check) -> bool:
        """Returns whether the reading was flagged with a check when it came."""
        return bool(self.page.failed[self.slot] & bit(check))


def intervals_of(
    state: State, meter: Meter, from_ms: Milliseconds, to_ms: Milliseconds
) -> Iterator[Interval]:
    """Yields the intervals that have a reading or a correction, by time; both ends are starts."""
    conversion = conversion_of(meter)
    interval_ms = meter.interval_ms
    prefix = page_prefix(meter.meter_id)
    first_key = page_key(meter.meter_id, page_start(interval_ms, from_ms))
    for key, record in state.iterate(ReadingPage, prefix, first_key):
        page_ms = int(key[len(prefix) :])
        if page_ms > to_ms:
            return
        page = MutablePage(meter, conversion, page_ms, record)
        corrected = corrected_slots(state, meter.meter_id, page_ms) if page.corrected else {}
        for slot in range((page.present | page.corrected).bit_length()):
            start_ms = page_ms + slot * interval_ms
            correction = corrected.get(slot)
            if correction is not None and correction.amount is None:
                correction = None  # it says that the reading counts again
            if from_ms <= start_ms <= to_ms and (correction or page.has_value(slot)):
                yield Interval(start_ms, page, slot, correction)


class Replay:
    """Runs the rules again over a meter's intervals, in order of time."""

    __slots__ = (
        "_baselines",
        "_clock",
        "_facts",
        "_is_held",
        "_memory",
        "_meter",
        "_observation",
        "_state",
    )

    def __init__(
        self,
        state: State,
        meter: Meter,
        settings: CheckSettings | None,
        version: int | None,
    ) -> None:
        self._state = state
        self._meter = meter
        self._facts = find_facts(meter, settings)
        self._memory = Memory()
        self._clock = LocalClock(require_calendar(state, meter.calendar))
        self._baselines = BaselineLookup(state, meter.meter_id)
        self._baselines.look_up()
        self._is_held = version is not None
        """Whether one version says what is usual by itself: days before it scale nothing."""
        if version is not None:
            self._baselines.hold_against(version)
        self._observation = Observation(
            meter,
            self._memory,
            resolution=self._facts.resolution,
            settings=self._facts.settings,
            judged_before=PageBook(state, self._facts, self._memory, {}).judged_at,
        )

    def verdicts(
        self, check: Check, from_ms: Milliseconds, to_ms: Milliseconds
    ) -> Iterator[tuple[Milliseconds, bool]]:
        """Yields each interval to which the check applies or which had failed: does it pass now?

        Where the check has nothing to say of one that had failed, it passes if it was corrected.
        """
        interval_ms, check_bit = self._meter.interval_ms, bit(check)
        warm_up_ms = min(WARM_UP_MS, WARM_UP_INTERVALS_MAX * interval_ms)
        begin_ms = max(from_ms - warm_up_ms, 0)
        judged_from_ms = from_ms - min(JUDGED_BEFORE_MS, JUDGED_BEFORE_MAX * interval_ms)
        for each in intervals_of(self._state, self._meter, begin_ms, to_ms):
            if each.start_ms < judged_from_ms:
                self._observe(each)
                self._remember(0 if each.correction else each.page.failed[each.slot])
                continue
            applied, failed = self._judge(each)
            if each.start_ms < from_ms:
                continue
            if applied & check_bit:
                yield each.start_ms, not failed & check_bit
            elif each.had_failed(check):
                yield each.start_ms, each.correction is not None and not self._is_held

    def _judge(self, interval: Interval) -> tuple[int, int]:
        """Returns the masks of what applies to an interval and what it fails, and remembers it."""
        memory, observation = self._memory, self._observation
        channels = self._observe(interval)
        rules = self._facts.rules[
            rule_set_of(has_channels=bool(channels), has_baseline=self._baselines.is_any)
        ]
        applied, failures = run_rules(observation, rules)
        failed = mask_of(failures)
        memory.alerting = memory.alerting & ~applied | failed
        if self._facts.is_register and failed & bit(Check.UNIT_SLIP):
            observation.amount = None
        self._remember(failed)
        return applied, failed

    def _observe(self, interval: Interval) -> dict[int, int]:
        """Sets the observation to an interval; returns its channels."""
        memory, observation, page = self._memory, self._observation, interval.page
        interval_ms, start_ms, slot = self._meter.interval_ms, interval.start_ms, interval.slot
        is_raw = interval.correction is None
        channels = page.channels_at(slot) if is_raw else {}
        before_ms = memory.newest_ms
        span_ms = interval_ms
        if is_raw and self._facts.is_register and before_ms is not None:
            span_ms = start_ms - before_ms
        observation.begin(start_ms, span_ms, channels, is_newest=True)
        observation.amount = interval.amount
        if is_raw and self._facts.is_register:
            observation.register = page.submitted[slot]
            observation.register_before = memory.register if memory.register_ms else None
            is_broken = interval.had_failed(Check.REGISTER)
            observation.register_verdict = Deviation(0, 0) if is_broken else PASSED
        if span_ms == interval_ms:
            observation.is_contiguous = before_ms == start_ms - interval_ms and bool(memory.recent)
            if self._baselines.is_any:
                observation.baseline = self._baselines.cell_at(start_ms, self._clock)
                observation.local_day = self._clock.day
                if not self._is_held:
                    follow_day(observation)
        if self._baselines.is_daily:
            observation.day = self._baselines.completed_day(
                self._meter, memory, start_ms, self._clock
            )
        return channels

    def _remember(self, failed: int) -> None:
        memory, observation = self._memory, self._observation
        memory.newest_ms = observation.start_ms
        if observation.register is not None:
            memory.register_ms, memory.register = observation.start_ms, observation.register
        if not observation.is_contiguous:
            memory.restart_recent()
        if observation.amount is None or observation.span_ms != self._meter.interval_ms:
            memory.restart_recent()
            return
        memory.add_recent(observation.amount)
        if not failed & NOT_TYPICAL:
            memory.add_level(observation.start_ms, observation.amount)
