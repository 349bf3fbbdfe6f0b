"""The re-check: a case's own check over the window of its alert, on what counts now.

One table (:data:`ANSWERS`) says for each check what may answer its alerts and how the contract
looks at the same window again. It looks at the state and at nothing else. Limits are those of the
settings that held when the alert was opened: a check that was loosened since would pass anything.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from chain.state import State
from chain.types import Milliseconds
from contracts import bills, peers
from contracts.alert import Alert, AlertTrack, number_of, track_key
from contracts.annual_filing import AnnualStage, days_of, step_at as annual_step_at
from contracts.annual_filings import get_filing
from contracts.balance import PAGES_OF_DAY_MAX, Family
from contracts.calendars import DAY_MS, require_calendar
from contracts.case import Recheck
from contracts.check import Check
from contracts.check_settings import CheckSettings, settings_of, settings_record_at
from contracts.comparison import ComparedWith, comparisons_of
from contracts.context import Context
from contracts.day_replay import DAY_CHECKS, DayReplay, reach_of
from contracts.deposit import DAYS, step_at
from contracts.deposits import get_deposit
from contracts.deviation.table import RULES
from contracts.meter import Meter
from contracts.meter_state import MISSING_SEQUENCES_MAX, get_meter_state
from contracts.meters import require_meter
from contracts.month import january_of, month_at, month_end_ms, month_start_ms, year_of
from contracts.replay import JUDGED_BEFORE_MS, Replay, intervals_of
from contracts.sites import require_site
from contracts.target import Target, progress_of, target_version_key, version_in_force

WINDOW_INTERVALS_MAX: Final = 2_000
"""Intervals of the window that one call looks at: three weeks of quarter hours."""
RECHECK_WORK: Final = 8_000
"""Work units of one call: the rules over a window and the eight days before it cost half of that;
ten weeks of minutes, which drift looks back on, about as much as taking so many readings."""

Verdict = tuple[Milliseconds, bool]
"""Start of what was looked at, and whether it passes now."""


class Remedy(IntEnum):
    """What may answer an alert, beside a dismissal."""

    BASELINE = 1
    """A version of the meter's baseline that was set in force since (``case.rebaseline``)."""
    TARGET = 2
    """A version of the site's target that was set since (``case.rebaseline``)."""
    CORRECTION = 3
    """An approved correction or substitute (``case.correct`` with its number)."""
    ARRIVAL = 4
    """That what was missing or wrong was sent, decided or done since (``case.correct`` without a
    number): the state shows whether it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one call looks at: the alert's window, or the next part of it."""

    context: Context
    alert: Alert
    meter: Meter | None
    """None of an alert of a site."""
    remedy: Remedy
    number: int | None
    """Of the remedy, if it has one."""
    from_ms: Milliseconds
    to_ms: Milliseconds
    """Start of the last interval."""

    @property
    def state(self) -> State:
        """Returns what is looked at."""
        return self.context.state

    @property
    def of_meter(self) -> Meter:
        """Returns the meter of an alert that has one."""
        assert self.meter is not None, "the check is one of meters"
        return self.meter

    @property
    def settings(self) -> CheckSettings | None:
        """Returns the settings that held when the alert was opened."""
        return settings_record_at(self.state, self.of_meter.meter_id, self.alert.opened_ms)


