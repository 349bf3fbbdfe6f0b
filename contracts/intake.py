"""The intake of readings: one meter's readings of one call, taken one after the other.

For each reading, in this order: its leaf is kept; its stamp is snapped to the grid; it is compared
with what its interval already holds; its register is set between its neighbours in time; then the
rules run (:mod:`contracts.deviation.table`). The order is a tested requirement: on the night the
clocks change any other one finds faults that are none.
"""

from typing import Final

from chain.types import HASH_BYTES
from contracts.alerts import clear_alert, raise_alert
from contracts.baselines import BaselineLookup
from contracts.calendars import require_calendar
from contracts.check import Check, bit, checks_in
from contracts.context import Context
from contracts.conversion import conversion_of
from contracts.deviation.clock import (
    SKEW_MS,
    SNAP_MS,
    interval_start_of,
    is_future,
    kept_ms_of,
    lateness,
)
from contracts.deviation.duplicate import compare
from contracts.deviation.missing import follow_gaps, forget_gap
from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.deviation.sequence import follow_sequence
from contracts.deviation.table import CHANNEL_RULES, RULES, Failure, run_rules
from contracts.emissions import AMOUNT_MAX
from contracts.ledger import Ledger
from contracts.local_clock import LocalClock
from contracts.meter import Meter, ValueKind
from contracts.meter_state import Memory, get_meter_state, meter_state_key
from contracts.page_book import PageBook
from contracts.reading import (
    NO_FACTOR,
    Outcome,
    Quality,
    RawReading,
    leaf_of,
    merged,
    value_of,
)
from contracts.reading_page import MutablePage
from contracts.register_chain import Link, Mark, RegisterChain

_NOT_TYPICAL: Final = (
    bit(Check.REGISTER) | bit(Check.PHYSICAL_CAP) | bit(Check.UNIT_SLIP) | bit(Check.SPIKE)
)
"""An amount that fails one of these is left out of the trailing week."""
_PLACED: Final = frozenset({Outcome.ACCEPTED, Outcome.LATE})


class _Result:
    """What is found out about one reading, step by step."""

    __slots__ = (
        "applied",
        "failures",
        "first_missing_ms",
        "outcome",
        "page",
        "slot",
        "start_ms",
        "was_newest",
    )

    def __init__(
        self, outcome: Outcome, start_ms: int, page: MutablePage | None = None, slot: int = 0
    ) -> None:
        self.outcome = outcome
        self.start_ms = start_ms
        self.page = page
        """Page whose slot keeps the masks; None where the reading has no slot."""
        self.slot = slot
        self.first_missing_ms = 0
        """Start of the gap that failed check 4."""
        self.was_newest = False
        """Whether its interval became the newest of the meter."""
        self.applied = 0
        self.failures: list[Failure] = []

    def add(self, check: Check, verdict: Verdict) -> None:
        """Takes up the verdict of one check."""
        if verdict is None:
            return
        self.applied |= 1 << (check - 1)
        if verdict is not True:
            self.failures.append((check, verdict))


