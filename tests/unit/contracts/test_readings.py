"""What a call of readings.submit is refused for, and what becomes of each reading of one."""

from dataclasses import replace

import pytest

from chain.codec import encode
from chain.crypto import Domain, hash_of
from chain.errors import InvalidProof
from chain.merkle import path_of_hashes, root_of_hashes, verify_path
from chain.parameters import Parameters
from contracts.check import Check
from contracts.intake import Intake
from contracts.meter import StampConvention, Unit
from contracts.meters import GoLive, go_live
from contracts.reading import (
    NO_FACTOR,
    STAMP_MS_END,
    Channel,
    Outcome,
    Quality,
    RawReading,
    SubmitReadings,
    SubmitResult,
    encode_result,
    leaf_of,
)
from contracts.reading_query import running_hash_of
from contracts.readings import METHODS, index_key, index_keys, submit
from contracts.refusal import Code, refusal
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)
from tests.unit.contracts.registry_world import ADMIN, GATEWAY, OTHER_OPERATOR

DEMAND = {Channel.DEMAND_W: 4_000}


def refusal_of(
    world: ReadingWorld, reading: RawReading, *, unit: Unit = Unit.WATT_HOUR, count: int = 1
) -> tuple[str, str]:
    arguments = SubmitReadings(meter_id="main", unit=unit, readings=(reading,) * count)
    return world.refusal_of(submit, arguments, sender=GATEWAY)


def test_a_call_for_an_unknown_meter_is_refused() -> None:
    arguments = SubmitReadings(meter_id="none", unit=Unit.WATT_HOUR, readings=(amount(0, 1),))
    code, _ = ReadingWorld().refusal_of(submit, arguments, sender=GATEWAY)
    assert code == "UNKNOWN_METER"


def test_a_call_in_another_unit_is_refused() -> None:
    assert refusal_of(ReadingWorld(), amount(0, 1), unit=Unit.KILOWATT_HOUR) == (
        "WRONG_UNIT",
        "unit: expected WATT_HOUR, got KILOWATT_HOUR",
    )


def test_a_call_of_another_organisation_is_refused() -> None:
    arguments = SubmitReadings(meter_id="main", unit=Unit.WATT_HOUR, readings=(amount(0, 1),))
    code, detail = ReadingWorld().refusal_of(submit, arguments, sender=OTHER_OPERATOR)
    assert code == "NOT_PERMITTED"
    assert detail == "meter main: expected a sender of its organisation steel, got one of grid"


@pytest.mark.parametrize("sender", [ADMIN, GATEWAY])
def test_an_admin_or_a_gateway_of_the_organisation_may_send(sender: bytes) -> None:
    assert ReadingWorld().send(amount(0, 1), sender=sender) == [Outcome.ACCEPTED]


def test_a_call_may_hold_as_many_readings_as_the_chain_allows_and_no_more() -> None:
    world = ReadingWorld()
    world.parameters = Parameters(readings_per_transaction_max=2)
    assert refusal_of(world, amount(0, 1), count=3) == (
        "LIMIT_REACHED",
        "readings: expected at most 2 in one transaction; send several, got 3",
    )
    assert world.send(amount(0, 1), amount(1, 1)) == [Outcome.ACCEPTED] * 2


@pytest.mark.parametrize(
    ("reading", "detail"),
    [
        (
            register(0, 5),
            "readings[0].register: expected none, for the meter is of kind INTERVAL, got 5",
        ),
        (
            amount(0, 5, quality=Quality.MISSING),
            "readings[0].quality: expected another than MISSING, for there is a value, got MISSING",
        ),
        (
            amount(0, None),
            "readings[0].quality: expected a value or a channel, or else MISSING, got neither",
        ),
        (
            replace(amount(0, 5), stamp_ms=QUARTER_MS - 1),
            (
                "readings[0].stamp_ms: expected milliseconds since 1970, 900000 to "
                "253402300799999, got 899999"
            ),
        ),
        (
            replace(amount(0, 5), stamp_ms=STAMP_MS_END),
            (
                "readings[0].stamp_ms: expected milliseconds since 1970, 900000 to "
                "253402300799999, got 253402300800000"
            ),
        ),
        (
            replace(amount(0, 5), channels=((Channel.DEMAND_W, 1), (Channel.DEMAND_W, 1))),
            (
                "readings[0].channels: expected each channel once, ascending, got DEMAND_W twice "
                "or late"
            ),
        ),
    ],
)
def test_a_reading_that_cannot_be_meant_is_refused_by_name(
    reading: RawReading, detail: str
) -> None:
    assert refusal_of(ReadingWorld(), reading) == ("INVALID_ARGUMENTS", detail)


