from dataclasses import replace

from contracts import monitoring_plan
from contracts.monitoring_plan import (
    Determination,
    FilePlan,
    MonitoringPlan,
    PlanParameter,
    file_plan,
    newest_plan,
    plan_key,
)
from tests.unit.contracts.registry_world import ADMIN, OTHER_ADMIN, World

POWER = PlanParameter(
    parameter="purchased-electricity",
    meter="main",
    unit="kW.h",
    determination=Determination.MEASURED,
    instrument="A-1, class 1",
    frequency="every 15 min",
    calibration="yearly, by the grid company",
    substitute="40 CFR 75",
    uncertainty_permille=25,
    tier=None,
)
OUTPUT = replace(POWER, parameter="steel-output", meter=None, uncertainty_permille=None)
PLAN = FilePlan(
    site="plant",
    document=b"\x07" * 32,
    valid_from_ms=1_000,
    parameters=(POWER, OUTPUT),
    reason="first plan",
)


def world_with_site() -> World:
    world = World()
    world.add_site()
    return world


def test_versions_follow_one_another_and_stay() -> None:
    world = world_with_site()
    assert newest_plan(world.state, "plant") is None
    world.call(file_plan, PLAN)
    world.next_block()
    world.call(file_plan, replace(PLAN, parameters=(POWER,), reason="the scale is sold"))

    newest = newest_plan(world.state, "plant")
    assert newest is not None
    assert (newest.version, newest.parameters, newest.filed_by) == (2, (POWER,), ADMIN)
    first = world.state.get(MonitoringPlan, plan_key("plant", 1))
    assert first is not None
    assert (first.version, first.parameters, first.document) == (1, PLAN.parameters, PLAN.document)
    assert world.event_kinds == ["plan.filed"]


def test_what_cannot_be_meant_is_refused() -> None:
    world = world_with_site()
    assert world.refusal_of(file_plan, replace(PLAN, parameters=(OUTPUT, POWER))) == (
        "INVALID_ARGUMENTS",
        (
            "parameters[1].parameter: expected a name after 'steel-output', for they ascend, each "
            "once, got 'purchased-electricity'"
        ),
    )
    assert world.refusal_of(file_plan, replace(PLAN, parameters=(POWER, POWER)))[0] == (
        "INVALID_ARGUMENTS"
    )
    assert world.refusal_of(file_plan, replace(PLAN, reason=" ")) == (
        "INVALID_ARGUMENTS",
        "reason: expected why this version is filed, got an empty text",
    )
    assert world.refusal_of(file_plan, replace(PLAN, site="nowhere"))[0] == "UNKNOWN_SITE"
    assert world.refusal_of(file_plan, PLAN, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"


def test_a_plan_does_not_begin_before_the_last_one() -> None:
    world = world_with_site()
    world.call(file_plan, PLAN)
    assert world.refusal_of(file_plan, replace(PLAN, valid_from_ms=999)) == (
        "INVALID_ARGUMENTS",
        "valid_from_ms: expected not before version 1, 1000, got 999",
    )


def test_a_plan_costs_as_many_units_as_it_has_parameters() -> None:
    (method,) = monitoring_plan.METHODS
    assert method.work(PLAN) == 2
