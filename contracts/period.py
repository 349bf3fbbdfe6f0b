"""The close of a month: from then on the totals of a site's month are what they are.

Closing changes no number. Readings that come later are kept like all others, flagged
:data:`contracts.reading.AFTER_CLOSE`, and counted apart: the ledger writes what they would have
changed under :func:`late_prefix` instead of the total's own key. They change totals only by a
restatement (:mod:`contracts.month_restatement`), which two people sign and which leaves both totals
provable. So one ADMIN may close alone: whatever the close shuts out comes back under two
signatures.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U16, Height, Identifier, Length, Milliseconds, PublicKey, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import require_calendar
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.month import Month, month_end_ms, month_name, month_start_ms
from contracts.refusal import Code, refusal
from contracts.site_month import SiteMonth, site_month_key
from contracts.site_quality import SiteQuality, site_quality
from contracts.sites import Site, require_site

SITES_MAX: Final = 16
"""Sites of one call; whoever has more sends more calls."""
WORK_OF_SITE: Final = 100
"""Work units of a site: the records of its meters' months are read once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePeriod(Record):
    """Arguments of ``period.close``."""

    sites: Annotated[tuple[Identifier, ...], Length(1, SITES_MAX)]
    """Of the sender's organisation; ascending, each once."""
    month: Month
    """Over by the calendar of each site, and closed at none of them."""
    note: Text
    """For people; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedMonth(Record):
    """A month of a site after its close."""

    site: Identifier
    organisation: Identifier
    month: Month
    from_ms: Milliseconds
    """Start of the month by the site's calendar, UTC."""
    to_ms: Milliseconds
    """Its end, exclusive."""
    closed_ms: Milliseconds
    """Block time of the close."""
    closed_height: Height
    closed_by: PublicKey
    note: Text
    totals: SiteMonth | None
    """The site's totals as the close froze them; None where nothing was measured. Restatements
    leave this record as it is and add their own."""
    quality: SiteQuality
    """As the close found it."""
    restatement_count: U16
    """Restatements since by ``period.restate``, numbered from 1."""


CLOSED_PREFIX: Final = b"closed-month/"
_LATE_PREFIX: Final = "late"


def closed_site_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's closed months."""
    return CLOSED_PREFIX + site_id.encode() + b"/"


def closed_key(site_id: str, month: int) -> bytes:
    """Returns the state key of a closed month; those of a site sort by month."""
    return closed_site_prefix(site_id) + b"%06d" % month


def late_prefix(site_id: str, month: int) -> bytes:
    """Returns the prefix under which what came after a close is counted apart.

    The key of the total that it would have changed follows, and the record is of the same class.
    """
    return f"{_LATE_PREFIX}/{site_id}/{month:06d}/".encode()


def get_closed(state: State, site_id: str, month: int) -> ClosedMonth | None:
    """Returns a closed month of a site, or None where it is open."""
    return state.get(ClosedMonth, closed_key(site_id, month))


def closed_at(state: State, site_id: str, month: int) -> Milliseconds | None:
    """Returns the block time at which a month of a site was closed, or None where it is open."""
    closed = get_closed(state, site_id, month)
    return None if closed is None else closed.closed_ms


def close(context: Context, arguments: ClosePeriod) -> bytes:
    """Closes one month of one or more sites; emits ``period.closed`` for each.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED`` for another organisation's site,
            ``INVALID_ARGUMENTS`` for sites out of order, ``WRONG_STATE`` for a month that is not
            over or is closed.
    """
    for earlier, later in pairwise(arguments.sites):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "sites",
                expected="each site once, in ascending order",
                got=f"{later!r} after {earlier!r}",
            )
    closed = [_closed(context, site_id, arguments) for site_id in arguments.sites]
    for month in closed:
        context.state.put(closed_key(month.site, month.month), month)
        context.emit("period.closed", month.site, month)
    return b""


def _closed(context: Context, site_id: str, arguments: ClosePeriod) -> ClosedMonth:
    state, month = context.state, arguments.month
    site = require_site(state, site_id)
    check_owner(context, site.organisation, f"site {site_id}")
    before = closed_at(state, site_id, month)
    if before is not None:
        raise refusal(
            Code.WRONG_STATE,
            f"month {month_name(month)} of site {site_id}",
            expected="an open month; what came since changes totals by period.restate only",
            got=f"one closed at {before}",
        )
    from_ms, to_ms = span_of(state, site, month)
    if context.time_ms < to_ms:
        raise refusal(
            Code.WRONG_STATE,
            f"month {month_name(month)} of site {site_id}",
            expected=f"one that is over by the site's calendar at the block time {context.time_ms}",
            got=f"one that ends at {to_ms}",
        )
    return ClosedMonth(
        site=site_id,
        organisation=site.organisation,
        month=month,
        from_ms=from_ms,
        to_ms=to_ms,
        closed_ms=context.time_ms,
        closed_height=context.height,
        closed_by=context.sender,
        note=arguments.note,
        totals=state.get(SiteMonth, site_month_key(site_id, month)),
        quality=site_quality(state, site_id, month, to_ms),
        restatement_count=0,
    )


def span_of(state: State, site: Site, month: int) -> tuple[Milliseconds, Milliseconds]:
    """Returns start and end (exclusive) of a month by a site's calendar, milliseconds UTC."""
    calendar = require_calendar(state, site.calendar)
    return month_start_ms(calendar, month), month_end_ms(calendar, month)


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "period.close",
        ClosePeriod,
        close,
        roles=frozenset({Role.ADMIN}),
        work=lambda arguments: WORK_OF_SITE * len(arguments.sites),
    ),
)
