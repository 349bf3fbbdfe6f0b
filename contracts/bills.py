"""Check 20: a month's sum against the signed bill, and against a second meter.

Either agrees where the sum is within 1 % of the other (IPMVP option C). It is judged when the
meter has been heard beyond the end of the month, or at last 45 days after it; what is still missing
then is missing from the sum, and that is what the check is for. The sum is that of the meter's
month total, so approved corrections count and readings after a close do not.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Hash, Identifier, Milliseconds, PublicKey, Range, Text
from contracts.account import Account, Role
from contracts.accounts import sender_of
from contracts.calendars import DAY_MS, Calendar, require_calendar
from contracts.check import Check
from contracts.check_settings import Settings, is_on, settings_at
from contracts.check_source import CheckSources, get_sources, sources_key
from contracts.comparison import (
    COMPARED_MAX,
    ComparedWith,
    Comparison,
    is_heard_beyond,
    record_comparison,
    within,
)
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.emissions import MonthTotal, meter_month_key, meter_month_prefix, numerator_of
from contracts.meter import Meter
from contracts.meters import get_meter, require_meter
from contracts.method import Method, method_of
from contracts.month import Month, month_end_ms, month_name
from contracts.refusal import Code, refusal

WAIT_MS: Final = 45 * DAY_MS
"""How long after its end a month is waited for."""
_METER: Final = "meter "
"""Before the second meter's id in a comparison's source."""
MONTHS_PER_LOOK: Final = 12
"""Months of one meter that one look compares with the second meter."""
BILLS_MAX: Final = 99
"""Bills of one meter and month, each in the place of the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitBill(Record):
    """Arguments of ``bill.submit``."""

    meter_id: Identifier
    month: Month
    """Local month of the meter; it must be over."""
    amount: Annotated[int, Range(0, COMPARED_MAX)]
    """Billed, in base units such as watt hours."""
    document: Hash
    """SHA-256 of the bill."""
    note: Text
    """Number of the bill, or why it takes the place of another; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill(Record):
    """A bill of one meter and month."""

    meter_id: Identifier
    month: Month
    amount: Annotated[int, Range(0, COMPARED_MAX)]
    """Base units."""
    document: Hash
    note: Text
    number: U32
    """From 1; the highest is the one that counts, and all are kept."""
    organisation: Identifier
    """Of whoever filed it."""
    submitted_by: PublicKey
    submitted_ms: Milliseconds


def bill_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's bills; they sort by month."""
    return b"bill/" + meter_id.encode() + b"/"


def bill_key(meter_id: str, month: int, number: int) -> bytes:
    """Returns the state key of a bill; those of a month sort with the newest first."""
    return bill_prefix(meter_id) + b"%06d/%02d" % (month, BILLS_MAX - number)


def newest_bill(state: State, meter_id: str, month: int) -> Bill | None:
    """Returns the bill of a month that counts, or None where there is none."""
    prefix = bill_prefix(meter_id) + b"%06d/" % month
    return next((bill for _, bill in state.iterate(Bill, prefix)), None)


def submit(context: Context, arguments: SubmitBill) -> bytes:
    """Files a bill, in the place of an earlier one of the month; emits ``bill.submitted``.

    It is judged at once where the meter has been heard beyond the month, or was waited for.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED`` for anybody but a certifier or the
            utility that the owner has named, ``INVALID_ARGUMENTS`` for a month that is not over,
            ``LIMIT_REACHED``.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    sender = _check_sender(context, meter)
    calendar = require_calendar(state, meter.calendar)
    end_ms = month_end_ms(calendar, arguments.month)
    if end_ms > context.time_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "month",
            expected=f"one that is over at block time {context.time_ms}",
            got=f"{month_name(arguments.month)}, which ends at {end_ms}",
        )
    before = newest_bill(state, meter.meter_id, arguments.month)
    number = 1 if before is None else before.number + 1
    if number > BILLS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"meter {meter.meter_id}",
            expected=f"at most {BILLS_MAX} bills of one month",
            got=str(number),
        )
    bill = Bill.from_value(
        (*arguments.to_value(), number, sender.organisation, context.sender, context.time_ms)
    )
    state.put(bill_key(meter.meter_id, bill.month, number), bill)
    context.emit("bill.submitted", meter.meter_id, bill)
    if _is_ripe(context, (meter,), calendar, bill.month):
        judge_bill(context, meter, bill)
    else:
        subject = f"{meter.meter_id}/{bill.month}"
        push(state, due_ms=context.time_ms + DAY_MS, kind=DueKind.BILL, subject=subject)
    return b""


def judge_bill(context: Context, meter: Meter, bill: Bill) -> None:
    """Compares a month's sum with its bill, where the check is on."""
    source = f"bill {bill.number} of {bill.organisation}"
    _compare(context, meter, bill.month, (ComparedWith.BILL, bill.amount, source))


