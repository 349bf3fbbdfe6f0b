from dataclasses import replace

import pytest

from contracts import deposits
from contracts.calendars import DAY_MS
from contracts.check import Check
from contracts.deposit import (
    DAYS,
    Deposit,
    DepositStage,
    Figure,
    Submission,
    deadline_ms,
    next_stage,
    submission_key,
)
from contracts.deposits import EnrolSite, PassDeposit, SubmitDeposit, get_deposit
from contracts.due_queue import DueKind, run_due
from contracts.emissions import pack_numerator
from contracts.monitoring_plan import file_plan
from contracts.month import first_day_of
from contracts.report import Headline, Report, ReportKind, ReportStatus, report_key
from tests.unit.contracts.reading_world import HOUR_MS, ReadingWorld
from tests.unit.contracts.registry_world import (
    ADMIN,
    BODY_ADMIN,
    CALENDAR,
    CERTIFIER,
    OPERATOR,
    OTHER_ADMIN,
)
from tests.unit.contracts.test_monitoring_plan import PLAN

MONTH = 646
"""2023-11, in which NOW_MS lies."""
AHEAD_MS = 10 * HOUR_MS
"""Of the site's clock before UTC."""
ZERO = pack_numerator(0)
REPORT = Report(
    organisation="steel",
    number=1,
    kind=ReportKind.CN_MONTHLY_DEPOSIT,
    from_month=MONTH,
    to_month=MONTH,
    sites=("plant",),
    design_version=1,
    document=b"\x05" * 32,
    computed_height=1,
    state_root=bytes(32),
    headline=Headline(
        direct=ZERO,
        location_based=ZERO,
        market_based=ZERO,
        value_chain=ZERO,
        biogenic=ZERO,
        removals=ZERO,
    ),
    factors=(),
    anchored_height=2,
    anchored_ms=1,
    anchored_by=ADMIN,
    status=ReportStatus.CURRENT,
    superseded_by=None,
    superseded_ms=None,
)
FIGURE = Figure(parameter="steel-output", unit="kW.h", value=267, scale=-1, evidence=b"\x06" * 32)
SUBMIT = SubmitDeposit(site="plant", month=MONTH, report=1, figures=(FIGURE,), note="all in")
PASS = PassDeposit(site="plant", month=MONTH, submission=1, note="")


class DepositWorld(ReadingWorld):
    """A world whose site is enrolled, with a plan and an anchored report."""

    def __init__(self) -> None:
        super().__init__()
        self.call(file_plan, PLAN)
        self.call(deposits.enrol, EnrolSite(site="plant", from_month=MONTH))
        self.state.put(report_key("steel", 1), REPORT)
        self.next_block()

    def at(self, stage: DepositStage, off_ms: int = 0, months: int = 0) -> None:
        """Goes to the deadline of a step of the month, or of one after it."""
        end_ms = deadline_ms(CALENDAR.calendar, MONTH + months, stage)
        self.next_block(after_ms=end_ms + off_ms - self.time_ms)

    def run_due(self) -> list[str]:
        handlers = {DueKind.DEPOSIT_DEADLINE: deposits.on_due}
        events = run_due(self.state, self.block, handlers)
        return [event.kind for event in events if event.kind.startswith("deposit.")]

    @property
    def deposit(self) -> Deposit:
        deposit = get_deposit(self.state, "plant", MONTH)
        assert deposit is not None
        return deposit


@pytest.mark.parametrize("stage", DepositStage)
def test_a_step_is_due_until_the_local_day_is_over(stage: DepositStage) -> None:
    last_day = first_day_of(MONTH + 1) + DAYS[stage] - 1
    deadline = deadline_ms(CALENDAR.calendar, MONTH, stage)
    assert deadline == (last_day + 1) * DAY_MS - AHEAD_MS


def test_deadlines_of_a_month_end_before_those_of_the_next() -> None:
    for month in range(4_800):
        last = first_day_of(month + 1) + DAYS[DepositStage.COMPLETE]
        assert last < first_day_of(month + 2) + DAYS[DepositStage.SUBMIT]


