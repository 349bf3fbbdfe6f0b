"""A meter with its outdoor temperature, four weeks of both, and short ways to fit them."""

from collections.abc import Callable
from dataclasses import replace

from contracts import baselines, meters
from contracts.baseline import (
    Baseline,
    Model,
)
from contracts.baseline_lookup import get_baseline
from contracts.baselines import FitBaseline, FitResult, SetBaseline
from contracts.meter import Quantity, Unit
from contracts.meters import RegisterMeter
from contracts.reading import SubmitReadings, SubmitResult
from contracts.readings import submit
from tests.unit.contracts.reading_world import AMOUNTS, DAY, DAY_MS, HOUR_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import (
    OPERATOR,
)

TRAINED_DAYS = 29
"""Enough for 28 whole local days, which begin ten hours before UTC's."""
HOURLY = replace(AMOUNTS, interval_ms=HOUR_MS)
OUTDOOR = replace(
    HOURLY,
    meter_id="outdoor",
    quantity=Quantity.TEMPERATURE,
    unit=Unit.DECI_CELSIUS,
    factor=None,
)
OUTPUT = replace(
    HOURLY, meter_id="output", quantity=Quantity.PRODUCTION, unit=Unit.PIECE, factor=None
)
FIT = FitBaseline(
    meter_id="main",
    from_ms=DAY,
    to_ms=DAY + TRAINED_DAYS * DAY_MS,
    model=Model.COOLING_3P,
    temperature="outdoor",
)
IN_FORCE = SetBaseline(meter_id="main", version=1, from_ms=FIT.to_ms)

Hourly = Callable[[int], int]


def local_day(hour: int) -> int:
    """Number of the local day that an hour from DAY lies in."""
    return (hour + 10) // 24


def temperature(hour: int) -> int:
    """12 to 23 degrees, one for each local day."""
    return 120 + 10 * (7 * local_day(hour) % 12)


def load(hour: int) -> int:
    """1,000 Wh an hour and 5 Wh for each tenth above 18 degrees, with a ripple by day."""
    ripple = local_day(hour) * 3 % 5 - 2
    return 1_000 + 5 * max(0, temperature(hour) - 180) + 4 * ripple


def send(world: ReadingWorld, meter: RegisterMeter, hours: range, value: Hourly) -> list[int]:
    """Sends hours of a meter in calls of two days; returns the masks of what failed."""
    failed: list[int] = []
    for start in range(hours.start, hours.stop, 48):
        part = range(start, min(start + 48, hours.stop))
        arguments = SubmitReadings(
            meter_id=meter.meter_id,
            unit=meter.unit,
            readings=tuple(amount(4 * hour, value(hour)) for hour in part),
        )
        result = submit(world.context(OPERATOR), SubmitReadings.decode(arguments.encode()))
        failed += SubmitResult.decode(result).failed
    return failed


def trained_world(value: Hourly = load, *, outdoor: Hourly = temperature) -> ReadingWorld:
    world = ReadingWorld(HOURLY)
    world.call(meters.register, OUTDOOR)
    world.call(meters.register, OUTPUT)
    send(world, OUTDOOR, range(24 * TRAINED_DAYS), outdoor)
    send(world, HOURLY, range(24 * TRAINED_DAYS), value)
    world.next_block(after_ms=90 * DAY_MS)
    return world


def fit(world: ReadingWorld, arguments: FitBaseline = FIT) -> FitResult:
    received = FitBaseline.decode(arguments.encode())
    return FitResult.decode(baselines.fit(world.context(OPERATOR), received))


def baseline_of(world: ReadingWorld, version: int = 1) -> Baseline:
    found = get_baseline(world.state, "main", version)
    assert found is not None
    return found


def in_force(world: ReadingWorld) -> ReadingWorld:
    assert fit(world).accepted
    world.call(baselines.set_in_force, IN_FORCE)
    world.next_block()
    return world
