"""Misstatements and the statement: what may be concluded, and over what it may not."""

from dataclasses import replace
from typing import Any

import pytest

from chain.member import MemberRole, member_key
from contracts import statements
from contracts.certification import (
    MISSTATEMENTS_MAX,
    Misstatement,
    Opinion,
    Stage,
    certification_key,
    misstatement_key,
)
from contracts.certified_period import total_of, totals_of
from contracts.emissions import GRAMS_DENOMINATOR, Scope, numerator_of, pack_numerator
from contracts.statements import CorrectMisstatement
from tests import chain_samples as samples
from tests.unit.contracts.certification_world import (
    ID,
    MISSTATEMENT,
    OTHER_CERTIFIER,
    CertificationWorld,
)
from tests.unit.contracts.reading_world import DAY, DAY_MS, amount
from tests.unit.contracts.registry_world import CERTIFIER

TOTAL_G = 129_180
"""300,000 Wh at 0.4306 g/Wh."""
CORRECTION = CorrectMisstatement(certification_id=ID, number=1, correction="correction 7")


@pytest.fixture
def world() -> CertificationWorld:
    made = CertificationWorld()
    made.close()
    made.plan()
    return made


def find(world: CertificationWorld, **changes: Any) -> None:
    world.call(statements.record_misstatement, replace(MISSTATEMENT, **changes), sender=CERTIFIER)


def conclude(world: CertificationWorld, **changes: Any) -> None:
    world.call(statements.conclude, world.conclusion(**changes), sender=CERTIFIER)


def refusal_of(world: CertificationWorld, **changes: Any) -> tuple[str, str]:
    return world.refusal_of(statements.conclude, world.conclusion(**changes), sender=CERTIFIER)


def test_a_statement_says_what_was_executed_and_what_the_state_held(
    world: CertificationWorld,
) -> None:
    conclude(world)

    statement = world.certification.statement
    assert statement is not None
    assert statement.reexecution.node_id == "observer-1"
    assert statement.reexecution.height == world.height - 1
    assert statement.reexecution.state_root == b"\x0a" * 32
    assert numerator_of(statement.totals.location_based) == TOTAL_G * GRAMS_DENOMINATOR
    assert statement.totals.market_based == statement.totals.location_based
    assert numerator_of(statement.totals.direct) == 0
    assert statement.uncorrected_g == 0
    assert world.certification.stage is Stage.CONCLUDED
    assert world.events[-1].kind == "certification.concluded"


def test_only_scopes_of_the_engagement_count(world: CertificationWorld) -> None:
    direct = replace(world.certification, scopes=(Scope.DIRECT,))

    assert total_of(totals_of(world.state, direct)) == 0
    assert total_of(totals_of(world.state, world.certification)) == TOTAL_G * GRAMS_DENOMINATOR


def test_of_the_two_totals_of_scope_2_the_smaller_is_the_limit(world: CertificationWorld) -> None:
    totals = totals_of(world.state, world.certification)
    smaller = replace(totals, market_based=pack_numerator(5), direct=pack_numerator(2))

    assert total_of(smaller) == 7


def test_uncorrected_misstatements_up_to_the_limit_let_an_unmodified_opinion_stand(
    world: CertificationWorld,
) -> None:
    find(world, amount_g=-6_000)
    find(world, amount_g=459)

    # 6,459 g are 50 permille of 129,180 g exactly: magnitudes add up and do not cancel.
    conclude(world)

    assert world.certification.statement is not None
    assert world.certification.statement.uncorrected_g == 6_459


def test_a_gram_above_the_limit_is_material(world: CertificationWorld) -> None:
    find(world, amount_g=6_460)

    code, detail = refusal_of(world)
    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith(
        "opinion: expected another than UNMODIFIED above 50 permille of 129180 g"
    )
    assert detail.endswith("got 6460 g of uncorrected misstatements")
    conclude(world, opinion=Opinion.MODIFIED)
    conclude(world, materiality_permille=51)


def test_what_the_verifier_calls_material_is_so_at_any_amount(world: CertificationWorld) -> None:
    find(world, amount_g=0, is_material=True)

    assert "misstatement 1, material and not corrected" in refusal_of(world)[1]
    world.call(statements.correct_misstatement, CORRECTION, sender=CERTIFIER)
    conclude(world)


def test_a_misstatement_stays_when_it_is_corrected(world: CertificationWorld) -> None:
    find(world)
    world.call(statements.correct_misstatement, CORRECTION, sender=CERTIFIER)

    kept = world.state.get(Misstatement, misstatement_key(ID, 1))
    assert kept is not None
    assert (kept.amount_g, kept.words, kept.correction) == (-7, "a forklift", "correction 7")
    assert world.event_kinds[-2:] == ["certification.misstatement"] * 2
    code, detail = world.refusal_of(statements.correct_misstatement, CORRECTION, sender=CERTIFIER)
    assert (code, "corrected at" in detail) == ("WRONG_STATE", True)


def test_a_misstatement_after_the_statement_asks_for_another_one(
    world: CertificationWorld,
) -> None:
    conclude(world)
    find(world)

    assert world.certification.stage is Stage.PLANNED
    assert world.certification.statement is None


