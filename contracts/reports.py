"""Reports as a contract: anchored by their hash, and marked where the chain's numbers move on.

Validators compute the headline totals of the period anew and refuse a report that states others.
They do not rebuild the document: its hash is for whoever holds it, and any node can.
"""

from dataclasses import fields, replace
from typing import Final

from chain.state import State
from contracts.account import Role
from contracts.accounts import sender_of
from contracts.calendars import require_calendar
from contracts.consolidation import counted_months
from contracts.context import Context
from contracts.emissions import numerator_of
from contracts.equity import holders_of
from contracts.inventory_design import (
    Consolidation,
    InventoryDesign,
    get_design,
    newest_design,
)
from contracts.method import Method, method_of
from contracts.month import month_end_ms, month_name, month_start_ms
from contracts.period import closed_at
from contracts.refusal import Code, refusal
from contracts.report import (
    FACTORS_MAX,
    MONTHS_MAX,
    REPORTS_MAX,
    AnchorReport,
    Coverage,
    Headline,
    Report,
    ReportKind,
    ReportPlace,
    ReportStatus,
    ReportTrack,
    place_key,
    report_key,
    track_key,
)
from contracts.report_totals import factors_of, headline_of, sum_of
from contracts.revision import RecordedRevision, RevisionKind
from contracts.sites import require_site

WORK_OF_MONTH: Final = 100
"""Work units of a month: one record of each site is read."""
_NO_TRACK: Final = ReportTrack(count=0, current=())


def anchor(context: Context, arguments: AnchorReport) -> bytes:
    """Anchors a report of the sender's organisation; emits ``report.anchored``.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for a period that is none of its kind, a height to
            come or totals that differ, ``WRONG_STATE`` without a design or with an open month,
            ``ALREADY_EXISTS`` for a document that is anchored, ``LIMIT_REACHED``.
    """
    state, organisation = context.state, sender_of(context).organisation
    check_period(arguments.kind, arguments.from_month, arguments.to_month)
    design = require_design(state, organisation, arguments.kind)
    _check_place(context, arguments)
    _check_closed(state, design, arguments)
    track = state.get(ReportTrack, track_key(organisation)) or _NO_TRACK
    if track.count >= REPORTS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"reports of {organisation}",
            expected=f"at most {REPORTS_MAX}",
            got="another",
        )
    months = [
        month
        for site_id in design.sites
        for month in counted_months(
            state, design, site_id, arguments.from_month, arguments.to_month
        )
    ]
    headline = headline_of(sum_of(months))
    _check_headline(arguments.headline, headline)
    factors = factors_of(months)
    if len(factors) > FACTORS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "factors",
            expected=f"at most {FACTORS_MAX} versions of factors in one report",
            got=str(len(factors)),
        )
    report = Report(
        organisation=organisation,
        number=track.count + 1,
        kind=arguments.kind,
        from_month=arguments.from_month,
        to_month=arguments.to_month,
        sites=design.sites,
        design_version=design.version,
        document=arguments.document,
        computed_height=arguments.computed_height,
        state_root=arguments.state_root,
        headline=headline,
        factors=factors,
        anchored_height=context.height,
        anchored_ms=context.time_ms,
        anchored_by=context.sender,
        status=ReportStatus.CURRENT,
        superseded_by=None,
        superseded_ms=None,
    )
    _write(context, report, track)
    return b""


def flag_covering(context: Context, recorded: RecordedRevision) -> None:
    """Marks the current reports whose site and period a revision touches.

    They are those of the site's organisation and of whoever holds shares of the site. Each becomes
    ``SUPERSEDED_DATA`` once and for all, with the event ``report.superseded``.
    """
    state, revision = context.state, recorded.revision
    for organisation in sorted({revision.organisation} | holders_of(state, revision.site)):
        _flag_reports(context, organisation, recorded)


def _flag_reports(context: Context, organisation: str, recorded: RecordedRevision) -> None:
    state, revision = context.state, recorded.revision
    key = track_key(organisation)
    track = state.get(ReportTrack, key)
    if track is None or not track.current:
        return
    calendar = require_calendar(state, require_site(state, revision.site).calendar)
    touched = [
        coverage
        for coverage in track.current
        if month_start_ms(calendar, coverage.from_month) < revision.to_ms
        and revision.from_ms < month_end_ms(calendar, coverage.to_month)
    ]
    flagged: list[Coverage] = []
    for coverage in touched:
        report = get_report(state, organisation, coverage.number)
        assert report is not None, "a tracked report exists"
        if revision.site not in report.sites or not _depends_on(state, report, revision.kind):
            continue
        superseded = replace(
            report,
            status=ReportStatus.SUPERSEDED_DATA,
            superseded_by=(revision.site, recorded.number),
            superseded_ms=context.time_ms,
        )
        state.put(report_key(report.organisation, report.number), superseded)
        context.emit("report.superseded", report.organisation, superseded)
        flagged.append(coverage)
    if flagged:
        current = tuple(each for each in track.current if each not in flagged)
        state.put(key, replace(track, current=current))