def on_bill_due(context: Context, subject: str) -> Milliseconds | None:
    """Judges a bill whose month has come in by now, or has been waited for long enough."""
    meter_id, _, number = subject.rpartition("/")
    meter, month = get_meter(context.state, meter_id), int(number)
    bill = newest_bill(context.state, meter_id, month)
    if meter is None or bill is None:
        return None
    calendar = require_calendar(context.state, meter.calendar)
    if not _is_ripe(context, (meter,), calendar, month):
        return context.time_ms + DAY_MS
    judge_bill(context, meter, bill)
    return None


def on_second_meter_due(context: Context, meter_id: str) -> Milliseconds | None:
    """Compares the months that have come in with those of the second meter; asks daily."""
    state = context.state
    sources = get_sources(state, meter_id)
    if sources is None or sources.second_meter is None:
        return None
    meter, second = require_meter(state, meter_id), require_meter(state, sources.second_meter)
    calendar = require_calendar(state, meter.calendar)
    first = sources.next_month
    if first is None:
        first = _first_month(state, meter_id)
    if first is None:
        return context.time_ms + DAY_MS
    month, until = first, first + MONTHS_PER_LOOK
    while month < until and _is_ripe(context, (meter, second), calendar, month):
        expected = sum_of_month(state, second.meter_id, month)
        if all(is_heard_beyond(state, each, calendar, month) for each in (meter, second)):
            compared = (ComparedWith.SECOND_METER, expected, _METER + second.meter_id)
            _compare(context, meter, month, compared)
        month += 1
    _go_on(state, sources, month)
    return context.time_ms + (1 if month == until else DAY_MS)


def sum_of_month(state: State, meter_id: str, month: int) -> int:
    """Returns what a meter counted in a month, base units; 0 where there is nothing."""
    total = state.get(MonthTotal, meter_month_key(meter_id, month))
    return 0 if total is None else numerator_of(total.amount)


def _go_on(state: State, sources: CheckSources, month: int) -> None:
    if month != sources.next_month:
        state.put(sources_key(sources.meter_id), replace(sources, next_month=month))


def _first_month(state: State, meter_id: str) -> int | None:
    prefix = meter_month_prefix(meter_id)
    first = next(state.iterate(MonthTotal, prefix), None)
    return None if first is None else int(first[0][len(prefix) :])


def _is_ripe(context: Context, meters: tuple[Meter, ...], calendar: Calendar, month: int) -> bool:
    """Returns whether a month is over and all are heard beyond it, or were waited for."""
    end_ms = month_end_ms(calendar, month)
    if context.time_ms < end_ms:
        return False
    if context.time_ms >= end_ms + WAIT_MS:
        return True
    return all(is_heard_beyond(context.state, meter, calendar, month) for meter in meters)


def _compare(
    context: Context, meter: Meter, month: int, compared: tuple[ComparedWith, int, str]
) -> None:
    settings = settings_at(context.state, meter.meter_id)
    if is_on(settings, Check.BILL):
        record_comparison(context, meter, _comparison(context, meter, month, compared, settings))


def _comparison(
    context: Context,
    meter: Meter,
    month: int,
    compared: tuple[ComparedWith, int, str],
    settings: Settings,
) -> Comparison:
    compared_with, expected, source = compared
    observed = sum_of_month(context.state, meter.meter_id, month)
    limit = abs(expected) * settings.bill_tolerance_permille // 1_000
    return Comparison(
        meter_id=meter.meter_id,
        month=month,
        compared_with=compared_with,
        observed=within(observed),
        expected=within(expected),
        limit=limit,
        has_passed=abs(observed - expected) <= limit,
        source=source,
        judged_ms=context.time_ms,
    )


def compare_again(
    context: Context, meter: Meter, before: Comparison, settings: Settings
) -> Comparison:
    """Returns how a month compares now: with its newest bill, or with the same second meter."""
    second = second_meter_of(before)
    if second is None:
        bill = newest_bill(context.state, meter.meter_id, before.month)
        assert bill is not None, "a month that was held against its bill has one"
        expected = bill.amount
    else:
        expected = sum_of_month(context.state, second, before.month)
    compared = (before.compared_with, expected, before.source)
    return _comparison(context, meter, before.month, compared, settings)


def second_meter_of(comparison: Comparison) -> str | None:
    """Returns the meter that a month was held against; None of a bill."""
    if comparison.compared_with is not ComparedWith.SECOND_METER:
        return None
    return comparison.source.removeprefix(_METER)


def _check_sender(context: Context, meter: Meter) -> Account:
    sender = sender_of(context)
    sources = get_sources(context.state, meter.meter_id)
    utility = None if sources is None else sources.utility
    if Role.CERTIFIER in sender.roles or sender.organisation == utility:
        return sender
    named = f" or an account of {utility}" if utility else "; name a utility: check.name_sources"
    raise refusal(
        Code.NOT_PERMITTED,
        f"bill of {meter.meter_id}",
        expected=f"a CERTIFIER{named}",
        got=f"an account of {sender.organisation}",
    )


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "bill.submit",
        SubmitBill,
        submit,
        roles=frozenset({Role.ADMIN, Role.OPERATOR, Role.CERTIFIER}),
    ),
)