def recheck(context: Context, alert: Alert, remedy: Remedy, number: int | None) -> Recheck:
    """Returns what the alert's check says of its window now.

    It goes on where the last call stopped, and looks at a bounded part of the window.

    Args:
        context: of the call; its state holds pages, corrections, baselines and all else.
        alert: that the remedy may answer.
        remedy: by which it is to pass.
        number: of the remedy, if it has one.
    """
    meter = None if alert.meter is None else require_meter(context.state, alert.meter)
    from_ms, end_ms = window_of(context.state, alert)
    if alert.rechecked_to_ms is not None:
        assert meter is not None, "the window of a site is looked at in one call"
        from_ms = alert.rechecked_to_ms + meter.interval_ms
    to_ms = end_ms
    if meter is not None and alert.check not in _OF_MONTHS:
        to_ms = min(end_ms, _part_end(context.state, meter, alert.check, from_ms))
    look = Look(
        context=context,
        alert=alert,
        meter=meter,
        remedy=remedy,
        number=number,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    checked = failed = 0
    first_failed_ms: Milliseconds | None = None
    for start_ms, has_passed in ANSWERS[alert.check].judge(look):
        checked += 1
        if not has_passed:
            failed += 1
            first_failed_ms = start_ms if first_failed_ms is None else first_failed_ms
    return Recheck(
        from_ms=from_ms,
        to_ms=to_ms,
        is_complete=to_ms >= end_ms,
        checked=checked,
        failed=failed,
        first_failed_ms=first_failed_ms,
    )


def window_of(state: State, alert: Alert) -> tuple[Milliseconds, Milliseconds]:
    """Returns the starts of the first and the last interval of an alert's window.

    Of a check of months it is the whole months; of a site it is what the alert says.
    """
    first_ms, last_ms = alert.first_interval_ms, alert.last_interval_ms
    if alert.meter is None:
        return first_ms, last_ms
    meter = require_meter(state, alert.meter)
    if alert.check in _OF_MONTHS:  # its occurrences are where months begin
        last = _month_at(state, meter, last_ms)
        end_ms = month_end_ms(require_calendar(state, meter.calendar), last)
        return first_ms, end_ms - meter.interval_ms
    if alert.check is Check.MISSING and alert.cleared_ms is not None:
        # Its occurrences are where gaps begin; they lie before the reading that ended the last.
        last_ms = max(alert.cleared_ms - meter.interval_ms, last_ms)
    if alert.check is Check.PARENT_SUM:  # its occurrences are where windows of the family begin
        last_ms += Family(state, meter).window_ms - meter.interval_ms
    # What is off the grid lies within an interval.
    return first_ms - first_ms % meter.interval_ms, last_ms - last_ms % meter.interval_ms


def corrected_span(state: State, alert: Alert) -> tuple[Milliseconds, Milliseconds]:
    """Returns where intervals lie of which an alert's check speaks; the end is exclusive."""
    from_ms, last_ms = window_of(state, alert)
    if alert.meter is not None:
        if alert.check in DAY_CHECKS:
            from_ms -= reach_of(alert.check)
        elif alert.check is Check.REGISTER_DEMAND:  # it adds up what came before
            from_ms -= JUDGED_BEFORE_MS
        return from_ms, last_ms + require_meter(state, alert.meter).interval_ms
    calendar = require_calendar(state, require_site(state, alert.site).calendar)
    january = january_of(year_of(month_at(calendar, from_ms)))  # a path counts from there
    return month_start_ms(calendar, january), month_end_ms(calendar, month_at(calendar, last_ms))


def _part_end(state: State, meter: Meter, check: Check, from_ms: Milliseconds) -> Milliseconds:
    """Returns the start of the last interval that one call looks at."""
    end_ms = from_ms + WINDOW_INTERVALS_MAX * meter.interval_ms
    if check is Check.PARENT_SUM:  # whole days, of as many pages as a look at one day may open
        days = max(PAGES_OF_DAY_MAX // max(Family(state, meter).pages_per_day, 1), 1)
        days = min(days, max((end_ms - from_ms) // DAY_MS, 1))
        end_ms = from_ms - from_ms % DAY_MS + days * DAY_MS
    return end_ms - meter.interval_ms


def _by_rules(look: Look) -> Iterator[Verdict]:
    """Runs the rules again (:mod:`contracts.replay`, :mod:`contracts.day_replay`)."""
    check = look.alert.check
    version = look.number if look.remedy is Remedy.BASELINE else None
    again = DayReplay if check in DAY_CHECKS else Replay
    replay = again(look.state, look.of_meter, look.settings, version)
    return replay.verdicts(check, look.from_ms, look.to_ms)


def _settled(look: Look) -> Iterator[Verdict]:
    """Yields the intervals that failed; one passes where a second account stands for its amount."""
    for each in intervals_of(look.state, look.of_meter, look.from_ms, look.to_ms):
        if each.had_failed(look.alert.check):
            yield each.start_ms, each.correction is not None


def _in_order(look: Look) -> Iterator[Verdict]:
    """Yields the intervals that sequence or clock put in doubt.

    One passes where a reading that did not fail is there, or a second account stands for its
    amount. A reading off the grid fills no interval and leaves no mark; so for the clock every
    interval of the window is looked at, and for the sequence its ends beside those that failed.
    """
    check, meter = look.alert.check, look.of_meter
    if check is Check.SIGNATURE_SEQUENCE and look.remedy is Remedy.ARRIVAL:
        yield look.from_ms, _have_numbers_come(look)
        return
    ends = window_of(look.state, look.alert)
    there = {
        each.start_ms: each for each in intervals_of(look.state, meter, look.from_ms, look.to_ms)
    }
    for start_ms in range(look.from_ms, look.to_ms + 1, meter.interval_ms):
        found = there.get(start_ms)
        had_failed = found is not None and found.had_failed(check)
        if check is Check.CLOCK or had_failed or start_ms in ends:
            is_corrected = found is not None and found.correction is not None
            yield start_ms, is_corrected or (found is not None and not had_failed)


def _have_numbers_come(look: Look) -> bool:
    """Returns whether the numbers that the alert's reading skipped have come since.

    A meter waits for the latest numbers only: where more were skipped, or others since, it cannot
    be said.
    """
    alert, meter_id = look.alert, look.of_meter.meter_id
    skipped = range(alert.expected, alert.observed)
    track = look.state.get(AlertTrack, track_key(meter_id, alert.check))
    memory = get_meter_state(look.state, meter_id)
    assert track is not None, "an alert has its track"
    assert memory is not None, "a meter with a reading is remembered"
    is_known = alert.occurrences == 1 and track.counter == number_of(alert)
    return (
        is_known
        and 0 < len(skipped) <= MISSING_SEQUENCES_MAX
        and not any(number in skipped for number in memory.missing_sequences)
    )


def _presence(look: Look) -> Iterator[Verdict]:
    """Yields each gap as failed where it is longer than is tolerated, and the present as passed."""
    meter = look.of_meter
    tolerated_ms = settings_of(look.settings).missing_tolerated * meter.interval_ms
    expected_ms = look.from_ms
    for each in intervals_of(look.state, meter, look.from_ms, look.to_ms):
        if each.amount is None:
            continue
        if each.start_ms - expected_ms > tolerated_ms:
            yield expected_ms, False
        yield each.start_ms, True
        expected_ms = each.start_ms + meter.interval_ms
    missing_ms = look.to_ms + meter.interval_ms - expected_ms
    if missing_ms > tolerated_ms or look.alert.cleared_ms is None:
        yield min(expected_ms, look.to_ms), False


def _balance(look: Look) -> Iterator[Verdict]:
    """Yields the windows of the family that were judged; each adds up again or does not."""
    family = Family(look.state, look.of_meter, settings_of(look.settings))
    if family.is_judged:
        yield from family.verdicts(look.from_ms, look.to_ms)
    else:
        yield look.from_ms, False  # its sub-meters have become too many to add up


def _months(look: Look) -> Iterator[Verdict]:
    """Yields each month that was compared, as it compares now."""
    meter, settings = look.of_meter, settings_of(look.settings)
    calendar = require_calendar(look.state, meter.calendar)
    first = _month_at(look.state, meter, look.from_ms)
    for month in range(first, _month_at(look.state, meter, look.to_ms) + 1):
        start_ms = month_start_ms(calendar, month)
        for before in comparisons_of(look.state, meter.meter_id, month, look.alert.check):
            if before.compared_with is ComparedWith.PEERS:
                after = peers.compare_again(look.context, meter, month, settings)
            else:
                after = bills.compare_again(look.context, meter, before, settings)
            yield start_ms, after is not None and after.has_passed


def _path(look: Look) -> Iterator[Verdict]:
    """Yields each month of a site that had left the path of its target, as it stands now.

    The path is that of the target by which it was judged, or of the version that is to answer it.
    """
    state, alert = look.state, look.alert
    calendar = require_calendar(state, require_site(state, alert.site).calendar)
    version = look.number if look.remedy is Remedy.TARGET else None
    if version is None:
        version = version_in_force(state, alert.site, alert.opened_ms)
    target = state.get(Target, target_version_key(alert.site, version))
    assert target is not None, "a site that left its path has a target"
    first, last = (month_at(calendar, each) for each in (look.from_ms, look.to_ms))
    for month in range(first, last + 1):
        progress = progress_of(state, target, month)
        yield month_start_ms(calendar, month), progress is not None and not progress.has_left


def _deposit(look: Look) -> Iterator[Verdict]:
    """Yields the step that was overdue: it was taken since, late as it is, or was not."""
    alert = look.alert
    stage = next(stage for stage, days in DAYS.items() if days == alert.expected)
    deposit = get_deposit(look.state, alert.site, alert.observed)
    yield look.from_ms, deposit is not None and step_at(deposit, stage) is not None


def _annual(look: Look) -> Iterator[Verdict]:
    """Yields the step of a year that was overdue, as :func:`_deposit`."""
    alert = look.alert
    year = alert.observed
    stage = next(stage for stage in AnnualStage if days_of(year, stage) == alert.expected)
    filing = get_filing(look.state, alert.site, year)
    yield look.from_ms, filing is not None and annual_step_at(filing, stage) is not None


def _month_at(state: State, meter: Meter, moment_ms: Milliseconds) -> int:
    return month_at(require_calendar(state, meter.calendar), moment_ms)


class Answer(NamedTuple):
    """What answers the alerts of one check."""

    remedies: tuple[Remedy, ...]
    judge: Callable[[Look], Iterator[Verdict]]
    """Looks at the window again."""


_OF_MONTHS: Final = frozenset({Check.BILL, Check.PEER})
_BY_BASELINE: Final = (Check.BASELINE, *sorted(DAY_CHECKS))
_CORRECTION: Final = (Remedy.CORRECTION,)
_CORRECTION_OR_ARRIVAL: Final = (Remedy.CORRECTION, Remedy.ARRIVAL)

ANSWERS: Final[Mapping[Check, Answer]] = {
    **{rule.check: Answer(_CORRECTION, _by_rules) for rule in RULES},
    **{check: Answer((Remedy.BASELINE, Remedy.CORRECTION), _by_rules) for check in _BY_BASELINE},
    Check.SIGNATURE_SEQUENCE: Answer(_CORRECTION_OR_ARRIVAL, _in_order),
    Check.CLOCK: Answer(_CORRECTION_OR_ARRIVAL, _in_order),
    Check.DUPLICATE: Answer(_CORRECTION, _settled),
    Check.MISSING: Answer(_CORRECTION_OR_ARRIVAL, _presence),
    Check.REGISTER: Answer(_CORRECTION, _settled),
    Check.PARENT_SUM: Answer(_CORRECTION_OR_ARRIVAL, _balance),
    Check.BILL: Answer(_CORRECTION_OR_ARRIVAL, _months),
    Check.PEER: Answer(_CORRECTION_OR_ARRIVAL, _months),
    Check.TARGET: Answer((Remedy.TARGET, *_CORRECTION_OR_ARRIVAL), _path),
    Check.DEPOSIT: Answer((Remedy.ARRIVAL,), _deposit),
    Check.ANNUAL: Answer((Remedy.ARRIVAL,), _annual),
}
"""By check; every check has its answer, and each may be dismissed instead."""
