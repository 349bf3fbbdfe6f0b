"""Equity shares: who may declare them, which declaration holds, what reports make of them."""

from dataclasses import replace
from typing import Any, cast

import pytest

from chain.errors import ContractRefusal
from chain.state import State
from contracts import activities, equities, inventory_design, period, reports
from contracts.consolidation import counted_months, part_of_month
from contracts.emissions import numerator_of
from contracts.equities import declare
from contracts.equity import (
    NOTHING,
    WHOLE,
    WHOLE_PPM,
    DeclareEquity,
    Holding,
    Part,
    declaration_at,
    declarations_of,
    holders_of,
    part_in,
)
from contracts.inventory_design import Consolidation, InventoryDesign, define, newest_design
from contracts.report import ReportKind, ReportStatus
from contracts.report_document import ReportRequest, build_document
from contracts.report_totals import headline_of, months_of, sum_of
from contracts.reports import anchor, get_report
from contracts.revision import RecordedRevision, RevisionKind, revision_prefix
from tests.unit.contracts.reading_world import ReadingWorld, amount
from tests.unit.contracts.registry_world import ADMIN, OPERATOR, OTHER_ADMIN
from tests.unit.contracts.test_activities import SUBMIT, ActivityWorld
from tests.unit.contracts.test_inventory_design import DESIGN, world_with_site
from tests.unit.contracts.test_period import CLOSE, MONTH
from tests.unit.contracts.test_report_document import AT, INVENTORY
from tests.unit.contracts.test_reports import ANCHOR
from tests.unit.contracts.test_revisions import REVISION

GRID, STEEL = (
    Holding(organisation="grid", share_ppm=333_333),
    Holding(organisation="steel", share_ppm=666_667),
)
DECLARE = DeclareEquity(
    site="plant",
    from_month=MONTH,
    holders=(GRID, STEEL),
    reason="Joint venture of 2023",
    evidence=b"\x07" * 32,
)
BY_SHARE = replace(DESIGN, consolidation=Consolidation.EQUITY_SHARE)


class EquityWorld(ReadingWorld):
    """A world in which two organisations hold the plant, and both report by their shares."""

    def __init__(self, *amounts: int) -> None:
        super().__init__()
        if amounts:
            self.send(*(amount(number, each) for number, each in enumerate(amounts)))
        self.call(declare, DECLARE)
        self.call(define, BY_SHARE)
        self.call(define, BY_SHARE, sender=OTHER_ADMIN)
        self.next_block()

    def design(self, organisation: str) -> InventoryDesign:
        design = newest_design(self.state, organisation)
        assert design is not None
        return design


def built(world: ReadingWorld, organisation: str, from_month: int = MONTH) -> dict[str, Any]:
    request = replace(INVENTORY, organisation=organisation, from_month=from_month)
    return cast("dict[str, Any]", build_document(State(world.reader), request, AT))


def location(document: dict[str, Any]) -> int:
    return int(document["totals"]["scope2_location_based"]["numerator_1e10_g"])


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (WHOLE, 7, 7),
        (NOTHING, 10**30, 0),
        (Part(0, 512_500), 1_000, 512),  # floor(512.5) - 0
        (Part(512_500, 487_500), 1_000, 488),  # 1000 - 512
        (Part(0, 1), 999_999, 0),
        (Part(999_999, 1), 999_999, 1),  # 999,999 - floor(999,998.000001)
        (Part(0, 333_333), -10, -4),  # floor(-3.33333)
        (Part(333_333, 666_667), -10, -6),
    ],
)
def test_a_part_is_cut_off_between_two_whole_numbers(part: Part, whole: int, expected: int) -> None:
    assert part.of(whole) == expected


def test_holders_lie_one_after_the_other() -> None:
    world = world_with_site()
    world.call(declare, DECLARE)
    assert world.event_kinds[-1] == "equity.declared"
    (declaration,) = declarations_of(world.state, "plant")
    assert (declaration.number, declaration.declared_by) == (1, ADMIN)
    assert declaration.evidence == DECLARE.evidence
    assert part_in(declaration, "grid") == Part(0, 333_333)
    assert part_in(declaration, "steel") == Part(333_333, 666_667)
    assert part_in(declaration, "body") == NOTHING


def test_the_newest_declaration_that_has_begun_holds() -> None:
    world = world_with_site()
    for from_month in (100, 110, 105):
        world.call(declare, replace(DECLARE, from_month=from_month))
    numbers = {
        month: getattr(declaration_at(world.state, "plant", month), "number", None)
        for month in (99, 100, 104, 105, 111)
    }
    assert numbers == {99: None, 100: 1, 104: 1, 105: 3, 111: 3}
    world.call(declare, replace(DECLARE, from_month=120, holders=()))
    sold = declaration_at(world.state, "plant", 120)
    assert sold is not None
    assert part_in(sold, "steel") == NOTHING
    assert holders_of(world.state, "plant") == {"grid", "steel"}


