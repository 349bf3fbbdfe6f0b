"""Masks and amounts against a slow model that remembers everything and streams nothing."""

import itertools
from dataclasses import replace
from statistics import median_low

from hypothesis import given, settings, strategies as st

from contracts.check import Check, bit, checks_in
from contracts.check_settings import ALL_CHECKS, DEFAULTS, PARAMETERS, Settings
from contracts.checks import ConfigureChecks, configure
from contracts.reading import Channel, Outcome, RawReading, leaf_of
from contracts.reading_query import running_hash_of
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    HOUR_MS,
    ReadingWorld,
    amount,
    register,
)

HOURLY = replace(AMOUNTS, interval_ms=HOUR_MS, nameplate_w=50_000, co2_check=(4_585, 10))
KNOWN_HOURS = 160
"""Hours that come in order before anything is drawn, so that the trailing week is known."""
RATIOS = ((10, 1), (100, 1), (1_000, 1), (1, 10), (1, 100), (1, 1_000), (18, 5), (5, 18))
JUDGED_BY_MODEL = (
    *(Check.MISSING, Check.PHYSICAL_CAP, Check.UNIT_SLIP, Check.STUCK),
    *(Check.ZERO_DROP, Check.SPIKE, Check.ENERGY_CO2),
)
UNTYPICAL = {Check.PHYSICAL_CAP, Check.UNIT_SLIP, Check.ZERO_DROP, Check.SPIKE}


class SlowModel:
    """The rules by their words, over lists of all that came."""

    def __init__(self, numbers: Settings = DEFAULTS) -> None:
        self.numbers = numbers
        self.values: dict[int, int] = {}
        self.ordered: list[tuple[int, int, set[Check]]] = []
        """Hour, amount and failures of each reading that was the newest when it came."""
        self.is_stuck = False
        self.slip: tuple[int, int] | None = None
        self.gap: tuple[int, int] | None = None

    def take(self, hour: int, value: int, co2_g: int | None) -> tuple[Outcome, set[Check]]:
        if hour in self.values:
            same = self.values[hour] == value
            return (Outcome.DUPLICATE, set()) if same else (Outcome.CONFLICT, {Check.DUPLICATE})
        is_newest = not self.ordered or hour > self.ordered[-1][0]
        off = set(checks_in(ALL_CHECKS & ~self.numbers.enabled))
        failed = self.failures_of_value(value, co2_g)
        if is_newest:
            failed |= self.failures_in_order(hour, value)
            failed |= self.failures_of_gaps(hour)
            self.ordered.append((hour, value, failed - off))
        self.values[hour] = value
        return Outcome.ACCEPTED, failed - off

    def failures_of_value(self, value: int, co2_g: int | None) -> set[Check]:
        failed = set()
        if not 0 <= value <= 500 * self.numbers.physical_cap_margin_percent:
            failed.add(Check.PHYSICAL_CAP)
        if co2_g is not None and co2_g != (value * 4_585 + 50_000) // 100_000 * 10:
            failed.add(Check.ENERGY_CO2)
        return failed

    def failures_in_order(self, hour: int, value: int) -> set[Check]:
        failed = set()
        numbers = self.numbers
        recent = self.unbroken(hour)
        week = self.trailing_week()
        if self.stuck(recent, value):
            failed.add(Check.STUCK)
        if week is not None:
            lowest, third = week[0], week[-3]
            middle = week[(len(week) - 1) // 2]
            if lowest > 0 and value < (
                min(
                    middle * numbers.zero_drop_median_percent,
                    lowest * numbers.zero_drop_lowest_percent,
                )
                // 100
            ):
                failed.add(Check.ZERO_DROP)
            height = max(max(third, 0) * numbers.spike_height_percent // 100, 1)
            if len(recent) > numbers.spike_changes_min and value > height:
                changes = [abs(b - a) for a, b in itertools.pairwise(recent)]
                if abs(value - recent[-1]) >= numbers.spike_change_factor * max(
                    median_low(changes), 1
                ):
                    failed.add(Check.SPIKE)
            if self.slipped(recent, value, (lowest, third)):
                failed.add(Check.UNIT_SLIP)
        return failed

    def unbroken(self, hour: int) -> list[int]:
        """Up to 30 amounts that lead up to an hour without a gap, oldest first."""
        recent: list[int] = []
        for before, value, _ in reversed(self.ordered):
            if before != hour - len(recent) - 1:
                break
            recent.append(value)
        return recent[29::-1] if len(recent) > 30 else recent[::-1]

    def trailing_week(self) -> list[int] | None:
        """Ascending levels of up to 168 hours, the last one still open left out."""
        typical: list[tuple[int, int]] = []
        for hour, value, failed in self.ordered:
            if not failed & UNTYPICAL or hour - (typical[-1][0] if typical else 0) > 168:
                typical.append((hour, value))
        levels: list[int] = []
        for (hour, value), (later, _) in itertools.pairwise(typical):
            levels = [*levels, value][-168:] if later - hour <= 168 else []
        return sorted(levels) if len(levels) >= 144 else None

    def stuck(self, recent: list[int], value: int) -> bool:
        count = 1
        while count <= len(recent) and recent[-count] == value:
            count += 1
        if value == 0:
            return False  # does not apply, and says nothing of a run before
        equal_min = self.numbers.stuck_equal_min
        if count == equal_min:
            history = recent[: 1 - equal_min]
            pairs = list(itertools.pairwise(history))
            equal = sum(a == b for a, b in pairs)
            self.is_stuck = (
                len(pairs) >= self.numbers.stuck_history_min
                and equal * 100 <= len(pairs) * self.numbers.stuck_natural_percent
            )
        elif count < equal_min:
            self.is_stuck = False
        return self.is_stuck

    def slipped(self, recent: list[int], value: int, week: tuple[int, int]) -> bool:
        def is_outside(amount: int) -> bool:
            percent = self.numbers.unit_slip_range_percent
            return amount * 100 > percent * week[1] or percent * amount < 100 * week[0]

        if not is_outside(value):
            self.slip = None
            return False
        if self.slip is not None:
            numerator, denominator = self.slip
            if is_outside(value * denominator // numerator):
                self.slip = None
                return False
            return True
        if recent and recent[-1] > 0 and value > 0:
            for numerator, denominator in RATIOS:
                if abs(value * denominator - recent[-1] * numerator) * 50 <= recent[-1] * numerator:
                    self.slip = (numerator, denominator)
                    return True
        return False

    def failures_of_gaps(self, hour: int) -> set[Check]:
        if not self.ordered:
            return set()
        newest = self.ordered[-1][0]
        opens = hour - newest - 1 > self.numbers.missing_tolerated
        failed = set()
        if self.gap is not None and (opens or hour >= self.gap[1] + self.numbers.missing_grace):
            missing = [each for each in range(*self.gap) if each not in self.values]
            if len(missing) > self.numbers.missing_tolerated:
                failed.add(Check.MISSING)
            self.gap = None
        if opens:
            self.gap = (newest + 1, hour)
        return failed


def usual(hour: int) -> int:
    return 4_000 + 100 * (hour * 7 % 30)


VALUES = st.one_of(
    st.integers(3_900, 7_000),
    st.sampled_from([0, 5_000, 40_000, 55_000, 55_001, 21_000, 540, 1_900, 2_000, -1]),
)
STEPS = st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 0, -1, -2, 12])


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, int, int | None]]:
    """Hours, values and reported CO2 in the order in which they come."""
    hour = KNOWN_HOURS - 1
    drawn: list[tuple[int, int, int | None]] = []
    for _ in range(draw(st.integers(1, 45))):
        repeats = bool(drawn) and draw(st.integers(0, 3)) == 0
        value = drawn[-1][1] if repeats else draw(VALUES)
        hour = max(hour + draw(STEPS), 0)
        right = (value * 4_585 + 50_000) // 100_000 * 10
        drawn.append((hour, value, draw(st.sampled_from([None, None, right, right + 10]))))
    return drawn


