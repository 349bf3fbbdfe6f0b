"""The rules one by one: at the limit and above it, and where they do not apply."""

from dataclasses import replace
from itertools import product

import pytest

from contracts.check import Check, bit
from contracts.deviation.physical_cap import cap_of
from contracts.deviation.unit_slip import RATIOS, slip_ratio
from contracts.meter import Quantity, Unit
from contracts.meters import RegisterMeter
from contracts.reading import Channel, RawReading, leaf_of
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)

WEEK = 7 * 96


def usual(number: int) -> int:
    """A load that never repeats from one interval to the next: 1,000 to 2,160 Wh."""
    return 1_000 + 40 * (number * 7 % 30)


def after_a_week(meter: RegisterMeter = AMOUNTS) -> ReadingWorld:
    """A meter whose week is known: lowest hour 1,420, median 1,580, third highest 1,740."""
    world = ReadingWorld(meter)
    for start in range(0, WEEK, 96):
        world.send(*(amount(number, usual(number)) for number in range(start, start + 96)))
    assert world.alerts == []
    world.next_block()
    return world


# Check 1


def chained(*numbers: int) -> list[RawReading]:
    """Readings with these sequence numbers, each linked to the one before it in the list."""
    readings: list[RawReading] = []
    for place, number in enumerate(numbers):
        leaf = leaf_of("main", Unit.WATT_HOUR, readings[-1]) if readings else None
        readings.append(amount(place, usual(place), sequence=number, previous_leaf=leaf))
    return readings


def test_readings_that_follow_on_pass_the_sequence_check() -> None:
    world = ReadingWorld()
    assert world.flags(*chained(7, 8, 9)) == [(), (), ()]
    assert world.slots[2].applied & bit(Check.SIGNATURE_SEQUENCE)


def test_a_source_that_does_not_count_is_not_judged_by_its_sequence() -> None:
    world = ReadingWorld()
    world.send(amount(0, 5))
    assert not world.slots[0].applied & bit(Check.SIGNATURE_SEQUENCE)


def test_a_gap_in_the_sequence_is_flagged_until_the_missing_number_comes() -> None:
    world = ReadingWorld()
    first, second, third, fourth = chained(1, 2, 3, 4)
    assert world.flags(first, replace(third, previous_leaf=None)) == [
        (),
        (Check.SIGNATURE_SEQUENCE,),
    ]
    world.send(replace(fourth, previous_leaf=None))
    assert world.memory.missing_sequences == (2,)
    assert world.alerts[0].cleared_ms is None
    assert world.flags(second) == [()]
    world.send(amount(5, usual(5), sequence=5))
    assert world.alerts[0].cleared_ms == DAY + 5 * QUARTER_MS


def test_a_step_back_in_the_sequence_is_flagged() -> None:
    flags = ReadingWorld().flags(*chained(5, 6, 5))
    assert flags == [(), (), (Check.SIGNATURE_SEQUENCE,)]


def test_a_broken_link_is_flagged() -> None:
    first, second = chained(1, 2)
    broken = replace(second, previous_leaf=bytes(32))
    assert ReadingWorld().flags(first, broken) == [(), (Check.SIGNATURE_SEQUENCE,)]


def test_the_same_reading_again_is_no_fault_of_the_sequence() -> None:
    (first,) = chained(1)
    assert ReadingWorld().flags(first, first) == [(), ()]


def test_no_more_than_thirty_missing_numbers_are_waited_for() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1, sequence=0), amount(1, 2, sequence=2**63))
    assert world.memory.missing_sequences == tuple(range(2**63 - 30, 2**63))


# Check 6


def test_an_amount_may_reach_the_nameplate_and_a_tenth() -> None:
    assert cap_of(400, QUARTER_MS, 110) == 110
    world = ReadingWorld(replace(AMOUNTS, nameplate_w=400))
    assert world.flags(amount(0, 110), amount(1, 111)) == [(), (Check.PHYSICAL_CAP,)]


def test_a_register_may_count_the_nameplate_over_the_gap_before_it() -> None:
    world = ReadingWorld(replace(COUNTER, nameplate_w=400))
    assert world.flags(register(0, 0), register(2, 220), register(4, 441)) == [
        (),
        (),
        (Check.PHYSICAL_CAP,),
    ]