@pytest.mark.parametrize(
    ("declaration", "code", "detail"),
    [
        (
            replace(DECLARE, holders=(STEEL, GRID)),
            "INVALID_ARGUMENTS",
            (
                "holders[1].organisation: expected one after 'steel', for they ascend, each once, "
                "got 'grid'"
            ),
        ),
        (
            replace(DECLARE, holders=(GRID, GRID)),
            "INVALID_ARGUMENTS",
            (
                "holders[1].organisation: expected one after 'grid', for they ascend, each once, "
                "got 'grid'"
            ),
        ),
        (
            replace(DECLARE, holders=(GRID, replace(STEEL, organisation="zinc"))),
            "INVALID_ARGUMENTS",
            (
                "holders[1].organisation: expected an organisation of this chain; leave the share "
                "of others out, got 'zinc'"
            ),
        ),
        (
            replace(DECLARE, holders=(GRID, replace(STEEL, share_ppm=666_668))),
            "INVALID_ARGUMENTS",
            "holders: expected shares of at most 1000000 ppm together, got 1000001 ppm",
        ),
        (
            replace(DECLARE, reason=" "),
            "INVALID_ARGUMENTS",
            "reason: expected why it is declared, got an empty text",
        ),
    ],
)
def test_a_declaration_that_cannot_hold_is_refused(
    declaration: DeclareEquity, code: str, detail: str
) -> None:
    assert world_with_site().refusal_of(declare, declaration) == (code, detail)


