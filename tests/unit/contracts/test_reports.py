from dataclasses import fields, replace

import pytest

from contracts import inventory_design, month_restatement, period, reports
from contracts.emissions import numerator_of, pack_numerator
from contracts.report import (
    AnchorReport,
    FactorUse,
    Headline,
    Report,
    ReportKind,
    ReportPlace,
    ReportStatus,
    place_key,
)
from contracts.report_totals import headline_of, months_of, sum_of
from contracts.reports import anchor, get_report
from contracts.site_month import Sums
from tests.unit.contracts.reading_world import ReadingWorld, amount
from tests.unit.contracts.registry_world import ADMIN, OTHER_ADMIN, SECOND_ADMIN
from tests.unit.contracts.test_inventory_design import DESIGN
from tests.unit.contracts.test_month_restatement import APPROVE, PROPOSAL, RESTATE
from tests.unit.contracts.test_period import CLOSE, MONTH

ANCHOR = AnchorReport(
    kind=ReportKind.CN_MONTHLY_DEPOSIT,
    from_month=MONTH,
    to_month=MONTH,
    document=b"\x05" * 32,
    computed_height=0,
    state_root=b"\x04" * 32,
    headline=headline_of(Sums()),
)


class ReportWorld(ReadingWorld):
    """A world with two intervals of a closed month and a design."""

    def __init__(self) -> None:
        super().__init__()
        self.send(amount(0, 1_000), amount(1, 2_000))
        self.call(period.close, CLOSE)
        self.call(inventory_design.define, DESIGN)
        self.next_block()

    @property
    def arguments(self) -> AnchorReport:
        months = months_of(self.state, "plant", MONTH, MONTH)
        return replace(ANCHOR, headline=headline_of(sum_of(months)))

    @property
    def report(self) -> Report:
        report = get_report(self.state, "steel", 1)
        assert report is not None
        return report


def test_a_report_is_anchored_with_the_totals_that_validators_find() -> None:
    world = ReportWorld()
    world.call(anchor, world.arguments, sender=SECOND_ADMIN)
    report = world.report
    assert numerator_of(report.headline.location_based) == 3_000 * 4_306 * 10**6
    assert report.headline == world.arguments.headline
    assert (report.sites, report.design_version, report.status) == (
        ("plant",),
        1,
        ReportStatus.CURRENT,
    )
    assert report.factors == (FactorUse(factor_id="kr-grid", valid_from_ms=0, version=1),)
    assert report.anchored_by == SECOND_ADMIN
    place = world.state.get(ReportPlace, place_key(ANCHOR.document))
    assert place == ReportPlace(organisation="steel", number=1)
    assert world.event_kinds == ["report.anchored"]


@pytest.mark.parametrize("name", [field.name for field in fields(Headline)])
def test_totals_that_differ_by_the_least_are_refused(name: str) -> None:
    world = ReportWorld()
    right = world.arguments
    found = numerator_of(getattr(right.headline, name))
    wrong = replace(right.headline, **{name: pack_numerator(found + 1)})
    assert world.refusal_of(anchor, replace(right, headline=wrong)) == (
        "INVALID_ARGUMENTS",
        (
            f"headline.{name}: expected {found} (1e-10 g CO2e) by the state; build it again, got "
            f"{found + 1}"
        ),
    )


def test_an_open_month_is_refused() -> None:
    world = ReportWorld()
    wide = replace(world.arguments, kind=ReportKind.GHG_INVENTORY, to_month=MONTH + 1)
    code, detail = world.refusal_of(anchor, wide)
    assert code == "WRONG_STATE"
    assert detail.startswith("month 2023-11 of site plant: expected a closed one")


@pytest.mark.parametrize(
    ("kind", "from_month", "to_month"),
    [
        (ReportKind.GHG_INVENTORY, MONTH, MONTH - 1),
        (ReportKind.GHG_INVENTORY, MONTH - 24, MONTH),
        (ReportKind.CN_MONTHLY_DEPOSIT, MONTH - 1, MONTH),
        (ReportKind.CN_ANNUAL, MONTH - 11, MONTH),
        (ReportKind.CN_ANNUAL, MONTH, MONTH),
    ],
)
def test_a_period_is_one_of_its_kind(kind: ReportKind, from_month: int, to_month: int) -> None:
    world = ReportWorld()
    odd = replace(world.arguments, kind=kind, from_month=from_month, to_month=to_month)
    code, detail = world.refusal_of(anchor, odd)
    assert (code, detail.partition(":")[0]) == ("INVALID_ARGUMENTS", "period")


def test_a_document_is_anchored_once_and_after_it_was_computed() -> None:
    world = ReportWorld()
    late = replace(world.arguments, computed_height=1)
    assert world.refusal_of(anchor, late) == (
        "INVALID_ARGUMENTS",
        "computed_height: expected a block before this one, 1, got 1",
    )
    world.call(anchor, world.arguments)
    assert world.refusal_of(anchor, world.arguments) == (
        "ALREADY_EXISTS",
        "document: expected one that is not anchored, got report 1 of steel",
    )


def test_without_a_design_nobody_knows_what_a_report_covers() -> None:
    world = ReportWorld()
    code, detail = world.refusal_of(anchor, world.arguments, sender=OTHER_ADMIN)
    assert (code, detail.partition(":")[0]) == ("WRONG_STATE", "inventory design of grid")


def test_a_revision_marks_the_reports_that_it_touches_once() -> None:
    world = ReportWorld()
    world.call(anchor, world.arguments)
    world.send(amount(2, 4_000))
    assert world.report.status is ReportStatus.CURRENT
    for _ in range(2):
        world.call(month_restatement.restate, RESTATE, transaction_id=PROPOSAL)
        world.call(month_restatement.approve, APPROVE, sender=SECOND_ADMIN)
        world.next_block()
        world.send(amount(3, 4_000))
    report = world.report
    assert report.status is ReportStatus.SUPERSEDED_DATA
    assert report.superseded_by == ("plant", 1)
    renewed = replace(world.arguments, document=b"\x06" * 32)
    world.call(anchor, renewed)
    second = get_report(world.state, "steel", 2)
    assert second is not None
    assert (second.status, second.anchored_by) == (ReportStatus.CURRENT, ADMIN)


def test_a_revision_leaves_reports_of_other_months_alone() -> None:
    world = ReportWorld()
    world.call(period.close, replace(CLOSE, month=MONTH - 1))
    before = replace(ANCHOR, from_month=MONTH - 1, to_month=MONTH - 1)
    world.call(anchor, before)
    world.send(amount(2, 4_000))
    world.call(month_restatement.restate, RESTATE, transaction_id=PROPOSAL)
    world.call(month_restatement.approve, APPROVE, sender=SECOND_ADMIN)
    assert world.report.status is ReportStatus.CURRENT
    assert "report.superseded" not in world.event_kinds


def test_a_report_costs_by_its_months() -> None:
    (method,) = reports.METHODS
    year = replace(ANCHOR, from_month=0, to_month=11)
    assert (method.work(ANCHOR), method.work(year)) == (100, 1_200)
