"""Registers between their neighbours in time: rollover, reset, exchange, late ones, outliers."""

from dataclasses import replace
from itertools import permutations

import pytest

from contracts import meters
from contracts.check import Check, bit
from contracts.deviation.register import Step, step
from contracts.exchange import ExchangeProposal, ProposeExchange, proposal_key
from contracts.meters import ApproveExchange
from contracts.reading import Channel, Outcome
from tests.unit.contracts.reading_world import (
    COUNTER,
    DAY,
    QUARTER_MS,
    ReadingWorld,
    register,
)
from tests.unit.contracts.registry_world import ADMIN, EXCHANGE, OPERATOR

ROLLING = replace(COUNTER, register_modulus=1_000)
CAPPED = replace(COUNTER, register_modulus=1_000, nameplate_w=400)
"""At most 110 Wh a quarter hour."""


@pytest.mark.parametrize(
    ("before", "after", "modulus", "expected"),
    [
        (5, 5, None, Step(0, is_rollover=False)),
        (5, 9, 10, Step(4, is_rollover=False)),
        (901, 3, 1_000, Step(102, is_rollover=True)),
        (900, 3, 1_000, Step(None, is_rollover=False)),
        (901, 3, None, Step(None, is_rollover=False)),
        (1_500, 1_200, 1_000, Step(None, is_rollover=False)),
    ],
)
def test_a_step_rolls_over_only_from_the_last_tenth_of_a_known_modulus(
    before: int, after: int, modulus: int | None, expected: Step
) -> None:
    assert step(before, after, modulus, 900) == expected


def test_an_amount_is_the_difference_of_neighbours_and_the_first_is_unknown() -> None:
    world = ReadingWorld(COUNTER)
    assert world.flags(register(0, 1_000), register(1, 1_007), register(2, 1_007)) == [(), (), ()]
    assert world.amounts == {0: None, 1: 7, 2: 0}
    assert world.all_totals() == (7, 7 * 4_306)


def test_a_register_after_a_gap_counts_what_the_gap_held() -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(0, 1_000), register(200, 1_500))
    assert world.amounts == {0: None, 200: 500}


def test_a_rollover_is_no_fault() -> None:
    world = ReadingWorld(ROLLING)
    assert world.flags(register(0, 990), register(1, 15)) == [(), ()]
    assert world.amounts == {0: None, 1: 25}


@pytest.mark.parametrize(("after", "amount"), [(100, 110), (101, None)])
def test_a_rollover_beyond_the_nameplate_is_a_reset(after: int, amount: int | None) -> None:
    world = ReadingWorld(CAPPED)
    flags = world.flags(register(0, 990), register(1, after))
    assert world.amounts[1] == amount
    assert flags[1] == (() if amount is not None else (Check.REGISTER,))


def test_a_reset_is_flagged_and_the_chain_starts_again() -> None:
    world = ReadingWorld(COUNTER)
    flags = world.flags(register(0, 5_000), register(1, 10), register(2, 14))
    assert flags == [(), (Check.REGISTER,), ()]
    assert world.amounts == {0: None, 1: None, 2: 4}
    (alert,) = world.alerts
    assert (alert.check, alert.observed, alert.expected) == (Check.REGISTER, 10, 5_000)
    assert alert.cleared_ms == DAY + 2 * QUARTER_MS


def test_registers_give_the_same_amounts_in_whatever_order_they_come() -> None:
    readings = [register(number, 1_000 + 3 * number) for number in range(4)]
    expected = {0: None, 1: 3, 2: 3, 3: 3}
    for order in permutations(readings):
        world = ReadingWorld(COUNTER)
        assert world.flags(*order) == [(), (), (), ()]
        assert world.amounts == expected
        assert world.all_totals() == (9, 9 * 4_306)


