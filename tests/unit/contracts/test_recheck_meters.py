"""The re-check of what is wrong about a reading beside its amount, and of months that compare."""

from dataclasses import replace

import pytest

from contracts import bills, remedies
from contracts.alert import AlertState
from contracts.bills import on_second_meter_due
from contracts.check import Check
from contracts.check_source import NameSources, name_sources
from contracts.meters import GoLive, go_live, register
from contracts.reading import Outcome, RawReading
from contracts.recheck import ANSWERS, Remedy
from contracts.site_profile import UseType, describe
from tests.unit.contracts.case_world import (
    alert_of,
    approved,
    correct,
    correction,
    explain,
    explained,
)
from tests.unit.contracts.month_world import BILLED, DAILY, MonthWorld
from tests.unit.contracts.reading_world import (
    DAY,
    DAY_MS,
    NOW_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
)
from tests.unit.contracts.registry_world import ADMIN, CERTIFIER, OPERATOR
from tests.unit.contracts.test_peers import OFFICE, OfficeWorld


def start_of(place: int) -> int:
    return DAY + place * QUARTER_MS


def numbered(*numbers: int, first: int = 0) -> list[RawReading]:
    """A reading for each number, of the quarter hours from one on."""
    return [amount(first + place, 10, sequence=each) for place, each in enumerate(numbers)]


def test_every_check_has_an_answer() -> None:
    assert set(ANSWERS) == set(Check)
    assert all(each.remedies for each in ANSWERS.values())


# Check 1


def test_skipped_numbers_are_settled_when_they_have_come() -> None:
    world = ReadingWorld()
    world.send(*numbered(1, 2, 5))
    alert = explained(world, Check.SIGNATURE_SEQUENCE)
    world.send(amount(3, 10, sequence=3))
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    world.send(amount(4, 10, sequence=4))

    found = correct(world, alert)

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, Check.SIGNATURE_SEQUENCE).state is AlertState.VERIFIED


@pytest.mark.parametrize(
    "sent",
    [
        [*numbered(1, 2, 5), *numbered(6, 9, first=3), *numbered(3, 4, 7, 8, first=5)],
        [*numbered(1, 2, 34), *numbered(*range(3, 34), first=3)],
        numbered(1, 2, 1),
        [*numbered(1, 2), replace(amount(2, 10, sequence=3), previous_leaf=bytes(32))],
    ],
    ids=["skipped twice", "more than are waited for", "a step back", "a broken link"],
)
def test_what_the_chain_cannot_know_is_not_settled_by_what_came(sent: list[RawReading]) -> None:
    world = ReadingWorld()
    world.send(*sent)
    alert = explained(world, Check.SIGNATURE_SEQUENCE)

    assert correct(world, alert).failed == 1


def test_numbers_that_were_skipped_later_hide_what_came() -> None:
    """A meter waits for thirty numbers: those of a later gap push the first ones out."""
    world = ReadingWorld()
    world.send(*numbered(1, 2, 5), *numbered(6, 60, first=100))
    alert = explained(world, Check.SIGNATURE_SEQUENCE)

    assert correct(world, alert).failed == 1


def test_a_second_account_stands_for_what_the_sequence_puts_in_doubt() -> None:
    world = ReadingWorld()
    world.send(*numbered(1, 2, 5, 4, 3, 2))
    alert = explained(world, Check.SIGNATURE_SEQUENCE)
    assert alert.occurrences == 2  # the gap, and the second number 2
    one = approved(world, "main", (start_of(2), 10))
    found = correct(world, alert, one)
    assert (found.checked, found.failed, found.first_failed_ms) == (2, 1, start_of(5))
    explain(world, alert.alert_id)
    both = approved(world, "main", (start_of(5), 10))

    found = correct(world, alert, both)

    assert (found.checked, found.failed) == (2, 0)


