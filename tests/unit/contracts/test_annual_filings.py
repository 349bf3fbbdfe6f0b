"""Annual filings: two dates by the site's calendar, one alert where a step is missing."""

from dataclasses import replace

import pytest

from contracts import annual_filings, deposits
from contracts.alert import Alert
from contracts.annual_filing import (
    AnnualClock,
    AnnualFiling,
    AnnualStage,
    annual_clock_key,
    annual_deadline_ms,
    days_of,
    next_stage,
)
from contracts.annual_filings import CheckAnnual, SubmitAnnual, get_filing
from contracts.check import Check
from contracts.deposits import EnrolSite
from contracts.due_queue import run_due
from contracts.month import MONTHS_MAX, january_of, year_of
from contracts.report import Report, ReportKind, ReportStatus, report_key
from contracts.runtime import DUE_HANDLERS
from tests.unit.contracts.reading_world import ReadingWorld
from tests.unit.contracts.registry_world import CALENDAR, CERTIFIER, OPERATOR, OTHER_ADMIN
from tests.unit.contracts.test_deposits import MONTH, REPORT as MONTHLY

YEAR = 2023
ANNUAL = replace(
    MONTHLY,
    kind=ReportKind.CN_ANNUAL,
    from_month=january_of(YEAR),
    to_month=january_of(YEAR) + 11,
)
SUBMIT = SubmitAnnual(site="plant", year=YEAR, report=1, note="")
CHECK = CheckAnnual(site="plant", year=YEAR, report=1, note="looked at")


class AnnualWorld(ReadingWorld):
    """A world whose site is enrolled, with an anchored report of the year."""

    def __init__(self) -> None:
        super().__init__()
        self.call(deposits.enrol, EnrolSite(site="plant", from_month=MONTH))
        self.state.put(report_key("steel", 1), ANNUAL)
        self.next_block()

    def at(self, stage: AnnualStage, off_ms: int = 0, years: int = 0) -> None:
        """Goes to the deadline of a step of the year, or of one after it."""
        due_ms = annual_deadline_ms(CALENDAR.calendar, YEAR + years, stage)
        self.next_block(after_ms=due_ms + off_ms - self.time_ms)

    def run_due(self) -> list[str]:
        """Runs what is due; returns the events of the annual clock."""
        events = run_due(self.state, self.block, DUE_HANDLERS)
        assert not any(event.kind == "due.quarantined" for event in events)
        return [event.kind for event in events if event.kind.startswith("annual.")]

    @property
    def annual_alerts(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.check is Check.ANNUAL]

    def filing(self, year: int = YEAR) -> AnnualFiling:
        filing = get_filing(self.state, "plant", year)
        assert filing is not None
        return filing


def test_the_deadlines_of_the_documents_example_are_those_of_shanghai() -> None:
    shanghai = replace(CALENDAR.calendar, transitions=((0, 28_800),))
    assert [annual_deadline_ms(shanghai, 2025, stage) for stage in AnnualStage] == [
        1_769_961_600_000,  # 2026-02-01 16:00 UTC
        1_772_380_800_000,  # 2026-03-01 16:00 UTC
    ]


@pytest.mark.parametrize(("year", "days"), [(2023, [32, 61]), (2024, [32, 60]), (2099, [32, 60])])
def test_a_step_is_due_so_many_days_after_the_year(year: int, days: list[int]) -> None:
    assert [days_of(year, stage) for stage in AnnualStage] == days


def test_the_clock_goes_through_the_steps_and_on_to_the_next_year() -> None:
    assert next_stage(YEAR, AnnualStage.SUBMIT) == (YEAR, AnnualStage.CHECK)
    assert next_stage(YEAR, AnnualStage.CHECK) == (YEAR + 1, AnnualStage.SUBMIT)


@pytest.mark.parametrize("month", [MONTH, MONTHS_MAX])
def test_enrolling_starts_the_clock_with_the_months_year(month: int) -> None:
    world = ReadingWorld()
    world.call(deposits.enrol, EnrolSite(site="plant", from_month=month))
    world.next_block()
    clock = world.state.get(AnnualClock, annual_clock_key("plant"))
    assert clock is not None
    year = year_of(month)
    assert (clock.from_year, clock.year, clock.stage) == (year, year, AnnualStage.SUBMIT)


def test_a_year_in_time_goes_through_two_hands() -> None:
    world = AnnualWorld()
    world.at(AnnualStage.SUBMIT, -1)
    world.call(annual_filings.submit, SUBMIT, sender=OPERATOR)
    assert world.event_kinds == ["annual.submitted"]
    world.at(AnnualStage.SUBMIT)
    assert world.run_due() == []
    world.at(AnnualStage.CHECK, -1)
    world.call(annual_filings.check, CHECK, sender=CERTIFIER)
    world.at(AnnualStage.CHECK)
    assert world.run_due() == []
    filing = world.filing()
    steps = (filing.submitted, filing.checked)
    assert [step is not None and step.is_late for step in steps] == [False, False]
    assert (filing.missed, filing.report, filing.document) == ((), 1, ANNUAL.document)
    assert world.annual_alerts == []


