"""Check 15: the arithmetic against fractions, and families whose readings come in any order."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from contracts import balance, meters
from contracts.alert import ALERT_PREFIX, Alert
from contracts.balance import Balance, balance_key
from contracts.check import Check, bit
from contracts.check_settings import DEFAULTS
from contracts.checks import ConfigureChecks, configure
from contracts.deviation.observation import Deviation
from contracts.deviation.parent_sum import Share, judge_balance, residual_of
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind
from contracts.meter import Direction, Quantity, Unit
from contracts.meter_children import CHILDREN_MAX, children_of
from contracts.meter_quality import MeterQuality, quality_prefix
from contracts.meters import RegisterMeter
from contracts.reading import RawReading, SubmitReadings
from contracts.reading_page import ReadingPage, SlotView, page_prefix, slots_of
from contracts.readings import submit
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    DAY,
    DAY_MS,
    HOUR_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
)
from tests.unit.contracts.registry_world import OPERATOR

PARENT_BIT = bit(Check.PARENT_SUM)
CHANGE = ConfigureChecks(
    meter_id="main",
    replaces=0,
    off=(),
    parameters=(),
    reason="a long way to the children",
)


class FamilyWorld(ReadingWorld):
    """``main`` with children ``a``, ``b``, ... whose readings are amounts of class 1."""

    def __init__(self, *children: RegisterMeter) -> None:
        super().__init__()
        for child in children:
            self.call(meters.register, child)

    def report(self, meter_id: str, *readings: RawReading) -> None:
        arguments = SubmitReadings(meter_id=meter_id, unit=Unit.WATT_HOUR, readings=readings)
        submit(self.context(OPERATOR), arguments)

    def look(self) -> int:
        """Lets the queue look once in a block of its own; returns when it wants to look again."""
        self.next_block(after_ms=1)
        next_ms = balance.on_due(self.context(), "main")
        assert next_ms is not None
        return next_ms

    def settle(self) -> None:
        while self.look() == self.time_ms + 1:
            pass

    def verdicts(self) -> dict[int, bool]:
        """Whether it passed, for each interval of the parent that was judged."""
        return {
            number: not slot.failed & PARENT_BIT
            for number, slot in self.slots.items()
            if slot.applied & PARENT_BIT
        }

    @property
    def balance_alerts(self) -> list[Alert]:
        return [
            alert
            for _, alert in self.state.iterate(Alert, ALERT_PREFIX)
            if alert.check is Check.PARENT_SUM
        ]


def child(meter_id: str, *, parent: str = "main", interval_ms: int = QUARTER_MS) -> RegisterMeter:
    return replace(AMOUNTS, meter_id=meter_id, parent=parent, interval_ms=interval_ms)


def whole_day(value: int, *, day: int = 0, step: int = 1) -> Iterator[RawReading]:
    return (amount(96 * day + place, value) for place in range(0, 96, step))


SHARES = st.builds(Share, st.integers(-(10**6), 10**9), st.integers(1, 50), st.integers(1, 1_000))


@given(
    parent=SHARES, children=st.lists(SHARES, min_size=1, max_size=5), k_tenths=st.integers(10, 60)
)
def test_the_verdict_is_that_of_fractions(
    parent: Share, children: list[Share], k_tenths: int
) -> None:
    total = sum(each.amount for each in children)
    excess = Fraction(parent.amount - total)
    loss = min(max(excess, Fraction(0)), Fraction(2, 100) * abs(parent.amount))
    residual = excess - loss
    variance = sum(
        (Fraction(each.class_permille, 1_000) * each.amount) ** 2 + each.resolution**2
        for each in (parent, *children)
    )
    is_fault = residual**2 > Fraction(k_tenths, 10) ** 2 * variance
    found = judge_balance(parent, children, replace(DEFAULTS, parent_sum_k_tenths=k_tenths))
    assert found == (Deviation(parent.amount, total) if is_fault else True)


@pytest.mark.parametrize(
    ("parent", "children", "residual"),
    [
        (1_000, 1_000, 0),
        (1_000, 980, 0),
        (1_000, 979, 1_000),
        (1_000, 1_001, -1_000),
        (-1_000, -1_000, 0),
        (-1_000, -1_020, 0),
    ],
)
def test_what_is_left_over_lies_beyond_the_loss_that_suits_best(
    parent: int, children: int, residual: int
) -> None:
    assert residual_of(parent, children, 20) == residual


def test_children_are_listed_and_the_first_begins_the_balance() -> None:
    world = FamilyWorld(child("a"), child("b"), child("c", parent="a"))
    assert children_of(world.state, "main") == ("a", "b")
    assert children_of(world.state, "a") == ("c",)
    assert children_of(world.state, "b") == ()
    due = [entry for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)]
    assert [(entry.kind, entry.subject) for entry in due] == [
        (DueKind.BALANCE, "a"),
        (DueKind.BALANCE, "main"),
    ]
    assert due[0].due_ms == world.time_ms + HOUR_MS


def test_a_meter_has_no_more_children_than_a_balance_can_look_at() -> None:
    world = FamilyWorld(*(child(f"c{number}") for number in range(CHILDREN_MAX)))
    code, words = world.refusal_of(meters.register, child("one-more"))
    assert code == "LIMIT_REACHED"
    assert words.startswith("parent: expected a meter of fewer than 32 sub-meters; group them")


def test_a_day_is_judged_when_all_have_gone_on_whatever_came_first() -> None:
    world = FamilyWorld(child("a"), child("b"))
    world.report("main", *whole_day(1_000))
    world.report("a", *whole_day(600))
    world.settle()
    assert world.verdicts() == {}
    world.report("b", *whole_day(390))
    world.settle()
    assert world.verdicts() == dict.fromkeys(range(96), True)
    assert world.balance_alerts == []


def test_what_is_missing_at_the_children_is_an_alert_of_the_parent_until_it_is_there_again() -> (
    None
):
    world = FamilyWorld(child("a"), child("b"))
    for day, value in enumerate((390, 300, 390)):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *whole_day(600, day=day))
        world.report("b", *whole_day(value, day=day))
    world.settle()
    assert [world.verdicts()[place] for place in (95, 96, 191, 192)] == [True, False, False, True]
    (alert,) = world.balance_alerts
    assert (alert.meter, alert.observed, alert.expected) == ("main", 1_000, 900)
    assert (alert.first_interval_ms, alert.occurrences) == (DAY + DAY_MS, 96)
    assert alert.cleared_ms == DAY + 2 * DAY_MS


def test_counts_of_the_month_follow() -> None:
    world = FamilyWorld(child("a"))
    world.report("main", *whole_day(1_000), *whole_day(1_000, day=1))
    world.report("a", *whole_day(1_000), *whole_day(700, day=1))
    world.settle()
    records = [each for _, each in world.state.iterate(MeterQuality, quality_prefix("main"))]
    assert sum(each.applied[Check.PARENT_SUM - 1] for each in records) == 192
    assert sum(each.failed[Check.PARENT_SUM - 1] for each in records) == 96


def test_what_came_late_is_judged_two_days_after() -> None:
    world = FamilyWorld(child("a"))
    for day in range(2):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *(each for each in whole_day(1_000, day=day) if each.stamp_ms != DAY))
    world.settle()
    assert world.verdicts() == dict.fromkeys(range(1, 192), True)
    world.report("a", amount(0, 500))
    world.settle()
    assert 0 not in world.verdicts()
    world.report("main", *whole_day(1_000, day=2))
    world.report("a", *whole_day(1_000, day=2))
    world.settle()
    assert world.verdicts()[0] is False
    assert [alert.occurrences for alert in world.balance_alerts] == [1]


def test_intervals_are_judged_over_the_span_that_all_of_them_divide() -> None:
    world = FamilyWorld(child("a", interval_ms=HOUR_MS), child("b", interval_ms=HOUR_MS // 2))
    world.report("main", *whole_day(1_000))
    world.report("a", *whole_day(2_000, step=4))
    world.report("b", *(each for each in whole_day(1_000, step=2) if each.stamp_ms != DAY))
    world.settle()
    assert world.verdicts() == dict.fromkeys(range(4, 96), True)


def test_a_child_that_is_not_installed_yet_is_not_missed() -> None:
    installed = replace(child("b"), installed_from_ms=DAY + 48 * QUARTER_MS)
    world = FamilyWorld(child("a"), installed)
    world.report("main", *whole_day(1_000))
    world.report("a", *whole_day(1_000))
    world.report("b", *(amount(place, 500) for place in range(48, 96)))
    world.settle()
    assert world.verdicts() == {place: place < 48 for place in range(96)}


def test_a_child_that_was_removed_is_not_waited_for() -> None:
    removed = replace(child("b"), installed_to_ms=DAY + 48 * QUARTER_MS)
    world = FamilyWorld(child("a"), removed)
    world.report("b", *(amount(place, 500) for place in range(48)))
    for day in range(2):
        world.report("main", *whole_day(1_000, day=day))
        world.report("a", *whole_day(1_000, day=day))
    world.settle()
    assert world.verdicts() == {place: place >= 48 for place in range(192)}


def test_a_child_in_the_other_direction_is_taken_off() -> None:
    world = FamilyWorld(child("a"), replace(child("sun"), direction=Direction.EXPORT))
    world.report("main", *whole_day(700))
    world.report("a", *whole_day(1_000))
    world.report("sun", *whole_day(300))
    world.settle()
    assert set(world.verdicts().values()) == {True}


def test_a_child_that_is_silent_is_waited_for_and_then_passed_over() -> None:
    world = FamilyWorld(child("a"), child("b"))
    world.next_block(after_ms=10 * DAY_MS)
    for day in (0, 34, 36):
        world.report("main", amount(96 * day + 95, 1_000))
        world.report("a", amount(96 * day + 95, 1_000))
    world.settle()
    record = world.state.get(Balance, balance_key("main"))
    assert record is not None
    assert record.next_day_ms == DAY + 2 * DAY_MS
    assert world.verdicts() == {}


def test_a_parent_whose_balance_is_off_is_not_judged_and_the_days_go_by() -> None:
    world = FamilyWorld(child("a"))
    world.call(configure, replace(CHANGE, off=(Check.PARENT_SUM,)))
    world.report("main", *whole_day(1_000))
    world.report("a", *whole_day(100))
    world.settle()
    assert world.verdicts() == {}
    record = world.state.get(Balance, balance_key("main"))
    assert record is not None
    assert record.next_day_ms == DAY + DAY_MS


def test_tolerances_are_the_parents_own() -> None:
    world = FamilyWorld(child("a"))
    change = replace(CHANGE, parameters=(("parent_sum.loss_permille", 200),))
    world.call(configure, change)
    world.report("main", *whole_day(1_000))
    world.report("a", *whole_day(800))
    world.settle()
    assert set(world.verdicts().values()) == {True}


def test_fuels_of_another_base_unit_do_not_add_up() -> None:
    fuel = replace(
        AMOUNTS, meter_id="oil", quantity=Quantity.FUEL, unit=Unit.CUBIC_DECIMETRE, factor=None
    )
    coal = replace(fuel, meter_id="coal", unit=Unit.GRAM, parent="oil")
    world = FamilyWorld(fuel, coal)
    assert balance.on_due(world.context(), "oil") == world.time_ms + DAY_MS


@st.composite
def families(draw: st.DrawFn) -> tuple[int, list[tuple[str, int, int]]]:
    """Number of children, and what comes in what order: meter, place, amount."""
    count = draw(st.integers(1, 3))
    names = ["main", *"abc"[:count]]
    days = draw(st.integers(1, 2))
    spots = st.sampled_from([0, 1, 2, 3, 40, 95])
    sent = {
        (name, 96 * day + draw(spots)): draw(st.sampled_from([100, 200, 300, 303, 400]))
        for name in names
        for day in range(days)
        for _ in range(draw(st.integers(0, 4)))
    }
    closing = [(name, 96 * days, 100 if name != "main" else 100 * count) for name in names]
    shuffled = draw(st.permutations([(*key, value) for key, value in sent.items()]))
    return count, [*shuffled, *closing]


@given(family=families())
@settings(max_examples=40)
def test_masks_are_those_of_a_model_that_adds_up_what_is_there(
    family: tuple[int, list[tuple[str, int, int]]],
) -> None:
    count, sent = family
    world = FamilyWorld(*(child(name) for name in "abc"[:count]))
    values: dict[str, dict[int, int]] = {name: {} for name in ("main", "a", "b", "c")}
    for name, place, value in sent:
        world.report(name, amount(place, value))
        values[name][place] = value
    world.settle()
    last_day = max(place for _, place, _ in sent) // 96
    expected: dict[int, bool] = {}
    for place, value in values["main"].items():
        parts = [values[name].get(place) for name in "abc"[:count]]
        known = [part for part in parts if part is not None]
        if len(known) < count or place // 96 >= last_day:
            continue
        residual = value - sum(known)
        left = residual - min(Fraction(max(residual, 0)), Fraction(2, 100) * value)
        variance = sum(Fraction(each, 100) ** 2 + 1 for each in (value, *known))
        expected[place] = left**2 <= 9 * variance
    assert world.verdicts() == expected
    of_others = [
        slot.applied & PARENT_BIT for name in "abc"[:count] for slot in slots_at(world, name)
    ]
    assert not any(of_others)


def slots_at(world: FamilyWorld, meter_id: str) -> list[SlotView]:
    prefix = page_prefix(meter_id)
    meter = world.meter(meter_id)
    return [
        slot
        for key, page in world.state.iterate(ReadingPage, prefix)
        for slot in slots_of(meter, int(key[len(prefix) :]), page)
    ]
