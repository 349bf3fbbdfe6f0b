"""Restatement of a closed month: what came after its close is taken up, under two signatures.

One ADMIN proposes, another approves exactly what was proposed: more readings in between make the
proposal void. Old and new totals of the site and of each meter stand in records of their own, so
each of them is one state proof away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record, encode
from chain.crypto import Domain, hash_of
from chain.state import State
from chain.types import U16, U32, Hash, Identifier, Milliseconds, PublicKey, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.context import Context
from contracts.emissions import MonthTotal, MutableTotal, meter_month_key
from contracts.factor import Factor, factor_key
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.month import Month, month_name
from contracts.month_draft import MutableSiteMonth, edit_site_month
from contracts.period import WORK_OF_SITE, ClosedMonth, closed_key, get_closed, late_prefix
from contracts.refusal import Code, refusal
from contracts.revisions import Revision, RevisionKind, record_revision
from contracts.site_month import SiteMonth, organisation_month_key, site_month_key
from contracts.sites import require_site

RESTATEMENTS_MAX: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class RestateMonth(Record):
    """Arguments of ``period.restate``."""

    site: Identifier
    month: Month
    """Closed, and something came after."""
    reason: Text
    """Not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveRestatement(Record):
    """Arguments of ``period.approve_restatement``."""

    site: Identifier
    month: Month
    proposal: Hash
    """Id of the transaction that proposed it, so that one approves what one has read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatementProposal(Record):
    """A restatement that waits for its second signature; one for each closed month."""

    proposal: Hash
    """Id of the proposing transaction, which the approval names."""
    arguments: RestateMonth
    late: Hash
    """Over all totals apart as they stood; see :func:`late_hash`."""
    late_site: SiteMonth | None
    """What would be added to the site's totals; None where only sub-meters are concerned."""
    meter_count: U32
    """Meters with amounts apart."""
    proposed_by: PublicKey
    proposed_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRestatement(Record):
    """An approved restatement: the site's totals before and after."""

    site: Identifier
    organisation: Identifier
    month: Month
    number: U16
    """Of the closed month, from 1."""
    old: SiteMonth | None
    new: SiteMonth | None
    """None, both, where only sub-meters were concerned."""
    meter_count: U32
    """Meters whose totals were restated; see :func:`restated_meter_key`."""
    reason: Text
    proposed_by: PublicKey
    proposed_ms: Milliseconds
    approved_by: PublicKey
    approved_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatedMeter(Record):
    """A meter's totals before and after a restatement."""

    old: MonthTotal | None
    """None where nothing was counted before the close."""
    new: MonthTotal


def proposal_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of the open proposals of a site's months."""
    return f"restatement-proposal/{site_id}/".encode()


def proposal_key(site_id: str, month: int) -> bytes:
    """Returns the state key of the open proposal of a closed month."""
    return proposal_prefix(site_id) + b"%06d" % month


def restatement_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's restatements."""
    return f"month-restatement/{site_id}/".encode()


def restatement_key(site_id: str, month: int, number: int) -> bytes:
    """Returns the state key of a restatement; those of a site sort by month and number."""
    return restatement_prefix(site_id) + b"%06d/%05d" % (month, number)


def restated_meter_key(site_id: str, month: int, number: int, meter_id: str) -> bytes:
    """Returns the state key of a meter's totals before and after a restatement."""
    return f"restated-meter/{site_id}/{month:06d}/{number:05d}/{meter_id}".encode()


def late_site(state: State, site_id: str, month: int) -> SiteMonth | None:
    """Returns what was counted apart for a site since the close, or None where nothing was."""
    return state.get(SiteMonth, late_prefix(site_id, month) + site_month_key(site_id, month))


def late_meters(state: State, site_id: str, month: int) -> Iterator[tuple[str, MonthTotal]]:
    """Yields (meter id, total) of what was counted apart since the close, by meter."""
    prefix = late_prefix(site_id, month) + b"meter-month/"
    for key, total in state.iterate(MonthTotal, prefix):
        meter_id, _, _ = key[len(prefix) :].decode().partition("/")
        yield meter_id, total