def test_a_counter_takes_no_amounts() -> None:
    assert refusal_of(ReadingWorld(COUNTER), amount(0, 5)) == (
        "INVALID_ARGUMENTS",
        "readings[0].amount: expected none, for the meter is of kind REGISTER, got 5",
    )


def test_stamps_within_half_a_minute_are_snapped_and_others_are_kept_aside() -> None:
    world = ReadingWorld()
    outcomes = world.send(
        amount(0, 1, off_ms=30_000),
        amount(1, 2, off_ms=-30_000),
        amount(2, 3, off_ms=30_001),
        amount(3, 4, off_ms=-30_001),
    )
    assert outcomes == [Outcome.ACCEPTED] * 2 + [Outcome.OFF_GRID] * 2
    assert world.amounts == {0: 1, 1: 2}
    assert world.pages[0].off_grid_count == 2
    assert world.alert_checks == [Check.CLOCK]


def test_snapping_goes_no_further_than_a_quarter_of_an_interval() -> None:
    world = ReadingWorld(replace(AMOUNTS, interval_ms=10_000))
    assert world.send(amount(0, 1, off_ms=2_500), amount(0, 2, off_ms=12_501)) == [
        Outcome.ACCEPTED,
        Outcome.OFF_GRID,
    ]


def test_a_stamp_at_the_end_names_the_interval_before_it() -> None:
    world = ReadingWorld(replace(AMOUNTS, stamp=StampConvention.END))
    world.send(amount(1, 7))
    assert world.amounts == {0: 7}


def test_a_reading_of_the_future_is_kept_aside_and_flagged() -> None:
    world = ReadingWorld()
    future = replace(amount(0, 1), stamp_ms=NOW_MS + QUARTER_MS)
    assert world.send(amount(0, 1), future) == [Outcome.ACCEPTED, Outcome.FUTURE]
    assert world.alert_checks == [Check.CLOCK]
    assert world.alerts[0].first_interval_ms == DAY
    assert world.memory.newest_ms == DAY


def test_an_interval_may_end_two_minutes_after_block_time() -> None:
    world = ReadingWorld()
    world.time_ms = NOW_MS - 120_000
    running = replace(amount(0, 1), stamp_ms=NOW_MS - QUARTER_MS)
    assert world.send(running) == [Outcome.ACCEPTED]
    world.time_ms -= 1
    later = replace(running, stamp_ms=NOW_MS)
    assert world.send(later) == [Outcome.FUTURE]


def test_a_live_meter_flags_what_comes_two_days_late() -> None:
    world = ReadingWorld()
    old = replace(amount(0, 1), stamp_ms=NOW_MS - 48 * HOUR_MS - QUARTER_MS)
    older = replace(old, stamp_ms=old.stamp_ms - QUARTER_MS)
    assert world.send(older) == [Outcome.ACCEPTED]
    world.call(go_live, GoLive(meter_id="main"))
    oldest = replace(old, stamp_ms=old.stamp_ms - 2 * QUARTER_MS)
    assert world.result((old, oldest)).outcomes == (Outcome.ACCEPTED, Outcome.LATE)
    assert world.alert_checks == [Check.CLOCK]
    assert world.alerts[0].observed == 48 * HOUR_MS + 2 * QUARTER_MS


def test_a_source_may_say_that_it_has_no_value() -> None:
    world = ReadingWorld()
    silent = amount(0, None, quality=Quality.MISSING)
    assert world.send(silent, amount(0, 5)) == [Outcome.NO_VALUE, Outcome.ACCEPTED]
    assert world.amounts == {0: 5}


def test_an_equal_reading_is_a_duplicate_also_two_seconds_later() -> None:
    world = ReadingWorld()
    first = amount(0, 5, channels=DEMAND)
    repeated = amount(0, 5, channels=DEMAND, off_ms=2_000)
    assert world.send(first, first, repeated) == [
        Outcome.ACCEPTED,
        Outcome.DUPLICATE,
        Outcome.DUPLICATE,
    ]
    assert world.pages[0].duplicate_count == 2
    assert world.alerts == []