def reading_of(hour: int, value: int, co2_g: int | None) -> RawReading:
    channels = None if co2_g is None else {Channel.REPORTED_CO2_G: co2_g}
    return amount(4 * hour, value, channels=channels)


def known_world(numbers: Settings = DEFAULTS) -> tuple[ReadingWorld, SlowModel]:
    world, model = ReadingWorld(HOURLY), SlowModel(numbers)
    preface = [(hour, usual(hour), None) for hour in range(KNOWN_HOURS)]
    world.send(*(reading_of(*each) for each in preface))
    for each in preface:
        assert model.take(*each) == (Outcome.ACCEPTED, set())
    world.next_block(after_ms=0)
    if numbers is not DEFAULTS:
        world.call(configure, change_of(numbers))
    return world, model


def change_of(numbers: Settings) -> ConfigureChecks:
    """What makes these settings of the defaults."""
    return ConfigureChecks(
        meter_id="main",
        replaces=0,
        off=checks_in(ALL_CHECKS & ~numbers.enabled),
        parameters=tuple(
            (name, getattr(numbers, parameter.attribute))
            for name, parameter in sorted(PARAMETERS.items())
        ),
        reason="a meter like no other",
    )


DRAWN = (
    *("missing.tolerated", "missing.grace", "physical_cap.margin_percent"),
    *("unit_slip.range_percent", "stuck.equal_min", "stuck.history_min"),
    *("stuck.natural_percent", "zero_drop.median_percent", "zero_drop.lowest_percent"),
    *("spike.change_factor", "spike.changes_min", "spike.height_percent"),
)
"""Parameters that the slow model knows."""


