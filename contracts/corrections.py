"""Corrections as a contract: proposed by one account, decided by another, never taken back.

Whoever could change an amount alone could make any total. So an operator or admin of the owner
proposes, and an admin of the owner or a certifier approves what it has read: the number of the
correction and the transaction that proposed it. What moves then is the difference and nothing else.
The same accounts may reject it instead, and the proposer may withdraw it; either stands with its
reason for ever, under a number that no other correction gets.

A correction whose amount is None lets the meter's own reading count again. So every correction has
an inverse, and that is a correction too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import I64, U32, Hash, Identifier, Length, Milliseconds, Text
from contracts.account import Role
from contracts.accounts import check_owner, sender_of
from contracts.context import Context
from contracts.conversion import conversion_of
from contracts.correction import (
    INTERVALS_MAX,
    PAGES_MAX,
    AmountUnit,
    CorrectedInterval,
    CorrectedPage,
    CorrectedSlot,
    Correction,
    CorrectionCount,
    CorrectionKind,
    Replaced,
    corrected_page_key,
    corrected_slots,
    correction_count,
    correction_key,
    count_key,
    get_correction,
)
from contracts.emissions import AMOUNT_MAX
from contracts.intake import Intake, begin_intake
from contracts.ledger import Counted, counted_at, mark_factor
from contracts.meter import Meter, Quantity
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.reading import MethodCode, Quality
from contracts.reading_page import MutablePage, ReadingPage, page_key, page_start, slots_per_page
from contracts.refusal import Code, refusal
from contracts.revisions import Revision, RevisionKind, record_revision

APPROVAL_WORK: Final = 500
"""Work units of an approval: 40 pages and 500 intervals cost about what 500 readings do."""
_QUALITIES: Final = {
    MethodCode.METERED: Quality.MEASURED,
    MethodCode.MANUAL: Quality.MEASURED,
    MethodCode.CALCULATED: Quality.CALCULATED,
    MethodCode.INVOICE: Quality.CALCULATED,
    MethodCode.ESTIMATED: Quality.ESTIMATED,
}
"""Quality of a corrected reading, by the method that a person may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectReadings(Record):
    """Arguments of ``reading.correct``."""

    meter_id: Identifier
    unit: AmountUnit
    intervals: Annotated[tuple[tuple[Milliseconds, I64 | None], ...], Length(1, INTERVALS_MAX)]
    """Start and amount of each, ascending; no amount where the reading is to count again."""
    method_code: MethodCode
    """How the amounts were determined."""
    reason: Text
    """Not empty."""
    evidence: Hash
    """SHA-256 of the file that shows why; zeros where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionName(Record):
    """Names a correction so that one decides on what one has read."""

    meter_id: Identifier
    number: U32
    proposal: Hash
    """Id of the transaction that proposed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveCorrection(CorrectionName):
    """Arguments of ``reading.approve_correction``."""


def correct(context: Context, arguments: CorrectReadings) -> bytes:
    """Proposes a correction; emits ``correction.proposed``, which says its number.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``; ``INVALID_ARGUMENTS`` for no reason,
            a method that is not a person's, an interval that is none of the meter's or not over,
            or an amount that cannot be; ``LIMIT_REACHED`` for too many pages; ``WRONG_STATE``
            where a reading is to count again that nothing was approved for.
    """
    meter = require_meter(context.state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    check_reason(arguments.reason)
    if arguments.method_code not in _QUALITIES:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "method_code",
            expected=" or ".join(code.name for code in _QUALITIES)
            + "; others are computed by reading.substitute",
            got=arguments.method_code.name,
        )
    starts = [start_ms for start_ms, _ in arguments.intervals]
    check_starts(context, meter, starts)
    intervals = tuple(
        _interval_of(context, meter, arguments, index) for index in range(len(starts))
    )
    propose(
        context,
        meter,
        kind=CorrectionKind.CORRECTION,
        intervals=intervals,
        why=(arguments.reason, arguments.evidence),
    )
    return b""