def _depends_on(state: State, report: Report, kind: RevisionKind) -> bool:
    """Returns whether a report's numbers follow from what a revision of a kind changes."""
    if kind is not RevisionKind.EQUITY:
        return True
    design = get_design(state, report.organisation, report.design_version)
    return design is not None and design.consolidation is Consolidation.EQUITY_SHARE


def get_report(state: State, organisation: str, number: int) -> Report | None:
    """Returns an anchored report, or None."""
    return state.get(Report, report_key(organisation, number))


def check_period(kind: ReportKind, from_month: int, to_month: int) -> None:
    """Checks that a period is one of a kind of report.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``.
    """
    count = to_month - from_month + 1
    fits, expected = {
        ReportKind.GHG_INVENTORY: (1 <= count <= MONTHS_MAX, f"1 to {MONTHS_MAX} months"),
        ReportKind.CN_MONTHLY_DEPOSIT: (count == 1, "one month"),
        ReportKind.CN_ANNUAL: (
            count == 12 and from_month % 12 == 0,
            "January to December of one year",
        ),
    }[kind]
    if not fits:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "period",
            expected=f"for {kind.name} {expected}",
            got=f"{month_name(from_month)} to {month_name(to_month)}",
        )


def require_design(state: State, organisation: str, kind: ReportKind) -> InventoryDesign:
    """Returns the newest design of an organisation's inventory, by which it reports.

    Raises:
        ContractRefusal: ``WRONG_STATE`` without one, and for a report of China by equity share:
            its rules account for whole facilities.
    """
    design = newest_design(state, organisation)
    if design is None:
        raise refusal(
            Code.WRONG_STATE,
            f"inventory design of {organisation}",
            expected="one that says what a report covers; define it with report.define",
            got="none",
        )
    is_by_share = design.consolidation is Consolidation.EQUITY_SHARE
    if is_by_share and kind is not ReportKind.GHG_INVENTORY:
        raise refusal(
            Code.WRONG_STATE,
            "consolidation",
            expected=f"OPERATIONAL_CONTROL or FINANCIAL_CONTROL for {kind.name}, which is of whole "
            "sites; define such a design with report.define",
            got=f"EQUITY_SHARE in design {design.version} of {organisation}",
        )
    return design


def _check_place(context: Context, arguments: AnchorReport) -> None:
    if arguments.computed_height >= context.height:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "computed_height",
            expected=f"a block before this one, {context.height}",
            got=str(arguments.computed_height),
        )
    place = context.state.get(ReportPlace, place_key(arguments.document))
    if place is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "document",
            expected="one that is not anchored",
            got=f"report {place.number} of {place.organisation}",
        )


def _check_closed(state: State, design: InventoryDesign, arguments: AnchorReport) -> None:
    for site_id in design.sites:
        for month in range(arguments.from_month, arguments.to_month + 1):
            if closed_at(state, site_id, month) is None:
                raise refusal(
                    Code.WRONG_STATE,
                    f"month {month_name(month)} of site {site_id}",
                    expected="a closed one, for an anchored report does not change; close it with "
                    "period.close",
                    got="an open one",
                )


def _check_headline(stated: Headline, found: Headline) -> None:
    for field in fields(Headline):
        got, expected = getattr(stated, field.name), getattr(found, field.name)
        if got != expected:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"headline.{field.name}",
                expected=f"{numerator_of(expected)} (1e-10 g CO2e) by the state; build it again",
                got=str(numerator_of(got)),
            )


def _write(context: Context, report: Report, track: ReportTrack) -> None:
    state, organisation, number = context.state, report.organisation, report.number
    coverage = Coverage(number=number, from_month=report.from_month, to_month=report.to_month)
    state.put(report_key(organisation, number), report)
    state.put(
        track_key(organisation), ReportTrack(count=number, current=(*track.current, coverage))
    )
    state.put(place_key(report.document), ReportPlace(organisation=organisation, number=number))
    context.emit("report.anchored", organisation, report)


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "report.anchor",
        AnchorReport,
        anchor,
        roles=frozenset({Role.ADMIN}),
        work=lambda arguments: (
            WORK_OF_MONTH * (max(arguments.to_month - arguments.from_month, 0) + 1)
        ),
    ),
)