@pytest.mark.parametrize(
    ("changes", "detail"),
    [({"number": 2}, "number: expected 1 to 1, got 2"), ({"correction": ""}, "correction: exp")],
)
def test_a_correction_names_a_misstatement_and_says_something(
    world: CertificationWorld, changes: dict[str, Any], detail: str
) -> None:
    find(world)

    refused = world.refusal_of(
        statements.correct_misstatement, replace(CORRECTION, **changes), sender=CERTIFIER
    )

    assert refused[0] == "INVALID_ARGUMENTS"
    assert refused[1].startswith(detail)


def test_misstatements_are_bounded(world: CertificationWorld) -> None:
    full = replace(world.certification, misstatement_count=MISSTATEMENTS_MAX)
    world.state.put(certification_key(ID), full)

    refused = world.refusal_of(statements.record_misstatement, MISSTATEMENT, sender=CERTIFIER)

    assert refused[0] == "LIMIT_REACHED"
    world.state.put(certification_key(ID), replace(full, misstatement_count=MISSTATEMENTS_MAX - 1))
    find(world)


def test_nothing_is_found_before_the_plan() -> None:
    world = CertificationWorld()
    world.open()

    refused = world.refusal_of(statements.record_misstatement, MISSTATEMENT, sender=CERTIFIER)

    assert refused[0] == "WRONG_STATE"
    assert refused[1].endswith("PLANNED or CONCLUDED, got OPEN; call certification.plan")


def test_an_open_month_is_not_certified() -> None:
    world = CertificationWorld()
    world.plan()

    code, detail = refusal_of(world)

    assert code == "WRONG_STATE"
    assert detail.startswith("month 2023-10 of site plant: expected a closed month")


def test_what_is_executed_again_reaches_to_the_close(world: CertificationWorld) -> None:
    refused = refusal_of(world, block=world.shown(11))

    assert refused == (
        "WRONG_STATE",
        "block.header.height: expected at least 12, at which the last month was closed, got 11",
    )
    conclude(world, block=world.shown(12))


def test_what_is_executed_again_reaches_to_the_last_revision(world: CertificationWorld) -> None:
    world.revise()
    world.next_block()

    code, detail = refusal_of(world, block=world.shown(world.height - 2))

    assert code == "WRONG_STATE"
    assert detail.endswith("got revision 1, CORRECTION of correction/main/000001")
    conclude(world)


def test_a_revision_outside_the_period_stands_in_nobodys_way(world: CertificationWorld) -> None:
    before, after = world.certification.from_ms, world.certification.to_ms
    world.revise(from_ms=before - DAY_MS, to_ms=before)
    world.revise(from_ms=after, to_ms=after + DAY_MS)
    world.revise(site="elsewhere")

    conclude(world, block=world.shown(12))


@pytest.mark.parametrize("node_id", ["node-1", "observer-2", "observer-3"])
def test_the_chain_is_executed_by_an_observer_of_the_body(
    world: CertificationWorld, node_id: str
) -> None:
    stranger = samples.member(5, node_id="observer-2", role=MemberRole.OBSERVER)
    world.state.put(member_key("node-1"), samples.member(1, organisation="body"))
    world.state.put(member_key("observer-2"), stranger)

    code, detail = refusal_of(world, node_id=node_id)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith("node_id: expected a registered observer of body, got")


def with_open_case() -> tuple[CertificationWorld, str]:
    """A day of intervals, of which one is so far off that a case is open."""
    world = CertificationWorld()
    world.send(*(amount(number, 1_000) for number in range(2, 60)), amount(60, -5))
    world.next_block()
    world.close()
    world.plan()
    (alert, *_) = world.alerts
    return world, alert.alert_id


def test_open_cases_of_the_period_are_closed_or_listed() -> None:
    world, _ = with_open_case()
    cases = tuple(sorted(alert.alert_id for alert in world.alerts))

    code, detail = refusal_of(world)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith("exceptions: expected every case of the period that is not closed")
    assert cases[0] in detail
    conclude(world, exceptions=cases)


def test_an_exception_is_an_open_case_of_the_period() -> None:
    world, _ = with_open_case()
    cases = [alert.alert_id for alert in world.alerts]

    stray = tuple(sorted([*cases, "main.99.000001"]))
    assert "got 'main.99.000001'" in refusal_of(world, exceptions=stray)[1]
    twice = tuple(sorted([*cases, cases[0]]))
    assert "got another order" in refusal_of(world, exceptions=twice)[1]


def test_a_case_of_another_time_needs_no_exception(world: CertificationWorld) -> None:
    world.send(amount(-20 * 96, -5))
    (alert, *_) = world.alerts
    assert alert.last_interval_ms == DAY - 20 * DAY_MS < world.certification.from_ms

    conclude(world)


def test_another_body_states_nothing_here(world: CertificationWorld) -> None:
    refused = world.refusal_of(statements.conclude, world.conclusion(), sender=OTHER_CERTIFIER)

    assert refused[0] == "NOT_PERMITTED"