def propose(
    context: Context,
    meter: Meter,
    *,
    kind: CorrectionKind,
    intervals: tuple[CorrectedInterval, ...],
    why: tuple[str, Hash],
) -> None:
    """Writes a correction that waits for its second signature; emits ``correction.proposed``.

    Args:
        context: of the call; its sender proposes.
        meter: whose intervals.
        kind: where the amounts come from.
        intervals: checked.
        why: reason and hash of the evidence.
    """
    number = correction_count(context.state, meter.meter_id) + 1
    reason, evidence = why
    proposed = Correction(
        meter=meter.meter_id,
        number=number,
        organisation=meter.organisation,
        site=meter.site,
        kind=kind,
        intervals=intervals,
        reason=reason,
        evidence=evidence,
        proposal=context.transaction_id,
        proposed_by=context.sender,
        proposed_ms=context.time_ms,
        approved_by=None,
        approved_ms=None,
        replaced=(),
        rejection=None,
    )
    context.state.put(count_key(meter.meter_id), CorrectionCount(count=number))
    context.state.put(correction_key(meter.meter_id, number), proposed)
    context.emit("correction.proposed", meter.meter_id, proposed)


def approve(context: Context, arguments: ApproveCorrection) -> bytes:
    """Lets a correction count; emits ``correction.approved`` and records a revision.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``UNKNOWN_CORRECTION``; ``NOT_PERMITTED`` for the
            proposer itself or an account that is neither ADMIN of the owner nor CERTIFIER;
            ``WRONG_STATE`` for one that is decided, or older than what counts for an interval,
            or a substitute of an interval that has a value by now.
    """
    meter = require_meter(context.state, arguments.meter_id)
    correction = require_correction(context.state, arguments)
    _check_is_another(context, correction)
    check_second_account(context, correction)
    check_waits(correction)
    for page_ms, intervals in _by_page(meter, correction.intervals):
        _check_current(context, meter, page_ms, (correction, intervals))
    _apply(context, meter, correction)
    return b""


def require_correction(state: State, named: CorrectionName) -> Correction:
    """Returns the correction that a decision names, as it was proposed.

    Raises:
        ContractRefusal: ``UNKNOWN_CORRECTION``.
    """
    correction = get_correction(state, named.meter_id, named.number)
    if correction is not None and correction.proposal == named.proposal:
        return correction
    raise refusal(
        Code.UNKNOWN_CORRECTION,
        "number" if correction is None else "proposal",
        expected=f"1 to {correction_count(state, named.meter_id)}"
        if correction is None
        else f"{correction.proposal.hex()}, which proposed number {named.number}",
        got=str(named.number) if correction is None else named.proposal.hex(),
    )


def check_waits(correction: Correction) -> None:
    """Checks that a correction is neither approved nor rejected.

    Raises:
        ContractRefusal: ``WRONG_STATE``.
    """
    if correction.rejection is not None:
        got = f"one rejected at {correction.rejection.rejected_ms}; propose again"
    elif correction.approved_by is not None:
        got = f"one approved at {correction.approved_ms}; propose another to change it"
    else:
        return
    raise refusal(
        Code.WRONG_STATE,
        _name_of(correction),
        expected="one that waits for its approval",
        got=got,
    )


def _name_of(correction: Correction) -> str:
    return f"correction {correction.number} of {correction.meter}"


def check_reason(reason: str, expected: str = "why it is corrected") -> None:
    """Checks that a reason is given.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``.
    """
    if not reason.strip():
        raise refusal(Code.INVALID_ARGUMENTS, "reason", expected=expected, got="an empty text")


def check_starts(context: Context, meter: Meter, starts: Sequence[Milliseconds]) -> None:
    """Checks that intervals are the meter's, are over, and lie in few enough pages.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` or ``LIMIT_REACHED``.
    """
    interval_ms = meter.interval_ms
    for index, start_ms in enumerate(starts):
        if start_ms % interval_ms:
            raise _fault(
                index, f"the start of an interval, divisible by {interval_ms}", str(start_ms)
            )
        if start_ms + interval_ms > context.time_ms:
            raise _fault(
                index,
                f"an interval that is over at block time {context.time_ms}",
                f"one until {start_ms + interval_ms}",
            )
    for index, (earlier_ms, later_ms) in enumerate(pairwise(starts), 1):
        if later_ms <= earlier_ms:
            raise _fault(index, f"a start after {earlier_ms}, the one before", str(later_ms))
    pages = len({page_start(interval_ms, start_ms): None for start_ms in starts})
    if pages > PAGES_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "intervals",
            expected=f"intervals in at most {PAGES_MAX} pages of "
            f"{slots_per_page(interval_ms)}; send several corrections",
            got=f"{pages} pages",
        )


