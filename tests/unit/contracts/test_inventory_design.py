from dataclasses import replace

import pytest

from contracts import inventory_design, sites
from contracts.inventory_design import (
    Consolidation,
    DefineInventory,
    Exclusion,
    define,
    get_design,
    newest_design,
)
from tests.unit.contracts.registry_world import OTHER_ADMIN, SITE, World

EXCLUSION = Exclusion(
    subject="Business flights", category=3, reason="fewer than ten a year", estimate_permille=2
)
DESIGN = DefineInventory(
    sites=("plant",),
    consolidation=Consolidation.OPERATIONAL_CONTROL,
    boundary="The plant at Gwangyang, all its operations",
    significance="Above 1 % of the total, or asked for by customers",
    base_year=2018,
    base_year_reason="First year with meters",
    recalculation="When a change moves the base year by more than 5 %",
    gwp="IPCC AR6, GWP-100",
    exclusions=(EXCLUSION,),
    responsible="Energy office",
)


def world_with_site() -> World:
    world = World()
    world.add_site()
    return world


def test_versions_follow_one_another_and_stay() -> None:
    world = world_with_site()
    assert newest_design(world.state, "steel") is None
    world.call(define, DESIGN)
    world.next_block()
    world.call(define, replace(DESIGN, base_year=2019))

    newest = newest_design(world.state, "steel")
    assert newest is not None
    assert (newest.version, newest.base_year, newest.organisation) == (2, 2019, "steel")
    first = get_design(world.state, "steel", 1)
    assert first is not None
    assert (first.base_year, first.exclusions) == (2018, (EXCLUSION,))
    assert world.event_kinds == ["report.defined"]


@pytest.mark.parametrize(
    ("field", "design"),
    [
        ("boundary", replace(DESIGN, boundary=" ")),
        ("significance", replace(DESIGN, significance="")),
        ("base_year_reason", replace(DESIGN, base_year_reason="")),
        ("recalculation", replace(DESIGN, recalculation="\n")),
        (
            "exclusions[1].reason",
            replace(DESIGN, exclusions=(EXCLUSION, replace(EXCLUSION, reason=""))),
        ),
    ],
)
def test_what_a_report_has_to_state_is_not_empty(field: str, design: DefineInventory) -> None:
    assert world_with_site().refusal_of(define, design) == (
        "INVALID_ARGUMENTS",
        f"{field}: expected what the report has to state, got an empty text",
    )


def test_the_boundary_holds_own_sites_each_once() -> None:
    world = world_with_site()
    world.call(sites.register, replace(SITE, site_id="annex"))
    assert world.refusal_of(define, replace(DESIGN, sites=("plant", "annex"))) == (
        "INVALID_ARGUMENTS",
        "sites[1]: expected a site after 'plant', for they ascend, each once, got 'annex'",
    )
    assert world.refusal_of(define, replace(DESIGN, sites=("nowhere",)))[0] == "UNKNOWN_SITE"
    assert world.refusal_of(define, DESIGN, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    world.call(define, replace(DESIGN, sites=("annex", "plant")))
    (method,) = inventory_design.METHODS
    assert method.work(DESIGN) == 1
