"""Restating a factor: two signatures, old and new provable, all totals as if it had always held."""

from dataclasses import replace

import pytest

from contracts import factors, meters, restatements
from contracts.emissions import MonthTotal, meter_month_key, numerator_of
from contracts.factor import (
    EvidenceGrade,
    Factor,
    FactorUncertainty,
    factor_key,
    factor_version_key,
)
from contracts.factor_content import CO2E_OF_VALUE
from contracts.restatement import (
    RestatedMonth,
    Restatement,
    RestatementState,
    get_restatement,
    restated_month_key,
)
from contracts.restatements import ApplyRestatement, DecideRestatement, RestateFactor
from contracts.revisions import RecordedRevision, RevisionKind, revision_key
from contracts.site_month import (
    OrganisationMonth,
    SiteMonth,
    organisation_month_key,
    site_month_key,
    sums_of,
)
from tests.unit.contracts.reading_world import AMOUNTS, DAY, QUARTER_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import FACTOR, OPERATOR, OTHER_ADMIN, SECOND_ADMIN

OCTOBER = (2023 - 1970) * 12 + 9
RESTATE = RestateFactor(
    value=5_000,
    source="a corrected publication",
    evidence=EvidenceGrade.CONFIRMED,
    factor_id="kr-grid",
    valid_from_ms=0,
    version=1,
    reason="the publisher corrected the value",
    evidence_hash=bytes(32),
)
DECIDE = DecideRestatement(factor_id="kr-grid", number=1)
APPLY = ApplyRestatement(factor_id="kr-grid", number=1, month_count=64)


def restatement(world: ReadingWorld, number: int = 1) -> Restatement:
    found = get_restatement(world.state, "kr-grid", number)
    assert found is not None
    return found


def meter_co2e(world: ReadingWorld, month: int = OCTOBER) -> int:
    total = world.state.get(MonthTotal, meter_month_key("main", month))
    assert total is not None
    return numerator_of(total.co2e)


def site_co2e(world: ReadingWorld, month: int = OCTOBER) -> int:
    record = world.state.get(SiteMonth, site_month_key("plant", month))
    assert record is not None
    return sums_of(record).location


def organisation_co2e(world: ReadingWorld) -> int:
    record = world.state.get(OrganisationMonth, organisation_month_key("steel", OCTOBER))
    assert record is not None
    return sums_of(record).location


def propose_and_approve(world: ReadingWorld) -> None:
    world.call(restatements.restate, RESTATE)
    world.call(restatements.approve, DECIDE, sender=SECOND_ADMIN)


def test_a_restatement_moves_every_total_to_the_new_value() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    world.next_block()
    propose_and_approve(world)
    assert meter_co2e(world) == site_co2e(world) == 1_000 * 4_306 * CO2E_OF_VALUE
    world.call(restatements.apply, APPLY, sender=OPERATOR)
    new = 1_000 * 5_000 * CO2E_OF_VALUE
    assert meter_co2e(world) == site_co2e(world) == organisation_co2e(world) == new
    assert restatement(world).state is RestatementState.APPLIED
    assert restatement(world).changed_month_count == 2


def test_old_and_new_values_and_totals_stay_in_state() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    propose_and_approve(world)
    world.call(restatements.apply, APPLY)
    old = world.state.get(Factor, factor_version_key("kr-grid", 0, 1))
    new = world.state.get(Factor, factor_key("kr-grid", 0))
    assert old is not None
    assert new is not None
    assert (old.value, old.version, new.value, new.version) == (4_306, 1, 5_000, 2)
    key = restated_month_key("plant", OCTOBER, "kr-grid", 1)
    restated = world.state.get(RestatedMonth, key)
    assert restated is not None
    values = [
        numerator_of(each.scope2.location_based) for each in (restated.before, restated.after)
    ]
    assert values == [1_000 * value * CO2E_OF_VALUE for value in (4_306, 5_000)]


def test_a_restatement_says_the_uncertainty_anew() -> None:
    world = ReadingWorld()
    declared = FactorUncertainty(permille=70, source="the publisher's annex")
    for number, uncertainty in enumerate((declared, None), 1):
        world.call(restatements.restate, replace(RESTATE, version=number, uncertainty=uncertainty))
        decide = replace(DECIDE, number=number)
        world.call(restatements.approve, decide, sender=SECOND_ADMIN)
        world.call(restatements.apply, replace(APPLY, number=number))
        factor = world.state.get(Factor, factor_key("kr-grid", 0))
        assert factor is not None
        assert (factor.version, factor.uncertainty) == (number + 1, uncertainty)


