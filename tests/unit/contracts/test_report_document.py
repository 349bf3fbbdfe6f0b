"""Documents: recomputed alike, adding up, rounded once."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings, strategies as st

from chain import jcs
from chain.errors import ContractRefusal
from chain.state import MemoryStateReader, State
from contracts import (
    activities,
    inventory_design,
    monitoring_plan,
    month_restatement,
    period,
    restatements,
)
from contracts.activities import WithdrawActivity
from contracts.emissions import GRAMS_DENOMINATOR, Scope
from contracts.factor import FactorUncertainty
from contracts.report import ReportKind
from contracts.report_document import ComputedAt, ReportRequest, build_document
from contracts.report_sections import amount as shown
from contracts.restatements import ApplyRestatement, DecideRestatement
from tests.unit.contracts.reading_world import AMOUNTS, ReadingWorld, amount
from tests.unit.contracts.registry_world import SECOND_ADMIN
from tests.unit.contracts.test_activities import SUBMIT, ActivityWorld
from tests.unit.contracts.test_inventory_design import DESIGN
from tests.unit.contracts.test_monitoring_plan import PLAN
from tests.unit.contracts.test_month_restatement import APPROVE, PROPOSAL, RESTATE
from tests.unit.contracts.test_period import CLOSE, MONTH
from tests.unit.contracts.test_restatements import RESTATE as RESTATE_FACTOR

AT = ComputedAt(chain_id=b"\x01" * 32, height=7, state_root=b"\x02" * 32, time_ms=1_700_000_000_000)
INVENTORY = ReportRequest(
    kind=ReportKind.GHG_INVENTORY, organisation="steel", from_month=MONTH, to_month=MONTH + 1
)
GRID_AGAIN = replace(RESTATE_FACTOR, value=4_306)
PER_GRAM = GRAMS_DENOMINATOR


def world_of(*amounts: int) -> ReadingWorld:
    world = ReadingWorld()
    if amounts:
        world.send(*(amount(number, each) for number, each in enumerate(amounts)))
    world.call(inventory_design.define, DESIGN)
    world.call(monitoring_plan.file_plan, PLAN)
    world.next_block()
    return world


def built(world: ReadingWorld, request: ReportRequest = INVENTORY) -> dict[str, Any]:
    return cast("dict[str, Any]", build_document(State(world.reader), request, AT))


def test_every_kind_is_canonical_json() -> None:
    world = world_of(1_000)
    for kind, months in (
        (ReportKind.GHG_INVENTORY, (MONTH, MONTH + 1)),
        (ReportKind.CN_MONTHLY_DEPOSIT, (MONTH, MONTH)),
        (ReportKind.CN_ANNUAL, (MONTH - 9, MONTH + 2)),
    ):
        request = ReportRequest(
            kind=kind, organisation="steel", from_month=months[0], to_month=months[1]
        )
        document = built(world, request)
        assert document["kind"] == kind.name
        assert jcs.encode(document).startswith(b"{")


def test_nodes_with_the_same_state_build_the_same_bytes() -> None:
    world = world_of(1_000, 2_000, 3_000)
    other = MemoryStateReader(dict(reversed(world.reader.entries.items())))
    first = jcs.encode(build_document(State(world.reader), INVENTORY, AT))
    second = jcs.encode(build_document(State(other), INVENTORY, AT))
    assert first == second
    changed = replace(AT, height=8)
    assert jcs.encode(build_document(State(other), INVENTORY, changed)) != first


def test_the_state_decides_and_reading_it_changes_nothing() -> None:
    world = world_of(1_000)
    state = State(world.reader)
    before = jcs.encode(build_document(state, INVENTORY, AT))
    assert state.changes() == {}
    world.send(amount(5, 1))
    world.next_block()
    assert jcs.encode(build_document(State(world.reader), INVENTORY, AT)) != before


def numerators(rows: list[dict[str, Any]], member: str) -> int:
    return sum(int(row[member]) for row in rows)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_parts_add_up_to_the_totals(amounts: list[int]) -> None:
    document = built(world_of(*amounts))
    totals = document["totals"]
    location = int(totals["scope2_location_based"]["numerator_1e10_g"])
    assert location == sum(amounts) * 4_306 * 10**6
    (site,) = document["sites"]
    assert numerators(site["months"], "scope2_location_based_1e10_g") == location
    assert int(site["totals"]["scope2_location_based"]["numerator_1e10_g"]) == location
    lines = [line for line in document["lines"] if line["scope"] == Scope.PURCHASED_ENERGY]
    assert sum(int(line["co2e"]["numerator_1e10_g"]) for line in lines) == location
    factors = document["factors"]
    assert sum(int(each["amount"]) * int(each["co2e_per_unit_1e10_g"]) for each in factors) == (
        location
    )
    uncertainty = document["uncertainty"]
    assert int(uncertainty["covered_1e10_g"]) == location
    assert int(uncertainty["not_covered_1e10_g"]) == 0


@pytest.mark.parametrize(
    ("numerator", "grams", "tonnes", "whole"),
    [
        (0, "0", "0.000", "0"),
        (PER_GRAM // 2, "0", "0.000", "0"),
        (PER_GRAM // 2 + 1, "1", "0.000", "0"),
        (3 * PER_GRAM // 2, "2", "0.000", "0"),
        (500 * PER_GRAM, "500", "0.000", "0"),
        (1_500 * PER_GRAM, "1500", "0.002", "0"),
        (2_500 * PER_GRAM, "2500", "0.002", "0"),
        (500_000 * PER_GRAM, "500000", "0.500", "0"),
        (1_500_000 * PER_GRAM, "1500000", "1.500", "2"),
        # Rounding the rounded would give 0.501 and 1.
        (500_499 * PER_GRAM + PER_GRAM // 2 + 1, "500500", "0.500", "1"),
        (-1_500 * PER_GRAM, "-1500", "-0.002", "0"),
    ],
)
def test_each_form_is_rounded_once_from_the_numerator(
    numerator: int, grams: str, tonnes: str, whole: str
) -> None:
    assert shown(numerator) == {
        "numerator_1e10_g": str(numerator),
        "grams": grams,
        "tonnes": tonnes,
    }
    assert shown(numerator, is_whole=True)["tonnes"] == whole


def test_months_tell_whether_they_are_closed_and_what_came_after() -> None:
    world = world_of(1_000)
    world.call(period.close, CLOSE)
    world.next_block()
    world.send(amount(1, 2_000))
    world.next_block()
    document = built(world)
    (site,) = document["sites"]
    october, november = site["months"]
    assert (october["state"], november["state"]) == ("CLOSED", "OPEN")
    assert (october["intervals"], october["intervals_after_close"]) == (1, 1)
    assert document["open_months"] == ["plant 2023-11"]
    assert document["restatements"]["closed_months"] == []

    world.call(month_restatement.restate, RESTATE, transaction_id=PROPOSAL)
    world.call(month_restatement.approve, APPROVE, sender=SECOND_ADMIN)
    world.next_block()
    (restatement,) = built(world)["restatements"]["closed_months"]
    assert restatement["reason"] == RESTATE.reason
    old, new = (int(restatement[f"{which}_location_based_1e10_g"]) for which in ("old", "new"))
    assert (old, new) == (1_000 * 4_306 * 10**6, 3_000 * 4_306 * 10**6)
    assert built(world)["restatements"]["revisions"]["AFTER_CLOSE"] == 1


def test_the_plans_uncertainty_goes_before_the_accuracy_class() -> None:
    planned = built(world_of(1_000))["uncertainty"]
    assert planned["combined_1e4"] == 250
    assert planned["sources"][0]["from"] == "monitoring plan"
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    world.call(inventory_design.define, DESIGN)
    world.next_block()
    classed = built(world)["uncertainty"]
    assert classed["combined_1e4"] == 10 * AMOUNTS.accuracy_class_permille
    assert classed["sources"][0]["from"] == "accuracy class"


def test_an_inventory_states_its_design() -> None:
    document = built(world_of(1_000))
    design = document["design"]
    assert design["consolidation"] == "OPERATIONAL_CONTROL"
    assert design["exclusions"][0]["reason"] == "fewer than ten a year"
    assert document["base_year"]["year"] == 2018
    assert document["base_year"]["months_with_data"] == 0
    assert document["monitoring_plans"][0]["plan"]["version"] == 1
    assert document["factors"][0]["evidence"] == "SECONDARY"


@pytest.mark.parametrize("organisation", ["grid", "nowhere"])
def test_without_design_or_organisation_there_is_no_report(organisation: str) -> None:
    world = world_of()
    with pytest.raises(ContractRefusal):
        build_document(State(world.reader), replace(INVENTORY, organisation=organisation), AT)


def test_an_activity_is_a_source_with_the_uncertainty_that_it_states() -> None:
    world = ActivityWorld()
    world.call(inventory_design.define, DESIGN)
    world.call(activities.submit, SUBMIT)
    world.call(activities.submit, replace(SUBMIT, activity_id="b", uncertainty_permille=0))
    world.next_block()
    document = built(world)
    uncertainty = document["uncertainty"]
    stated, unstated = uncertainty["sources"][-1], uncertainty["sources"][-2]
    assert (stated["activity"], stated["uncertainty_permille"]) == ("plant/invoice-7", 20)
    assert (unstated["activity"], unstated["uncertainty_permille"]) == ("plant/b", None)
    assert uncertainty["combined_1e4"] == 200
    direct = int(document["totals"]["direct"]["numerator_1e10_g"])
    assert 2 * int(uncertainty["covered_1e10_g"]) == direct
    assert 2 * int(uncertainty["not_covered_1e10_g"]) == direct
    (gas,) = document["direct_by_gas"]
    assert (gas["gas"], int(gas["co2e"]["numerator_1e10_g"])) == ("CO2", direct)


def restate_grid(world: ReadingWorld, version: int, uncertainty: FactorUncertainty | None) -> None:
    again = replace(GRID_AGAIN, version=version, uncertainty=uncertainty)
    world.call(restatements.restate, again)
    decide = DecideRestatement(factor_id="kr-grid", number=version)
    world.call(restatements.approve, decide, sender=SECOND_ADMIN)
    apply = ApplyRestatement(factor_id="kr-grid", number=version, month_count=64)
    world.call(restatements.apply, apply)
    world.next_block()


def test_a_factors_uncertainty_is_in_and_what_declares_none_is_counted() -> None:
    world = world_of(1_000, 2_000)
    emission = str(3_000 * 4_306 * 10**6)
    undeclared = built(world)["uncertainty"]
    assert (undeclared["combined_1e4"], undeclared["factor_not_declared_1e10_g"]) == (250, emission)

    declared = FactorUncertainty(permille=60, source="the publisher's annex")
    restate_grid(world, 1, declared)
    document = built(world)
    uncertainty = document["uncertainty"]
    # sqrt(25^2 + 60^2) = 65 permille.
    assert uncertainty["combined_1e4"] == uncertainty["sources"][0]["with_factors_1e4"] == 650
    assert uncertainty["factor_not_declared_1e10_g"] == "0"
    assert uncertainty["factors"] == [
        {
            "factor": "kr-grid",
            "valid_from_ms": 0,
            "version": 2,
            "emission_1e10_g": emission,
            "uncertainty_permille": 60,
            "source": "the publisher's annex",
        }
    ]
    (factor,) = document["factors"]
    assert factor["uncertainty"] == {"permille": 60, "source": "the publisher's annex"}

    restate_grid(world, 2, FactorUncertainty(permille=0, source="exact by definition"))
    exact = built(world)["uncertainty"]
    assert (exact["combined_1e4"], exact["factor_not_declared_1e10_g"]) == (250, "0")


def test_what_is_withdrawn_is_no_source() -> None:
    world = ActivityWorld()
    world.call(inventory_design.define, DESIGN)
    world.call(activities.submit, SUBMIT)
    withdrawal = WithdrawActivity(site="plant", activity_id="invoice-7", reason="twice")
    world.call(activities.withdraw, withdrawal)
    world.next_block()
    uncertainty = built(world)["uncertainty"]
    assert uncertainty["not_covered_1e10_g"] == "0"
    assert not any("activity" in source for source in uncertainty["sources"])