def test_an_amount_below_zero_is_flagged_and_takes_nothing_off_the_emissions() -> None:
    world = ReadingWorld()
    assert world.flags(amount(0, 100), amount(1, -40)) == [(), (Check.PHYSICAL_CAP,)]
    assert world.all_totals() == (60, 100 * 4_306)


def test_a_temperature_may_be_below_zero() -> None:
    world = ReadingWorld(
        replace(AMOUNTS, quantity=Quantity.TEMPERATURE, unit=Unit.DECI_CELSIUS, factor=None)
    )
    assert world.flags(amount(0, -40)) == [()]
    assert world.amounts == {0: -40}


# Check 7


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        (1_000, 10_200, 1),
        (1_000, 10_201, 0),
        (1_000, 9_800, 1),
        (1_000, 9_799, 0),
        (1_000, 100_000, 2),
        (1_000, 1_000_000, 3),
        (1_000, 100, 4),
        (1_000, 10, 5),
        (1_000, 1, 6),
        (1_000, 3_600, 7),
        (3_600, 1_000, 8),
        (0, 10, 0),
        (10, 0, 0),
    ],
)
def test_a_slip_is_within_two_per_cent_of_a_ratio(before: int, after: int, place: int) -> None:
    assert slip_ratio(before, after, 2) == place


def test_values_near_each_other_differ_by_no_ratio() -> None:
    for before, after in product(range(1, 60), range(1, 250)):
        is_near = [
            abs(after * denominator - before * numerator) * 100 <= 2 * before * numerator
            for numerator, denominator in RATIOS
        ]
        place = is_near.index(True) + 1 if any(is_near) else 0
        assert slip_ratio(before, after, 2) == place


def test_amounts_that_slip_are_flagged_until_they_are_back() -> None:
    world = after_a_week()
    last = usual(WEEK - 1)
    flags = world.flags(
        amount(WEEK, last * 1_000),
        amount(WEEK + 1, usual(WEEK + 1) * 1_000),
        amount(WEEK + 2, usual(WEEK + 2)),
    )
    assert [Check.UNIT_SLIP in each for each in flags] == [True, True, False]


def test_ten_times_the_amount_before_is_no_slip_within_the_weeks_range() -> None:
    world = ReadingWorld()
    for start in range(0, WEEK, 96):
        loads = (100 if number % 8 < 4 else 1_000 for number in range(start, start + 96))
        world.send(*(amount(start + place, load) for place, load in enumerate(loads)))
    assert Check.UNIT_SLIP not in world.alert_checks


def test_a_level_that_is_no_slip_any_more_is_not_flagged() -> None:
    world = after_a_week()
    last = usual(WEEK - 1)
    flags = world.flags(amount(WEEK, last * 10), amount(WEEK + 1, last * 50))
    assert Check.UNIT_SLIP in flags[0]
    assert Check.UNIT_SLIP not in flags[1]


# Check 8


def run_of(count: int, start: int, value: int) -> list[RawReading]:
    return [amount(start + place, value) for place in range(count)]


def test_seven_equal_amounts_are_stuck_and_six_are_not() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, usual(number)) for number in range(20)))
    assert world.flags(*run_of(8, 20, 777)) == [()] * 6 + [(Check.STUCK,)] * 2
    world.send(amount(28, 778))
    assert world.alerts[0].cleared_ms == DAY + 28 * QUARTER_MS


def test_zeros_are_not_stuck() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, usual(number)) for number in range(20)))
    assert world.flags(*run_of(8, 20, 0)) == [()] * 8
    assert not world.slots[27].applied & bit(Check.STUCK)


def test_a_run_of_a_meter_that_repeats_itself_anyway_says_nothing() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, 3 + (number // 3) % 2) for number in range(24)))
    assert world.flags(*run_of(12, 24, 9)) == [()] * 12


def test_a_run_of_a_meter_hardly_known_says_nothing() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, usual(number)) for number in range(12)))
    assert world.flags(*run_of(8, 12, 777)) == [()] * 8


