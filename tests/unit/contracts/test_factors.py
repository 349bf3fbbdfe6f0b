from dataclasses import replace

import pytest

from contracts import factors
from contracts.factor import Factor, FactorBasis, FactorUncertainty
from contracts.factors import PERIODS_MAX, FactorSeries, SetFactor, factor_at, series_key
from contracts.meter import Unit
from tests.unit.contracts.registry_world import CERTIFIER, FACTOR, OTHER_ADMIN, START_MS, World

NEXT = replace(FACTOR, value=4_000, valid_from_ms=2_000, valid_to_ms=3_000)


def test_a_factor_holds_from_its_first_moment_to_before_its_last() -> None:
    world = World()

    world.call(factors.set_factor, FACTOR)

    factor = factor_at(world.state, "kr-grid", 1_000)
    assert factor is not None
    assert factor.value == 4_306
    assert factor.set_ms == START_MS
    assert factor.uncertainty is None
    assert factor_at(world.state, "kr-grid", 1_999) == factor
    assert factor_at(world.state, "kr-grid", 999) is None
    assert factor_at(world.state, "kr-grid", 2_000) is None
    assert [(event.kind, event.subject, event.content) for event in world.events] == [
        ("factor.set", "kr-grid", factor.encode())
    ]


def test_each_period_of_a_series_has_its_own_value() -> None:
    world = World()
    world.call(factors.set_factor, replace(NEXT, valid_from_ms=2_500))
    world.call(factors.set_factor, FACTOR)

    values = [value_at(world, at_ms) for at_ms in (1_500, 2_000, 2_499, 2_500, 2_999, 3_000)]

    assert values == [4_306, None, None, 4_000, 4_000, None]


def value_at(world: World, at_ms: int) -> int | None:
    factor = factor_at(world.state, "kr-grid", at_ms)
    return None if factor is None else factor.value


def test_an_unknown_series_has_no_factor() -> None:
    assert factor_at(World().state, "kr-grid", 1_000) is None


def test_a_certifier_begins_a_series_too() -> None:
    world = World()

    world.call(factors.set_factor, FACTOR, sender=CERTIFIER)

    series = factors.get_series(world.state, "kr-grid")
    assert series == FactorSeries(
        factor_id="kr-grid",
        organisation="body",
        basis=FactorBasis.LOCATION_BASED,
        base_unit=Unit.WATT_HOUR,
        periods=((1_000, 2_000),),
    )


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (
            replace(FACTOR, valid_to_ms=1_000),
            "valid_to_ms: expected a moment after valid_from_ms 1000, got 1000",
        ),
        (
            replace(FACTOR, base_unit=Unit.KILOWATT_HOUR),
            (
                "base_unit: expected one of WATT_HOUR, KILOJOULE, CUBIC_DECIMETRE, GRAM, "
                "DECI_CELSIUS, PERSON_KILOMETRE, TONNE_KILOMETRE, CENT, PIECE, got KILOWATT_HOUR"
            ),
        ),
        (
            replace(FACTOR, source="  "),
            "source: expected publisher and document of the value, got an empty text",
        ),
        (
            replace(FACTOR, uncertainty=FactorUncertainty(permille=50, source=" ")),
            (
                "uncertainty.source: expected publisher and document of the uncertainty, got an "
                "empty text"
            ),
        ),
    ],
)
def test_each_wrong_argument_is_refused_by_itself(arguments: SetFactor, detail: str) -> None:
    assert World().refusal_of(factors.set_factor, arguments) == ("INVALID_ARGUMENTS", detail)


@pytest.mark.parametrize(
    ("start_ms", "end_ms"),
    [(1_000, 2_000), (500, 1_001), (1_999, 2_500), (1_200, 1_300), (1, 9_000)],
)
def test_periods_do_not_overlap(start_ms: int, end_ms: int) -> None:
    world = World()
    world.add_factor()
    arguments = replace(FACTOR, valid_from_ms=start_ms, valid_to_ms=end_ms)

    assert world.refusal_of(factors.set_factor, arguments) == (
        "PERIOD_OVERLAP",
        (
            "factor series kr-grid: expected a period outside 1000 to 2000; what is set never "
            f"changes, got {start_ms} to {end_ms}"
        ),
    )


@pytest.mark.parametrize(("start_ms", "end_ms"), [(500, 1_000), (2_000, 2_001)])
def test_periods_may_touch(start_ms: int, end_ms: int) -> None:
    world = World()
    world.add_factor()

    world.call(factors.set_factor, replace(FACTOR, valid_from_ms=start_ms, valid_to_ms=end_ms))

    assert factor_at(world.state, "kr-grid", start_ms) is not None


def test_a_series_belongs_to_who_began_it() -> None:
    world = World()
    world.add_factor()

    assert world.refusal_of(factors.set_factor, NEXT, sender=OTHER_ADMIN) == (
        "NOT_PERMITTED",
        "factor series kr-grid: expected a sender of its organisation steel, got one of grid",
    )


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        (replace(NEXT, base_unit=Unit.GRAM), "LOCATION_BASED per GRAM"),
        (replace(NEXT, basis=FactorBasis.RESIDUAL_MIX), "RESIDUAL_MIX per WATT_HOUR"),
    ],
)
def test_a_series_keeps_its_basis_and_unit(arguments: SetFactor, got: str) -> None:
    world = World()
    world.add_factor()

    assert world.refusal_of(factors.set_factor, arguments) == (
        "INVALID_ARGUMENTS",
        (
            "factor series kr-grid: expected LOCATION_BASED per WATT_HOUR as in its other "
            f"periods, got {got}"
        ),
    )


def world_with_periods(count: int) -> World:
    world = World()
    world.add_factor()
    series = factors.get_series(world.state, "kr-grid")
    assert series is not None
    periods = tuple((start, start + 1) for start in range(10_000, 10_000 + count))
    world.state.put(series_key("kr-grid"), replace(series, periods=periods))
    return world


def test_a_series_holds_periods_up_to_the_limit() -> None:
    world = world_with_periods(PERIODS_MAX - 1)

    world.call(factors.set_factor, NEXT)

    series = factors.get_series(world.state, "kr-grid")
    assert series is not None
    assert len(series.periods) == 1_024
    assert FactorSeries.decode(series.encode()) == series


def test_a_full_series_takes_no_further_period() -> None:
    assert world_with_periods(PERIODS_MAX).refusal_of(factors.set_factor, NEXT) == (
        "LIMIT_REACHED",
        (
            "factor series kr-grid: expected at most 1024 periods; begin a new series, got 1024 "
            "already"
        ),
    )


def test_a_factor_is_stored_by_series_and_time() -> None:
    world = World()
    world.add_factor()
    world.next_block()

    stored = world.reader.entries[b"factor/kr-grid/00000000000000001000"]
    assert Factor.decode(stored).value == 4_306
