"""Restating factors as a contract: proposed, signed by a second account, carried over in pieces.

From the approval on, readings and corrections count by the new version. What was counted before
stands under the old one and is moved over, month by month, by ``restatement.apply``: amounts are
kept by version, so moving one is adding it elsewhere, and the totals follow. A call looks at a
bounded number of months; any organisation may send it, for it decides nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Hash, Identifier, Milliseconds, Range, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import DAY_MS
from contracts.context import Context
from contracts.emissions import MonthTotal, MutableTotal, meter_month_prefix, month_of_day
from contracts.factor import Factor, factor_key, factor_version_key
from contracts.factor_content import FactorContent
from contracts.factors import FactorSeries, factor_of, get_series
from contracts.method import Method, method_of
from contracts.month import first_day_of
from contracts.month_draft import edit_site_month
from contracts.refusal import Code, refusal
from contracts.restatement import (
    FactorUser,
    MonthTotals,
    RestatedMonth,
    Restatement,
    RestatementCount,
    RestatementState,
    UserKind,
    get_restatement,
    restated_month_key,
    restatement_count,
    restatement_count_key,
    restatement_key,
    user_prefix,
)
from contracts.revisions import Revision, RevisionKind, record_revision
from contracts.site_month import SiteMonth, Sums, site_month_prefix

MONTHS_PER_CALL_MAX: Final = 64
"""Months that one call looks at; each is a record or two."""
_LAST_MONTH: Final = 999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class RestateFactor(FactorContent):
    """Arguments of ``factor.restate``: what a period says from now on, all of it."""

    factor_id: Identifier
    valid_from_ms: Milliseconds
    """Names the period."""
    version: U32
    """Version in force, so that nobody restates what has changed meanwhile."""
    reason: Text
    """Why; not empty."""
    evidence_hash: Hash
    """SHA-256 of a document; zeros where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRestatement(Record):
    """Arguments of ``factor.approve_restatement`` and ``factor.reject_restatement``."""

    factor_id: Identifier
    number: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRestatement(Record):
    """Arguments of ``restatement.apply``."""

    factor_id: Identifier
    number: U32
    month_count: Annotated[int, Range(1, MONTHS_PER_CALL_MAX)]
    """Months that the call looks at, at most."""


def restate(context: Context, arguments: RestateFactor) -> bytes:
    """Proposes another value of a period; emits ``restatement.proposed``.

    Raises:
        ContractRefusal: ``UNKNOWN_FACTOR``, ``NOT_PERMITTED`` for a series of another
            organisation, ``INVALID_ARGUMENTS``, ``WRONG_STATE`` where another restatement of the
            series is not done or the version is not in force.
    """
    state = context.state
    series = _owned_series(context, arguments.factor_id)
    factor = _require_period(state, arguments)
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS, "reason", expected="why it is restated", got="an empty text"
        )
    if arguments.version != factor.version:
        raise refusal(
            Code.WRONG_STATE,
            "version",
            expected=f"the version in force, {factor.version}",
            got=str(arguments.version),
        )
    number = restatement_count(state, series.factor_id)
    before = get_restatement(state, series.factor_id, number)
    if before is not None and before.state in {
        RestatementState.PROPOSED,
        RestatementState.APPROVED,
    }:
        raise refusal(
            Code.WRONG_STATE,
            f"restatement {number} of {series.factor_id}",
            expected="one that is applied or rejected before the next is proposed",
            got=before.state.name,
        )
    content = content_of(arguments)
    factor_of(state, factor, content, context.time_ms)  # refuses what no factor can say
    restatement = Restatement(
        factor_id=series.factor_id,
        number=number + 1,
        valid_from_ms=arguments.valid_from_ms,
        from_version=factor.version,
        content=content,
        reason=arguments.reason,
        evidence_hash=arguments.evidence_hash,
        state=RestatementState.PROPOSED,
        proposed_by=context.sender,
        proposed_ms=context.time_ms,
        decided_by=None,
        decided_ms=None,
        cursor=b"",
        cursor_month=0,
        changed_month_count=0,
    )
    state.put(restatement_count_key(series.factor_id), RestatementCount(count=number + 1))
    _keep(context, restatement, "restatement.proposed")
    return b""