def test_a_row_of_further_channels_is_a_supplement_and_stays_with_its_interval() -> None:
    world = ReadingWorld()
    assert world.send(
        amount(0, 5, channels=DEMAND),
        amount(0, None, channels={Channel.CURRENT_A_MA: 9}),
        amount(0, None, channels=DEMAND),
        amount(0, 5, quality=Quality.ESTIMATED),
    ) == [Outcome.ACCEPTED, Outcome.SUPPLEMENT, Outcome.SUPPLEMENT, Outcome.SUPPLEMENT]
    assert world.slots[0].channels == {Channel.DEMAND_W: 4_000, Channel.CURRENT_A_MA: 9}
    assert world.slots[0].quality is Quality.MEASURED
    assert world.pages[0].supplement_count == 3


def test_channels_that_come_before_the_value_stay_with_it() -> None:
    world = ReadingWorld()
    assert world.send(amount(0, None, channels=DEMAND), amount(0, 5)) == [
        Outcome.SUPPLEMENT,
        Outcome.ACCEPTED,
    ]
    assert world.slots[0].channels == DEMAND


@pytest.mark.parametrize(
    ("second", "observed", "expected"),
    [(amount(0, 6), 6, 5), (amount(0, 5, channels={Channel.DEMAND_W: 3_999}), 3_999, 4_000)],
)
def test_another_value_is_a_conflict_and_the_first_stays(
    second: RawReading, observed: int, expected: int
) -> None:
    world = ReadingWorld()
    assert world.flags(amount(0, 5, channels=DEMAND), second) == [(), (Check.DUPLICATE,)]
    assert world.amounts == {0: 5}
    assert world.slots[0].channels == DEMAND
    (alert,) = world.alerts
    assert (alert.check, alert.observed, alert.expected) == (Check.DUPLICATE, observed, expected)
    assert alert.leaf == leaf_of("main", Unit.WATT_HOUR, second)
    world.send(amount(1, 5))
    assert world.alerts[0].cleared_ms == DAY + QUARTER_MS


def test_the_running_hash_goes_over_every_reading_in_order_of_commit() -> None:
    world = ReadingWorld()
    readings = (amount(0, 5), amount(0, 5), amount(2, 6, off_ms=60_000), amount(1, 6))
    world.send(*readings[:2])
    world.next_block()
    world.send(*readings[2:])
    leaves = [leaf_of("main", Unit.WATT_HOUR, each) for each in readings]
    assert world.pages[0].running_hash == running_hash_of(leaves)
    assert world.pages[0].running_hash != running_hash_of(leaves[::-1])
    assert world.pages[0].leaf_count == 4


def test_a_leaf_depends_on_meter_unit_and_every_field() -> None:
    reading = amount(0, 5, channels=DEMAND, sequence=1, previous_leaf=bytes(32))
    leaves = {
        leaf_of("main", Unit.WATT_HOUR, reading),
        leaf_of("other", Unit.WATT_HOUR, reading),
        leaf_of("main", Unit.KILOWATT_HOUR, reading),
        *(
            leaf_of("main", Unit.WATT_HOUR, changed)
            for changed in (
                replace(reading, stamp_ms=DAY + 1),
                replace(reading, amount=6),
                replace(reading, quality=Quality.ESTIMATED),
                replace(reading, sequence=2),
                replace(reading, previous_leaf=None),
                replace(reading, channels=()),
            )
        ),
    }
    assert len(leaves) == 9


def test_what_is_sent_in_one_call_or_in_many_blocks_leaves_the_same_state() -> None:
    readings = [amount(number, 100 + number % 7) for number in range(200)]
    together, apart = ReadingWorld(), ReadingWorld()
    together.send(*readings)
    for reading in readings:
        apart.send(reading)
        apart.next_block(after_ms=0)
    together.next_block(after_ms=0)
    assert together.reader.entries == apart.reader.entries


def test_amounts_are_converted_by_scale_unit_and_ratios() -> None:
    world = ReadingWorld(
        replace(
            AMOUNTS,
            unit=Unit.KILOWATT_HOUR,
            scale=-2,
            transformer_ratio=(400, 5),
            multiplier=(1, 3),
        )
    )
    world.send(amount(0, 317))
    assert world.amounts == {0: 84_533}  # 3.17 kWh times 80 / 3