def test_a_reading_that_fills_no_interval_is_settled_where_the_interval_counts_something() -> None:
    world = ReadingWorld()
    world.send(*numbered(1, 2), amount(2, 10, sequence=5, off_ms=QUARTER_MS // 2))
    alert = explained(world, Check.SIGNATURE_SEQUENCE)
    number = approved(world, "main", (start_of(2), 10))

    assert alert.first_interval_ms == start_of(2) + QUARTER_MS // 2
    assert correct(world, alert, number).failed == 0


def test_a_correction_of_another_interval_settles_no_sequence() -> None:
    world = ReadingWorld()
    world.send(*numbered(1, 2, 5))
    alert = explained(world, Check.SIGNATURE_SEQUENCE)
    number = approved(world, "main", (start_of(1), 10))

    code, detail = world.refusal_of(remedies.correct, correction(alert, number), sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith(f"number: expected a correction of intervals from {start_of(2)} on ")


# Check 2


def test_what_was_off_the_grid_is_settled_where_the_interval_counts_something() -> None:
    world = ReadingWorld()
    off = [amount(place, 10, off_ms=QUARTER_MS // 2) for place in (3, 5)]
    world.send(*(amount(place, 10) for place in (0, 1, 2, 4, 6)), *off)
    alert = explained(world, Check.CLOCK)
    assert (alert.first_interval_ms, alert.occurrences) == (off[0].stamp_ms, 2)

    found = correct(world, alert)
    assert (found.from_ms, found.to_ms) == (start_of(3), start_of(5))
    assert (found.checked, found.failed, found.first_failed_ms) == (3, 2, start_of(3))

    world.send(amount(3, 10))
    explain(world, alert.alert_id)
    number = approved(world, "main", (start_of(5), 10))
    assert correct(world, alert, number).failed == 0
    assert alert_of(world, Check.CLOCK).state is AlertState.VERIFIED


def test_a_reading_of_the_future_is_settled_by_what_was_known_in_time() -> None:
    world = ReadingWorld()
    future = (NOW_MS - DAY) // QUARTER_MS + 5
    assert world.send(amount(0, 10), amount(future, 1)) == [Outcome.ACCEPTED, Outcome.FUTURE]
    alert = explained(world, Check.CLOCK)

    found = correct(world, alert)

    assert (found.from_ms, found.checked, found.failed) == (DAY, 1, 0)


def test_a_late_reading_is_settled_where_a_second_account_stands_for_it() -> None:
    world = ReadingWorld()
    world.call(go_live, GoLive(meter_id="main"), sender=OPERATOR)
    world.next_block(after_ms=3 * DAY_MS)
    place = (NOW_MS - DAY) // QUARTER_MS
    assert world.send(amount(place, 10)) == [Outcome.LATE]
    alert = explained(world, Check.CLOCK)
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    number = approved(world, "main", (start_of(place), 10))

    assert correct(world, alert, number).failed == 0


# Check 4


def test_missing_readings_that_came_need_no_correction() -> None:
    world = ReadingWorld()
    world.send(*(amount(place, 10) for place in range(20)))
    world.send(*(amount(place, 10) for place in range(30, 50)))
    alert = explained(world, Check.MISSING)
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    world.send(*(amount(place, 10) for place in range(20, 30)))

    found = correct(world, alert)

    assert (found.checked, found.failed) == (18, 0)  # until eight after the gap it was judged


# Check 20


def billed_world() -> MonthWorld:
    world = MonthWorld()
    world.report_month("main", 1_000)
    world.call(bills.submit, replace(BILLED, amount=40_000), sender=CERTIFIER)
    world.next_block()
    return world


def test_a_bill_that_takes_the_place_of_a_wrong_one_settles_the_month() -> None:
    world = billed_world()
    alert = explained(world, Check.BILL)
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    world.call(bills.submit, replace(BILLED, note="put right"), sender=CERTIFIER)

    found = correct(world, alert)

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, Check.BILL).state is AlertState.VERIFIED


def supplied_world() -> MonthWorld:
    """A meter whose month is 3 % more than that of its second meter, which another one follows."""
    world = MonthWorld(replace(DAILY, meter_id="check"), replace(DAILY, meter_id="other"))
    sources = NameSources(meter_id="main", utility=None, second_meter="check")
    world.call(name_sources, sources, sender=ADMIN)
    world.report_month("main", 1_000)
    world.report_month("check", 970)
    world.report_month("other", 1_000)
    on_second_meter_due(world.context(), "main")
    world.next_block()
    return world


def test_a_correction_of_the_second_meter_settles_the_month() -> None:
    world = supplied_world()
    alert = explained(world, Check.BILL)
    first_day = alert.first_interval_ms + -alert.first_interval_ms % DAY_MS
    number = approved(world, "check", (first_day, 970 + 500))
    assert correct(world, alert, number, meter="check").failed == 1
    explain(world, alert.alert_id)
    number = approved(world, "check", (first_day, 970 + 900))

    assert correct(world, alert, number, meter="check").failed == 0
    assert alert_of(world, Check.BILL).remedy_meter == "check"


def test_another_second_meter_settles_no_month() -> None:
    world = supplied_world()
    alert = explained(world, Check.BILL)
    sources = NameSources(meter_id="main", utility=None, second_meter="other")
    world.call(name_sources, sources, sender=ADMIN)

    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    named = correction(alert, 1, "other")
    assert world.refusal_of(remedies.correct, named, sender=OPERATOR) == (
        "INVALID_ARGUMENTS",
        "meter: expected main or check, for the alert is of BILL, got 'other'",
    )


# Check 21


def lower_days() -> list[tuple[int, int]]:
    """What puts the first site's October among those of its peers."""
    return [(DAY + day * DAY_MS, 1_000) for day in range(-10, 10)]


def test_a_month_is_held_against_what_its_peers_come_to_now() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    world.look()
    world.next_block()
    alert = explained(world, Check.PEER)
    assert correct(world, alert).failed == 1
    explain(world, alert.alert_id)
    number = approved(world, "main", *lower_days())

    found = correct(world, alert, number)

    assert (found.checked, found.failed) == (1, 0)
    assert alert_of(world, Check.PEER).state is AlertState.VERIFIED


def test_a_site_that_was_described_wrongly_is_described_anew() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    world.look()
    world.next_block()
    alert = explained(world, Check.PEER)
    world.call(describe, replace(OFFICE, floor_area_m2=15))

    assert correct(world, alert).failed == 0


def test_too_few_peers_show_nothing() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    world.look()
    world.next_block()
    alert = explained(world, Check.PEER)
    moved = replace(OFFICE, site_id="s1", main_meters=("m1",), use_type=UseType.SCHOOL)
    world.call(describe, moved)

    assert correct(world, alert).failed == 1


def test_a_correction_of_any_main_meter_answers_the_site() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    world.call(register, replace(DAILY, meter_id="annex"))
    world.report_month("annex", 1, days=70)
    world.call(describe, replace(OFFICE, main_meters=("annex", "main")))
    world.look()
    world.next_block()
    alert = explained(world, Check.PEER, subject="annex")
    number = approved(world, "main", *lower_days())

    assert correct(world, alert, number, meter="main").failed == 0


def test_only_an_approved_correction_answers_what_only_a_correction_can() -> None:
    by_correction = {
        check for check, answer in ANSWERS.items() if answer.remedies == (Remedy.CORRECTION,)
    }

    assert by_correction == {
        *(Check.DUPLICATE, Check.REGISTER, Check.PHYSICAL_CAP, Check.UNIT_SLIP, Check.STUCK),
        *(Check.ZERO_DROP, Check.SPIKE, Check.REGISTER_DEMAND, Check.VOLT_AMPERE),
        *(Check.ENERGY_CO2, Check.POWER_FACTOR),
    }
