"""Activities as a contract: submitted into the totals of their months, and withdrawn out of them.

An amount over several months is spread evenly in base units; the first months carry what does not
divide, one base unit each, so the shares add up exactly. What belongs to a closed month is counted
apart, as late readings are (:mod:`contracts.period`).
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.activity import (
    MONTHS_MAX,
    Activity,
    ActivityProperties,
    ActivityShare,
    activity_key,
    get_activity,
)
from contracts.calendars import require_calendar
from contracts.context import Context
from contracts.emissions import AMOUNT_MAX, IsoCategory, Scope
from contracts.factor import Factor, factor_key
from contracts.factors import factor_at, get_series
from contracts.meter import base_unit_of, base_units_in
from contracts.method import Method, method_of
from contracts.month import month_end_ms, month_name, month_start_ms
from contracts.month_draft import edit_site_month
from contracts.period import closed_at, late_prefix
from contracts.reading import Quality
from contracts.refusal import Code, refusal
from contracts.restatement import UserKind, note_user
from contracts.revisions import Revision, RevisionKind, record_revision
from contracts.site_month import Booking, SiteMonth, site_month_key
from contracts.sites import Site, require_site

ACTIVITY_STREAMS_MAX: Final = 1_024
"""Streams of a month to which activities add; meters may add some more."""
_CATEGORIES: Final[dict[Scope, tuple[IsoCategory, ...]]] = {
    Scope.DIRECT: (IsoCategory.DIRECT,),
    Scope.PURCHASED_ENERGY: (IsoCategory.IMPORTED_ENERGY,),
    Scope.VALUE_CHAIN: (
        IsoCategory.TRANSPORT,
        IsoCategory.PRODUCTS_USED,
        IsoCategory.USE_OF_PRODUCTS,
        IsoCategory.OTHER,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitActivity(ActivityProperties):
    """Arguments of ``activity.submit``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawActivity(Record):
    """Arguments of ``activity.withdraw``."""

    site: Identifier
    activity_id: Identifier
    reason: Text
    """Why; not empty."""


def submit(context: Context, arguments: SubmitActivity) -> bytes:
    """Counts an activity; emits ``activity.submitted``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``ALREADY_EXISTS``,
            ``UNKNOWN_FACTOR`` for a series that is not there or does not cover a month,
            ``WRONG_UNIT``, ``INVALID_ARGUMENTS``.
    """
    state = context.state
    site = require_site(state, arguments.site)
    sender = check_owner(context, site.organisation, f"site {site.site_id}")
    if get_activity(state, arguments.site, arguments.activity_id) is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "activity_id",
            expected=f"an id that site {site.site_id} has not used, withdrawn ones too",
            got=repr(arguments.activity_id),
        )
    _check_arguments(arguments)
    factors = _factors_of(state, site, arguments)
    amounts = spread(_base_amount(arguments), len(factors))
    shares = tuple(
        ActivityShare(
            month=month,
            amount=amount,
            valid_from_ms=factor.valid_from_ms,
            is_late=closed_at(state, site.site_id, month) is not None,
        )
        for (month, factor), amount in zip(factors, amounts, strict=True)
    )
    activity = Activity.from_value(
        (
            *arguments.to_value(),
            sender.organisation,
            tuple(share.to_value() for share in shares),
            context.sender,
            context.time_ms,
            None,
            None,
            "",
        )
    )
    state.put(activity_key(site.site_id, activity.activity_id), activity)
    note_user(state, activity.factor, UserKind.SITE, site.site_id)
    context.emit("activity.submitted", site.site_id, activity)
    _count(state, activity, 1)
    return b""