def content_of(arguments: FactorContent) -> FactorContent:
    """Returns what a factor says, without the arguments around it."""
    return FactorContent(
        value=arguments.value,
        is_co2=arguments.is_co2,
        gases=arguments.gases,
        fuel=arguments.fuel,
        gwp_set=arguments.gwp_set,
        source=arguments.source,
        evidence=arguments.evidence,
        evidence_note=arguments.evidence_note,
        factor_set=arguments.factor_set,
        uncertainty=arguments.uncertainty,
    )


def approve(context: Context, arguments: DecideRestatement) -> bytes:
    """Signs a restatement as the second; emits ``restatement.approved`` and ``factor.restated``.

    Raises:
        ContractRefusal: ``UNKNOWN_FACTOR``, ``NOT_PERMITTED`` for another organisation's series or
            the account that proposed it, ``WRONG_STATE``.
    """
    state = context.state
    restatement = _require_in(context, arguments, RestatementState.PROPOSED)
    if context.sender == restatement.proposed_by:
        raise refusal(
            Code.NOT_PERMITTED,
            f"restatement {restatement.number} of {restatement.factor_id}",
            expected="another account than the one that proposed it",
            got=context.sender.hex(),
        )
    key = factor_key(restatement.factor_id, restatement.valid_from_ms)
    old = state.get(Factor, key)
    assert old is not None, "what is restated exists"
    assert old.version == restatement.from_version, "one restatement at a time"
    new = factor_of(state, old, restatement.content, context.time_ms)
    state.put(factor_version_key(old.factor_id, old.valid_from_ms, old.version), old)
    state.put(key, new)
    decided = replace(
        restatement,
        state=RestatementState.APPROVED,
        decided_by=context.sender,
        decided_ms=context.time_ms,
    )
    _keep(context, decided, "restatement.approved")
    context.emit("factor.restated", new.factor_id, new)
    return b""


def reject(context: Context, arguments: DecideRestatement) -> bytes:
    """Rejects or withdraws a restatement; emits ``restatement.rejected``.

    Raises:
        ContractRefusal: as :func:`approve`, but for who proposed it.
    """
    restatement = _require_in(context, arguments, RestatementState.PROPOSED)
    decided = replace(
        restatement,
        state=RestatementState.REJECTED,
        decided_by=context.sender,
        decided_ms=context.time_ms,
    )
    _keep(context, decided, "restatement.rejected")
    return b""


def apply(context: Context, arguments: ApplyRestatement) -> bytes:
    """Carries some months over to the new version; emits ``restatement.advanced`` or ``.applied``.

    Raises:
        ContractRefusal: ``UNKNOWN_FACTOR``, ``WRONG_STATE``.
    """
    state = context.state
    restatement = _require_restatement(state, arguments.factor_id, arguments.number)
    _check_state(restatement, RestatementState.APPROVED)
    factor = state.get(Factor, factor_key(restatement.factor_id, restatement.valid_from_ms))
    assert factor is not None, "what is restated exists"
    work = _months_from(state, restatement, factor)
    taken = tuple(islice(work, arguments.month_count))
    after = next(work, None)
    changed_count = sum(_carry_over(context, restatement, factor, each) for each in taken)
    advanced = replace(
        restatement,
        changed_month_count=restatement.changed_month_count + changed_count,
        cursor=b"" if after is None else after.user_key,
        cursor_month=0 if after is None else after.month,
        state=RestatementState.APPLIED if after is None else RestatementState.APPROVED,
    )
    _keep(context, advanced, "restatement.applied" if after is None else "restatement.advanced")
    return b""


@dataclass(frozen=True, slots=True)
class _UserMonth:
    """One month to look at."""

    user_key: bytes
    user: FactorUser
    month: int