class Intake:
    """Takes the readings of one meter; :meth:`write` puts what changed into the state."""

    def __init__(self, context: Context, meter: Meter) -> None:
        state = context.state
        self._context = context
        self._meter = meter
        self._conversion = conversion_of(meter)
        self._memory = Memory(get_meter_state(state, meter.meter_id))
        self._book = PageBook(state, meter, self._conversion, self._memory)
        self._chain = RegisterChain(state, meter, self._conversion)
        self._clock = LocalClock(require_calendar(state, meter.calendar))
        self._ledger = Ledger(state, meter, self._clock)
        self._baselines = BaselineLookup(state, meter.meter_id)
        self._leaf = bytes(HASH_BYTES)

    def take(self, reading: RawReading) -> tuple[Outcome, int]:
        """Takes one reading; returns what became of it and the mask of what it failed."""
        meter = self._meter
        leaf = self._leaf = leaf_of(meter.meter_id, meter.unit, reading)
        start_ms = interval_start_of(meter, reading.stamp_ms)
        aside = self._reason_to_keep_aside(reading, start_ms)
        if aside is not None or start_ms is None:
            result = self._keep_aside(reading, aside or Outcome.OFF_GRID)
        else:
            result = self._take_interval(reading, start_ms)
        sequence = follow_sequence(self._memory, reading, leaf, result.outcome)
        result.add(Check.SIGNATURE_SEQUENCE, sequence)
        failed = self._report(result)
        if result.page is not None:
            if result.outcome in _PLACED:
                has_factor = self._ledger.count(
                    result.start_ms, result.page, result.slot, is_flagged=failed != 0
                )
                failed |= 0 if has_factor else NO_FACTOR
            result.page.applied[result.slot] |= result.applied
            result.page.failed[result.slot] |= failed
        return result.outcome, failed

    def write(self) -> None:
        """Puts pages, memory and totals into the state."""
        self._book.write()
        key = meter_state_key(self._meter.meter_id)
        self._context.state.put(key, self._memory.record())
        self._ledger.write()

    def _reason_to_keep_aside(self, reading: RawReading, start_ms: int | None) -> Outcome | None:
        if start_ms is None:
            return Outcome.OFF_GRID
        if is_future(self._meter, start_ms, self._context.time_ms):
            return Outcome.FUTURE
        return Outcome.NO_VALUE if reading.quality is Quality.MISSING else None

    def _keep_aside(self, reading: RawReading, outcome: Outcome) -> _Result:
        """Keeps a reading that belongs to no slot."""
        interval_ms = self._meter.interval_ms
        kept_ms = kept_ms_of(self._meter, reading.stamp_ms)
        page = self._book.open(kept_ms)
        page.append_leaf(self._leaf)
        page.off_grid_count += 1
        result = _Result(outcome, kept_ms)
        if outcome is Outcome.OFF_GRID:
            off_ms = reading.stamp_ms % interval_ms
            result.add(Check.CLOCK, Deviation(min(off_ms, interval_ms - off_ms), SNAP_MS))
        elif outcome is Outcome.FUTURE:
            ahead_ms = kept_ms + interval_ms - self._context.time_ms
            result.add(Check.CLOCK, Deviation(ahead_ms, SKEW_MS))
            # Its stamp says nothing of when it was measured; the alert is dated by what was known.
            result.start_ms = min(kept_ms, self._memory.newest_ms or kept_ms)
        return result

    def _take_interval(self, reading: RawReading, start_ms: int) -> _Result:
        page, slot = self._book.open(start_ms), self._book.slot_of(start_ms)
        page.append_leaf(self._leaf)
        channels = page.channels_at(slot)
        outcome, deviation = compare(
            value=page.submitted[slot] if page.has_value(slot) else None,
            quality=page.qualities[slot],
            channels=channels,
            reading=reading,
        )
        result = _Result(outcome, start_ms, page, slot)
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
                result.add(Check.DUPLICATE, PASSED)
                self._place(result, page, reading, merged(channels, reading))
        return result

    def _supplement(
        self, result: _Result, page: MutablePage, slot: int, channels: dict[int, int]
    ) -> None:
        """Adds channels to an interval, and runs the rules that waited for them."""
        page.set_channels(slot, channels)
        if not page.has_value(slot):
            return
        observation = Observation(
            meter=self._meter,
            memory=self._memory,
            start_ms=result.start_ms,
            amount=page.amount_at(slot),
            span_ms=self._meter.interval_ms,
            is_newest=result.start_ms == self._memory.newest_ms,
            is_contiguous=False,
            channels=channels,
        )
        applied, failures = run_rules(observation, CHANNEL_RULES, without=page.applied[slot])
        result.applied |= applied
        result.failures += failures

    def _place(
        self, result: _Result, page: MutablePage, reading: RawReading, channels: dict[int, int]
    ) -> None:
        """Sets the value of an interval, and runs the rules on it."""
        meter, memory, start_ms, slot = self._meter, self._memory, result.start_ms, result.slot
        value = value_of(reading)
        assert value is not None, "a reading without a value is not placed"
        late = lateness(meter, start_ms, self._context.time_ms)
        if late is not True:
            result.outcome = Outcome.LATE
        result.add(Check.CLOCK, late)
        gap = follow_gaps(memory, start_ms, meter.interval_ms)
        result.add(Check.MISSING, gap.verdict)
        result.first_missing_ms = gap.first_missing_ms
        result.was_newest = memory.newest_ms is None or start_ms > memory.newest_ms
        page.present |= 1 << slot
        page.qualities[slot] = reading.quality
        page.submitted[slot] = value
        if channels:
            page.set_channels(slot, channels)
        observation = self._observe(result, page, value, channels)
        applied, failures = run_rules(observation, RULES)
        result.applied |= applied
        result.failures += failures
        failed = _mask_of(failures)
        if meter.kind is ValueKind.REGISTER and failed & bit(Check.UNIT_SLIP):
            observation.amount = None  # a counter that slipped did not count what it jumped
        page.set_amount(slot, observation.amount)
        if result.was_newest:
            if memory.alerting & bit(Check.MISSING):
                forget_gap(memory)  # block time has found this gap already
            self._remember(observation, failed)

    def _observe(
        self, result: _Result, page: MutablePage, value: int, channels: dict[int, int]
    ) -> Observation:
        meter, memory, start_ms = self._meter, self._memory, result.start_ms
        observation = Observation(
            meter=meter,
            memory=memory,
            start_ms=start_ms,
            amount=None,
            span_ms=meter.interval_ms,
            is_newest=result.was_newest,
            is_contiguous=False,
            channels=channels,
            resolution=self._conversion.resolution,
        )
        if meter.kind is ValueKind.REGISTER:
            self._set_in_chain(result, page, observation, value)
        else:
            observation.amount = self._conversion.amount(value)
        amount = observation.amount
        if amount is not None and not -AMOUNT_MAX <= amount <= AMOUNT_MAX:
            observation.amount, observation.excess = None, amount
        if observation.span_ms == meter.interval_ms:
            is_next = memory.newest_ms == start_ms - meter.interval_ms
            observation.is_contiguous = is_next and bool(memory.recent)
            if self._baselines.is_any:
                observation.baseline = self._baselines.cell_at(start_ms, self._clock)
        return observation

    def _set_in_chain(
        self, result: _Result, page: MutablePage, observation: Observation, register: int
    ) -> None:
        """Sets a register between its neighbours in time."""
        mark = Mark(result.start_ms, register)
        before, after = self._neighbours(result)
        into = None if before is None else self._chain.link(before, mark)
        if result.was_newest and before is not None and into is not None:
            before, into = self._without_outlier(before, into, mark)
        out = None if after is None else self._chain.link(mark, after)
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

    def _closes_gap(self, before: Mark | None, after: Mark) -> bool:
        """Returns whether a late register lies between known ones, or before the meter's first.

        Else the amount after it goes back to a register further away than one looks: to count from
        here too would count twice, and to count from here only would lose what was before.
        """
        if before is not None:
            return True
        page, slot = self._book.open(after.start_ms), self._book.slot_of(after.start_ms)
        return page.amount_at(slot) is None

    def _neighbours(self, result: _Result) -> tuple[Mark | None, Mark | None]:
        memory = self._memory
        if not result.was_newest:
            return self._book.mark_before(result.start_ms), self._book.mark_after(result.start_ms)
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
        if not is_reset and not self._memory.alerting & bit(Check.REGISTER):
            return before, into
        earlier = self._book.mark_before(before.start_ms)
        if earlier is None:
            return before, into
        around = self._chain.link(earlier, mark)
        was_reset = self._chain.link(earlier, before).verdict is not PASSED
        if around.verdict is not PASSED or not (is_reset or was_reset):
            return before, into
        page, slot = self._book.open(before.start_ms), self._book.slot_of(before.start_ms)
        page.linked &= ~(1 << slot)
        self._ledger.correct(before.start_ms, page, slot, None)
        return earlier, Link(into.verdict, around.amount, around.span_ms)

    def _correct_amount(self, start_ms: int, link: Link) -> None:
        """Gives a later interval the amount since the register that came late before it."""
        page, slot = self._book.open(start_ms), self._book.slot_of(start_ms)
        amount = link.amount
        if amount is not None and amount > AMOUNT_MAX:
            amount = None
        self._ledger.correct(start_ms, page, slot, amount)

    def _remember(self, observation: Observation, failed: int) -> None:
        """Takes up the newest interval into the meter's memory."""
        memory, amount = self._memory, observation.amount
        memory.newest_ms = observation.start_ms
        if observation.register is not None:
            memory.register_ms, memory.register = observation.start_ms, observation.register
        if not observation.is_contiguous:
            memory.restart_recent()
        if amount is None or observation.span_ms != self._meter.interval_ms:
            memory.restart_recent()
            return
        memory.add_recent(amount)
        if not failed & _NOT_TYPICAL:
            memory.add_level(observation.start_ms, amount)

    def _report(self, result: _Result) -> int:
        """Raises and clears alerts; returns the mask of what failed."""
        memory = self._memory
        failed = _mask_of(result.failures)
        for check, deviation in result.failures:
            self._raise(result, check, deviation)
        passed = result.applied & ~failed & memory.alerting
        if passed and result.was_newest:
            if memory.missing_sequences:
                passed &= ~bit(Check.SIGNATURE_SEQUENCE)
            for check in checks_in(passed):
                self._clear(check, result.start_ms)
        return failed

    def _raise(self, result: _Result, check: Check, deviation: Deviation) -> None:
        if check is not Check.MISSING:
            self._memory.alerting |= bit(check)
            self._raise_at(result.start_ms, check, deviation, self._leaf)
            return
        self._raise_at(result.first_missing_ms, check, deviation, bytes(HASH_BYTES))
        # Readings are here again: the gap that they end is over.
        self._clear(check, result.start_ms)

    def _raise_at(self, start_ms: int, check: Check, deviation: Deviation, leaf: bytes) -> None:
        raise_alert(
            self._context,
            meter=self._meter,
            check=check,
            interval_start_ms=start_ms,
            observed=deviation.observed,
            expected=deviation.expected,
            leaf=leaf,
        )

    def _clear(self, check: Check, at_ms: int) -> None:
        clear_alert(self._context, meter_id=self._meter.meter_id, check=check, at_ms=at_ms)
        self._memory.alerting &= ~bit(check)


def _mask_of(failures: list[Failure]) -> int:
    mask = 0
    for check, _ in failures:
        mask |= bit(check)
    return mask
