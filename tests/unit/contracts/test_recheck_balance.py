"""The re-check of a balance: parent and children add up again, by a correction of any of them."""

from dataclasses import replace

import pytest

from contracts import balance, meters, recheck as recheck_module, remedies
from contracts.alert import Alert, AlertState
from contracts.balance import PAGES_OF_DAY_MAX
from contracts.case import Recheck
from contracts.check import Check
from contracts.checks import configure
from contracts.remedies import ContinueRecheck
from tests.unit.contracts.case_world import (
    alert_of,
    approved,
    correct,
    correction,
    explain,
    explained,
    found_by,
)
from tests.unit.contracts.reading_world import DAY, DAY_MS, HOUR_MS, QUARTER_MS
from tests.unit.contracts.registry_world import OPERATOR
from tests.unit.contracts.test_balance import CHANGE, FamilyWorld, child, whole_day

SHORT = 300
"""What the child ``b`` sent of 390 an interval."""


def short_world(*, places: int = 4) -> tuple[FamilyWorld, Alert]:
    """A family in which ``b`` is short in its first intervals of the second day; explained."""
    world = FamilyWorld(child("a"), child("b"), child("c", parent="a"))
    for day in range(3):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *whole_day(600, day=day))
        world.report("b", *whole_day(390, day=day))
    return world, failed(world, places)


def failed(world: FamilyWorld, places: int) -> Alert:
    short = [(start_of(96 + place), SHORT) for place in range(places)]
    approved(world, "b", *short)  # wrong, as corrections can be
    world.settle()
    return explained(world, Check.PARENT_SUM)


def start_of(place: int) -> int:
    return DAY + place * QUARTER_MS


def put_right(world: FamilyWorld, meter_id: str, *places: int, value: int = 390) -> int:
    number = approved(world, meter_id, *((start_of(96 + place), value) for place in places))
    world.next_block()
    return number


def test_a_correction_of_a_child_puts_the_balance_right() -> None:
    world, alert = short_world()
    number = put_right(world, "b", 0, 1, 2, 3)

    found = correct(world, alert, number, meter="b")

    assert found == Recheck(
        from_ms=start_of(96),
        to_ms=start_of(99),
        is_complete=True,
        checked=4,
        failed=0,
        first_failed_ms=None,
    )
    after = alert_of(world, Check.PARENT_SUM)
    assert after.state is AlertState.VERIFIED
    assert (after.remedy_meter, after.remedy_number) == ("b", number)
    assert world.event_kinds == ["case.corrected", "case.verified"]


def test_a_correction_of_the_parent_does_too() -> None:
    world, alert = short_world()
    number = put_right(world, "main", 0, 1, 2, 3, value=910)

    assert correct(world, alert, number).failed == 0
    assert alert_of(world, Check.PARENT_SUM).remedy_meter == "main"


def test_windows_that_do_not_add_up_yet_are_counted() -> None:
    world, alert = short_world()
    number = put_right(world, "b", 0, 2)

    found = correct(world, alert, number, meter="b")

    assert (found.checked, found.failed, found.first_failed_ms) == (4, 2, start_of(97))
    assert alert_of(world, Check.PARENT_SUM).state is AlertState.INVESTIGATING


def test_without_any_correction_the_balance_fails_as_it_did() -> None:
    world, alert = short_world()

    assert correct(world, alert).failed == 4


def test_an_amount_that_is_missing_now_adds_up_to_nothing() -> None:
    """Where a reading counts again that has no amount, a window cannot be added up any more."""
    world = FamilyWorld(child("a"))
    for day in range(3):
        world.report("main", *whole_day(1_000, day=day))
        # The first interval of the second day is not there, until it is corrected wrongly.
        world.report(
            "a", *(each for each in whole_day(1_000, day=day) if each.stamp_ms != start_of(96))
        )
    approved(world, "a", (start_of(96), 1))
    world.settle()
    alert = explained(world, Check.PARENT_SUM)
    number = approved(world, "a", (start_of(96), None))

    found = correct(world, alert, number, meter="a")

    assert (found.checked, found.failed) == (1, 1)


