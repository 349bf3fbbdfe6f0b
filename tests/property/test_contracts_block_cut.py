"""What calls of one block find of each other: as if each had a block of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import example, given, settings, strategies as st

from chain.errors import ContractRefusal
from contracts import baselines, meters
from contracts.baselines import FitBaseline, SetBaseline
from contracts.context import Context
from contracts.exchange import ProposeExchange
from contracts.meter import Unit
from contracts.meters import ApproveExchange, GoLive
from contracts.missing import on_due
from contracts.reading import RawReading, SubmitReadings
from contracts.readings import submit
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
from tests.unit.contracts.registry_world import ADMIN, EXCHANGE, OPERATOR, SECOND_ADMIN

Call = Callable[[Context], bytes]
PROPOSAL_ID = b"\x05" * 32
METERS = ("main", "side", "hall")
TRAINED = 16 * 24
"""Hours for which ``hall`` has readings before anything is drawn."""


def known_world() -> ReadingWorld:
    """A counter that is live, and two meters of amounts; the last can get a baseline."""
    world = ReadingWorld(COUNTER)
    world.call(meters.register, replace(AMOUNTS, meter_id="side", nameplate_w=500_000))
    world.call(meters.register, replace(AMOUNTS, meter_id="hall", interval_ms=HOUR_MS))
    for start in range(0, TRAINED, 96):
        rows = [amount(4 * hour, 4_000 + hour % 24) for hour in range(start, start + 96)]
        sending("hall", rows)(world.context(OPERATOR))
    world.call(meters.go_live, GoLive(meter_id="main"))
    world.next_block(after_ms=10 * HOUR_MS)
    return world


def sending(meter_id: str, readings: Sequence[RawReading], unit: Unit = Unit.WATT_HOUR) -> Call:
    arguments = SubmitReadings(meter_id=meter_id, unit=unit, readings=tuple(readings))
    return lambda context: submit(context, SubmitReadings.decode(arguments.encode()))


def on_silence(context: Context) -> bytes:
    return repr(on_due(context, "main")).encode()


def exchanging(context: Context) -> bytes:
    proposal = replace(
        EXCHANGE,
        effective_ms=DAY + 5 * QUARTER_MS,
        last_register=1_050,
        first_register=3,
        register_modulus=None,
    )
    received = ProposeExchange.decode(proposal.encode())
    meters.propose_exchange(replace(context, transaction_id=PROPOSAL_ID), received)
    approval = ApproveExchange(meter_id="main", proposal=PROPOSAL_ID)
    return meters.approve_exchange(replace(context, sender=SECOND_ADMIN), approval)


def going_live(context: Context) -> bytes:
    return meters.go_live(context, GoLive(meter_id="side"))


def fitting(meter_id: str, days: int) -> Call:
    window = FitBaseline(meter_id=meter_id, from_ms=DAY, to_ms=DAY + days * DAY_MS)
    return lambda context: baselines.fit(replace(context, sender=ADMIN), window)


def setting_baseline(context: Context) -> bytes:
    arguments = SetBaseline(meter_id="hall", version=1, from_ms=DAY + TRAINED * HOUR_MS)
    return baselines.set_in_force(context, arguments)


def outcome_of(world: ReadingWorld, call: Call) -> bytes:
    """Makes a call in a transaction of its own, as a block does."""
    world.state.begin()
    try:
        result = call(world.context(OPERATOR))
    except ContractRefusal as refused:
        world.state.drop()
        return refused.code.encode()
    world.state.keep()
    return result


SLOTS = st.integers(0, 200)
READINGS_OF = {
    "main": st.builds(
        lambda slot, extra: register(slot, 1_000 + 10 * slot + extra), SLOTS, st.integers(-2, 40)
    ),
    "side": st.builds(amount, SLOTS, st.sampled_from([0, 7, 900, 200_000, -1])),
    "hall": st.builds(
        lambda hour, value: amount(4 * hour, value),
        st.integers(TRAINED - 2, TRAINED + 30),
        st.sampled_from([4_000, 4_010, 9_000, 40_000]),
    ),
}
SENDINGS = st.sampled_from(METERS).flatmap(
    lambda meter_id: st.lists(READINGS_OF[meter_id], min_size=1, max_size=6).map(
        lambda readings: sending(meter_id, readings)
    )
)
REFUSED = st.sampled_from(
    [
        sending("main", [register(1, 1_010), amount(2, 5)]),
        sending("side", [amount(1, 5)], Unit.KILOWATT_HOUR),
    ]
)
OTHERS = st.sampled_from(
    [
        exchanging,
        going_live,
        on_silence,
        setting_baseline,
        fitting("hall", 14),
        fitting("main", 2),
        fitting("side", 2),
    ]
)
IN_ORDER = sending("side", [amount(slot, 900) for slot in range(5)])


@given(calls=st.lists(SENDINGS | SENDINGS | OTHERS | REFUSED, min_size=2, max_size=12))
@example(
    calls=[
        IN_ORDER,
        fitting("hall", 14),
        setting_baseline,
        sending("hall", [amount(4 * hour, 40_000) for hour in range(TRAINED, TRAINED + 5)]),
        sending("main", [register(slot, 1_000 + 10 * slot) for slot in range(5)]),
        exchanging,
        sending("main", [register(slot, 5 + 10 * slot) for slot in range(6, 9)]),
        on_silence,
        sending("main", [register(slot, 5 + 10 * slot) for slot in range(9, 12)]),
        sending("main", [register((NOW_MS - DAY) // QUARTER_MS + 30, 7_000)]),
        on_silence,
        fitting("side", 2),
        going_live,
        IN_ORDER,
        sending("side", [amount(5, 7)]),
    ]
)
@settings(max_examples=60, deadline=None)
def test_calls_of_one_block_are_those_of_many_blocks(calls: list[Call]) -> None:
    together, apart = known_world(), known_world()
    found = [outcome_of(together, call) for call in calls]
    expected = []
    for call in calls:
        expected.append(outcome_of(apart, call))
        apart.next_block(after_ms=0)
    assert found == expected
    together.next_block(after_ms=0)
    assert together.reader.entries == apart.reader.entries