def test_emissions_are_added_up_undivided_by_meter_and_site_and_local_month() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000), amount(1, 7))
    month = (2023 - 1970) * 12 + 9  # October, as the 16th is in Korea
    assert world.meter_total(month) == (1_007, 1_007 * 4_306)
    assert world.all_totals() == (1_007, 1_007 * 4_306)


def test_a_reading_without_a_valid_factor_is_kept_and_said_to_have_none() -> None:
    world = ReadingWorld(replace(AMOUNTS, factor="kr-grid"))
    world.reader.entries = {
        key: value for key, value in world.reader.entries.items() if not key.startswith(b"factor")
    }
    result = world.result((amount(0, 1_000),))
    assert result.outcomes == (Outcome.ACCEPTED,)
    assert result.failed == (NO_FACTOR,)
    assert world.all_totals() == (1_000, 0)


def test_the_node_finds_a_transaction_by_meter_and_utc_day_of_its_stamps() -> None:
    readings = (amount(0, 1), amount(96, 1), amount(1, 1))
    arguments = SubmitReadings(meter_id="main", unit=Unit.WATT_HOUR, readings=readings)
    assert index_keys(arguments) == (index_key("main", DAY), index_key("main", DAY + DAY_MS))
    assert index_key("main", 258) == b"main\x00\x00\x00\x00\x00\x00\x00\x01\x02"


def test_a_call_costs_one_unit_and_one_for_each_reading() -> None:
    arguments = SubmitReadings(
        meter_id="main", unit=Unit.WATT_HOUR, readings=(amount(0, 1), amount(1, 1))
    )
    (method,) = METHODS
    assert method.work(arguments) == 3
    assert method.index_keys(arguments) == index_keys(arguments)


def test_the_leaf_of_a_reading_is_what_gateways_compute_elsewhere() -> None:
    reading = amount(0, 5, channels=DEMAND, sequence=1, previous_leaf=bytes(32))
    assert (
        leaf_of("main", Unit.WATT_HOUR, reading).hex()
        == "df038e2dfaedf0231b2b4fd463113dbdb4edb976bf3ea9a264a684c6d59c5b67"
    )


def test_a_leaf_is_the_hash_of_meter_unit_and_all_fields() -> None:
    reading = amount(1, -5, channels={Channel.DEMAND_W: 7}, sequence=3, previous_leaf=b"\x01" * 32)
    encoded = encode(("main", int(Unit.WATT_HOUR), *reading.to_value()))
    assert leaf_of("main", Unit.WATT_HOUR, reading) == hash_of(Domain.READING, encoded)


def test_a_result_is_encoded_as_its_record_is() -> None:
    taken = [(outcome, 1 << place, bytes([place]) * 32) for place, outcome in enumerate(Outcome)]
    result = SubmitResult(
        outcomes=tuple(outcome for outcome, _, _ in taken),
        failed=tuple(mask for _, mask, _ in taken),
        root=root_of_hashes([leaf for _, _, leaf in taken]),
    )
    assert encode_result(taken) == result.encode()


def test_one_reading_of_a_hundred_is_proved_with_seven_hashes() -> None:
    readings = [amount(interval, interval * 7 % 100) for interval in range(100)]
    root = ReadingWorld().result(readings).root
    leaves = [leaf_of("main", Unit.WATT_HOUR, reading) for reading in readings]

    for index in (0, 41, 95):
        path = path_of_hashes(leaves, index)
        assert len(path) == 7
        verify_path(leaves[index], index=index, count=100, path=path, root=root)
    with pytest.raises(InvalidProof):
        verify_path(leaves[1], index=0, count=100, path=path_of_hashes(leaves, 0), root=root)


def test_a_refusal_after_readings_were_taken_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Intake, reading: RawReading) -> tuple[Outcome, int, bytes]:
        raise refusal(Code.WRONG_STATE, "reading", expected="none", got=str(reading.amount))

    world = ReadingWorld()
    monkeypatch.setattr(Intake, "take", refuse)
    with pytest.raises(AssertionError, match="nothing is refused"):
        world.send(amount(0, 1))