def test_late_registers_find_their_neighbours_on_other_pages_and_days() -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(0, 1_000), register(20 * 96, 9_000))
    world.next_block()
    world.send(register(5 * 96, 2_000))
    assert world.amounts == {0: None, 5 * 96: 1_000, 20 * 96: 7_000}
    world.next_block()
    world.send(register(-96, 500), register(7 * 96 + 1, 4_000), register(5 * 96 - 1, 1_900))
    assert world.amounts == {
        -96: None,
        0: 500,
        5 * 96 - 1: 900,
        5 * 96: 100,
        7 * 96 + 1: 2_000,
        20 * 96: 5_000,
    }
    assert world.all_totals()[0] == 8_500


@pytest.mark.parametrize("wild", [999, 1_011])
def test_a_late_register_that_fits_neither_side_is_left_out(wild: int) -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(0, 1_000), register(4, 1_010))
    assert world.flags(register(2, wild)) == [(Check.REGISTER,)]
    assert world.amounts == {0: None, 2: None, 4: 10}
    assert world.flags(register(3, 1_006)) == [()]
    assert world.amounts == {0: None, 2: None, 3: 6, 4: 4}


def test_a_wild_high_register_is_taken_back_when_the_next_one_follows_the_one_before() -> None:
    world = ReadingWorld(COUNTER)
    flags = world.flags(register(0, 1_000), register(1, 9_000), register(2, 1_004))
    assert flags == [(), (), (Check.REGISTER,)]
    assert world.amounts == {0: None, 1: None, 2: 4}
    assert world.all_totals() == (4, 4 * 4_306)


def test_a_wild_low_register_does_not_count_the_way_back_up() -> None:
    world = ReadingWorld(COUNTER)
    flags = world.flags(register(0, 1_000), register(1, 37), register(2, 1_004), register(3, 1_005))
    assert flags == [(), (Check.REGISTER,), (), ()]
    assert world.amounts == {0: None, 1: None, 2: 4, 3: 1}


def exchange_devices(world: ReadingWorld, proposal: ProposeExchange) -> None:
    world.call(meters.propose_exchange, proposal, sender=OPERATOR)
    open_proposal = world.state.get(ExchangeProposal, proposal_key("main"))
    assert open_proposal is not None
    world.call(
        meters.approve_exchange,
        ApproveExchange(meter_id="main", proposal=open_proposal.proposal),
        sender=ADMIN,
    )


EXCHANGED = replace(
    EXCHANGE,
    effective_ms=DAY + 2 * QUARTER_MS,
    last_register=1_030,
    first_register=7,
    register_modulus=None,
)


def test_an_exchange_restarts_the_register_without_an_alert() -> None:
    world = ReadingWorld(COUNTER)
    exchange_devices(world, EXCHANGED)
    assert world.flags(register(0, 1_000), register(1, 9), register(2, 12)) == [(), (), ()]
    assert world.amounts == {0: None, 1: 32, 2: 3}
    assert world.alerts == []


def test_a_register_below_the_new_devices_first_is_a_fault() -> None:
    world = ReadingWorld(COUNTER)
    exchange_devices(world, EXCHANGED)
    assert world.flags(register(0, 1_000), register(1, 6)) == [(), (Check.REGISTER,)]


def test_the_old_device_rolls_over_at_its_own_modulus() -> None:
    world = ReadingWorld(replace(COUNTER, register_modulus=1_100))
    exchange_devices(world, EXCHANGED)
    assert world.flags(register(-1, 1_090), register(0, 5), register(1, 9)) == [(), (), ()]
    assert world.amounts == {-1: None, 0: 15, 1: 1_027}


def test_a_register_that_slipped_by_a_thousand_counts_nothing() -> None:
    world = ReadingWorld(replace(COUNTER, nameplate_w=1_000_000))
    readings = (register(0, 6_239), register(1, 6_239_433), register(2, 6_239_440))
    assert world.flags(*readings) == [
        (),
        (Check.PHYSICAL_CAP, Check.UNIT_SLIP),
        (),
    ]
    assert world.amounts == {0: None, 1: None, 2: 7}


def test_a_register_that_slips_down_is_flagged_as_a_slip_too() -> None:
    world = ReadingWorld(COUNTER)
    assert world.flags(register(0, 6_239_433), register(1, 6_239)) == [
        (),
        (Check.REGISTER, Check.UNIT_SLIP),
    ]