def test_a_sub_meter_that_was_forgotten_is_found_by_what_it_sent() -> None:
    world = FamilyWorld(child("a"))
    for day in range(3):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *whole_day(600, day=day))
    world.settle()
    alert = explained(world, Check.PARENT_SUM)
    assert correct(world, alert).failed == 288
    world.call(meters.register, child("forgotten"))
    for day in range(3):
        world.report("forgotten", *whole_day(395, day=day))
    explain(world, alert.alert_id)

    found = correct(world, alert)

    assert (found.checked, found.failed) == (288, 0)
    after = alert_of(world, Check.PARENT_SUM)
    assert (after.state, after.remedy) == (AlertState.VERIFIED, AlertState.CORRECTED)
    assert (after.remedy_meter, after.remedy_number) == (None, None)


@pytest.mark.parametrize(("meter", "got"), [("c", "'c'"), ("nowhere", "'nowhere'")])
def test_a_correction_of_another_meter_answers_nothing(meter: str, got: str) -> None:
    world, alert = short_world()

    assert world.refusal_of(remedies.correct, correction(alert, 1, meter), sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        f"meter: expected main or a or b, for the alert is of PARENT_SUM, got {got}",
    )


def test_a_correction_of_another_time_answers_nothing() -> None:
    world, alert = short_world()
    number = put_right(world, "b", 4)

    assert world.refusal_of(remedies.correct, correction(alert, number, "b"), sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        (
            f"number: expected a correction of intervals from {start_of(96)} on that start before "
            f"{start_of(100)}, got {number}, from {start_of(100)} to {start_of(100)}"
        ),
    )


def test_any_interval_of_a_window_of_the_family_may_be_corrected() -> None:
    """A window is as long as the longest interval of the family, and begins with the parent's."""
    world = FamilyWorld(child("a", interval_ms=HOUR_MS), child("b"))
    for day in range(3):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *whole_day(2_400, day=day, step=4))
        world.report("b", *whole_day(390, day=day))
    approved(world, "b", (start_of(98), 0))
    world.settle()
    alert = explained(world, Check.PARENT_SUM)
    assert alert.last_interval_ms == start_of(96)

    assert correct(world, alert, put_right(world, "b", 2), meter="b").failed == 0


def test_a_check_that_was_loosened_since_passes_nothing() -> None:
    world, alert = short_world()
    loose = replace(CHANGE, parameters=(("parent_sum.loss_permille", 200),))
    world.call(configure, loose)
    off = replace(CHANGE, replaces=1, off=(Check.PARENT_SUM,))
    world.call(configure, off)

    assert correct(world, alert).failed == 4


def test_a_long_window_is_looked_at_day_by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    world = FamilyWorld(child("a"))
    for day in range(4):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *whole_day(600, day=day))
    world.settle()
    alert = explained(world, Check.PARENT_SUM)
    number = 0
    for day in range(4):
        every = ((start_of(96 * day + place), 1_000) for place in range(96))
        number = approved(world, "a", *every)
    monkeypatch.setattr(recheck_module, "PAGES_OF_DAY_MAX", 4)  # two days of two meters
    world.call(remedies.correct, correction(alert, number, "a"), sender=OPERATOR)
    under_way = alert_of(world, Check.PARENT_SUM)
    assert under_way.state is AlertState.CORRECTED
    assert under_way.rechecked_to_ms == DAY + 2 * DAY_MS - QUARTER_MS

    world.call(remedies.continue_recheck, ContinueRecheck(alert_id=alert.alert_id), sender=OPERATOR)

    assert alert_of(world, Check.PARENT_SUM).state is AlertState.VERIFIED
    assert found_by(world, alert).checked == 192


def test_a_family_that_has_become_too_large_cannot_be_added_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, alert = short_world()
    monkeypatch.setattr(balance, "PAGES_OF_DAY_MAX", 2)

    assert correct(world, alert).failed == 1
    assert PAGES_OF_DAY_MAX > 2
