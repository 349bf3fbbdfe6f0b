from dataclasses import replace

from chain.crypto import Domain, hash_of
from contracts.check import Check, bit
from contracts.emissions import numerator_of
from contracts.factor_content import CO2E_OF_VALUE
from contracts.meter import StampConvention, Unit
from contracts.reading import Channel, Outcome, RawReading, SubmitReadings
from contracts.reading_query import (
    ReadingView,
    Submission,
    find_baseline_line,
    find_meter_month,
    find_meter_state,
    find_page,
    index_keys_between,
    list_baselines,
    readings_between,
    running_hash_of,
)
from contracts.readings import index_key
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    DAY,
    DAY_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
)

CHECKED = replace(AMOUNTS, co2_check=(5_000, 1))


def submitted(world: ReadingWorld, *readings: RawReading, meter: str = "main") -> Submission:
    result = world.result(readings)
    world.next_block()
    arguments = SubmitReadings(meter_id=meter, unit=Unit.WATT_HOUR, readings=readings)
    return Submission(
        transaction_id=b"\x07" * 32,
        height=9,
        arguments=arguments.encode(),
        result=result.encode(),
    )


def views(world: ReadingWorld, *submissions: Submission) -> list[ReadingView]:
    span = (DAY, DAY + DAY_MS)
    return list(readings_between(world.reader, world.main, span, submissions))


def test_readings_come_with_masks_emissions_and_place() -> None:
    world = ReadingWorld(CHECKED)
    wrong = amount(1, 1_000, channels={Channel.REPORTED_CO2_G: 400})
    first, second = views(world, submitted(world, amount(0, 1_000), wrong))
    assert (first.start_ms, first.outcome, first.failed) == (DAY, Outcome.ACCEPTED, 0)
    assert (first.amount, first.co2e, first.has_factor) == (1_000, 4_306_000 * CO2E_OF_VALUE, True)
    assert (first.transaction_id, first.height, first.position) == (b"\x07" * 32, 9, 0)
    assert second.failed == bit(Check.ENERGY_CO2)
    assert second.applied is not None
    assert second.applied & bit(Check.ENERGY_CO2)
    assert second.position == 1


def test_a_reading_that_is_not_its_intervals_value_has_no_amount_of_its_own() -> None:
    world = ReadingWorld()
    submission = submitted(world, amount(0, 5), amount(0, 6), amount(1, 7, off_ms=60_000))
    _, conflict, off_grid = views(world, submission)
    assert (conflict.outcome, conflict.amount, conflict.applied) == (Outcome.CONFLICT, None, None)
    assert conflict.failed == bit(Check.DUPLICATE)
    assert (off_grid.start_ms, off_grid.co2e) == (None, None)
    assert off_grid.failed == bit(Check.CLOCK)


def test_what_a_later_supplement_fails_is_seen_at_the_value() -> None:
    world = ReadingWorld(CHECKED)
    value = submitted(world, amount(0, 1_000))
    supplement = submitted(world, amount(0, None, channels={Channel.REPORTED_CO2_G: 1}))
    first, _ = views(world, value, supplement)
    assert first.failed == bit(Check.ENERGY_CO2)


def test_only_the_span_and_the_meter_asked_for_are_given() -> None:
    world = ReadingWorld()
    within = submitted(world, amount(-1, 1), amount(0, 2), amount(95, 3), amount(96, 4))
    other = replace(
        within,
        arguments=replace(SubmitReadings.decode(within.arguments), meter_id="other").encode(),
    )
    assert [view.reading.amount for view in views(world, within, other)] == [2, 3]


def test_the_leaves_of_a_page_replay_to_its_running_hash() -> None:
    world = ReadingWorld()
    submission = submitted(world, amount(0, 5), amount(0, 5), amount(1, 7, off_ms=60_000))
    leaves = [view.leaf for view in views(world, submission)]
    page = find_page(world.reader, world.main, DAY + QUARTER_MS)
    assert page is not None
    assert page.running_hash == running_hash_of(leaves)
    assert running_hash_of([b"\x01" * 32]) == hash_of(Domain.READING_DAY, bytes(32), b"\x01" * 32)


def test_stamps_at_the_end_of_an_interval_may_lie_on_the_next_day() -> None:
    meter = ReadingWorld(replace(AMOUNTS, stamp=StampConvention.END)).main
    assert index_keys_between(meter, DAY, DAY + DAY_MS) == (
        index_key("main", DAY - DAY_MS),
        index_key("main", DAY),
        index_key("main", DAY + DAY_MS),
    )
    assert index_keys_between(meter, 0, 1) == (index_key("main", 0),)


def test_what_nothing_is_known_of_is_none() -> None:
    world = ReadingWorld()
    world.next_block()
    assert find_page(world.reader, world.main, DAY) is None
    assert find_meter_state(world.reader, "main") is None
    assert find_meter_month(world.reader, "main", 5) is None
    assert find_baseline_line(world.reader, "main") is None
    assert list_baselines(world.reader, "main") == ()


def test_totals_are_read_and_not_added_up() -> None:
    world = ReadingWorld()
    submitted(world, amount(0, 5))
    month = (2023 - 1970) * 12 + 9
    total = find_meter_month(world.reader, "main", month)
    assert total is not None
    assert numerator_of(total.co2e) == 5 * 4_306 * CO2E_OF_VALUE
    assert (total.interval_count, total.flagged_count, total.without_factor_count) == (1, 0, 0)
    state = find_meter_state(world.reader, "main")
    assert state is not None
    assert state.newest_ms == DAY
