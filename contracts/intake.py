"""The intake of readings: one meter's readings of one call, taken one after the other.

For each reading, in this order: its leaf is kept; its stamp is snapped to the grid; it is compared
with what its interval already holds; its register is set between its neighbours in time; then the
rules run (:mod:`contracts.deviation.table`). The order is a tested requirement: on the night the
clocks change any other one finds faults that are none.
"""

from typing import Final

from chain.state import State
from chain.types import HASH_BYTES, Hash
from contracts.alert import Occurrence
from contracts.alerts import clear_alert, raise_alert
from contracts.baseline_lookup import BaselineLookup
from contracts.calendars import HOUR_MS, Calendar
from contracts.check import Check, bit, checks_in
from contracts.check_settings import get_settings_record
from contracts.context import Context
from contracts.deviation.clock import SNAP_MS, kept_ms_of, lateness, snapped_to
from contracts.deviation.day_ratio import follow_day
from contracts.deviation.duplicate import compare
from contracts.deviation.missing import follow_gaps, forget_gap
from contracts.deviation.observation import PASSED, Deviation, Observation
from contracts.deviation.sequence import follow_sequence
from contracts.deviation.table import run_rules
from contracts.emissions import AMOUNT_MAX
from contracts.finding import Finding, mask_of
from contracts.ledger import Ledger
from contracts.local_clock import LocalClock
from contracts.meter import Meter
from contracts.meter_facts import MeterFacts, facts_of, rule_set_of
from contracts.meter_quality import QualityBook
from contracts.meter_state import LEVELS_MAX, Memory, MeterState
from contracts.page_book import PageBook
from contracts.reading import (
    Outcome,
    Quality,
    RawReading,
    leaf_of,
    merged,
    value_of,
)
from contracts.reading_page import MutablePage
from contracts.register_chain import Link, Mark, RegisterChain
from contracts.run_marks import mark_run

NOT_TYPICAL: Final = (
    bit(Check.REGISTER)
    | bit(Check.PHYSICAL_CAP)
    | bit(Check.UNIT_SLIP)
    | bit(Check.ZERO_DROP)
    | bit(Check.SPIKE)
)
"""An amount that fails one of these is left out of the trailing week, unless there has been nothing
else for a week."""
# Members of an enumeration cost a call each time they are looked up by name.
_ACCEPTED: Final = Outcome.ACCEPTED
_LATE: Final = Outcome.LATE
_QUALITY_MISSING: Final = Quality.MISSING
_CLOCK_BIT: Final = bit(Check.CLOCK)
_DUPLICATE_BIT: Final = bit(Check.DUPLICATE)
_MISSING_BIT: Final = bit(Check.MISSING)
_REGISTER_BIT: Final = bit(Check.REGISTER)
_UNIT_SLIP_BIT: Final = bit(Check.UNIT_SLIP)
_SEQUENCE: Final = Check.SIGNATURE_SEQUENCE
_NO_LEAF: Final = bytes(HASH_BYTES)
_NO_CHANNELS: Final[dict[int, int]] = {}


def begin_intake(context: Context, meter: Meter) -> "Intake":
    """Returns the block's intake of a meter, ready for the readings of a call."""
    state = context.state
    facts = facts_of(meter, get_settings_record(state, meter.meter_id))
    intake = state.edit(
        MeterState, facts.state_key, lambda remembered: Intake(state, facts, remembered)
    )
    intake.begin(context, facts)
    return intake


