"""The end of the loop: a remedy is named, and the contract looks at the same window again."""

from dataclasses import replace

import pytest

from contracts import (
    alerts,
    baselines,
    bills,
    cases,
    queries,
    recheck as recheck_module,
    remedies,
)
from contracts.alert import Alert, AlertState
from contracts.baselines import FitBaseline, SetBaseline
from contracts.case import Action, Recheck
from contracts.cases import TakeStep
from contracts.check import Check, bit
from contracts.reading import RawReading
from contracts.remedies import ContinueRecheck, RebaselineCase
from contracts.replay import intervals_of
from tests.unit.contracts.case_world import (
    alert_of,
    approved,
    correct,
    correction,
    explain,
    explained,
    looked_at,
    rebaseline,
    story_of,
)
from tests.unit.contracts.month_world import BILLED, MonthWorld
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    DAY_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)
from tests.unit.contracts.registry_world import ADMIN, CERTIFIER, GATEWAY, OPERATOR, OTHER_ADMIN
from tests.unit.contracts.test_baselines import FORTNIGHT, IN_FORCE, fit, load
from tests.unit.contracts.test_corrections import CorrectedWorld


def usual(start: int, count: int, percent: int = 100) -> list[RawReading]:
    """A building's days and nights, from the n-th quarter hour on."""
    return [amount(number, load(number) * percent // 100) for number in range(start, start + count)]


def stuck_world() -> CorrectedWorld:
    """Two days as usual, ten equal quarter hours from 192 on, and a day as usual after them."""
    world = CorrectedWorld(AMOUNTS)
    world.send(*usual(0, 192), *(amount(number, 777) for number in range(192, 202)))
    world.send(*usual(202, 96))
    world.next_block()
    return world


def test_a_corrected_window_is_verified() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    number = world.correct(*((place, load(place)) for place in range(192, 202)))
    world.next_block()

    found = correct(world, alert, number)

    after = alert_of(world, Check.STUCK)
    assert after.state is AlertState.VERIFIED
    assert (after.remedy, after.remedy_number) == (AlertState.CORRECTED, number)
    assert world.event_kinds == ["case.corrected", "case.verified"]
    assert found == Recheck(
        from_ms=alert.first_interval_ms,
        to_ms=alert.last_interval_ms,
        is_complete=True,
        checked=10,
        failed=0,
        first_failed_ms=None,
    )
    named, passed = story_of(world, alert)[-2:]
    assert (named.action, named.account, named.remedy_number) == (Action.CORRECT, OPERATOR, number)
    assert (passed.action, passed.account) == (Action.PASS, None)
    world.call(cases.close, TakeStep(alert_id=alert.alert_id, note=""), sender=CERTIFIER)
    assert alert_of(world, Check.STUCK).state is AlertState.CLOSED


def test_what_still_fails_goes_back_with_what_was_found() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    number = world.correct((201, 5_000))
    world.next_block()

    found = correct(world, alert, number)

    after = alert_of(world, Check.STUCK)
    assert after.state is AlertState.INVESTIGATING
    assert world.event_kinds == ["case.corrected", "case.investigating"]
    assert (found.checked, found.failed) == (10, 3)
    assert found.first_failed_ms == DAY + 198 * QUARTER_MS
    assert story_of(world, alert)[-1].action is Action.FAIL


@pytest.mark.parametrize("check", [Check.STUCK, Check.SPIKE, Check.ZERO_DROP, Check.PHYSICAL_CAP])
def test_without_a_remedy_the_rules_say_again_what_they_said(check: Check) -> None:
    world = ReadingWorld(replace(AMOUNTS, nameplate_w=40_000))
    world.send(*usual(0, 8 * 96))
    faults = [
        *(amount(number, 777) for number in range(768, 778)),
        *usual(778, 40),
        amount(818, 9_000),
        amount(819, 50_000),
        *usual(820, 30),
        *(amount(number, 3 + number % 2) for number in range(850, 860)),
        *usual(860, 20),
    ]
    world.send(*faults)
    alert = alert_of(world, check)

    found = looked_at(world, alert)

    flagged = [
        DAY + number * QUARTER_MS
        for number, slot in world.slots.items()
        if slot.failed & bit(check)
    ]
    in_window = [
        moment for moment in flagged if alert.first_interval_ms <= moment <= alert.last_interval_ms
    ]
    assert 0 < found.failed <= len(in_window)
    assert found.first_failed_ms in in_window


def changed_world() -> ReadingWorld:
    """A fortnight as usual with a baseline on it, and another of 70 % more."""
    world = ReadingWorld(AMOUNTS)
    for start in range(0, 2 * FORTNIGHT, 96):
        if start == FORTNIGHT:
            assert fit(world).accepted
            world.call(baselines.set_in_force, IN_FORCE, sender=ADMIN)
            world.next_block()
        world.send(*usual(start, 96, 100 if start < FORTNIGHT else 170))
    world.next_block()
    return world


def set_second(world: ReadingWorld, alert: Alert | None) -> None:
    window = FitBaseline(meter_id="main", from_ms=IN_FORCE.from_ms, to_ms=DAY + 28 * DAY_MS)
    assert fit(world, window).accepted
    arguments = SetBaseline(
        meter_id="main",
        version=2,
        from_ms=window.to_ms,
        case=None if alert is None else alert.alert_id,
        reason="a second shift",
    )
    world.call(baselines.set_in_force, arguments, sender=ADMIN)
    world.next_block()


def test_a_new_baseline_that_explains_the_window_verifies_it() -> None:
    world = changed_world()
    alert = explained(world, Check.BASELINE)
    assert looked_at(world, alert).failed > 0
    set_second(world, alert)

    found = rebaseline(world, alert, 2)

    after = alert_of(world, Check.BASELINE)
    assert after.state is AlertState.VERIFIED
    assert (after.remedy, after.remedy_number) == (AlertState.REBASELINED, 2)
    assert world.event_kinds == ["case.rebaselined", "case.verified"]
    assert found.failed == 0 < found.checked


def test_a_condition_that_returns_reopens_what_was_rebaselined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A week of more is usual to check 11, so its alert ends long before the second baseline.
    monkeypatch.setattr(alerts, "GROUPING_MS", 14 * DAY_MS)
    world = changed_world()
    alert = explained(world, Check.BASELINE)
    set_second(world, alert)
    rebaseline(world, alert, 2)

    world.send(*usual(2 * FORTNIGHT, 8, 400))

    assert alert_of(world, Check.BASELINE).state is AlertState.OPEN


def test_a_long_window_is_looked_at_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    world = changed_world()
    alert = explained(world, Check.BASELINE)
    set_second(world, alert)
    count = (alert.last_interval_ms - alert.first_interval_ms) // QUARTER_MS + 1
    third = count // 3 + 1
    monkeypatch.setattr(recheck_module, "WINDOW_INTERVALS_MAX", third)
    arguments = RebaselineCase(alert_id=alert.alert_id, version=2, note="")
    world.call(remedies.rebaseline, arguments, sender=OPERATOR)
    under_way = alert_of(world, Check.BASELINE)
    assert under_way.state is AlertState.REBASELINED
    assert under_way.rechecked_to_ms == alert.first_interval_ms + (third - 1) * QUARTER_MS
    assert world.event_kinds == ["case.rebaselined"]

    more = ContinueRecheck(alert_id=alert.alert_id)
    for sender in (CERTIFIER, GATEWAY):
        assert alert_of(world, Check.BASELINE).state is AlertState.REBASELINED
        world.call(remedies.continue_recheck, more, sender=sender)

    assert alert_of(world, Check.BASELINE).state is AlertState.VERIFIED
    assert alert_of(world, Check.BASELINE).rechecked_to_ms is None
    refused = world.refusal_of(remedies.continue_recheck, more, sender=CERTIFIER)
    assert refused == (
        "WRONG_STATE",
        (
            f"alert {alert.alert_id}: expected state REBASELINED or CORRECTED, got VERIFIED; call "
            "case.close or case.return"
        ),
    )


def test_missing_readings_are_over_where_they_were_sent_late() -> None:
    world = CorrectedWorld(AMOUNTS)
    world.send(*usual(0, 96), *usual(106, 96))
    alert = explained(world, Check.MISSING)
    assert looked_at(world, alert).failed == 1
    world.send(*usual(96, 8))
    number = world.correct((104, 1_000), (105, 1_000))

    found = correct(world, alert, number)

    assert found.failed == 0
    assert alert_of(world, Check.MISSING).state is AlertState.VERIFIED


def test_a_gap_longer_than_tolerated_stays_missing() -> None:
    world = CorrectedWorld(AMOUNTS)
    world.send(*usual(0, 96), *usual(106, 96))
    alert = explained(world, Check.MISSING)
    number = world.correct((96, 1_000), (100, 1_000))

    found = correct(world, alert, number)

    assert (found.failed, found.first_failed_ms) == (2, DAY + 97 * QUARTER_MS)
    assert alert_of(world, Check.MISSING).state is AlertState.INVESTIGATING


def test_conflicting_readings_are_settled_by_a_correction() -> None:
    world = CorrectedWorld(AMOUNTS)
    world.send(*usual(0, 96), amount(50, 7), amount(51, 7))
    alert = explained(world, Check.DUPLICATE)
    one = world.correct((50, 7))
    assert correct(world, alert, one).failed == 1
    explain(world, alert.alert_id)
    both = world.correct((51, load(51)))

    assert correct(world, alert, both).failed == 0
    assert alert_of(world, Check.DUPLICATE).state is AlertState.VERIFIED


def test_a_register_that_went_back_is_settled_where_it_was_corrected() -> None:
    world = CorrectedWorld(COUNTER)
    world.send(*(register(number, 10_000 + 10 * number) for number in range(20)))
    world.send(*(register(number, 10 * number) for number in range(20, 40)))
    alert = explained(world, Check.REGISTER)
    assert looked_at(world, alert).failed == 1
    number = world.correct((20, 10))

    assert correct(world, alert, number).failed == 0
    assert alert_of(world, Check.REGISTER).state is AlertState.VERIFIED


def test_withdrawn_corrections_settle_nothing() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    number = world.correct(*((place, load(place)) for place in range(192, 202)))
    world.correct(*((place, None) for place in range(192, 202)))
    places = [
        (each.start_ms, each.correction)
        for each in intervals_of(world.state, world.main, DAY + 192 * QUARTER_MS, DAY + DAY_MS * 3)
    ]
    assert {correction for _, correction in places} == {None}

    assert correct(world, alert, number).failed == 4


@pytest.mark.parametrize(("number", "end"), [(2, "got 2"), (1, "got 1, which is not approved")])
def test_a_correction_is_there_and_approved(number: int, end: str) -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    world.propose((192, 1))

    code, found = world.refusal_of(remedies.correct, correction(alert, number), sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert found.startswith("number: expected an approved correction of main; see ")
    assert found.endswith(end)


def test_a_remedy_is_one_that_can_answer_the_check() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    expected = (
        f"alert {alert.alert_id}: expected what answers STUCK: an approved correction "
        "(case.correct with its number), got "
    )
    end = "; name what answers it, or call case.dismiss"
    version = RebaselineCase(alert_id=alert.alert_id, version=1, note="")

    assert world.refusal_of(remedies.rebaseline, version, sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        f"{expected}a baseline version set in force since (case.rebaseline){end}",
    )
    assert world.refusal_of(remedies.correct, correction(alert, None), sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        f"{expected}what was sent, decided or done since (case.correct without a number){end}",
    )


def test_a_correction_of_another_time_is_none_of_this_case() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    number = world.correct((5, 1_000))
    arguments = correction(alert, number)

    code, detail = world.refusal_of(remedies.correct, arguments, sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith("number: expected a correction of intervals from ")


def test_a_baseline_from_before_the_alert_answers_nothing() -> None:
    world = changed_world()
    alert = explained(world, Check.BASELINE)
    arguments = RebaselineCase(alert_id=alert.alert_id, version=1, note="")

    code, detail = world.refusal_of(remedies.rebaseline, arguments, sender=OPERATOR)

    assert code == "UNKNOWN_BASELINE"
    assert detail.endswith(f"since the alert was opened at {alert.opened_ms}, got 1")


def test_only_who_takes_care_names_a_remedy() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    number = world.correct((192, 1_000))
    arguments = correction(alert, number)

    assert world.refusal_of(remedies.correct, arguments, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    assert world.refusal_of(remedies.correct, arguments, sender=CERTIFIER)[0] == "NOT_PERMITTED"


def test_a_story_is_shown_as_it_was_written() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    correct(world, alert, world.correct((201, 1_000)))
    world.next_block()

    story = queries.list_case_entries(world.reader, alert.alert_id).records

    assert story == story_of(world, alert)
    assert [entry.action.name for entry in story] == [
        *("ACKNOWLEDGE", "INVESTIGATE", "EXPLAIN", "CORRECT", "FAIL"),
    ]


def test_a_bill_is_settled_where_the_corrected_month_agrees_with_it() -> None:
    world = MonthWorld()
    world.report_month("main", 1_000)
    world.call(bills.submit, replace(BILLED, amount=40_000), sender=CERTIFIER)
    (raised,) = world.alerts_of(Check.BILL)
    alert = explained(world, Check.BILL)
    assert alert.alert_id == raised.alert_id
    assert looked_at(world, alert).failed == 1

    for value, state in ((5_000, AlertState.INVESTIGATING), (11_000, AlertState.VERIFIED)):
        start_ms = alert.first_interval_ms + -alert.first_interval_ms % DAY_MS
        number = approved(world, "main", (start_ms, value))
        found = correct(world, alert, number)
        assert (found.checked, found.failed) == (1, int(state is AlertState.INVESTIGATING))
        assert alert_of(world, Check.BILL).state is state
        if state is AlertState.INVESTIGATING:
            explain(world, alert.alert_id)
