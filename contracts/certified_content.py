"""What a new certificate rests on: the anchored report, the factors, the statistics of checks."""

from typing import Final

from chain.state import State
from chain.types import Hash, Milliseconds
from contracts.calendars import require_calendar
from contracts.certificate import METERS_MAX, CheckStatistics
from contracts.certification import Certification, Scoped
from contracts.certified_period import months_in_scope
from contracts.check import CHECK_COUNT
from contracts.emissions import Scope, numerator_of
from contracts.meters import meters_at
from contracts.quality import quality_of_month
from contracts.reading import Quality
from contracts.refusal import Code, refusal
from contracts.report import (
    FACTORS_MAX,
    FactorUse,
    Headline,
    Report,
    ReportPlace,
    ReportStatus,
    place_key,
    report_key,
)
from contracts.report_totals import factors_of


def check_report(state: State, certification: Certification, document: Hash) -> None:
    """Checks that an anchored report says what the statement of an engagement does.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for one that is not anchored or not current, or of
            another organisation, other months, sites or totals.
    """
    place = state.get(ReportPlace, place_key(document))
    report = None if place is None else _report_at(state, place)
    if report is None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "report",
            expected="a report that its organisation has anchored with report.anchor",
            got=document.hex(),
        )
    statement = certification.statement
    assert statement is not None, "the caller has looked at it"
    rules: tuple[tuple[str, object, object], ...] = (
        ("organisation", certification.organisation, report.organisation),
        ("status", ReportStatus.CURRENT.name, report.status.name),
        ("from_month", certification.from_month, report.from_month),
        ("to_month", certification.to_month, report.to_month),
        ("sites", ", ".join(certification.sites), ", ".join(sorted(report.sites))),
        *(
            (name, numerator_of(getattr(statement.totals, name)), numerator_of(total))
            for name, total in _totals_in_scope(report.headline, certification)
        ),
    )
    for name, expected, got in rules:
        if expected != got:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"report {report.number}: {name}",
                expected=f"{expected}, as the engagement",
                got=str(got),
            )


def _report_at(state: State, place: ReportPlace) -> Report | None:
    return state.get(Report, report_key(place.organisation, place.number))


def _totals_in_scope(
    headline: Headline, certification: Certification
) -> tuple[tuple[str, bytes], ...]:
    """Returns the totals of a report that an engagement certifies, by name."""
    return tuple(
        (name, getattr(headline, name))
        for name, scope in _SCOPE_OF_TOTAL
        if scope in certification.scopes
    )


def certified_factors(state: State, scoped: Scoped) -> tuple[FactorUse, ...]:
    """Returns the versions of factors that the totals of an engagement rest on.

    Raises:
        ContractRefusal: ``LIMIT_REACHED``.
    """
    found = factors_of(tuple(months_in_scope(state, scoped)))
    if len(found) > FACTORS_MAX:
        raise _too_many("factors", FACTORS_MAX, len(found))
    return found


def statistics_of(state: State, scoped: Scoped, until_ms: Milliseconds) -> CheckStatistics:
    """Returns what the readings of an engagement's meters passed, over all its months.

    Args:
        state: of the block.
        scoped: sites and months.
        until_ms: block time; intervals that end later are not expected yet.

    Raises:
        ContractRefusal: ``LIMIT_REACHED``.
    """
    meters = [meter for site_id in scoped.sites for meter in meters_at(state, site_id)]
    if len(meters) > METERS_MAX:
        raise _too_many("meters at the sites", METERS_MAX, len(meters))
    expected = present = flagged = off = 0
    qualities = dict.fromkeys(Quality, 0)
    applied, failed = [0] * CHECK_COUNT, [0] * CHECK_COUNT
    for meter in meters:
        calendar = require_calendar(state, meter.calendar)
        for month in range(scoped.from_month, scoped.to_month + 1):
            quality = quality_of_month(state, meter, calendar, month, until_ms)
            expected += quality.expected
            present += quality.counts.present
            flagged += quality.counts.flagged
            off |= quality.counts.off
            for kind, count in zip(Quality, quality.counts.qualities, strict=True):
                qualities[kind] += count
            for index in range(CHECK_COUNT):
                applied[index] += quality.counts.applied[index]
                failed[index] += quality.counts.failed[index]
    return CheckStatistics(
        meter_count=len(meters),
        expected=expected,
        present=present,
        substituted=qualities[Quality.SUBSTITUTE],
        estimated=qualities[Quality.ESTIMATED],
        flagged=flagged,
        applied=tuple(applied),
        failed=tuple(failed),
        off=off,
    )


def _too_many(what: str, limit: int, count: int) -> Exception:
    return refusal(
        Code.LIMIT_REACHED,
        what,
        expected=f"at most {limit} in one certificate; certify fewer sites at a time",
        got=str(count),
    )


_SCOPE_OF_TOTAL: Final = (
    ("direct", Scope.DIRECT),
    ("location_based", Scope.PURCHASED_ENERGY),
    ("market_based", Scope.PURCHASED_ENERGY),
    ("value_chain", Scope.VALUE_CHAIN),
)