def test_a_gap_ends_a_run() -> None:
    world = ReadingWorld()
    world.send(*(amount(number, usual(number)) for number in range(20)))
    assert world.flags(*run_of(6, 20, 777), *run_of(6, 27, 777)) == [()] * 12


# Check 9


@pytest.mark.parametrize(("drop", "expected"), [(473, [Check.ZERO_DROP]), (474, [])])
def test_a_drop_is_below_the_lowest_hour_and_the_median_of_the_week(
    drop: int, expected: list[Check]
) -> None:
    world = after_a_week()
    (flags,) = world.flags(amount(WEEK, drop))
    assert [each for each in flags if each is Check.ZERO_DROP] == expected


def test_a_plant_that_stands_still_now_and_then_has_no_floor() -> None:
    world = ReadingWorld()
    for start in range(0, WEEK, 96):
        world.send(
            *(
                amount(number, 0 if number % 96 < 8 else usual(number))
                for number in range(start, start + 96)
            )
        )
    world.send(amount(WEEK, 0))
    assert world.alerts == []
    assert not world.slots[WEEK].applied & bit(Check.ZERO_DROP)


def test_the_trailing_week_says_nothing_before_six_days_of_it_are_known() -> None:
    world = ReadingWorld()
    days_known = 145 * 4
    for start in range(0, days_known, 145):
        world.send(*(amount(number, usual(number)) for number in range(start, start + 145)))
    week_bits = bit(Check.ZERO_DROP) | bit(Check.SPIKE) | bit(Check.UNIT_SLIP)
    assert world.slots[144 * 4 - 1].applied & week_bits == 0
    assert world.slots[144 * 4 + 1].applied & week_bits == week_bits


def test_a_week_without_readings_is_forgotten() -> None:
    world = after_a_week()
    world.send(amount(3 * WEEK, usual(3)))
    assert len(world.memory.levels) == 0


# Check 10


@pytest.mark.parametrize(("peak", "expected"), [(4_872, []), (4_873, [Check.SPIKE])])
def test_a_spike_is_180_per_cent_above_the_third_highest_hour(
    peak: int, expected: list[Check]
) -> None:
    world = after_a_week()
    (flags,) = world.flags(amount(WEEK, peak))
    assert [each for each in flags if each is Check.SPIKE] == expected


def test_a_height_that_was_reached_slowly_is_no_spike() -> None:
    world = after_a_week()
    steps = [amount(WEEK + place, 1_900 + 100 * place) for place in range(40)]
    flags = world.flags(*steps)
    assert all(Check.SPIKE not in each for each in flags)


# Check 16


def demand_day(world: ReadingWorld, demand_w: int) -> list[tuple[Check, ...]]:
    """22 hours of a counter that counts 100 Wh a quarter hour."""
    readings = [
        register(number, 100 * number, channels={Channel.DEMAND_W: demand_w})
        for number in range(89)
    ]
    return world.flags(*readings)


@pytest.mark.parametrize(
    ("demand_w", "expected"),
    [(400, []), (412, [Check.REGISTER_DEMAND]), (408, []), (388, [Check.REGISTER_DEMAND])],
)
def test_register_and_demand_may_be_two_and_a_half_per_cent_apart(
    demand_w: int, expected: list[Check]
) -> None:
    world = ReadingWorld(COUNTER)
    flags = demand_day(world, demand_w)
    assert flags[:88] == [()] * 88
    assert flags[88] == tuple(expected)
    assert world.slots[88].applied & bit(Check.REGISTER_DEMAND)
    assert not world.slots[87].applied & bit(Check.REGISTER_DEMAND)


def test_a_demand_that_no_meter_has_is_flagged() -> None:
    world = ReadingWorld(COUNTER)
    flags = world.flags(register(0, 0), register(1, 100, channels={Channel.DEMAND_W: -1}))
    assert flags == [(), (Check.REGISTER_DEMAND,)]


# Check 17

PHASES = {
    Channel.POWER_FACTOR_PERMILLE: 900,
    Channel.CURRENT_A_MA: 10_000,
    Channel.CURRENT_B_MA: 10_000,
    Channel.CURRENT_C_MA: 10_000,
    Channel.VOLTAGE_AN_CV: 23_000,
    Channel.VOLTAGE_BN_CV: 23_000,
    Channel.VOLTAGE_CN_CV: 23_000,
}
"""6,210 W."""


