"""Check 20: who may bill, when it is judged, and what follows of judging again."""

from dataclasses import replace

import pytest

from contracts import bills, check_source
from contracts.bills import (
    Bill,
    bill_prefix,
    newest_bill,
    on_bill_due,
    on_second_meter_due,
    submit as submit_bill,
)
from contracts.check import Check
from contracts.check_source import NameSources, get_sources, name_sources
from contracts.checks import ConfigureChecks, configure
from contracts.comparison import ComparedWith
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind
from contracts.meter import Quantity, Unit
from tests.unit.contracts.month_world import BILLED, DAILY, OCTOBER, SEPTEMBER, MonthWorld
from tests.unit.contracts.reading_world import AMOUNTS, DAY_MS
from tests.unit.contracts.registry_world import (
    ADMIN,
    CERTIFIER,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
)

NAMED = NameSources(meter_id="main", utility="grid", second_meter=None)
SECOND = replace(DAILY, meter_id="second")
DOUBLE = replace(NAMED, utility=None, second_meter="second")


def due_of(world: MonthWorld, kind: DueKind) -> list[str]:
    entries = [entry for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)]
    return [entry.subject for entry in entries if entry.kind is kind]


@pytest.mark.parametrize(
    ("billed", "has_passed"),
    [(30_000, True), (30_303, True), (30_304, False), (29_703, True), (29_702, False), (0, False)],
)
def test_a_months_sum_agrees_within_one_percent_of_the_bill(
    billed: int, *, has_passed: bool
) -> None:
    world = MonthWorld()
    world.report_month("main", 1_000)
    world.call(submit_bill, replace(BILLED, amount=billed), sender=CERTIFIER)
    (found,) = world.comparisons()
    assert (found.observed, found.expected, found.has_passed) == (30_000, billed, has_passed)
    assert (found.compared_with, found.source) == (ComparedWith.BILL, "bill 1 of body")
    assert world.counts(Check.BILL) == (1, 0 if has_passed else 1)
    alerts = world.alerts_of(Check.BILL)
    assert [(each.observed, each.expected) for each in alerts] == (
        [] if has_passed else [(30_000, billed)]
    )


def test_a_bill_that_takes_the_place_of_another_is_judged_anew() -> None:
    world = MonthWorld()
    world.report_month("main", 1_000)
    world.call(submit_bill, replace(BILLED, amount=40_000), sender=CERTIFIER)
    world.next_block()
    world.call(submit_bill, replace(BILLED, note="put right"), sender=CERTIFIER)
    assert world.counts(Check.BILL) == (1, 0)
    (alert,) = world.alerts_of(Check.BILL)
    assert alert.cleared_ms is not None
    assert world.event_kinds == ["bill.submitted", "alert.cleared", "comparison.judged"]
    newest = newest_bill(world.state, "main", SEPTEMBER)
    assert newest is not None
    assert (newest.number, newest.amount, newest.note) == (2, 30_000, "put right")
    kept = [bill for _, bill in world.state.iterate(Bill, bill_prefix("main"))]
    assert [bill.number for bill in kept] == [2, 1]
    world.next_block()
    world.call(submit_bill, replace(BILLED, note="the same once more"), sender=CERTIFIER)
    assert world.event_kinds == ["bill.submitted"]
    assert world.counts(Check.BILL) == (1, 0)


def test_only_a_certifier_and_the_utility_that_the_owner_named_may_bill() -> None:
    world = MonthWorld()
    for sender in (OTHER_ADMIN, OTHER_OPERATOR, ADMIN, OPERATOR):
        code, words = world.refusal_of(submit_bill, BILLED, sender=sender)
        assert code == "NOT_PERMITTED"
        assert "expected a CERTIFIER; name a utility: check.name_sources, got an account" in words
    world.call(name_sources, NAMED)
    world.call(submit_bill, BILLED, sender=OTHER_OPERATOR)
    code, words = world.refusal_of(submit_bill, BILLED, sender=OPERATOR)
    assert "expected a CERTIFIER or an account of grid, got an account of steel" in words


def test_a_month_that_is_not_heard_yet_is_waited_for() -> None:
    world = MonthWorld()
    world.report_month("main", 1_000, days=50)
    world.call(submit_bill, replace(BILLED, month=OCTOBER, amount=31_000), sender=CERTIFIER)
    assert due_of(world, DueKind.BILL) == ["main/645"]
    assert on_bill_due(world.context(), "main/645") == world.time_ms + DAY_MS
    assert world.comparisons() == []
    world.report_month("main", 1_000, days=70)
    assert on_bill_due(world.context(), "main/645") is None
    assert [each.has_passed for each in world.comparisons()] == [True]


def test_a_month_is_waited_for_no_longer_than_45_days() -> None:
    world = MonthWorld()
    world.report_month("main", 1_000, days=50)
    october = replace(BILLED, month=OCTOBER, amount=31_000)
    world.call(submit_bill, october, sender=CERTIFIER)
    world.next_block(after_ms=45 * DAY_MS)
    assert on_bill_due(world.context(), "main/645") is None
    (found,) = world.comparisons()
    assert (found.observed, found.has_passed) == (20_000, False)
    world.report_month("main", 1_000, days=70)
    world.call(submit_bill, replace(october, note="again"), sender=CERTIFIER)
    assert [each.has_passed for each in world.comparisons()] == [True]


