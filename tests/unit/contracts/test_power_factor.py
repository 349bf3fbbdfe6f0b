"""Check 19: what rounds to the factor reported, and what does not."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import example, given, strategies as st

from contracts.check import Check, bit
from contracts.checks import ConfigureChecks, configure
from contracts.deviation.power_factor import agrees
from contracts.reading import Channel
from tests.unit.contracts.reading_world import AMOUNTS, COUNTER, ReadingWorld, amount, register

ENERGIES = st.integers(0, 10**9)


def sides(lagging: tuple[int, int] | None, leading: tuple[int, int] | None) -> dict[Channel, int]:
    """Channels of (reactive energy, power factor) pairs."""
    channels: dict[Channel, int] = {}
    if lagging is not None:
        channels[Channel.REACTIVE_LAGGING_VARH], channels[Channel.POWER_FACTOR_LAGGING_E4] = lagging
    if leading is not None:
        channels[Channel.REACTIVE_LEADING_VARH], channels[Channel.POWER_FACTOR_LEADING_E4] = leading
    return channels


@given(active=ENERGIES, reactive=ENERGIES)
@example(active=4_000, reactive=40)  # 0.99995, halfway
@example(active=0, reactive=1)
@example(active=1, reactive=0)
def test_the_rounded_factor_agrees_and_its_neighbours_but_one_do_not(
    active: int, reactive: int
) -> None:
    if not active and not reactive:
        return
    exact = Decimal(active) / Decimal(active * active + reactive * reactive).sqrt()
    rounded = int((exact * 10_000).to_integral_value(ROUND_HALF_UP))
    assert agrees(active, reactive, rounded, 0)
    assert agrees(active, reactive, -rounded, 0)
    assert not agrees(active, reactive, rounded + 2, 0)
    assert agrees(active, reactive, rounded + 2, 2)
    if rounded >= 2:
        assert not agrees(active, reactive, rounded - 2, 0)


def test_each_side_is_held_against_its_own_reactive_energy() -> None:
    world = ReadingWorld()
    flags = world.flags(
        amount(0, 3_170, channels=sides((2_950, 7_321), (0, 10_000))),
        amount(1, 3_171, channels=sides((2_950, 7_329), (0, 10_000))),
        amount(2, 3_172, channels=sides((0, 10_000), (2_950, 9_000))),
    )
    assert flags == [(), (Check.POWER_FACTOR,), (Check.POWER_FACTOR,)]
    alert = world.alerts[0]
    assert (alert.observed, alert.expected) == (7_329, 7_321)


def test_it_says_nothing_without_both_channels_or_any_energy() -> None:
    world = ReadingWorld()
    world.send(
        amount(0, 5, channels={Channel.REACTIVE_LAGGING_VARH: 5}),
        amount(1, 6, channels={Channel.POWER_FACTOR_LAGGING_E4: 5}),
        amount(2, 0, channels=sides((0, 0), (0, 0))),
    )
    assert [slot.applied & bit(Check.POWER_FACTOR) for slot in world.slots.values()] == [0, 0, 0]


def test_a_supplement_brings_the_channels_that_it_waits_for() -> None:
    world = ReadingWorld()
    world.send(amount(0, 3_170))
    assert world.flags(amount(0, None, channels=sides((2_950, 9_000), None))) == [
        (Check.POWER_FACTOR,)
    ]


def test_a_counter_is_judged_only_over_the_interval_itself() -> None:
    world = ReadingWorld(COUNTER)
    wrong = sides((2_950, 1), None)
    flags = world.flags(
        register(0, 0, channels=wrong),
        register(1, 50, channels=wrong),
        register(3, 90, channels=wrong),
    )
    assert flags == [(), (Check.POWER_FACTOR,), ()]


def test_a_tolerance_can_be_set() -> None:
    world = ReadingWorld(replace(AMOUNTS))
    change = ConfigureChecks(
        meter_id="main",
        replaces=0,
        off=(),
        parameters=(("power_factor.tolerance_e4", 8),),
        reason="energies are sent in whole kWh",
    )
    world.call(configure, change)
    assert world.flags(
        amount(0, 3_170, channels=sides((2_950, 7_328), None)),
        amount(1, 3_170, channels=sides((2_950, 7_330), None)),
    ) == [(), (Check.POWER_FACTOR,)]