def _months_from(state: State, restatement: Restatement, factor: Factor) -> Iterator[_UserMonth]:
    """Yields the months that may hold amounts under the period, from the cursor on."""
    # A day on either side, for months are local.
    first = month_of_day(max(factor.valid_from_ms // DAY_MS - 1, 0))
    last = min(month_of_day(min(factor.valid_to_ms // DAY_MS, 2**26) + 1), _LAST_MONTH)
    users = state.iterate(FactorUser, user_prefix(factor.factor_id), restatement.cursor)
    for user_key, user in users:
        from_month = first
        if user_key == restatement.cursor:
            from_month = restatement.cursor_month
        is_meter = user.kind is UserKind.METER
        prefix_of = meter_month_prefix if is_meter else site_month_prefix
        prefix = prefix_of(user.subject)
        start = prefix + b"%06d" % from_month
        record: type[Record] = MonthTotal if is_meter else SiteMonth
        for key, _ in state.iterate(record, prefix, start):
            month = int(key[len(prefix) :])
            if month > last:
                break
            yield _UserMonth(user_key, user, month)


def _carry_over(context: Context, restatement: Restatement, factor: Factor, at: _UserMonth) -> bool:
    """Moves what a month holds under older versions; returns whether there was anything."""
    state = context.state
    if at.user.kind is UserKind.METER:
        key = meter_month_prefix(at.user.subject) + b"%06d" % at.month
        return state.edit(MonthTotal, key, MutableTotal).rebook(factor)
    site_month = state.get(SiteMonth, site_month_prefix(at.user.subject) + b"%06d" % at.month)
    assert site_month is not None, "a month that was found exists"
    draft = edit_site_month(state, site_month.organisation, site_month.site, at.month)
    before = draft.sums()
    if not draft.rebook(factor):
        return False
    restated = RestatedMonth(
        factor_id=restatement.factor_id,
        number=restatement.number,
        organisation=site_month.organisation,
        site=site_month.site,
        month=at.month,
        before=_totals_of(before),
        after=_totals_of(draft.sums()),
        applied_ms=context.time_ms,
    )
    key = restated_month_key(site_month.site, at.month, restatement.factor_id, restatement.number)
    state.put(key, restated)
    record_revision(
        context,
        Revision(
            organisation=site_month.organisation,
            site=site_month.site,
            # A day on either side, for months are local.
            from_ms=max(factor.valid_from_ms, (first_day_of(at.month) - 1) * DAY_MS, 0),
            to_ms=min(factor.valid_to_ms, (first_day_of(at.month + 1) + 1) * DAY_MS),
            subject=f"restatement/{restatement.factor_id}/{restatement.number:010d}",
            kind=RevisionKind.RESTATEMENT,
        ),
    )
    return True


def _totals_of(sums: Sums) -> MonthTotals:
    return MonthTotals(lines=sums.line_records(), scope2=sums.scope2_record())


def _keep(context: Context, restatement: Restatement, event: str) -> None:
    key = restatement_key(restatement.factor_id, restatement.number)
    context.state.put(key, restatement)
    context.emit(event, restatement.factor_id, restatement)


def _owned_series(context: Context, factor_id: str) -> FactorSeries:
    series = get_series(context.state, factor_id)
    if series is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "factor_id",
            expected="a series with a factor; set one with factor.set",
            got=repr(factor_id),
        )
    check_owner(context, series.organisation, f"factor series {factor_id}")
    return series


def _require_period(state: State, arguments: RestateFactor) -> Factor:
    factor = state.get(Factor, factor_key(arguments.factor_id, arguments.valid_from_ms))
    if factor is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "valid_from_ms",
            expected=f"the start of a period of {arguments.factor_id}; see factor list",
            got=str(arguments.valid_from_ms),
        )
    return factor


def _require_restatement(state: State, factor_id: str, number: int) -> Restatement:
    restatement = get_restatement(state, factor_id, number)
    if restatement is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "number",
            expected=f"a restatement of {factor_id}, of which there are "
            f"{restatement_count(state, factor_id)}",
            got=str(number),
        )
    return restatement


def _check_state(restatement: Restatement, wanted: RestatementState) -> None:
    if restatement.state is not wanted:
        raise refusal(
            Code.WRONG_STATE,
            f"restatement {restatement.number} of {restatement.factor_id}",
            expected=wanted.name,
            got=restatement.state.name,
        )


def _require_in(
    context: Context, arguments: DecideRestatement, wanted: RestatementState
) -> Restatement:
    _owned_series(context, arguments.factor_id)
    restatement = _require_restatement(context.state, arguments.factor_id, arguments.number)
    _check_state(restatement, wanted)
    return restatement


_SETTERS: Final = frozenset({Role.ADMIN, Role.CERTIFIER})
METHODS: Final[tuple[Method, ...]] = (
    method_of("factor.restate", RestateFactor, restate, roles=_SETTERS),
    method_of("factor.approve_restatement", DecideRestatement, approve, roles=_SETTERS),
    method_of("factor.reject_restatement", DecideRestatement, reject, roles=_SETTERS),
    method_of(
        "restatement.apply",
        ApplyRestatement,
        apply,
        roles=_SETTERS | {Role.OPERATOR},
        work=lambda arguments: 1 + 2 * arguments.month_count,
    ),
)