def test_only_the_owner_declares() -> None:
    world = world_with_site()
    assert world.refusal_of(declare, DECLARE, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    assert world.refusal_of(declare, replace(DECLARE, site="nowhere"))[0] == "UNKNOWN_SITE"
    (method,) = equities.METHODS
    assert method.work(DECLARE) == 3


def test_a_design_by_share_names_sites_that_it_holds() -> None:
    world = world_with_site()
    assert world.refusal_of(define, BY_SHARE) == (
        "NOT_PERMITTED",
        (
            "equity shares of site plant: expected a share of steel; the site's owner declares it "
            "with equity.declare, got none"
        ),
    )
    world.call(declare, replace(DECLARE, holders=(GRID,)))
    assert world.refusal_of(define, BY_SHARE)[1].endswith("got shares of grid")
    world.call(define, BY_SHARE, sender=OTHER_ADMIN)
    # By control a site is its operator's, whoever holds it.
    assert world.refusal_of(define, DESIGN, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    world.call(define, DESIGN)


def test_reports_of_all_holders_add_up_to_the_whole() -> None:
    world = EquityWorld(1_001, 2_002, 7)
    steel, grid = built(world, "steel"), built(world, "grid")
    whole = 3_010 * 4_306 * 10**6
    assert location(steel) + location(grid) == whole
    assert location(grid) == whole * 333_333 // 1_000_000
    assert location(steel) == 8_640_710_987_020
    assert steel["totals"]["scope2_location_based"]["grams"] == "864"
    assert (steel["design"]["consolidation"], steel["sites"][0]["operator"]) == (
        "EQUITY_SHARE",
        "steel",
    )
    assert grid["sites"][0]["operator"] == "steel"
    assert [each["share_ppm"] for each in grid["sites"][0]["months"]] == [333_333, 333_333]
    assert (grid["sites"][0]["months"][0]["intervals"], grid["totals"]["electricity_wh"]) == (
        3,
        "1003",
    )
    assert grid["factors"][0]["amount"] == "1003"
    uncertainty = grid["uncertainty"]
    assert int(uncertainty["covered_1e10_g"]) == location(grid)
    assert uncertainty["not_covered_1e10_g"] == "0"

    world.call(define, DESIGN)
    world.next_block()
    by_control = built(world, "steel")
    assert location(by_control) == whole
    assert by_control["sites"][0]["months"][0]["share_ppm"] == WHOLE_PPM


def test_a_share_counts_from_its_month_on() -> None:
    world = EquityWorld(1_000)
    everything = (Holding(organisation="steel", share_ppm=WHOLE_PPM),)
    world.call(declare, replace(DECLARE, from_month=MONTH + 1, holders=everything))
    world.next_block()
    document = built(world, "grid")
    assert [each["share_ppm"] for each in document["sites"][0]["months"]] == [333_333, 0]
    assert location(document) == 1_000 * 4_306 * 10**6 * 333_333 // 1_000_000


def test_a_month_without_a_declaration_cannot_be_reported() -> None:
    world = EquityWorld(1_000)
    with pytest.raises(ContractRefusal) as caught:
        built(world, "grid", from_month=MONTH - 1)
    assert caught.value.detail == (
        "equity shares of site plant for 2023-09: expected a declaration from that month on or "
        "before; its owner makes it with equity.declare, got none"
    )


@pytest.mark.parametrize("kind", [ReportKind.CN_MONTHLY_DEPOSIT, ReportKind.CN_ANNUAL])
def test_reports_of_china_are_of_whole_sites(kind: ReportKind) -> None:
    world = EquityWorld(1_000)
    first = MONTH if kind is ReportKind.CN_MONTHLY_DEPOSIT else MONTH - MONTH % 12
    last = MONTH if kind is ReportKind.CN_MONTHLY_DEPOSIT else first + 11
    request = ReportRequest(kind=kind, organisation="steel", from_month=first, to_month=last)
    with pytest.raises(ContractRefusal) as caught:
        build_document(State(world.reader), request, AT)
    assert caught.value.detail == (
        f"consolidation: expected OPERATIONAL_CONTROL or FINANCIAL_CONTROL for {kind.name}, which "
        "is of whole sites; define such a design with report.define, got EQUITY_SHARE in design 1 "
        "of steel"
    )


def test_validators_find_the_totals_of_a_share_and_refuse_those_of_the_whole() -> None:
    world = EquityWorld(1_000)
    world.call(period.close, CLOSE)
    inventory = replace(ANCHOR, kind=ReportKind.GHG_INVENTORY)
    whole = headline_of(sum_of(months_of(world.state, "plant", MONTH, MONTH)))
    refused = world.refusal_of(anchor, replace(inventory, headline=whole), sender=OTHER_ADMIN)
    assert refused[1].startswith("headline.location_based: expected 1435331898000 ")
    mine = counted_months(world.state, world.design("grid"), "plant", MONTH, MONTH)
    world.call(anchor, replace(inventory, headline=headline_of(sum_of(mine))), sender=OTHER_ADMIN)
    report = get_report(world.state, "grid", 1)
    assert report is not None
    assert numerator_of(report.headline.location_based) == 1_435_331_898_000


def anchored(world: EquityWorld) -> None:
    """Anchors October of both holders by share."""
    for number, (organisation, sender) in enumerate((("grid", OTHER_ADMIN), ("steel", ADMIN))):
        months = counted_months(world.state, world.design(organisation), "plant", MONTH, MONTH)
        arguments = replace(
            ANCHOR,
            kind=ReportKind.GHG_INVENTORY,
            document=bytes([number]) * 32,
            headline=headline_of(sum_of(months)),
        )
        world.call(anchor, arguments, sender=sender)


def statuses(world: EquityWorld) -> list[ReportStatus]:
    found = (get_report(world.state, organisation, 1) for organisation in ("grid", "steel"))
    return [report.status for report in found if report is not None]


def test_other_shares_mark_the_reports_of_all_holders_and_no_report_by_control() -> None:
    world = EquityWorld(1_000)
    world.call(period.close, CLOSE)
    anchored(world)
    world.call(define, DESIGN)
    months = months_of(world.state, "plant", MONTH, MONTH)
    whole = replace(ANCHOR, document=b"\x09" * 32, headline=headline_of(sum_of(months)))
    world.call(anchor, whole)
    world.call(declare, replace(DECLARE, from_month=MONTH + 2))
    assert statuses(world) == [ReportStatus.CURRENT] * 2

    world.call(declare, replace(DECLARE, holders=(STEEL,)))
    assert statuses(world) == [ReportStatus.SUPERSEDED_DATA] * 2
    by_control = get_report(world.state, "steel", 2)
    assert by_control is not None
    assert by_control.status is ReportStatus.CURRENT
    ((_, recorded),) = world.state.iterate(RecordedRevision, revision_prefix("plant"))
    assert (recorded.revision.kind, recorded.revision.subject) == (
        RevisionKind.EQUITY,
        "equity/plant/000003",
    )


def test_a_revision_of_the_site_marks_reports_of_holders_too() -> None:
    world = EquityWorld(1_000)
    world.call(period.close, CLOSE)
    anchored(world)
    reports.flag_covering(
        world.context(),
        RecordedRevision(
            number=1,
            revision=replace(REVISION, from_ms=0, to_ms=2**50),
            height=1,
            recorded_ms=1,
            recorded_by=ADMIN,
            transaction=bytes(32),
        ),
    )
    assert statuses(world) == [ReportStatus.SUPERSEDED_DATA] * 2


def test_activities_are_shared_like_meters() -> None:
    world = ActivityWorld()
    world.call(declare, replace(DECLARE, from_month=0))
    world.call(define, BY_SHARE, sender=OTHER_ADMIN)
    world.call(activities.submit, SUBMIT, sender=OPERATOR)
    world.next_block()
    document = built(world, "grid")
    direct = int(document["totals"]["direct"]["numerator_1e10_g"])
    (source,) = (each for each in document["uncertainty"]["sources"] if "activity" in each)
    assert direct == int(source["emission_1e10_g"]) > 0
    (whole,) = (month for month in months_of(world.state, "plant", MONTH, MONTH))
    assert direct == numerator_of(whole.lines[0].co2e) * 333_333 // 1_000_000


def test_the_whole_of_a_month_is_the_month_itself() -> None:
    world = EquityWorld(1_000)
    (month,) = months_of(world.state, "plant", MONTH, MONTH)
    assert part_of_month(month, WHOLE) is month
    assert sum_of([part_of_month(month, NOTHING)]).location == 0
    assert inventory_design.METHODS[0].name == "report.define"