def _fault(index: int, expected: str, got: str) -> Exception:
    return refusal(
        Code.INVALID_ARGUMENTS, f"intervals[{index}].start_ms", expected=expected, got=got
    )


def _interval_of(
    context: Context, meter: Meter, arguments: CorrectReadings, index: int
) -> CorrectedInterval:
    start_ms, amount = arguments.intervals[index]
    page_ms = page_start(meter.interval_ms, start_ms)
    slot = (start_ms - page_ms) // meter.interval_ms
    if amount is None:
        _check_is_corrected(context, meter, start_ms)
    elif arguments.unit is AmountUnit.SUBMITTED:
        amount = conversion_of(meter).amount(amount)
    lowest = -AMOUNT_MAX if meter.quantity is Quantity.TEMPERATURE else 0
    if amount is not None and not lowest <= amount <= AMOUNT_MAX:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            f"intervals[{index}].amount",
            expected=f"{lowest} to {AMOUNT_MAX} base units",
            got=str(amount),
        )
    record = context.state.get(ReadingPage, page_key(meter.meter_id, page_ms))
    has_value = record is not None and int.from_bytes(record.present, "big") >> slot & 1
    return CorrectedInterval(
        start_ms=start_ms,
        amount=amount,
        quality=_QUALITIES[arguments.method_code] if has_value else Quality.SUBSTITUTE,
        method_code=arguments.method_code,
    )