class Intake:
    """Takes the readings of one meter; for a block, the draft of what is remembered of the meter.

    Pages, totals and qualities are drafts of their own. They and what was looked up are kept from
    call to call while nobody has written a record (:attr:`chain.state.State.revision`), and looked
    up again by :meth:`begin` otherwise.

    Nothing that a draft took up can be taken back: a call asks for the intake after everything
    that may refuse it.
    """

    def __init__(self, state: State, facts: MeterFacts, remembered: MeterState | None) -> None:
        calendar = state.get(Calendar, facts.calendar_key)
        assert calendar is not None, "a meter's calendar is registered before it"
        self._state = state
        self._memory = Memory(remembered)
        self._clock = LocalClock(calendar)
        self._baselines = BaselineLookup(state, facts.meter.meter_id)
        self._leaf = _NO_LEAF
        self._chain: RegisterChain | None = None
        self._settle(facts)

    def record(self) -> MeterState:
        """Returns what is remembered of the meter as it stands."""
        return self._memory.record()

    def begin(self, context: Context, facts: MeterFacts) -> None:
        """Begins a call.

        Args:
            context: of the call.
            facts: of the meter as it is now; an earlier call may have changed it.
        """
        self._context = context
        if facts is not self._facts:
            self._settle(facts)
        self._future_ms = context.time_ms + facts.settings.clock_skew_ms - self._interval_ms
        """Latest start of an interval that is not of the future."""
        self._baselines.begin_call()
        if self._state.revision != self._revision:
            self._look_up(facts)
        else:
            self._state.edit_again(self._drafts)

    def _look_up(self, facts: MeterFacts) -> None:
        """Lets go of what is kept; the rest of the call asks anew."""
        self._revision = self._state.revision
        self._drafts.clear()
        self.book.forget()
        self.ledger.forget()
        self.quality.forget()
        self._baselines.look_up()
        if facts.is_register:
            self._chain = RegisterChain(self._state, facts.meter, facts.conversion, facts.settings)

    def _settle(self, facts: MeterFacts) -> None:
        self._facts = facts
        self._revision = -1
        """Of the state, when what is kept was looked up."""
        self._meter = facts.meter
        self._interval_ms = facts.meter.interval_ms
        self._drafts: dict[bytes, None] = {}
        """State keys of what is kept to be changed further."""
        state, clock, drafts = self._state, self._clock, self._drafts
        self.book = PageBook(state, facts, self._memory, drafts)
        self.ledger = Ledger(state, facts, clock, drafts)
        self.quality = QualityBook(state, facts.quality_prefix, facts.off, clock, drafts)
        self._observation = Observation(
            self._meter,
            self._memory,
            resolution=facts.resolution,
            settings=facts.settings,
            judged_before=self.book.judged_at,
        )
        """Of the reading at hand; one for all, because every reading needs one."""

    def take(self, reading: RawReading) -> tuple[Outcome, int, Hash]:
        """Takes one reading; returns what became of it, the mask of what it failed, its leaf."""
        meter, facts = self._meter, self._facts
        leaf = self._leaf = leaf_of(meter.meter_id, meter.unit, reading)
        start_ms = snapped_to(self._interval_ms, facts.tolerance_ms, reading.stamp_ms)
        if start_ms is None:
            result = self._keep_aside(reading, Outcome.OFF_GRID)
        else:
            start_ms -= facts.shift_ms
            if start_ms > self._future_ms:
                result = self._keep_aside(reading, Outcome.FUTURE)
            elif reading.quality is _QUALITY_MISSING:
                result = self._keep_aside(reading, Outcome.NO_VALUE)
            else:
                result = self._take_interval(reading, start_ms)
        if reading.sequence is not None:
            result.add(_SEQUENCE, follow_sequence(self._memory, reading, leaf, result.outcome))
        if facts.off:
            result.leave_out(facts.off)
        failed = self._report(result)
        if result.page is not None:
            failed = self._enter(result, result.page, failed)
        return result.outcome, failed, leaf

    def _enter(self, result: Finding, page: MutablePage, failed: int) -> int:
        """Counts a reading that is its interval's value, and keeps the masks; returns the mask."""
        slot = result.slot
        if result.outcome is _ACCEPTED or result.outcome is _LATE:
            amount, quality = result.amount, page.qualities[slot]
            self._count(result, page, failed, quality)
            if page.corrected and page.is_corrected(slot):
                amount = None  # what was approved for the interval counts already
                self.quality.at(result.start_ms).move(quality, 0)
            failed |= self.ledger.count(result.start_ms, amount, is_flagged=failed != 0)
        else:
            self._count(result, page, failed)
        page.applied[slot] |= result.applied
        page.failed[slot] |= failed
        return failed

    def _count(self, result: Finding, page: MutablePage, failed: int, quality: int = 0) -> None:
        """Counts what an interval's masks gain into the quality of its month."""
        slot = result.slot
        applied = result.applied & ~page.applied[slot]
        failed &= ~page.failed[slot]
        if quality or applied or failed:
            self.quality.at(result.start_ms).count(applied, failed, quality)

    def _keep_aside(self, reading: RawReading, outcome: Outcome) -> Finding:
        """Keeps a reading that belongs to no slot."""
        interval_ms = self._meter.interval_ms
        kept_ms = kept_ms_of(self._meter, reading.stamp_ms)
        page = self.book.open(kept_ms)
        page.append_leaf(self._leaf)
        page.off_grid_count += 1
        self.quality.at(kept_ms).aside += 1
        result = Finding(outcome, kept_ms)
        if outcome is Outcome.OFF_GRID:
            off_ms = reading.stamp_ms % interval_ms
            result.add(Check.CLOCK, Deviation(min(off_ms, interval_ms - off_ms), SNAP_MS))
        elif outcome is Outcome.FUTURE:
            ahead_ms = kept_ms + interval_ms - self._context.time_ms
            result.add(Check.CLOCK, Deviation(ahead_ms, self._facts.settings.clock_skew_ms))
            # Its stamp says nothing of when it was measured; the alert is dated by what was known.
            result.start_ms = min(kept_ms, self._memory.newest_ms or kept_ms)
        return result

    def _take_interval(self, reading: RawReading, start_ms: int) -> Finding:
        page, slot = self.book.open(start_ms), self.book.slot_of(start_ms)
        page.append_leaf(self._leaf)
        value = reading.amount if reading.register is None else reading.register
        if value is not None and not page.qualities[slot] and not page.channels[slot]:
            result = Finding(_ACCEPTED, start_ms, page, slot)
            channels = dict[int, int](reading.channels) if reading.channels else _NO_CHANNELS
            self._place(result, page, reading, value, channels)
            return result
        return self._take_again(reading, start_ms, page, slot)

    def _take_again(
        self, reading: RawReading, start_ms: int, page: MutablePage, slot: int
    ) -> Finding:
        """Takes a reading of an interval that holds something, or one that only has channels."""
        channels = page.channels_at(slot)
        outcome, deviation = compare(
            value=page.submitted[slot] if page.has_value(slot) else None,
            quality=page.qualities[slot],
            channels=channels,
            reading=reading,
        )
        result = Finding(outcome, start_ms, page, slot)
        match outcome:
            case Outcome.DUPLICATE:
                page.duplicate_count += 1
            case Outcome.CONFLICT:
                page.conflict_count += 1
                result.add(Check.DUPLICATE, deviation)
            case Outcome.SUPPLEMENT:
                page.supplement_count += 1
                self._supplement(result, page, slot, merged(channels, reading))
            case _:
                value = value_of(reading)
                assert value is not None, "a reading without a value is not placed"
                self._place(result, page, reading, value, merged(channels, reading))
        return result

    def _supplement(
        self, result: Finding, page: MutablePage, slot: int, channels: dict[int, int]
    ) -> None:
        """Adds channels to an interval, and runs the rules that waited for them."""
        page.set_channels(slot, channels)
        if not page.has_value(slot):
            return
        observation = self._observation
        observation.begin(
            result.start_ms,
            self._interval_ms,
            channels,
            is_newest=result.start_ms == self._memory.newest_ms,
        )
        observation.amount = page.amount_at(slot)
        applied, failures = run_rules(
            observation, self._facts.channel_rules, without=page.applied[slot]
        )
        result.applied |= applied
        result.failures += failures

    def _place(
        self,
        result: Finding,
        page: MutablePage,
        reading: RawReading,
        value: int,
        channels: dict[int, int],
    ) -> None:
        """Sets the value of an interval, and runs the rules on it."""
        facts, memory, start_ms, slot = self._facts, self._memory, result.start_ms, result.slot
        result.applied = _DUPLICATE_BIT | _CLOCK_BIT
        if facts.is_live:
            late = lateness(
                self._meter, start_ms, self._context.time_ms, facts.settings.clock_late_ms
            )
            if late is not True:
                result.outcome = _LATE
            result.add(Check.CLOCK, late)
        gap = follow_gaps(memory, start_ms, self._interval_ms, facts.settings)
        if gap.verdict is True:
            result.applied |= _MISSING_BIT
        else:
            result.add(Check.MISSING, gap.verdict)
            result.first_missing_ms = gap.first_missing_ms
        is_newest = result.was_newest = memory.newest_ms is None or start_ms > memory.newest_ms
        page.present |= 1 << slot
        page.qualities[slot] = reading.quality
        page.submitted[slot] = value
        if channels:
            page.set_channels(slot, channels)
        observation = self._observe(result, page, value, channels)
        rules = facts.rules[
            rule_set_of(has_channels=bool(channels), has_baseline=self._baselines.is_any)
        ]
        applied, failures = run_rules(observation, rules)
        result.applied |= applied
        failed = 0
        if failures:
            result.failures += failures
            failed = mask_of(failures)
            if facts.is_register and failed & _UNIT_SLIP_BIT:
                observation.amount = None  # a counter that slipped did not count what it jumped
        result.amount = observation.amount
        page.set_amount(slot, observation.amount)
        if is_newest:
            if memory.alerting & _MISSING_BIT:
                forget_gap(memory)  # block time has found this gap already
            self._remember(observation, failed)

    def _observe(
        self, result: Finding, page: MutablePage, value: int, channels: dict[int, int]
    ) -> Observation:
        facts, memory, start_ms = self._facts, self._memory, result.start_ms
        interval_ms = self._interval_ms
        observation = self._observation
        observation.begin(start_ms, interval_ms, channels, is_newest=result.was_newest)
        if self._chain is not None:
            self._set_in_chain(result, page, observation, value)
        else:
            observation.amount = facts.conversion.amount(value)
        amount = observation.amount
        if amount is not None and not -AMOUNT_MAX <= amount <= AMOUNT_MAX:
            observation.amount, observation.excess = None, amount
        if observation.span_ms == interval_ms:
            is_next = memory.newest_ms == start_ms - interval_ms
            observation.is_contiguous = is_next and bool(memory.recent)
            if self._baselines.is_any:
                observation.baseline = self._baselines.cell_at(start_ms, self._clock)
                observation.local_day = self._clock.day
                if result.was_newest:
                    follow_day(observation)
        if result.was_newest and self._baselines.is_daily:
            observation.day = self._baselines.completed_day(
                self._meter, memory, start_ms, self._clock
            )
        return observation

    def _set_in_chain(
        self, result: Finding, page: MutablePage, observation: Observation, register: int
    ) -> None:
        """Sets a register between its neighbours in time."""
        mark = Mark(result.start_ms, register)
        before, after = self._neighbours(result)
        into = None if before is None else self._link(before, mark)
        if result.was_newest and before is not None and into is not None:
            before, into = self._without_outlier(before, into, mark)
        out = None if after is None else self._link(mark, after)
        observation.register = register
        if before is not None and into is not None:
            observation.register_before = before.register
            observation.register_verdict = into.verdict
            observation.amount, observation.span_ms = into.amount, into.span_ms
        if not result.was_newest:
            if after is None or out is None or not self._closes_gap(before, after):
                observation.amount = None
                return
            verdicts = (into.verdict if into is not None else PASSED, out.verdict)
            broken = next((each for each in verdicts if each is not PASSED), None)
            if broken is not None:
                observation.register_verdict, observation.amount = broken, None
                return  # an outlier: what comes after it is not compared with it
            observation.register_verdict = PASSED
            self._correct_amount(after.start_ms, out)
        page.linked |= 1 << result.slot

    def _link(self, before: Mark, after: Mark) -> Link:
        assert self._chain is not None, "only a meter of registers has a chain"
        return self._chain.link(before, after)

    def _closes_gap(self, before: Mark | None, after: Mark) -> bool:
        """Returns whether a late register lies between known ones, or before the meter's first.

        Else the amount after it goes back to a register further away than one looks: to count from
        here too would count twice, and to count from here only would lose what was before.
        """
        if before is not None:
            return True
        page, slot = self.book.open(after.start_ms), self.book.slot_of(after.start_ms)
        return page.amount_at(slot) is None

    def _neighbours(self, result: Finding) -> tuple[Mark | None, Mark | None]:
        memory = self._memory
        if not result.was_newest:
            return self.book.mark_before(result.start_ms), self.book.mark_after(result.start_ms)
        if memory.register_ms is None:
            return None, None
        return Mark(memory.register_ms, memory.register), None

    def _without_outlier(self, before: Mark, into: Link, mark: Mark) -> tuple[Mark, Link]:
        """Leaves the last register out of the chain where it fits neither side.

        A single wild value looks like a jump and then a reset, or a reset and then a jump. Where
        the register before it leads on to the new one, it was an outlier, and what it seemed to
        count is taken back.
        """
        is_reset = into.verdict is not PASSED
        if not is_reset and not self._memory.alerting & _REGISTER_BIT:
            return before, into
        earlier = self.book.mark_before(before.start_ms)
        if earlier is None:
            return before, into
        around = self._link(earlier, mark)
        was_reset = self._link(earlier, before).verdict is not PASSED
        if around.verdict is not PASSED or not (is_reset or was_reset):
            return before, into
        page, slot = self.book.open(before.start_ms), self.book.slot_of(before.start_ms)
        page.linked &= ~(1 << slot)
        self.ledger.correct(before.start_ms, page, slot, None)
        return earlier, Link(into.verdict, around.amount, around.span_ms)

    def _correct_amount(self, start_ms: int, link: Link) -> None:
        """Gives a later interval the amount since the register that came late before it."""
        page, slot = self.book.open(start_ms), self.book.slot_of(start_ms)
        amount = link.amount
        if amount is not None and amount > AMOUNT_MAX:
            amount = None
        self.ledger.correct(start_ms, page, slot, amount)

    def _remember(self, observation: Observation, failed: int) -> None:
        """Takes up the newest interval into the meter's memory."""
        memory, amount = self._memory, observation.amount
        memory.newest_ms = observation.start_ms
        if observation.register is not None:
            memory.register_ms, memory.register = observation.start_ms, observation.register
        if not observation.is_contiguous:
            memory.restart_recent()
        if amount is None or observation.span_ms != self._interval_ms:
            memory.restart_recent()
            return
        memory.add_recent(amount)
        is_long_ago = observation.start_ms // HOUR_MS - memory.hour > LEVELS_MAX
        if is_long_ago or not failed & NOT_TYPICAL:
            memory.add_level(observation.start_ms, amount)

    def _report(self, result: Finding) -> int:
        """Raises and clears alerts; returns the mask of what failed."""
        memory = self._memory
        if not result.failures and not memory.alerting:
            return 0
        failed = mask_of(result.failures)
        for check, deviation in result.failures:
            self._raise(result, check, deviation)
        passed = result.applied & ~failed & memory.alerting
        if passed and result.was_newest:
            if memory.missing_sequences:
                passed &= ~bit(Check.SIGNATURE_SEQUENCE)
            for check in checks_in(passed):
                self._clear(check, result.start_ms)
        return failed

    def _raise(self, result: Finding, check: Check, deviation: Deviation) -> None:
        if check is not Check.MISSING:
            self._memory.alerting |= bit(check)
            if deviation.since_ms is not None and deviation.since_ms < result.start_ms:
                span = range(deviation.since_ms, result.start_ms, self._interval_ms)
                for start_ms in mark_run(self.book, self.quality.at, bit(check), span):
                    self._raise_at(start_ms, check, deviation, self._leaf)
            self._raise_at(result.start_ms, check, deviation, self._leaf)
            return
        self._raise_at(result.first_missing_ms, check, deviation, _NO_LEAF)
        # Readings are here again: the gap that they end is over.
        self._clear(check, result.start_ms)

    def _raise_at(self, start_ms: int, check: Check, deviation: Deviation, leaf: bytes) -> None:
        occurrence = Occurrence(
            check=check,
            interval_start_ms=start_ms,
            observed=deviation.observed,
            expected=deviation.expected,
            leaf=leaf,
        )
        raise_alert(self._context, self._meter, occurrence)

    def _clear(self, check: Check, at_ms: int) -> None:
        clear_alert(self._context, subject_id=self._meter.meter_id, check=check, at_ms=at_ms)
        self._memory.alerting &= ~bit(check)