def late_hash(site: SiteMonth | None, meters: list[tuple[str, MonthTotal]]) -> Hash:
    """Returns the hash over all totals apart of one closed month."""
    site_value = None if site is None else site.to_value()
    meter_values = tuple((meter_id, total.to_value()) for meter_id, total in meters)
    return hash_of(Domain.LATE_TOTALS, encode((site_value, meter_values)))


def restate(context: Context, arguments: RestateMonth) -> bytes:
    """Proposes to take up what came after a close; emits ``period.restatement_proposed``.

    A second proposal replaces the first.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED``, ``WRONG_STATE`` for a month that is
            open or has nothing apart, ``INVALID_ARGUMENTS`` for an empty reason,
            ``LIMIT_REACHED``.
    """
    state = context.state
    closed = _require_closed(context, arguments.site, arguments.month)
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS, "reason", expected="why it is restated", got="an empty text"
        )
    if closed.restatement_count >= RESTATEMENTS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            _words(closed),
            expected=f"at most {RESTATEMENTS_MAX} restatements",
            got="another",
        )
    site = late_site(state, arguments.site, arguments.month)
    meters = list(late_meters(state, arguments.site, arguments.month))
    if site is None and not meters:
        raise refusal(
            Code.WRONG_STATE,
            _words(closed),
            expected="readings, corrections or activities that came after its close",
            got="none",
        )
    proposal = RestatementProposal(
        proposal=context.transaction_id,
        arguments=arguments,
        late=late_hash(site, meters),
        late_site=site,
        meter_count=len(meters),
        proposed_by=context.sender,
        proposed_ms=context.time_ms,
    )
    state.put(proposal_key(arguments.site, arguments.month), proposal)
    context.emit("period.restatement_proposed", arguments.site, proposal)
    return b""


def approve(context: Context, arguments: ApproveRestatement) -> bytes:
    """Restates a closed month with the second signature; emits ``period.restated``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED`` for another organisation or the
            proposer, ``WRONG_STATE`` for no such proposal, or amounts that have changed since.
    """
    state = context.state
    closed = _require_closed(context, arguments.site, arguments.month)
    proposal = _require_proposal(context, closed, arguments)
    site = late_site(state, closed.site, closed.month)
    meters = list(late_meters(state, closed.site, closed.month))
    if late_hash(site, meters) != proposal.late:
        raise refusal(
            Code.WRONG_STATE,
            _words(closed),
            expected="amounts after the close as they were proposed; propose them again with "
            "period.restate",
            got="others, because more came since",
        )
    number = closed.restatement_count + 1
    _restate_meters(state, closed, number, meters)
    old, new = _restate_site(state, closed, site)
    restatement = MonthRestatement(
        site=closed.site,
        organisation=closed.organisation,
        month=closed.month,
        number=number,
        old=old,
        new=new,
        meter_count=len(meters),
        reason=proposal.arguments.reason,
        proposed_by=proposal.proposed_by,
        proposed_ms=proposal.proposed_ms,
        approved_by=context.sender,
        approved_ms=context.time_ms,
    )
    state.put(restatement_key(closed.site, closed.month, number), restatement)
    state.put(closed_key(closed.site, closed.month), replace(closed, restatement_count=number))
    state.delete(proposal_key(closed.site, closed.month))
    context.emit("period.restated", closed.site, restatement)
    revision = Revision(
        organisation=closed.organisation,
        site=closed.site,
        from_ms=closed.from_ms,
        to_ms=closed.to_ms,
        subject=f"restatement/{month_name(closed.month)}/{number:05d}",
        kind=RevisionKind.AFTER_CLOSE,
    )
    record_revision(context, revision)
    return b""