def test_the_clock_goes_through_the_steps_and_on_to_the_next_month() -> None:
    steps = [(MONTH, DepositStage.SUBMIT)]
    for _ in range(3):
        steps.append(next_stage(*steps[-1]))
    assert steps == [
        (MONTH, DepositStage.SUBMIT),
        (MONTH, DepositStage.CHECK),
        (MONTH, DepositStage.COMPLETE),
        (MONTH + 1, DepositStage.SUBMIT),
    ]


def test_a_deposit_in_time_goes_through_three_hands() -> None:
    world = DepositWorld()
    world.call(deposits.submit, SUBMIT, sender=OPERATOR)
    assert world.event_kinds == ["deposit.submitted"]
    world.at(DepositStage.SUBMIT)
    assert world.run_due() == []
    world.at(DepositStage.CHECK, -1)
    world.call(deposits.check, PASS, sender=CERTIFIER)
    world.at(DepositStage.CHECK)
    assert world.run_due() == []
    world.at(DepositStage.COMPLETE, -1)
    assert world.refusal_of(deposits.complete, PASS, sender=CERTIFIER)[0] == "NOT_PERMITTED"
    world.call(deposits.complete, PASS, sender=BODY_ADMIN)
    world.at(DepositStage.COMPLETE)
    assert world.run_due() == []

    steps = (world.deposit.submitted, world.deposit.checked, world.deposit.completed)
    assert [step is not None and step.is_late for step in steps] == [False] * 3
    assert world.deposit.missed == ()
    submission = world.state.get(Submission, submission_key("plant", MONTH, 1))
    assert submission is not None
    assert (submission.document, submission.figures) == (REPORT.document, (FIGURE,))


def test_a_missed_deadline_is_said_once_and_the_step_is_late() -> None:
    world = DepositWorld()
    world.at(DepositStage.SUBMIT, -1)
    assert world.run_due() == []
    world.at(DepositStage.SUBMIT)
    assert world.run_due()[0] == "deposit.overdue"
    (alert,) = world.alerts
    assert (alert.site, alert.check, alert.meter) == ("plant", Check.DEPOSIT, None)
    assert (alert.observed, alert.expected) == (MONTH, 20)
    world.next_block()
    assert world.run_due() == []
    world.call(deposits.submit, SUBMIT)
    assert world.deposit.missed == (DepositStage.SUBMIT,)
    assert world.deposit.submitted is not None
    assert world.deposit.submitted.is_late
    (cleared,) = world.alerts
    assert cleared.cleared_ms == world.time_ms


def test_the_clock_catches_up_when_no_block_came_for_months() -> None:
    world = DepositWorld()
    world.at(DepositStage.SUBMIT, months=1)
    missed = []
    for _ in range(6):
        missed += world.run_due()
        world.next_block()
    assert missed == ["deposit.overdue"] * 4
    assert world.deposit.missed == tuple(DepositStage)
    following = get_deposit(world.state, "plant", MONTH + 1)
    assert following is not None
    assert following.missed == (DepositStage.SUBMIT,)


def test_an_alert_stays_while_a_step_of_another_month_is_missing() -> None:
    world = DepositWorld()
    world.at(DepositStage.SUBMIT)
    world.run_due()
    world.next_block()
    following = replace(REPORT, number=2, from_month=MONTH + 1, to_month=MONTH + 1)
    world.state.put(report_key("steel", 2), following)
    world.call(deposits.submit, replace(SUBMIT, month=MONTH + 1, report=2))
    assert [alert.cleared_ms for alert in world.alerts] == [None]
    world.call(deposits.submit, SUBMIT)
    assert [alert.cleared_ms for alert in world.alerts] == [world.time_ms]


def test_a_deposit_is_submitted_again_until_it_is_checked() -> None:
    world = DepositWorld()
    world.call(deposits.submit, SUBMIT)
    first = world.deposit.submitted
    world.at(DepositStage.SUBMIT)
    world.call(deposits.submit, replace(SUBMIT, figures=(replace(FIGURE, value=268),)))
    assert world.deposit.submission == 2
    assert world.deposit.submitted == first
    assert world.refusal_of(deposits.check, PASS, sender=CERTIFIER) == (
        "WRONG_STATE",
        "submission: expected the newest, 2, got 1",
    )
    world.call(deposits.check, replace(PASS, submission=2), sender=CERTIFIER)
    assert world.refusal_of(deposits.submit, SUBMIT)[0] == "WRONG_STATE"
    kept = world.state.get(Submission, submission_key("plant", MONTH, 1))
    assert kept is not None
    assert kept.figures == (FIGURE,)