def phases(demand_w: int) -> dict[Channel, int]:
    return PHASES | {Channel.DEMAND_W: demand_w}


@pytest.mark.parametrize(
    ("demand_w", "expected"),
    [(6_900, []), (6_901, [Check.VOLT_AMPERE]), (5_646, []), (5_645, [Check.VOLT_AMPERE])],
)
def test_volts_and_amperes_may_be_ten_per_cent_from_power(
    demand_w: int, expected: list[Check]
) -> None:
    world = ReadingWorld()
    readings = [amount(number, usual(number), channels=phases(demand_w)) for number in range(4)]
    assert world.flags(*readings) == [(), (), (), tuple(expected)]


def test_one_interval_that_agrees_ends_a_run_of_disagreement() -> None:
    world = ReadingWorld()
    powers = (9_000, 9_000, 9_000, 6_210, 9_000)
    readings = [
        amount(number, usual(number), channels=phases(power)) for number, power in enumerate(powers)
    ]
    assert world.flags(*readings) == [()] * 5


def test_a_phase_that_is_missing_leaves_nothing_to_compare() -> None:
    world = ReadingWorld()
    channels = phases(9_000)
    del channels[Channel.VOLTAGE_BN_CV]
    world.send(amount(0, 5, channels=channels))
    assert not world.slots[0].applied & bit(Check.VOLT_AMPERE)


# Check 18

CHECKED = replace(AMOUNTS, co2_check=(4_585, 10_000))
"""0.4585 kg/kWh, reported in steps of 10 kg."""


@pytest.mark.parametrize(
    ("energy_wh", "reported_g", "expected"),
    [
        (10_905, 0, []),  # 4,999.9 g
        (10_906, 10_000, []),  # 5,000.4 g
        (10_906, 0, [Check.ENERGY_CO2]),
        (147_000, 70_000, []),
        (147_000, 60_000, [Check.ENERGY_CO2]),
        (0, 0, []),
    ],
)
def test_reported_co2_is_energy_times_factor_rounded_half_up(
    energy_wh: int, reported_g: int, expected: list[Check]
) -> None:
    world = ReadingWorld(CHECKED)
    reading = amount(0, energy_wh, channels={Channel.REPORTED_CO2_G: reported_g})
    assert world.flags(reading) == [tuple(expected)]


def test_half_of_a_step_is_rounded_up() -> None:
    world = ReadingWorld(replace(AMOUNTS, co2_check=(5_000, 10_000)))
    assert world.flags(amount(0, 10_000, channels={Channel.REPORTED_CO2_G: 10_000})) == [()]


def test_co2_that_comes_after_the_energy_is_checked_then() -> None:
    world = ReadingWorld(CHECKED)
    supplement = amount(0, None, channels={Channel.REPORTED_CO2_G: 0})
    assert world.flags(amount(0, 100_000), supplement) == [(), (Check.ENERGY_CO2,)]
    assert world.slots[0].failed == bit(Check.ENERGY_CO2)


def test_a_meter_without_a_co2_check_is_not_judged_by_what_it_reports() -> None:
    world = ReadingWorld()
    world.send(amount(0, 100_000, channels={Channel.REPORTED_CO2_G: 0}))
    assert not world.slots[0].applied & bit(Check.ENERGY_CO2)


# What a temperature is not judged by


def test_a_temperature_is_not_held_against_its_week() -> None:
    world = after_a_week(
        replace(AMOUNTS, quantity=Quantity.TEMPERATURE, unit=Unit.DECI_CELSIUS, factor=None)
    )
    assert world.flags(amount(WEEK, 0), amount(WEEK + 1, 90_000)) == [(), ()]
    rules = (Check.UNIT_SLIP, Check.STUCK, Check.ZERO_DROP, Check.SPIKE)
    assert not any(world.slots[WEEK + 1].applied & bit(rule) for rule in rules)


def test_an_unusual_amount_after_a_gap_is_no_slip() -> None:
    world = after_a_week()
    (flags,) = world.flags(amount(WEEK + 1, usual(WEEK - 1) * 10))
    assert Check.UNIT_SLIP not in flags
