"""Equity shares as a contract: the organisation that operates a site says who holds it.

Whoever holds a share agrees by naming the site in the design of its own inventory; no other report
follows from it. A declaration for months that have begun is a revision, because reports by equity
share have counted them otherwise.
"""

from itertools import pairwise
from typing import Final

from chain.state import State
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import require_calendar
from contracts.context import Context
from contracts.equity import (
    DECLARATIONS_MAX,
    WHOLE_PPM,
    DeclareEquity,
    EquityDeclaration,
    declarations_of,
    equity_key,
)
from contracts.method import Method, method_of
from contracts.month import month_start_ms
from contracts.organisations import get_organisation
from contracts.refusal import Code, refusal
from contracts.revisions import Revision, RevisionKind, record_revision
from contracts.sites import Site, require_site


def declare(context: Context, arguments: DeclareEquity) -> bytes:
    """Declares who holds a site from a month on; emits ``equity.declared``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED`` for another organisation's site,
            ``INVALID_ARGUMENTS`` for holders out of order, unknown or of more than the whole, or
            an empty reason, ``LIMIT_REACHED``.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {arguments.site}")
    _check_holders(state, arguments)
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS, "reason", expected="why it is declared", got="an empty text"
        )
    number = len(declarations_of(state, arguments.site)) + 1
    if number > DECLARATIONS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"equity of site {arguments.site}",
            expected=f"at most {DECLARATIONS_MAX} declarations",
            got="another",
        )
    declaration = EquityDeclaration.from_value(
        (*arguments.to_value(), number, context.sender, context.time_ms)
    )
    state.put(equity_key(declaration.site, number), declaration)
    context.emit("equity.declared", declaration.site, declaration)
    _revise(context, site, declaration)
    return b""


def _check_holders(state: State, arguments: DeclareEquity) -> None:
    for index, (earlier, later) in enumerate(pairwise(arguments.holders), 1):
        if later.organisation <= earlier.organisation:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"holders[{index}].organisation",
                expected=f"one after {earlier.organisation!r}, for they ascend, each once",
                got=repr(later.organisation),
            )
    for index, holding in enumerate(arguments.holders):
        if get_organisation(state, holding.organisation) is None:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"holders[{index}].organisation",
                expected="an organisation of this chain; leave the share of others out",
                got=repr(holding.organisation),
            )
    total_ppm = sum(holding.share_ppm for holding in arguments.holders)
    if total_ppm > WHOLE_PPM:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "holders",
            expected=f"shares of at most {WHOLE_PPM} ppm together",
            got=f"{total_ppm} ppm",
        )


def _revise(context: Context, site: Site, declaration: EquityDeclaration) -> None:
    """Tells reports of what has been counted by another declaration, where there is one."""
    calendar = require_calendar(context.state, site.calendar)
    from_ms = month_start_ms(calendar, declaration.from_month)
    if declaration.number == 1 or from_ms >= context.time_ms:
        return
    record_revision(
        context,
        Revision(
            organisation=site.organisation,
            site=site.site_id,
            from_ms=from_ms,
            to_ms=context.time_ms,
            subject=f"equity/{site.site_id}/{declaration.number:06d}",
            kind=RevisionKind.EQUITY,
        ),
    )


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "equity.declare",
        DeclareEquity,
        declare,
        roles=frozenset({Role.ADMIN}),
        work=lambda arguments: 1 + len(arguments.holders),
    ),
)