def _restate_meters(
    state: State, closed: ClosedMonth, number: int, meters: list[tuple[str, MonthTotal]]
) -> None:
    for meter_id, late in meters:
        key = meter_month_key(meter_id, closed.month)
        old = state.get(MonthTotal, key)
        moved = _meter_by_factors_in_force(state, meter_id, late)
        total = state.edit(MonthTotal, key, MutableTotal)
        total.absorb(moved)
        restated = RestatedMeter(old=old, new=total.record())
        state.put(restated_meter_key(closed.site, closed.month, number, meter_id), restated)
        state.delete(late_prefix(closed.site, closed.month) + key)


def _restate_site(
    state: State, closed: ClosedMonth, late: SiteMonth | None
) -> tuple[SiteMonth | None, SiteMonth | None]:
    if late is None:
        return None, None
    key = site_month_key(closed.site, closed.month)
    old = state.get(SiteMonth, key)
    moved = _site_by_factors_in_force(state, late)
    month = edit_site_month(state, closed.organisation, closed.site, closed.month)
    month.absorb(moved)
    prefix = late_prefix(closed.site, closed.month)
    state.delete(prefix + key)
    # The sum over sites apart is only ever this site's: it serves the draft and nobody else.
    state.delete(prefix + organisation_month_key(closed.organisation, closed.month))
    return old, month.record()


def _meter_by_factors_in_force(state: State, meter_id: str, late: MonthTotal) -> MonthTotal:
    """Returns what is apart, counted by factors as a restatement may have set them since."""
    meter = require_meter(state, meter_id)
    total = MutableTotal(late)
    for share in late.shares:
        assert meter.factor is not None, "what was counted by a factor names its series"
        factor = state.get(Factor, factor_key(meter.factor, share.valid_from_ms))
        if factor is not None:
            total.rebook(factor)
    return total.record()


def _site_by_factors_in_force(state: State, late: SiteMonth) -> SiteMonth:
    month = MutableSiteMonth(late)
    for stream in late.streams:
        factor = state.get(Factor, factor_key(stream.factor_id, stream.valid_from_ms))
        if factor is not None:
            month.rebook(factor)
    return month.record()


def _require_closed(context: Context, site_id: str, month: int) -> ClosedMonth:
    site = require_site(context.state, site_id)
    check_owner(context, site.organisation, f"site {site_id}")
    closed = get_closed(context.state, site_id, month)
    if closed is None:
        raise refusal(
            Code.WRONG_STATE,
            f"month {month_name(month)} of site {site_id}",
            expected="a closed month; an open one takes up what comes by itself",
            got="an open one",
        )
    return closed


def _require_proposal(
    context: Context, closed: ClosedMonth, arguments: ApproveRestatement
) -> RestatementProposal:
    key = proposal_key(closed.site, closed.month)
    proposal = context.state.get(RestatementProposal, key)
    if proposal is None or proposal.proposal != arguments.proposal:
        raise refusal(
            Code.WRONG_STATE,
            "proposal",
            expected="an open proposal; propose one with period.restate"
            if proposal is None
            else f"the open one, {proposal.proposal.hex()}",
            got=arguments.proposal.hex(),
        )
    if proposal.proposed_by == context.sender:
        raise refusal(
            Code.NOT_PERMITTED,
            _words(closed),
            expected="another ADMIN than the account that proposed the restatement",
            got="the same",
        )
    return proposal


def _words(closed: ClosedMonth) -> str:
    return f"closed month {month_name(closed.month)} of site {closed.site}"


_ADMIN: Final = frozenset({Role.ADMIN})

METHODS: Final[tuple[Method, ...]] = (
    method_of("period.restate", RestateMonth, restate, roles=_ADMIN, work=lambda _: WORK_OF_SITE),
    method_of(
        "period.approve_restatement",
        ApproveRestatement,
        approve,
        roles=_ADMIN,
        work=lambda _: WORK_OF_SITE,
    ),
)