def test_a_bill_of_a_month_that_was_waited_for_is_judged_at_once() -> None:
    world = MonthWorld()
    world.report_month("main", 1_000, days=20)
    world.call(submit_bill, BILLED, sender=CERTIFIER)
    assert [(each.observed, each.has_passed) for each in world.comparisons()] == [(20_000, False)]
    assert due_of(world, DueKind.BILL) == []


def test_no_bill_of_a_month_that_is_not_over() -> None:
    world = MonthWorld()
    code, words = world.refusal_of(submit_bill, replace(BILLED, month=646), sender=CERTIFIER)
    assert code == "INVALID_ARGUMENTS"
    assert words.startswith("month: expected one that is over at block time")
    assert "2023-11, which ends at" in words


def test_bills_of_a_month_are_numbered_and_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "BILLS_MAX", 2)
    world = MonthWorld()
    for _ in range(2):
        world.call(submit_bill, BILLED, sender=CERTIFIER)
    code, _ = world.refusal_of(submit_bill, BILLED, sender=CERTIFIER)
    assert code == "LIMIT_REACHED"


def test_a_bill_of_a_meter_whose_check_is_off_is_kept_and_not_judged() -> None:
    world = MonthWorld()
    world.report_month("main", 1_000)
    change = ConfigureChecks(
        meter_id="main", replaces=0, off=(Check.BILL,), parameters=(), reason="shared supply"
    )
    world.call(configure, change)
    world.call(submit_bill, replace(BILLED, amount=1), sender=CERTIFIER)
    assert world.comparisons() == []
    assert newest_bill(world.state, "main", SEPTEMBER) is not None


def test_a_second_meter_is_compared_month_by_month() -> None:
    world = MonthWorld(SECOND)
    world.call(name_sources, DOUBLE)
    assert due_of(world, DueKind.SECOND_METER) == ["main"]
    assert on_second_meter_due(world.context(), "main") == world.time_ms + DAY_MS
    world.report_month("main", 1_000, days=70)
    world.report_month("second", 1_005, days=31)
    assert on_second_meter_due(world.context(), "main") == world.time_ms + DAY_MS
    assert [(each.month, each.has_passed) for each in world.comparisons()] == [(SEPTEMBER, True)]
    world.report_month("second", 2_000, days=70)  # the days before are there already
    on_second_meter_due(world.context(), "main")
    found = {each.month: each for each in world.comparisons()}
    assert not found[OCTOBER].has_passed
    assert found[OCTOBER].source == "meter second"
    assert world.counts(Check.BILL) == (2, 1)
    sources = get_sources(world.state, "main")
    assert sources is not None
    assert sources.next_month == OCTOBER + 1


def test_a_month_that_the_second_meter_never_sent_is_passed_over() -> None:
    world = MonthWorld(SECOND)
    world.call(name_sources, DOUBLE)
    world.report_month("main", 1_000, days=70)
    world.next_block(after_ms=40 * DAY_MS)
    on_second_meter_due(world.context(), "main")
    sources = get_sources(world.state, "main")
    assert sources is not None
    assert sources.next_month == OCTOBER + 1
    assert world.comparisons() == []


def test_naming_the_same_second_meter_again_goes_on_where_it_was() -> None:
    world = MonthWorld(SECOND)
    world.call(name_sources, DOUBLE)
    world.report_month("main", 1_000)
    world.report_month("second", 1_000)
    on_second_meter_due(world.context(), "main")
    world.call(name_sources, replace(DOUBLE, utility="grid"))
    sources = get_sources(world.state, "main")
    assert sources is not None
    assert sources.next_month == OCTOBER
    world.call(name_sources, NAMED)
    assert on_second_meter_due(world.context(), "main") is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (replace(NAMED, meter_id="nowhere"), "UNKNOWN_METER", "meter_id"),
        (replace(NAMED, utility="steel"), "INVALID_ARGUMENTS", "utility: expected an organisation"),
        (replace(NAMED, utility="nobody"), "INVALID_ARGUMENTS", "other than steel, got 'nobody'"),
        (replace(NAMED, second_meter="nowhere"), "UNKNOWN_METER", "second_meter"),
        (replace(NAMED, second_meter="main"), "INVALID_ARGUMENTS", "expected another meter"),
        (
            replace(NAMED, second_meter="gas"),
            "INVALID_ARGUMENTS",
            "second_meter: expected a meter of ELECTRICITY in WATT_HOUR, got GAS in CUBIC_DECIM",
        ),
    ],
)
def test_what_cannot_be_a_source_is_refused(arguments: NameSources, code: str, words: str) -> None:
    gas = replace(
        AMOUNTS, meter_id="gas", quantity=Quantity.GAS, unit=Unit.CUBIC_METRE, factor=None
    )
    found = MonthWorld(gas).refusal_of(name_sources, arguments)
    assert found[0] == code
    assert words in found[1]


def test_only_the_owner_names_sources() -> None:
    code, _ = MonthWorld().refusal_of(name_sources, NAMED, sender=OTHER_ADMIN)
    assert code == "NOT_PERMITTED"
    assert [method.name for method in check_source.METHODS] == ["check.name_sources"]