def test_a_restatement_is_a_revision_of_each_month_that_it_changes() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    propose_and_approve(world)
    world.call(restatements.apply, APPLY)
    recorded = world.state.get(RecordedRevision, revision_key("plant", 1))
    assert recorded is not None
    assert recorded.revision.kind is RevisionKind.RESTATEMENT
    assert recorded.revision.from_ms <= DAY < DAY + QUARTER_MS <= recorded.revision.to_ms
    assert recorded.revision.subject == "restatement/kr-grid/0000000001"


def test_what_is_read_before_all_is_carried_over_counts_by_the_new_value() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    propose_and_approve(world)
    world.send(amount(1, 10))
    assert site_co2e(world) == (1_000 * 4_306 + 10 * 5_000) * CO2E_OF_VALUE
    world.call(restatements.apply, APPLY)
    assert site_co2e(world) == 1_010 * 5_000 * CO2E_OF_VALUE


def test_a_call_carries_over_no_more_months_than_it_says() -> None:
    world = ReadingWorld()
    spread = [amount(-number * 96 * 31, 100) for number in range(5)]
    world.send(*spread)
    propose_and_approve(world)
    few = replace(APPLY, month_count=3)
    states = []
    while restatement(world).state is RestatementState.APPROVED:
        world.next_block()
        world.call(restatements.apply, few)
        states.append(restatement(world).changed_month_count)
    assert states == [3, 6, 9, 10]
    for month in range(OCTOBER - 3, OCTOBER + 1):
        assert meter_co2e(world, month) == site_co2e(world, month)


def test_the_inverse_restores_every_total() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    before = meter_co2e(world), site_co2e(world), organisation_co2e(world)
    propose_and_approve(world)
    world.call(restatements.apply, APPLY)
    world.call(restatements.restate, replace(RESTATE, value=FACTOR.value, version=2))
    world.call(restatements.approve, replace(DECIDE, number=2), sender=SECOND_ADMIN)
    world.call(restatements.apply, replace(APPLY, number=2))
    assert (meter_co2e(world), site_co2e(world), organisation_co2e(world)) == before


def test_a_rejected_restatement_changes_nothing() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000))
    world.call(restatements.restate, RESTATE)
    world.call(restatements.reject, DECIDE)
    assert restatement(world).state is RestatementState.REJECTED
    assert world.refusal_of(restatements.approve, DECIDE, sender=SECOND_ADMIN)[0] == "WRONG_STATE"
    assert world.refusal_of(restatements.apply, APPLY)[0] == "WRONG_STATE"
    assert site_co2e(world) == 1_000 * 4_306 * CO2E_OF_VALUE
    world.call(restatements.restate, RESTATE)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"factor_id": "nobody"}, "UNKNOWN_FACTOR"),
        ({"valid_from_ms": 5}, "UNKNOWN_FACTOR"),
        ({"version": 2}, "WRONG_STATE"),
        ({"reason": " "}, "INVALID_ARGUMENTS"),
        ({"source": ""}, "INVALID_ARGUMENTS"),
    ],
)
def test_what_cannot_be_restated_is_refused(changed: dict[str, str | int], code: str) -> None:
    arguments = RestateFactor.from_value(
        tuple(changed.get(name, value) for name, value in fields_of(RESTATE))
    )
    assert ReadingWorld().refusal_of(restatements.restate, arguments)[0] == code


def fields_of(arguments: RestateFactor) -> list[tuple[str, object]]:
    return list(zip(arguments.__dataclass_fields__, arguments.to_value(), strict=True))


def test_the_second_signature_is_another_account_of_the_owner() -> None:
    world = ReadingWorld()
    world.call(restatements.restate, RESTATE)
    assert world.refusal_of(restatements.approve, DECIDE) == (
        "NOT_PERMITTED",
        "restatement 1 of kr-grid: expected another account than the one that proposed it, got "
        + world.context().sender.hex(),
    )
    assert world.refusal_of(restatements.approve, DECIDE, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    assert world.refusal_of(restatements.restate, RESTATE) == (
        "WRONG_STATE",
        (
            "restatement 1 of kr-grid: expected one that is applied or rejected before the next is "
            "proposed, got PROPOSED"
        ),
    )


def test_only_the_period_that_is_restated_changes() -> None:
    world = ReadingWorld()
    end_ms = amount(1, 1).stamp_ms
    first = replace(FACTOR, factor_id="split", valid_from_ms=0, valid_to_ms=end_ms)
    world.call(factors.set_factor, first)
    world.call(factors.set_factor, replace(first, valid_from_ms=end_ms, valid_to_ms=2**60))
    world.call(meters.register, replace(AMOUNTS, meter_id="cut", factor="split"))
    world.call(restatements.restate, replace(RESTATE, factor_id="split"))
    decide = replace(DECIDE, factor_id="split")
    world.call(restatements.approve, decide, sender=SECOND_ADMIN)
    later = world.state.get(Factor, factor_key("split", end_ms))
    assert later is not None
    assert (later.version, later.value) == (1, 4_306)