def test_steps_are_taken_in_order_and_once() -> None:
    world = DepositWorld()
    code, detail = world.refusal_of(deposits.check, PASS, sender=CERTIFIER)
    assert code == "WRONG_STATE"
    assert detail == (
        "deposit of site plant for 2023-11: expected one that is submitted and waits for CHECK, "
        "got one that is not"
    )
    world.call(deposits.submit, SUBMIT)
    assert world.refusal_of(deposits.complete, PASS, sender=BODY_ADMIN)[0] == "WRONG_STATE"
    world.call(deposits.check, PASS, sender=CERTIFIER)
    code, detail = world.refusal_of(deposits.check, PASS, sender=CERTIFIER)
    assert (code, detail.rpartition(", got ")[2]) == ("WRONG_STATE", "one that has it")


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, kind=ReportKind.CN_ANNUAL),
        replace(REPORT, from_month=MONTH - 1),
        replace(REPORT, to_month=MONTH + 1),
        replace(REPORT, sites=("annex",)),
        replace(REPORT, status=ReportStatus.SUPERSEDED_DATA),
    ],
)
def test_the_report_must_be_the_months(report: Report) -> None:
    world = DepositWorld()
    world.state.put(report_key("steel", 1), report)
    code, detail = world.refusal_of(deposits.submit, SUBMIT)
    assert code == "WRONG_STATE"
    assert detail.startswith("report: expected number of a current CN_MONTHLY_DEPOSIT of steel")
    assert world.refusal_of(deposits.submit, replace(SUBMIT, report=2))[0] == "WRONG_STATE"


def test_figures_are_those_of_the_plan() -> None:
    world = DepositWorld()
    unknown = replace(FIGURE, parameter="zinc")
    assert world.refusal_of(deposits.submit, replace(SUBMIT, figures=(unknown,))) == (
        "INVALID_ARGUMENTS",
        (
            "figures[0].parameter: expected a parameter of the site's monitoring plan; file it "
            "with plan.file, got 'zinc'"
        ),
    )
    other_unit = replace(FIGURE, unit="t")
    assert world.refusal_of(deposits.submit, replace(SUBMIT, figures=(other_unit,))) == (
        "WRONG_UNIT",
        "figures[0].unit: expected the plan's, 'kW.h', got 't'",
    )
    assert world.refusal_of(deposits.submit, replace(SUBMIT, figures=(FIGURE, FIGURE)))[0] == (
        "INVALID_ARGUMENTS"
    )


def test_a_site_is_enrolled_once_and_from_a_month_to_come() -> None:
    world = ReadingWorld()
    enrolment = EnrolSite(site="plant", from_month=MONTH)
    assert world.refusal_of(deposits.enrol, replace(enrolment, from_month=MONTH - 1))[0] == (
        "INVALID_ARGUMENTS"
    )
    assert world.refusal_of(deposits.enrol, enrolment, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    code, detail = world.refusal_of(deposits.submit, SUBMIT)
    assert (code, detail.rpartition("; ")[2]) == (
        "WRONG_STATE",
        "enrol it with deposit.enrol, got none",
    )
    world.call(deposits.enrol, enrolment)
    assert world.refusal_of(deposits.enrol, enrolment)[0] == "ALREADY_EXISTS"
    assert world.refusal_of(deposits.submit, replace(SUBMIT, month=MONTH - 1))[0] == "WRONG_STATE"


def test_a_submission_costs_a_unit_for_each_figure() -> None:
    work = {method.name: method.work for method in deposits.METHODS}
    assert work["deposit.submit"](SUBMIT) == 2


def test_the_deadlines_of_the_documents_example_are_those_of_shanghai() -> None:
    shanghai = replace(CALENDAR.calendar, transitions=((0, 28_800),))
    january = (2026 - 1970) * 12
    due = [deadline_ms(shanghai, january, stage) for stage in DepositStage]
    assert due == [
        1_771_603_200_000,  # 2026-02-20 16:00 UTC
        1_772_035_200_000,  # 2026-02-25 16:00 UTC
        1_773_331_200_000,  # 2026-03-12 16:00 UTC
    ]