def _check_is_corrected(context: Context, meter: Meter, start_ms: Milliseconds) -> None:
    page_ms = page_start(meter.interval_ms, start_ms)
    held = corrected_slots(context.state, meter.meter_id, page_ms)
    found = held.get((start_ms - page_ms) // meter.interval_ms)
    if found is None or found.amount is None:
        raise refusal(
            Code.WRONG_STATE,
            f"interval from {start_ms}",
            expected="one for which a correction counts, so that its reading can count again",
            got="one without",
        )


def _check_is_another(context: Context, correction: Correction) -> None:
    if context.sender == correction.proposed_by:
        raise refusal(
            Code.NOT_PERMITTED,
            _name_of(correction),
            expected="another account than the one that proposed it",
            got="the same",
        )


def check_second_account(context: Context, correction: Correction) -> None:
    """Checks that the sender may decide on what another account proposed.

    Raises:
        ContractRefusal: ``NOT_PERMITTED``.
    """
    sender = sender_of(context)
    is_admin = Role.ADMIN in sender.roles and sender.organisation == correction.organisation
    if not is_admin and Role.CERTIFIER not in sender.roles:
        raise refusal(
            Code.NOT_PERMITTED,
            _name_of(correction),
            expected=f"an ADMIN of {correction.organisation}, or a CERTIFIER",
            got=" or ".join(role.name for role in sender.roles) + f" of {sender.organisation}",
        )


def _by_page(
    meter: Meter, intervals: Sequence[CorrectedInterval]
) -> tuple[tuple[Milliseconds, list[CorrectedInterval]], ...]:
    pages: dict[int, list[CorrectedInterval]] = {}
    for interval in intervals:
        page_ms = page_start(meter.interval_ms, interval.start_ms)
        pages.setdefault(page_ms, []).append(interval)
    return tuple(pages.items())


def _check_current(
    context: Context,
    meter: Meter,
    page_ms: Milliseconds,
    proposed: tuple[Correction, Sequence[CorrectedInterval]],
) -> None:
    """Checks that a proposal still fits what counts for the intervals of a page."""
    correction, intervals = proposed
    record = context.state.get(ReadingPage, page_key(meter.meter_id, page_ms))
    known = 0 if record is None else int.from_bytes(record.amount_known, "big")
    held = corrected_slots(context.state, meter.meter_id, page_ms)
    for interval in intervals:
        slot = (interval.start_ms - page_ms) // meter.interval_ms
        newest = held.get(slot)
        if newest is not None and newest.number > correction.number:
            got = f"number {newest.number}, approved already"
        elif correction.kind is CorrectionKind.SUBSTITUTE and known >> slot & 1:
            got = "a reading, which came since"
        else:
            continue
        raise refusal(
            Code.WRONG_STATE,
            f"interval from {interval.start_ms}",
            expected=f"nothing newer than correction {correction.number}; propose again",
            got=got,
        )


def _apply(context: Context, meter: Meter, correction: Correction) -> None:
    """Lets the intervals of a correction count; nothing may be refused from here on."""
    state = context.state
    intake = begin_intake(context, meter)
    replaced: list[Replaced] = []
    for page_ms, intervals in _by_page(meter, correction.intervals):
        held = corrected_slots(state, meter.meter_id, page_ms)
        page = intake.book.open(page_ms)
        for interval in intervals:
            slot = intake.book.slot_of(interval.start_ms)
            before = held.get(slot)
            replaced.append(_replaced_by(page, slot, before))
            held[slot] = _count(intake, page, (interval, correction.number), before)
        state.put(
            corrected_page_key(meter.meter_id, page_ms),
            CorrectedPage(slots=tuple(held[slot] for slot in sorted(held))),
        )
    approved = replace(
        correction,
        approved_by=context.sender,
        approved_ms=context.time_ms,
        replaced=tuple(replaced),
    )
    state.put(correction_key(meter.meter_id, correction.number), approved)
    context.emit("correction.approved", meter.meter_id, approved)
    is_substitute = correction.kind is CorrectionKind.SUBSTITUTE
    revision = Revision(
        organisation=meter.organisation,
        site=meter.site,
        from_ms=correction.intervals[0].start_ms,
        to_ms=correction.intervals[-1].start_ms + meter.interval_ms,
        subject=f"correction/{meter.meter_id}/{correction.number:06d}",
        kind=RevisionKind.SUBSTITUTE if is_substitute else RevisionKind.CORRECTION,
    )
    record_revision(context, revision)


def _replaced_by(page: MutablePage, slot: int, before: CorrectedSlot | None) -> Replaced:
    if before is None or before.amount is None:
        return Replaced(
            amount=page.amount_at(slot), number=None if before is None else before.number
        )
    return Replaced(amount=before.amount, number=before.number)


def _count(
    intake: Intake,
    page: MutablePage,
    newest: tuple[CorrectedInterval, int],
    before: CorrectedSlot | None,
) -> CorrectedSlot:
    """Counts what was approved for an interval in the place of what counted before."""
    interval, number = newest
    slot = intake.book.slot_of(interval.start_ms)
    counted, quality = counted_at(page, slot), page.qualities[slot]
    if before is not None and before.amount is not None:
        counted, quality = Counted(before.amount, before.has_factor), before.quality
    is_withdrawn = interval.amount is None
    intake.quality.at(interval.start_ms).move(
        quality, page.qualities[slot] if is_withdrawn else interval.quality
    )
    if is_withdrawn:
        page.corrected &= ~(1 << slot)
        has_factor = intake.ledger.replace(interval.start_ms, counted, page.amount_at(slot))
        mark_factor(page, slot, has_factor=has_factor)
    else:
        page.corrected |= 1 << slot
        has_factor = intake.ledger.replace(interval.start_ms, counted, interval.amount)
    return CorrectedSlot(
        slot=slot,
        number=number,
        amount=interval.amount,
        quality=interval.quality,
        method_code=interval.method_code,
        has_factor=has_factor,
    )


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "reading.correct",
        CorrectReadings,
        correct,
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
        work=lambda arguments: 1 + len(arguments.intervals),
    ),
    method_of(
        "reading.approve_correction",
        ApproveCorrection,
        approve,
        roles=frozenset({Role.ADMIN, Role.CERTIFIER}),
        work=lambda _: APPROVAL_WORK,
    ),
)