def test_a_missed_date_is_said_once_and_the_step_is_late() -> None:
    world = AnnualWorld()
    world.at(AnnualStage.SUBMIT, -1)
    assert world.run_due() == []
    world.at(AnnualStage.SUBMIT)
    assert world.run_due() == ["annual.overdue"]
    (alert,) = world.annual_alerts
    assert (alert.site, alert.meter, alert.observed, alert.expected) == ("plant", None, YEAR, 32)
    world.next_block()
    assert world.run_due() == []
    world.call(annual_filings.submit, SUBMIT)
    filing = world.filing()
    assert filing.missed == (AnnualStage.SUBMIT,)
    assert filing.submitted is not None
    assert filing.submitted.is_late
    (cleared,) = world.annual_alerts
    assert cleared.cleared_ms == world.time_ms


def test_an_alert_stays_while_another_step_is_missing() -> None:
    world = AnnualWorld()
    world.at(AnnualStage.SUBMIT, years=1)
    for _ in range(20):
        world.run_due()
        world.next_block()
    assert world.filing().missed == (AnnualStage.SUBMIT, AnnualStage.CHECK)
    assert world.filing(YEAR + 1).missed == (AnnualStage.SUBMIT,)
    later = replace(
        ANNUAL, number=2, from_month=january_of(YEAR + 1), to_month=january_of(YEAR + 1) + 11
    )
    world.state.put(report_key("steel", 2), later)
    world.call(annual_filings.submit, SUBMIT)
    world.call(annual_filings.submit, replace(SUBMIT, year=YEAR + 1, report=2))
    assert any(alert.cleared_ms is None for alert in world.annual_alerts)
    world.call(annual_filings.check, CHECK, sender=CERTIFIER)
    assert all(alert.cleared_ms == world.time_ms for alert in world.annual_alerts)


def test_another_report_is_submitted_until_one_is_checked() -> None:
    world = AnnualWorld()
    world.call(annual_filings.submit, SUBMIT)
    first = world.filing().submitted
    world.state.put(report_key("steel", 2), replace(ANNUAL, number=2, document=b"\x09" * 32))
    world.at(AnnualStage.SUBMIT)
    world.call(annual_filings.submit, replace(SUBMIT, report=2))
    assert (world.filing().report, world.filing().document) == (2, b"\x09" * 32)
    assert world.filing().submitted == first
    assert world.refusal_of(annual_filings.check, CHECK, sender=CERTIFIER) == (
        "WRONG_STATE",
        "report: expected the one submitted last, 2, got 1",
    )
    world.call(annual_filings.check, replace(CHECK, report=2), sender=CERTIFIER)
    code, detail = world.refusal_of(annual_filings.submit, SUBMIT)
    assert (code, "expected one that is not checked yet" in detail) == ("WRONG_STATE", True)
    code, detail = world.refusal_of(annual_filings.check, CHECK, sender=CERTIFIER)
    assert (code, detail.rpartition(", got ")[2]) == ("WRONG_STATE", "one that has it")


def test_a_year_is_checked_after_it_is_submitted() -> None:
    assert AnnualWorld().refusal_of(annual_filings.check, CHECK, sender=CERTIFIER) == (
        "WRONG_STATE",
        (
            "annual filing of site plant for 2023: expected one that is submitted and waits for "
            "its check, got one that is not submitted"
        ),
    )


@pytest.mark.parametrize(
    "report",
    [
        MONTHLY,
        replace(ANNUAL, from_month=ANNUAL.from_month - 12, to_month=ANNUAL.to_month - 12),
        replace(ANNUAL, sites=("annex",)),
        replace(ANNUAL, status=ReportStatus.SUPERSEDED_DATA),
    ],
)
def test_the_report_must_be_the_years(report: Report) -> None:
    world = AnnualWorld()
    world.state.put(report_key("steel", 1), report)
    code, detail = world.refusal_of(annual_filings.submit, SUBMIT)
    assert code == "WRONG_STATE"
    assert detail.startswith("report: expected number of a current CN_ANNUAL of steel for 2023")
    assert world.refusal_of(annual_filings.submit, replace(SUBMIT, report=2))[0] == "WRONG_STATE"


def test_only_an_enrolled_sites_own_organisation_files_its_years() -> None:
    world = AnnualWorld()
    assert world.refusal_of(annual_filings.submit, SUBMIT, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    assert world.refusal_of(annual_filings.submit, replace(SUBMIT, year=YEAR - 1)) == (
        "WRONG_STATE",
        "annual filing of site plant for 2022: expected a year from 2023 on, got 2022",
    )
    code, detail = ReadingWorld().refusal_of(annual_filings.submit, SUBMIT)
    assert (code, detail.rpartition("; ")[2]) == (
        "WRONG_STATE",
        "enrol it with deposit.enrol, got none",
    )
