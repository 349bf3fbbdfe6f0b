"""Figures of cases: how many are in which state, and how long people took, by site and cause.

Counted while the steps are taken, so that asking for them is a read. How long an open case has been
open is no state, because it changes by itself; it follows from when each was opened
(:mod:`contracts.case_queries`).
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, U64, Identifier, Length
from contracts.alert import Alert, AlertState, Cause
from contracts.calendars import DAY_MS
from contracts.case import Action
from contracts.context import Context
from contracts.emissions import month_of_day

STATE_COUNT: Final = len(AlertState)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCounts(Record):
    """How many cases of a site and cause are in each state."""

    site: Identifier
    cause: Cause | None
    """None for those that were not explained yet."""
    by_state: Annotated[tuple[U32, ...], Length(STATE_COUNT, STATE_COUNT)]
    """By :class:`~contracts.alert.AlertState`, OPEN first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent(Record):
    """Times of several cases; the mean is ``sum_ms`` over ``count``, divided when read."""

    count: U32
    sum_ms: U64
    max_ms: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTimes(Record):
    """How long people took, block time from opening on, in one UTC month of block time.

    Without a cause each time is counted in the month in which the step was taken, the first such
    step of a case only. With a cause all three are counted when the case is CLOSED, because until
    then the cause may change.
    """

    site: Identifier
    month: U32
    """Months since 1970-01."""
    cause: Cause | None
    """None for all causes."""
    acknowledge: Spent
    explain: Spent
    close: Spent


COUNTS_PREFIX: Final = b"case-counts/"
TIMES_PREFIX: Final = b"case-times/"
_NO_CAUSE: Final = 0
NOTHING_SPENT: Final = Spent(count=0, sum_ms=0, max_ms=0)


def counts_prefix(site: str) -> bytes:
    """Returns the prefix of the state keys of a site's counts."""
    return COUNTS_PREFIX + site.encode() + b"/"


def counts_key(site: str, cause: Cause | None) -> bytes:
    """Returns the state key of the counts of a site and cause."""
    return counts_prefix(site) + b"%02d" % (cause or _NO_CAUSE)


def times_prefix(site: str) -> bytes:
    """Returns the prefix of the state keys of a site's times."""
    return TIMES_PREFIX + site.encode() + b"/"


def times_key(site: str, month: int, cause: Cause | None) -> bytes:
    """Returns the state key of the times of a site, month and cause; they sort by month."""
    return times_prefix(site) + b"%06d/%02d" % (month, cause or _NO_CAUSE)


def count_case(state: State, before: Alert | None, after: Alert) -> None:
    """Counts a case in its state; takes it out of the one before, if it was in one."""
    if before is not None:
        _count(state, before, -1)
    _count(state, after, 1)


def count_time(context: Context, before: Alert, after: Alert, action: Action) -> None:
    """Counts how long a step took, where it is one that is measured."""
    spent_ms = context.time_ms - before.opened_ms
    match action:
        case Action.ACKNOWLEDGE if before.acknowledged_ms is None:
            _add(context, after, None, acknowledge=spent_ms)
        case Action.EXPLAIN if before.explained_ms is None:
            _add(context, after, None, explain=spent_ms)
        case Action.CLOSE:
            assert after.acknowledged_ms is not None, "a CLOSED case was acknowledged"
            assert after.explained_ms is not None, "a CLOSED case was explained"
            _add(context, after, None, close=spent_ms)
            _add(
                context,
                after,
                after.cause,
                acknowledge=after.acknowledged_ms - after.opened_ms,
                explain=after.explained_ms - after.opened_ms,
                close=spent_ms,
            )
        case _:
            pass


def joined(one: Spent, other: Spent) -> Spent:
    """Returns the times of both."""
    return Spent(
        count=one.count + other.count,
        sum_ms=one.sum_ms + other.sum_ms,
        max_ms=max(one.max_ms, other.max_ms),
    )


def _count(state: State, alert: Alert, change: int) -> None:
    key = counts_key(alert.site, alert.cause)
    counts = state.get(CaseCounts, key) or CaseCounts(
        site=alert.site, cause=alert.cause, by_state=(0,) * STATE_COUNT
    )
    place = alert.state - 1
    by_state = (
        *counts.by_state[:place],
        counts.by_state[place] + change,
        *counts.by_state[place + 1 :],
    )
    state.put(key, replace(counts, by_state=by_state))


def _add(
    context: Context,
    alert: Alert,
    cause: Cause | None,
    *,
    acknowledge: int | None = None,
    explain: int | None = None,
    close: int | None = None,
) -> None:
    month = month_of_day(context.time_ms // DAY_MS)
    key = times_key(alert.site, month, cause)
    times = context.state.get(CaseTimes, key) or CaseTimes(
        site=alert.site,
        month=month,
        cause=cause,
        acknowledge=NOTHING_SPENT,
        explain=NOTHING_SPENT,
        close=NOTHING_SPENT,
    )
    added = replace(
        times,
        acknowledge=_with(times.acknowledge, acknowledge),
        explain=_with(times.explain, explain),
        close=_with(times.close, close),
    )
    context.state.put(key, added)


def _with(spent: Spent, span_ms: int | None) -> Spent:
    if span_ms is None:
        return spent
    return joined(spent, Spent(count=1, sum_ms=span_ms, max_ms=span_ms))
