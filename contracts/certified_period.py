"""What an engagement looks at: its months closed, its totals, its open cases, what came since.

Each function reads the state of sites and months that an engagement names; none writes.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from chain.state import State
from chain.types import Height, Milliseconds
from contracts.alert import Alert, AlertId, AlertReference, AlertState, alert_key, state_prefix
from contracts.certification import Certification, Scoped
from contracts.emissions import Scope, numerator_of
from contracts.month import month_name
from contracts.period import get_closed
from contracts.refusal import Code, refusal
from contracts.report import Headline
from contracts.report_totals import headline_of, months_of, sum_of
from contracts.revision import RecordedRevision, RevisionKind, revision_count, revision_key
from contracts.site_month import NO_ENERGY, SiteMonth

CASES_SCANNED_MAX: Final = 20_000
"""Open cases of the whole consortium that are looked through; about 0.3 s."""
REVISIONS_SCANNED_MAX: Final = 1_000
"""Revisions of one site since the block that was executed again."""
FINAL_ALERT_STATES: Final = (AlertState.CLOSED,)
"""States in which nothing is left to do."""


def site_months_of(scoped: Scoped) -> Iterator[tuple[str, int]]:
    """Yields each site and month of an engagement, by site and month."""
    for site_id in scoped.sites:
        for month in range(scoped.from_month, scoped.to_month + 1):
            yield site_id, month


def closed_height(state: State, scoped: Scoped) -> Height:
    """Returns the height at which the last month of a period was closed.

    Raises:
        ContractRefusal: ``WRONG_STATE`` where one is open.
    """
    latest = 0
    for site_id, month in site_months_of(scoped):
        closed = get_closed(state, site_id, month)
        if closed is None:
            raise refusal(
                Code.WRONG_STATE,
                f"month {month_name(month)} of site {site_id}",
                expected="a closed month; its organisation closes it with period.close",
                got="an open one",
            )
        latest = max(latest, closed.closed_height)
    return latest


def months_in_scope(state: State, scoped: Scoped) -> Iterator[SiteMonth]:
    """Yields the months of an engagement as they stand, without what is out of its scopes."""
    has_energy = Scope.PURCHASED_ENERGY in scoped.scopes
    for site_id in scoped.sites:
        for month in months_of(state, site_id, scoped.from_month, scoped.to_month):
            yield replace(
                month,
                lines=tuple(line for line in month.lines if line.scope in scoped.scopes),
                scope2=month.scope2 if has_energy else NO_ENERGY,
                streams=tuple(
                    stream for stream in month.streams if stream.booking.scope in scoped.scopes
                ),
                market=month.market if has_energy else None,
            )


def totals_of(state: State, scoped: Scoped) -> Headline:
    """Returns the emissions of the sites, months and scopes of an engagement, as they stand."""
    return headline_of(sum_of(months_in_scope(state, scoped)))


def total_of(totals: Headline) -> int:
    """Returns what misstatements are held against, 1e-10 g.

    Of the two totals of scope 2 the smaller counts, so that the limit is the stricter one.
    """
    energy = min(numerator_of(totals.location_based), numerator_of(totals.market_based))
    return numerator_of(totals.direct) + energy + numerator_of(totals.value_chain)


def open_cases(state: State, certification: Certification) -> tuple[AlertId, ...]:
    """Returns the cases of an engagement's sites that reach into its period and are open, by id.

    Raises:
        ContractRefusal: ``LIMIT_REACHED`` where more are open than can be looked through.
    """
    references = [
        entry
        for alert_state in AlertState
        if alert_state not in FINAL_ALERT_STATES
        for _, entry in islice(
            state.iterate(AlertReference, state_prefix(alert_state)), CASES_SCANNED_MAX + 1
        )
    ]
    if len(references) > CASES_SCANNED_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "open cases",
            expected=f"at most {CASES_SCANNED_MAX} of all organisations; close some",
            got="more",
        )
    found: list[AlertId] = []
    for reference in references:
        if reference.organisation == certification.organisation:
            alert = state.get(Alert, alert_key(reference.alert_id))
            assert alert is not None, "an index names alerts that exist"
            if _reaches_into(alert, certification):
                found.append(alert.alert_id)
    return tuple(sorted(found))


def _reaches_into(alert: Alert, certification: Certification) -> bool:
    return (
        alert.site in certification.sites
        and alert.first_interval_ms < certification.to_ms
        and alert.last_interval_ms >= certification.from_ms
    )


def is_touched(certification: Certification, from_ms: Milliseconds, to_ms: Milliseconds) -> bool:
    """Returns whether a span (end exclusive) reaches into an engagement's period."""
    return from_ms < certification.to_ms and to_ms > certification.from_ms


def check_unrevised(state: State, certification: Certification, height: Height) -> None:
    """Checks that no revision after a height touches the sites and period of an engagement.

    Raises:
        ContractRefusal: ``WRONG_STATE`` where one does, ``LIMIT_REACHED`` for too many to look at.
    """
    for site_id in certification.sites:
        newest = revision_count(state, site_id)
        for number in range(newest, max(newest - REVISIONS_SCANNED_MAX, 0), -1):
            recorded = state.get(RecordedRevision, revision_key(site_id, number))
            assert recorded is not None, "revisions are numbered without gaps"
            if recorded.height <= height:
                break
            revision = recorded.revision
            is_of_totals = revision.kind is not RevisionKind.EQUITY
            if is_of_totals and is_touched(certification, revision.from_ms, revision.to_ms):
                raise refusal(
                    Code.WRONG_STATE,
                    f"site {site_id}",
                    expected=f"no revision of the period after block {height}; execute the chain "
                    "again and call certification.conclude anew",
                    got=f"revision {number}, {revision.kind.name} of {revision.subject}",
                )
        else:
            if newest > REVISIONS_SCANNED_MAX:
                raise refusal(
                    Code.LIMIT_REACHED,
                    f"site {site_id}",
                    expected=f"at most {REVISIONS_SCANNED_MAX} revisions after block {height}; "
                    "execute the chain again up to a later one",
                    got="more",
                )