def withdraw(context: Context, arguments: WithdrawActivity) -> bytes:
    """Takes an activity out of the totals; emits ``activity.withdrawn``.

    What was late is taken out of what is counted apart; a share that a restatement of its month
    has taken in meanwhile leaves it by the next one.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``UNKNOWN_ACTIVITY``,
            ``WRONG_STATE``, ``INVALID_ARGUMENTS``.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {site.site_id}")
    activity = get_activity(state, arguments.site, arguments.activity_id)
    if activity is None:
        raise refusal(
            Code.UNKNOWN_ACTIVITY,
            "activity_id",
            expected=f"an activity of site {site.site_id}",
            got=repr(arguments.activity_id),
        )
    if activity.withdrawn_ms is not None:
        raise refusal(
            Code.WRONG_STATE,
            f"activity {activity.activity_id}",
            expected="one that is in force",
            got=f"one withdrawn at {activity.withdrawn_ms}",
        )
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS, "reason", expected="why it is withdrawn", got="an empty text"
        )
    withdrawn = replace(
        activity,
        withdrawn_by=context.sender,
        withdrawn_ms=context.time_ms,
        withdrawal_reason=arguments.reason,
    )
    state.put(activity_key(site.site_id, activity.activity_id), withdrawn)
    context.emit("activity.withdrawn", site.site_id, withdrawn)
    calendar = require_calendar(state, site.calendar)
    record_revision(
        context,
        Revision(
            organisation=site.organisation,
            site=site.site_id,
            from_ms=month_start_ms(calendar, activity.from_month),
            to_ms=month_end_ms(calendar, activity.to_month),
            subject=f"activity/{activity.activity_id}",
            kind=RevisionKind.CORRECTION,
        ),
    )
    _count(state, activity, -1)
    return b""


def spread(amount: int, count: int) -> tuple[int, ...]:
    """Returns an amount in so many parts that differ by one at most, the larger ones first."""
    part, rest = divmod(amount, count)
    return tuple(part + (index < rest) for index in range(count))


def _count(state: State, activity: Activity, sign: int) -> None:
    for share in activity.shares:
        key = factor_key(activity.factor, share.valid_from_ms)
        factor = state.get(Factor, key)
        assert factor is not None, "what was counted by a factor keeps it"
        # Withdrawn from a month that was closed meanwhile, it is counted apart as well.
        is_closed = closed_at(state, activity.site, share.month) is not None
        prefix = late_prefix(activity.site, share.month) if is_closed else b""
        draft = edit_site_month(state, activity.organisation, activity.site, share.month, prefix)
        draft.stream_of(activity.booking, factor).amount += sign * share.amount


def _check_arguments(arguments: SubmitActivity) -> None:
    _check_booking(arguments.booking)
    last = arguments.from_month + MONTHS_MAX - 1
    if not arguments.from_month <= arguments.to_month <= last:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to_month",
            expected=f"a month from {arguments.from_month} to {last}",
            got=str(arguments.to_month),
        )
    if arguments.quality is Quality.MISSING:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "quality",
            expected="another than MISSING, for there is an amount",
            got="MISSING",
        )
    if not arguments.source.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "source",
            expected="the document that the amount is taken from",
            got="an empty text",
        )


def _check_booking(booking: Booking) -> None:
    categories = _CATEGORIES[booking.scope]
    if booking.category not in categories:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "booking.category",
            expected=" or ".join(each.name for each in categories) + f" in scope {booking.scope:d}",
            got=booking.category.name,
        )
    is_value_chain = booking.scope is Scope.VALUE_CHAIN
    if (booking.s3_category > 0) != is_value_chain:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "booking.s3_category",
            expected="1 to 15 in scope 3" if is_value_chain else "0, because it is not scope 3",
            got=str(booking.s3_category),
        )
    if booking.is_removal and booking.scope is not Scope.DIRECT:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "booking.is_removal",
            expected="a removal in scope 1 only",
            got=f"one in scope {booking.scope:d}",
        )


def _base_amount(arguments: SubmitActivity) -> int:
    up: int = 10 ** max(arguments.scale, 0)
    down: int = 10 ** max(-arguments.scale, 0)
    amount, rest = divmod(arguments.amount * base_units_in(arguments.unit) * up, down)
    if rest or not 0 < amount <= AMOUNT_MAX:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "amount",
            expected=f"a whole number of base units ({base_unit_of(arguments.unit).name}), 1 to "
            f"{AMOUNT_MAX}",
            got=f"{arguments.amount} x 1e{arguments.scale} {arguments.unit.name}",
        )
    return amount


def _factors_of(
    state: State, site: Site, arguments: SubmitActivity
) -> tuple[tuple[int, Factor], ...]:
    series = get_series(state, arguments.factor)
    if series is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "factor",
            expected="a series with a factor; set one with factor.set",
            got=repr(arguments.factor),
        )
    if base_unit_of(arguments.unit) is not series.base_unit:
        raise refusal(
            Code.WRONG_UNIT,
            "unit",
            expected=f"one of base {series.base_unit.name}, as factor {arguments.factor}",
            got=arguments.unit.name,
        )
    calendar = require_calendar(state, site.calendar)
    found: list[tuple[int, Factor]] = []
    for month in range(arguments.from_month, arguments.to_month + 1):
        factor = factor_at(state, arguments.factor, month_start_ms(calendar, month))
        if factor is None:
            raise refusal(
                Code.UNKNOWN_FACTOR,
                "factor",
                expected=f"a series with a factor for {month_name(month)}",
                got=repr(arguments.factor),
            )
        _check_room(state, site, month)
        found.append((month, factor))
    return tuple(found)


def _check_room(state: State, site: Site, month: int) -> None:
    record = state.get(SiteMonth, site_month_key(site.site_id, month))
    if record is not None and len(record.streams) >= ACTIVITY_STREAMS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"month {month_name(month)} of site {site.site_id}",
            expected=f"at most {ACTIVITY_STREAMS_MAX} factors and bookings",
            got=f"{ACTIVITY_STREAMS_MAX} already",
        )


def _months_of(arguments: SubmitActivity) -> int:
    return 1 + max(min(arguments.to_month - arguments.from_month, MONTHS_MAX), 0)


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "activity.submit",
        SubmitActivity,
        submit,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
        work=_months_of,
    ),
    method_of(
        "activity.withdraw",
        WithdrawActivity,
        withdraw,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
        work=lambda _: 4,
    ),
)
