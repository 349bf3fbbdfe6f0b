"""Targets as a contract: set by version, judged each month, an alert where the path is left."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from chain.types import HASH_BYTES, Milliseconds
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.alert import Occurrence
from contracts.alerts import clear_alert, raise_alert
from contracts.calendars import DAY_MS, Calendar, require_calendar
from contracts.check import Check
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.method import Method, method_of
from contracts.month import month_at, month_end_ms, month_start_ms
from contracts.refusal import Code, refusal
from contracts.sites import Site, require_site
from contracts.target import (
    Target,
    TargetProperties,
    get_target,
    progress_key,
    progress_of,
    target_key,
    target_version_key,
)

GRACE_MS: Final = 3 * DAY_MS
"""A month is judged this long after its end: readings may be two days late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTarget(TargetProperties):
    """Arguments of ``target.set``."""


def set_target(context: Context, arguments: SetTarget) -> bytes:
    """Sets the target of a site, as its next version; emits ``target.set``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``INVALID_ARGUMENTS`` for scopes or
            years out of order, or a year that is not after the base year.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {site.site_id}")
    _check_arguments(arguments)
    before = get_target(state, site.site_id)
    version = 1 if before is None else before.version + 1
    target = Target.from_value(
        (
            *arguments.to_value(),
            site.organisation,
            version,
            context.sender,
            context.time_ms,
        )
    )
    state.put(target_key(site.site_id), target)
    state.put(target_version_key(site.site_id, version), target)
    if before is None:
        calendar = require_calendar(state, site.calendar)
        due_ms = _judged_ms(calendar, month_at(calendar, context.time_ms))
        push(state, due_ms=due_ms, kind=DueKind.TARGET, subject=site.site_id)
    context.emit("target.set", site.site_id, target)
    return b""


def _check_arguments(arguments: SetTarget) -> None:
    for earlier, later in pairwise(arguments.scopes):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "scopes",
                expected="each scope once, ascending",
                got=f"{later.name} after {earlier.name}",
            )
    years = (arguments.base_year, *(each.year for each in arguments.years))
    for before, after in pairwise(years):
        if after <= before:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "years",
                expected="each year once, ascending, after the base year",
                got=f"{after} after {before}",
            )


def on_due(context: Context, site_id: str) -> Milliseconds | None:
    """Judges the month that is over, and raises or clears the alert of the site.

    Args:
        context: the block's own work.
        site_id: subject of the entry.

    Returns:
        Block time at which the next month is judged.
    """
    state = context.state
    target = get_target(state, site_id)
    if target is None:
        return None
    site = require_site(state, site_id)
    calendar = require_calendar(state, site.calendar)
    month = month_at(calendar, max(context.time_ms - GRACE_MS, 0)) - 1
    if month >= 0:
        _judge(context, target, site, month)
    return _judged_ms(calendar, month + 1)


def _judge(context: Context, target: Target, site: Site, month: int) -> None:
    progress = progress_of(context.state, target, month)
    if progress is None:
        return
    context.state.put(progress_key(site.site_id, month), progress)
    context.emit("target.judged", site.site_id, progress)
    calendar = require_calendar(context.state, site.calendar)
    start_ms = month_start_ms(calendar, month)
    if not progress.has_left:
        clear_alert(context, subject_id=site.site_id, check=Check.TARGET, at_ms=start_ms)
        return
    assert progress.forecast_grams is not None, "only a forecast leaves the path"
    raise_alert(
        context,
        site,
        Occurrence(
            check=Check.TARGET,
            interval_start_ms=start_ms,
            observed=progress.forecast_grams,
            expected=progress.target_grams,
            leaf=bytes(HASH_BYTES),
        ),
    )


def _judged_ms(calendar: Calendar, month: int) -> Milliseconds:
    return month_end_ms(calendar, month) + GRACE_MS


METHODS: Final[tuple[Method, ...]] = (
    method_of("target.set", SetTarget, set_target, roles=frozenset({Role.ADMIN})),
)
