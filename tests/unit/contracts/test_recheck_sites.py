"""The re-check of a site's conditions: a target's path is kept by now, a deposit was made."""

from dataclasses import replace

import pytest

from contracts import alerts, annual_filings, cases, deposits, remedies, targets
from contracts.alert import Alert, AlertState
from contracts.annual_filing import AnnualStage
from contracts.cases import TakeStep
from contracts.check import Check
from contracts.deposit import DepositStage
from contracts.month import first_day_of
from contracts.remedies import RebaselineCase
from contracts.target import Target, YearTarget, version_in_force
from tests.unit.contracts.case_world import (
    alert_of,
    approved,
    correct,
    correction,
    explain,
    explained,
    rebaseline,
)
from tests.unit.contracts.reading_world import DAY_MS, HOUR_MS
from tests.unit.contracts.registry_world import (
    ADMIN,
    BODY_ADMIN,
    CERTIFIER,
    OPERATOR,
    SECOND_ADMIN,
)
from tests.unit.contracts.test_annual_filings import (
    CHECK as ANNUAL_CHECK,
    SUBMIT as ANNUAL_SUBMIT,
    AnnualWorld,
)
from tests.unit.contracts.test_deposits import PASS, SUBMIT, DepositWorld
from tests.unit.contracts.test_targets import NOVEMBER, SET, TargetWorld

OCTOBER = NOVEMBER - 1
OCTOBER_15_MS = (first_day_of(OCTOBER) + 14) * DAY_MS
KEPT_WH = 115_000
"""Most that October may be: 51,672 g x 1.05 x 11 / 12 are 49,734 g, and 430.6 g are a kWh."""
OF_SITE = "meter: expected a meter of site plant, for the alert is of TARGET, got "


def left_world() -> tuple[TargetWorld, Alert]:
    """A site that left its path by November, as October's 200 kWh are told; explained."""
    world = TargetWorld()
    world.call(targets.set_target, SET)
    world.emit({OCTOBER: 200})
    world.due((first_day_of(NOVEMBER + 1) + 10) * DAY_MS)
    world.next_block()
    return world, explained(world, Check.TARGET, subject="plant")


def softer(world: TargetWorld, grams: int, *, sender: bytes = SECOND_ADMIN) -> None:
    years = (YearTarget(year=2023, grams=grams),)
    world.call(targets.set_target, replace(SET, years=years), sender=sender)
    world.next_block()


def target_alert(world: TargetWorld) -> Alert:
    return alert_of(world, Check.TARGET, subject="plant")


# Check 41


def test_a_correction_of_a_meter_of_the_site_brings_it_back_on_its_path() -> None:
    world, alert = left_world()
    number = approved(world, "main", (OCTOBER_15_MS, KEPT_WH + 1_000))
    assert correct(world, alert, number, meter="main").failed == 1
    explain(world, alert.alert_id)
    number = approved(world, "main", (OCTOBER_15_MS, KEPT_WH))

    found = correct(world, alert, number, meter="main")

    begins_ms = first_day_of(NOVEMBER) * DAY_MS - 10 * HOUR_MS
    assert (found.from_ms, found.to_ms, found.is_complete) == (begins_ms, begins_ms, True)
    assert (found.checked, found.failed) == (1, 0)
    after = target_alert(world)
    assert after.state is AlertState.VERIFIED
    assert (after.remedy_meter, after.remedy_number) == ("main", number)


def test_totals_that_were_put_right_otherwise_are_looked_at_as_they_are() -> None:
    world, alert = left_world()
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    approved(world, "main", (OCTOBER_15_MS, KEPT_WH))

    assert correct(world, alert).failed == 0
    assert target_alert(world).remedy_number is None