def test_a_young_counter_may_multiply_by_counting() -> None:
    world = ReadingWorld(replace(COUNTER, nameplate_w=1_000))
    assert world.flags(register(0, 10), register(1, 100)) == [(), ()]


def test_an_amount_beyond_what_is_counted_is_unknown_and_flagged() -> None:
    world = ReadingWorld(COUNTER)
    readings = (register(0, 0), register(1, 2**46), register(2, 2**46 + 2**46 - 1))
    result = world.result(readings)
    assert result.outcomes == (Outcome.ACCEPTED,) * 3
    assert world.alert_checks == [Check.PHYSICAL_CAP]
    assert world.amounts == {0: None, 1: None, 2: 2**46 - 1}


def test_an_exchange_whose_last_register_is_below_the_old_one_is_a_fault() -> None:
    world = ReadingWorld(COUNTER)
    exchange_devices(world, EXCHANGED)
    assert world.flags(register(0, 1_031), register(1, 9)) == [(), (Check.REGISTER,)]


def test_a_reset_of_a_meter_with_one_register_before_it_takes_nothing_back() -> None:
    world = ReadingWorld(COUNTER)
    assert world.flags(register(0, 5_000), register(1, 30)) == [(), (Check.REGISTER,)]
    assert world.memory.register == 30


@pytest.mark.parametrize("days", [(10, 90), (0, 50), (0, 90)])
def test_a_late_register_far_from_its_neighbours_neither_adds_nor_loses_anything(
    days: tuple[int, int],
) -> None:
    world = ReadingWorld(COUNTER)
    world.time_ms += 100 * 86_400_000
    first, last = days
    world.send(register(first * 96, 1_000), register(last * 96, 9_000))
    assert world.flags(register(45 * 96, 2_000)) == [()]
    assert world.flags(register(45 * 96 + 1, 2_001)) == [()]
    assert world.amounts == {
        first * 96: None,
        45 * 96: None,
        45 * 96 + 1: None,
        last * 96: 8_000,
    }
    assert world.all_totals()[0] == 8_000


def test_a_late_register_looks_a_month_of_pages_to_either_side() -> None:
    world = ReadingWorld(COUNTER)
    world.time_ms += 100 * 86_400_000
    world.send(register(13 * 96, 1_000), register(77 * 96, 9_000))
    world.send(register(45 * 96, 2_000))
    assert world.amounts == {13 * 96: None, 45 * 96: 1_000, 77 * 96: 7_000}


def test_a_register_before_all_others_has_none_before_it() -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(96, 1_000), register(0, 900))
    assert world.amounts == {0: None, 96: 100}


def test_late_registers_behind_the_last_one_that_counts_have_none_after_them() -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(0, 1_000), register(5 * 96, None, channels={Channel.DEMAND_W: 1}))
    assert world.flags(register(3 * 96, 1_100)) == [()]
    assert world.amounts == {0: None, 3 * 96: 100}


def test_a_late_register_may_show_that_a_later_amount_is_beyond_what_is_counted() -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(0, 0), register(4, 2**46 + 10))
    world.send(register(2, 5))
    assert world.amounts == {0: None, 2: 5, 4: None}


def test_a_counter_without_nameplate_is_not_held_against_a_slip_upwards() -> None:
    world = ReadingWorld(COUNTER)
    world.send(register(0, 10), register(1, 100))
    assert not world.slots[1].applied & bit(Check.UNIT_SLIP)


def test_a_register_looks_past_days_that_hold_none() -> None:
    world = ReadingWorld(COUNTER)
    channels_only = [register(day * 96, None, channels={Channel.DEMAND_W: 1}) for day in (3, 5)]
    world.send(register(0, 1_000), *channels_only, register(8 * 96, 1_900))
    world.send(register(4 * 96, 1_200))
    assert world.amounts == {0: None, 4 * 96: 200, 8 * 96: 700}
