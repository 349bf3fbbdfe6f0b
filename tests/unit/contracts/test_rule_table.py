"""Which rules are asked: never fewer than those that may have something to say."""

from dataclasses import replace
from itertools import product

import pytest

from chain.codec import Record
from contracts.check import Check, bit
from contracts.deviation.observation import BaselineCell, Deviation, Observation
from contracts.deviation.table import RULES, rules_of
from contracts.meter import Meter, MeterMode, Quantity, ValueKind
from contracts.meter_facts import facts_of, find_facts, rule_set_of
from contracts.meter_state import LEVELS_MAX, Memory, MeterState
from contracts.reading import Channel
from tests.unit.contracts.registry_world import METER

CHANNELS: dict[int, int] = {
    Channel.DEMAND_W: 900_000,
    Channel.POWER_FACTOR_PERMILLE: 900,
    Channel.CURRENT_A_MA: 1,
    Channel.VOLTAGE_AN_CV: 1,
    Channel.CURRENT_B_MA: 1,
    Channel.VOLTAGE_BN_CV: 1,
    Channel.CURRENT_C_MA: 1,
    Channel.VOLTAGE_CN_CV: 1,
    Channel.REPORTED_CO2_G: 1,
}


def meter_of(quantity: Quantity, kind: ValueKind) -> Meter:
    return Meter.from_value(
        (
            *replace(METER, quantity=quantity, kind=kind).to_value(),
            "steel",
            int(MeterMode.BACKFILL),
            None,
        )
    )


def contents_of(memory: Memory) -> Record:
    record = memory.record()
    assert isinstance(record, MeterState)
    return record


def memory_of_a_week() -> Memory:
    """A meter that has counted 10,000 Wh an interval for a week, with a run under way."""
    memory = Memory()
    for place in range(4 * LEVELS_MAX + 4):
        memory.add_recent(10_000 + place % 5 * 100)
        memory.add_level(place * 900_000, 10_000 + place % 5 * 100)
    memory.newest_ms = 0
    return memory


@pytest.mark.parametrize("quantity", Quantity)
@pytest.mark.parametrize("kind", ValueKind)
@pytest.mark.parametrize("has_channels", [False, True])
@pytest.mark.parametrize("has_baseline", [False, True])
def test_a_rule_that_is_left_out_never_says_or_remembers_anything(
    quantity: Quantity, kind: ValueKind, *, has_channels: bool, has_baseline: bool
) -> None:
    meter = meter_of(quantity, kind)
    rules = rules_of(meter, has_channels=has_channels, has_baseline=has_baseline)
    assert [rule for rule in RULES if rule in rules] == list(rules)
    is_register = kind is ValueKind.REGISTER
    for amount, is_newest, is_contiguous in product(
        (None, -1, 0, 10_000, 100_000, 10**9), (False, True), (False, True)
    ):
        memory = memory_of_a_week()
        before = contents_of(memory)
        observation = Observation(meter, memory)
        channels = CHANNELS if has_channels else {}
        observation.begin(900_000, meter.interval_ms, channels, is_newest=is_newest)
        observation.amount, observation.is_contiguous = amount, is_contiguous
        if is_register:
            observation.register_before, observation.register = 10, 100
            observation.register_verdict = Deviation(1, 2)
        if has_baseline:
            observation.baseline = BaselineCell(10_000, 1, 10_000, 10_000, 10_000)
            observation.day_score = 9_000
        for rule in RULES:
            if rule not in rules:
                assert rule.judge(observation) is None, rule.check
                assert contents_of(memory) == before


def test_all_rules_are_asked_where_all_may_apply() -> None:
    meter = meter_of(Quantity.ELECTRICITY, ValueKind.REGISTER)
    assert rules_of(meter, has_channels=True, has_baseline=True) == RULES


def test_rules_know_the_bits_of_their_checks() -> None:
    assert [rule.check_bit for rule in RULES] == [bit(rule.check) for rule in RULES]


def test_the_rules_of_a_meter_stand_in_the_place_of_their_set() -> None:
    meter = meter_of(Quantity.TEMPERATURE, ValueKind.INTERVAL)
    found = find_facts(meter).rules
    for has_channels, has_baseline in product((False, True), (False, True)):
        place = rule_set_of(has_channels=has_channels, has_baseline=has_baseline)
        assert found[place] == rules_of(meter, has_channels=has_channels, has_baseline=has_baseline)
    assert [rule.check for rule in found[0]] == [Check.PHYSICAL_CAP]


def test_facts_are_those_of_the_record_that_is_asked_about() -> None:
    meter = meter_of(Quantity.ELECTRICITY, ValueKind.INTERVAL)
    live = replace(meter, mode=MeterMode.LIVE, live_from_ms=1)

    assert facts_of(meter) is facts_of(meter)
    assert facts_of(live).is_live
    assert not facts_of(meter).is_live
    assert facts_of(replace(meter)) == facts_of(meter)