@pytest.mark.parametrize(
    ("meter", "start_ms", "words"),
    [
        (
            None,
            OCTOBER_15_MS,
            "meter: expected a meter of site plant, for the alert is of TARGET, ",
        ),
        ("x", OCTOBER_15_MS, OF_SITE + "'x'"),
        ("main", (first_day_of(OCTOBER - 12)) * DAY_MS, "number: expected a correction of inter"),
    ],
)
def test_a_correction_is_one_of_the_site_and_the_year(
    meter: str | None, start_ms: int, words: str
) -> None:
    world, alert = left_world()
    number = approved(world, "main", (start_ms, 1))

    named = correction(alert, number, meter)
    code, detail = world.refusal_of(remedies.correct, named, sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith(words)


def test_a_target_that_another_account_has_set_since_says_what_is_meant_to_be_kept() -> None:
    world, alert = left_world()
    softer(world, 60_000)
    assert rebaseline(world, alert, 2).failed == 1
    explain(world, alert.alert_id)
    softer(world, 120_000)

    found = rebaseline(world, alert, 3)

    assert (found.checked, found.failed) == (1, 0)
    after = target_alert(world)
    assert (after.state, after.remedy) == (AlertState.VERIFIED, AlertState.REBASELINED)
    assert (after.remedy_meter, after.remedy_number) == (None, 3)


def test_a_target_that_says_nothing_of_the_year_answers_nothing() -> None:
    world, alert = left_world()
    years = (YearTarget(year=2024, grams=10**9),)
    world.call(targets.set_target, replace(SET, years=years), sender=SECOND_ADMIN)

    assert rebaseline(world, alert, 2).failed == 1


def test_a_softer_target_passes_nothing_by_the_way() -> None:
    """Only who names it is held to it: else whoever sets a target could end the case alone."""
    world, alert = left_world()
    softer(world, 120_000)

    assert correct(world, alert).failed == 1


@pytest.mark.parametrize(("version", "end"), [(1, "got 1, where 2 of"), (3, "got 3, where 2 of")])
def test_a_target_is_named_that_is_in_force(version: int, end: str) -> None:
    world, alert = left_world()
    softer(world, 120_000)
    arguments = RebaselineCase(alert_id=alert.alert_id, version=version, note="")

    code, detail = world.refusal_of(remedies.rebaseline, arguments, sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith("version: expected the target of plant in force, set by target.set ")
    assert end in detail


def test_a_target_from_before_the_alert_answers_nothing() -> None:
    world, alert = left_world()
    arguments = RebaselineCase(alert_id=alert.alert_id, version=1, note="")

    assert world.refusal_of(remedies.rebaseline, arguments, sender=OPERATOR)[0] == (
        "INVALID_ARGUMENTS"
    )


@pytest.mark.parametrize(
    ("explains", "names"), [(OPERATOR, SECOND_ADMIN), (SECOND_ADMIN, OPERATOR)]
)
def test_whoever_set_a_target_neither_explains_nor_names_it(explains: bytes, names: bytes) -> None:
    world, alert = left_world()
    world.call(
        cases.send_back, TakeStep(alert_id=alert.alert_id, note="by whom?"), sender=CERTIFIER
    )
    explain(world, alert.alert_id, sender=explains)
    softer(world, 120_000)
    arguments = RebaselineCase(alert_id=alert.alert_id, version=2, note="")

    assert world.refusal_of(remedies.rebaseline, arguments, sender=names) == (
        "NOT_PERMITTED",
        (
            f"alert {alert.alert_id}: expected another account to explain the alert, and to name "
            "the target, than set it, got the same"
        ),
    )


def test_the_version_of_a_moment_is_found_among_many() -> None:
    world = TargetWorld()
    assert version_in_force(world.state, "plant", world.time_ms) == 0
    set_ms: list[int] = []
    for grams in range(9):
        set_ms.append(world.time_ms)
        softer(world, grams)

    for place, moment in enumerate(set_ms):
        assert version_in_force(world.state, "plant", moment - 1) == place
        assert version_in_force(world.state, "plant", moment) == place + 1
    versions = [each for _, each in world.state.iterate(Target, b"target-version/plant/")]
    assert [each.set_ms for each in versions] == set_ms


# Check 42


def overdue_world(stage: DepositStage = DepositStage.SUBMIT) -> tuple[DepositWorld, Alert]:
    """A site whose deposit lacks a step when it is due; explained."""
    world = DepositWorld()
    if stage is not DepositStage.SUBMIT:
        world.call(deposits.submit, SUBMIT)
    if stage is DepositStage.COMPLETE:
        world.call(deposits.check, PASS, sender=CERTIFIER)
    for each in DepositStage:
        if each <= stage:
            world.at(each)
            world.run_due()
    world.next_block()
    return world, explained(world, Check.DEPOSIT, subject="plant")


@pytest.mark.parametrize("stage", DepositStage)
def test_a_step_that_was_taken_late_settles_what_was_overdue(stage: DepositStage) -> None:
    world, alert = overdue_world(stage)
    found = correct(world, alert)
    assert (found.from_ms, found.to_ms) == (alert.first_interval_ms,) * 2
    assert (found.checked, found.failed) == (1, 1)
    explain(world, alert.alert_id)
    match stage:
        case DepositStage.SUBMIT:
            world.call(deposits.submit, SUBMIT)
        case DepositStage.CHECK:
            world.call(deposits.check, PASS, sender=CERTIFIER)
        case DepositStage.COMPLETE:
            world.call(deposits.complete, PASS, sender=BODY_ADMIN)

    found = correct(world, alert)

    assert (found.checked, found.failed) == (1, 0)
    after = alerts.get_alert(world.state, alert.alert_id)
    assert after is not None
    assert (after.state, after.remedy) == (AlertState.VERIFIED, AlertState.CORRECTED)
    assert after.remedy_number is None


def test_another_step_than_the_overdue_one_settles_nothing() -> None:
    world = DepositWorld()
    for stage in (DepositStage.SUBMIT, DepositStage.CHECK):
        world.at(stage)
        world.run_due()
    world.next_block()
    of_check = explained(world, Check.DEPOSIT, number=2, subject="plant")
    world.call(deposits.submit, SUBMIT)

    assert correct(world, of_check).failed == 1


def test_no_number_answers_a_deposit() -> None:
    world, alert = overdue_world()

    named = correction(alert, 1, "main")
    code, detail = world.refusal_of(remedies.correct, named, sender=OPERATOR)
    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith(
        f"alert {alert.alert_id}: expected what answers DEPOSIT: what was sent, decided or done "
        "since (case.correct without a number), got an approved correction "
    )
    arguments = RebaselineCase(alert_id=alert.alert_id, version=1, note="")
    code, detail = world.refusal_of(remedies.rebaseline, arguments, sender=ADMIN)
    assert "got a target version set since by another account (case.rebaseline); " in detail


def test_a_meter_is_named_with_the_number_of_its_correction() -> None:
    world, alert = overdue_world()

    assert world.refusal_of(remedies.correct, correction(alert, None, "main"), sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        "number: expected the number of a correction of main, or no meter either, got none",
    )


# Check 43


@pytest.mark.parametrize("stage", AnnualStage)
def test_a_step_of_a_year_that_was_taken_late_settles_it(stage: AnnualStage) -> None:
    world = AnnualWorld()
    if stage is AnnualStage.CHECK:
        world.call(annual_filings.submit, ANNUAL_SUBMIT)
    for each in AnnualStage:
        if each <= stage:
            world.at(each)
            world.run_due()
    world.next_block()
    alert = explained(world, Check.ANNUAL, subject="plant")
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    if stage is AnnualStage.SUBMIT:
        world.call(annual_filings.submit, ANNUAL_SUBMIT)
    else:
        world.call(annual_filings.check, ANNUAL_CHECK, sender=CERTIFIER)

    found = correct(world, alert)

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, Check.ANNUAL, subject="plant").state is AlertState.VERIFIED