@st.composite
def configurations(draw: st.DrawFn) -> Settings:
    """Settings within their bounds, and some checks that are off."""
    values = {
        PARAMETERS[name].attribute: draw(
            st.integers(
                PARAMETERS[name].minimum,
                min(PARAMETERS[name].maximum, 3 * PARAMETERS[name].default),
            )
        )
        for name in DRAWN
    }
    off = draw(st.sets(st.sampled_from(JUDGED_BY_MODEL), max_size=4))
    return replace(DEFAULTS, enabled=ALL_CHECKS & ~sum(map(bit, off)), **values)


@given(readings=arrivals(), cut=st.integers(0, 45))
def test_outcomes_and_masks_are_those_of_the_slow_model(
    readings: list[tuple[int, int, int | None]], cut: int
) -> None:
    check_against_the_slow_model(readings, cut, DEFAULTS)


@given(readings=arrivals(), cut=st.integers(0, 45), numbers=configurations())
def test_masks_are_those_of_the_slow_model_with_any_settings(
    readings: list[tuple[int, int, int | None]], cut: int, numbers: Settings
) -> None:
    check_against_the_slow_model(readings, cut, numbers)


def check_against_the_slow_model(
    readings: list[tuple[int, int, int | None]], cut: int, numbers: Settings
) -> None:
    world, model = known_world(numbers)
    found: list[tuple[Outcome, set[Check]]] = []
    for part in (readings[:cut], readings[cut:]):
        if part:
            result = world.result([reading_of(*each) for each in part])
            found += [
                (outcome, set(checks_in(failed)))
                for outcome, failed in zip(result.outcomes, result.failed, strict=True)
            ]
            world.next_block(after_ms=0)
    expected = [model.take(hour, value, co2_g) for hour, value, co2_g in readings]
    # A repeat that differs in channels only is told apart by the contract and not by the model.
    for place, ((outcome, failed), (wanted, reasons)) in enumerate(
        zip(found, expected, strict=True)
    ):
        if wanted is Outcome.ACCEPTED:
            assert (place, outcome, failed) == (place, wanted, reasons)
        elif wanted is Outcome.CONFLICT:
            assert (place, outcome) == (place, Outcome.CONFLICT)
        else:
            assert outcome in {Outcome.DUPLICATE, Outcome.SUPPLEMENT, Outcome.CONFLICT}


@given(
    steps=st.lists(st.tuples(st.integers(1, 120), st.integers(0, 500)), min_size=2, max_size=8),
    data=st.data(),
)
def test_counters_give_the_same_amounts_pages_and_totals_in_any_order(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    readings, slot, counter = [], 0, 1_000
    for distance, advance in steps:
        slot, counter = slot + distance, counter + advance
        readings.append(register(slot, counter))
    shuffled = data.draw(st.permutations(readings))
    in_order, any_order = ReadingWorld(COUNTER), ReadingWorld(COUNTER)
    in_order.send(*readings)
    for reading in shuffled:
        any_order.send(reading)
        any_order.next_block(after_ms=0)
    assert any_order.amounts == in_order.amounts
    assert any_order.all_totals() == in_order.all_totals()
    assert any_order.all_totals()[0] == sum(advance for _, advance in steps[1:])


@given(readings=arrivals(), cuts=st.sets(st.integers(1, 44)))
@settings(max_examples=25)
def test_how_readings_are_cut_into_calls_and_blocks_leaves_no_trace(
    readings: list[tuple[int, int, int | None]], cuts: set[int]
) -> None:
    together, apart = ReadingWorld(HOURLY), ReadingWorld(HOURLY)
    sent = [reading_of(*each) for each in readings]
    together.send(*sent)
    start = 0
    for cut in [*sorted(cut for cut in cuts if cut < len(sent)), len(sent)]:
        apart.send(*sent[start:cut])
        apart.next_block(after_ms=0)
        start = cut
    together.next_block(after_ms=0)
    assert together.reader.entries == apart.reader.entries


@given(readings=arrivals())
@settings(max_examples=25)
def test_every_reading_is_in_the_running_hash_of_exactly_one_page(
    readings: list[tuple[int, int, int | None]],
) -> None:
    world = ReadingWorld(HOURLY)
    sent = [reading_of(*each) for each in readings]
    world.send(*sent)
    leaves: dict[int, list[bytes]] = {}
    for reading in sent:
        day = (reading.stamp_ms - DAY) // (24 * HOUR_MS)
        leaves.setdefault(day, []).append(leaf_of("main", world.main.unit, reading))
    expected = [running_hash_of(of_day) for _, of_day in sorted(leaves.items())]
    assert [page.running_hash for page in world.pages] == expected
    assert sum(page.leaf_count for page in world.pages) == len(sent)
