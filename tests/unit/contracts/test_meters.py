from dataclasses import replace

import pytest

from contracts import factors, meters, sites
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind
from contracts.meter import Meter, MeterMode, Quantity, Unit, meter_key
from contracts.meters import PARENTS_MAX, GoLive, RegisterMeter
from tests.unit.contracts.registry_world import (
    FACTOR,
    INTERVAL_METER,
    METER,
    NEW_KEY,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    REVOKED,
    SITE,
    START_MS,
    World,
)

GO_LIVE = GoLive(meter_id="main")


@pytest.fixture
def world() -> World:
    """A world with a site and a factor."""
    world = World()
    world.add_site()
    world.add_factor()
    return world


def test_a_meter_begins_in_backfill_and_belongs_to_the_sender(world: World) -> None:
    world.call(meters.register, METER)

    meter = meters.require_meter(world.state, "main")
    assert meter.organisation == "steel"
    assert meter.mode is MeterMode.BACKFILL
    assert meter.live_from_ms is None
    assert meter.to_value()[: len(METER.to_value())] == METER.to_value()
    assert (world.events[-1].kind, world.events[-1].subject, world.events[-1].content) == (
        "meter.registered",
        "main",
        meter.encode(),
    )


def test_a_sub_meter_names_its_parent(world: World) -> None:
    world.call(meters.register, METER)

    world.call(meters.register, replace(METER, meter_id="furnace", parent="main", factor=None))

    assert world.meter("furnace").parent == "main"


def test_a_meter_id_is_used_once(world: World) -> None:
    world.call(meters.register, METER)

    assert world.refusal_of(meters.register, METER, sender=OTHER_ADMIN) == (
        "ALREADY_EXISTS",
        "meter_id: expected an id that no organisation uses, got 'main' of steel",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "detail"),
    [
        (
            replace(METER, multiplier=(1, 0)),
            "INVALID_ARGUMENTS",
            "multiplier: expected two numbers above 0, got 1 and 0",
        ),
        (
            replace(METER, site="nowhere"),
            "UNKNOWN_SITE",
            "site: expected a registered site; register it with site.register, got 'nowhere'",
        ),
        (
            replace(METER, calendar=("seoul", 9)),
            "UNKNOWN_CALENDAR",
            (
                "calendar: expected a registered version; register it with calendar.register, got "
                "seoul version 9"
            ),
        ),
        (
            replace(METER, parent="main"),
            "UNKNOWN_METER",
            "parent: expected a registered meter; register it with meter.register, got 'main'",
        ),
        (
            replace(METER, factor="no-grid"),
            "UNKNOWN_FACTOR",
            "factor: expected a series with a factor; set one with factor.set, got 'no-grid'",
        ),
        (
            replace(INTERVAL_METER, quantity=Quantity.GAS, unit=Unit.CUBIC_METRE, co2_check=None),
            "INVALID_ARGUMENTS",
            "factor: expected a series per CUBIC_DECIMETRE, got 'kr-grid' per WATT_HOUR",
        ),
        (
            replace(METER, responsible=NEW_KEY),
            "UNKNOWN_ACCOUNT",
            "responsible: expected a registered account; register it with account.register, got "
            + NEW_KEY.hex(),
        ),
        (
            replace(METER, responsible=REVOKED),
            "ACCOUNT_REVOKED",
            f"responsible: expected an active account, got {REVOKED.hex()}, revoked at 5",
        ),
        (
            replace(METER, responsible=OTHER_OPERATOR),
            "NOT_PERMITTED",
            "responsible: expected an account of steel, got one of grid",
        ),
    ],
)
def test_each_wrong_argument_is_refused_by_itself(
    world: World, arguments: RegisterMeter, code: str, detail: str
) -> None:
    assert world.refusal_of(meters.register, arguments) == (code, detail)


def test_a_meter_at_a_site_of_another_organisation_is_refused(world: World) -> None:
    assert world.refusal_of(meters.register, METER, sender=OTHER_ADMIN) == (
        "NOT_PERMITTED",
        "site plant: expected a sender of its organisation steel, got one of grid",
    )


def test_a_parent_of_another_organisation_is_refused(world: World) -> None:
    world.call(meters.register, METER)
    world.state.put(meter_key("theirs"), replace(world.meter("main"), organisation="grid"))

    arguments = replace(METER, meter_id="furnace", parent="theirs")

    assert world.refusal_of(meters.register, arguments) == (
        "NOT_PERMITTED",
        "parent theirs: expected a sender of its organisation grid, got one of steel",
    )


def test_a_parent_of_another_quantity_is_refused(world: World) -> None:
    world.call(meters.register, METER)
    heat = replace(
        INTERVAL_METER,
        meter_id="boiler",
        quantity=Quantity.HEAT,
        unit=Unit.KILOJOULE,
        factor=None,
        co2_check=None,
        parent="main",
    )

    assert world.refusal_of(meters.register, heat) == (
        "INVALID_ARGUMENTS",
        "parent: expected a meter of HEAT, got 'main', which measures ELECTRICITY",
    )


def test_parents_stand_above_each_other_up_to_the_limit(world: World) -> None:
    parent: str | None = None
    for level in range(PARENTS_MAX + 1):
        meter_id = f"level-{level}"
        world.call(meters.register, replace(METER, meter_id=meter_id, parent=parent))
        parent = meter_id

    arguments = replace(METER, meter_id="deepest", parent=parent)

    assert PARENTS_MAX == 16
    assert world.refusal_of(meters.register, arguments) == (
        "LIMIT_REACHED",
        "parent: expected at most 16 meters above each other, got more, above 'deepest'",
    )


def test_a_factor_in_force_later_is_enough(world: World) -> None:
    later = replace(FACTOR, factor_id="later", valid_from_ms=START_MS, valid_to_ms=START_MS + 1)
    world.call(factors.set_factor, later)

    world.call(meters.register, replace(METER, factor="later"))

    assert world.meter("main").factor == "later"


def test_going_live_dates_the_meter_and_asks_for_silence_three_intervals_later(
    world: World,
) -> None:
    world.call(meters.register, METER)

    world.call(meters.go_live, GO_LIVE, sender=OPERATOR)

    live = world.meter("main")
    assert live.mode is MeterMode.LIVE
    assert live.live_from_ms == START_MS
    assert [entry for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)] == [
        DueEntry(due_ms=START_MS + 2_700_000, kind=DueKind.MISSING, subject="main")
    ]
    assert (world.events[-1].kind, world.events[-1].content) == ("meter.live", live.encode())


def test_a_meter_goes_live_once(world: World) -> None:
    world.call(meters.register, METER)
    world.call(meters.go_live, GO_LIVE)
    world.next_block()

    assert world.refusal_of(meters.go_live, GO_LIVE) == (
        "WRONG_STATE",
        f"meter main: expected mode BACKFILL, got LIVE since {START_MS}",
    )


@pytest.mark.parametrize("removed_after_ms", [-1, 0])
def test_a_removed_meter_does_not_go_live(world: World, removed_after_ms: int) -> None:
    removed_ms = START_MS + removed_after_ms
    world.call(meters.register, replace(METER, installed_to_ms=removed_ms))

    assert world.refusal_of(meters.go_live, GO_LIVE) == (
        "WRONG_STATE",
        (
            f"meter main: expected a meter that is installed at block time {START_MS}, got one "
            f"removed at {removed_ms}"
        ),
    )


def test_a_meter_that_will_be_removed_goes_live(world: World) -> None:
    world.call(meters.register, replace(METER, installed_to_ms=START_MS + 1))

    world.call(meters.go_live, GO_LIVE)

    assert world.meter("main").mode is MeterMode.LIVE


def test_only_its_organisation_takes_a_meter_live(world: World) -> None:
    world.call(meters.register, METER)

    code, detail = world.refusal_of(meters.go_live, GO_LIVE, sender=OTHER_OPERATOR)

    assert code == "NOT_PERMITTED"
    assert detail == "meter main: expected a sender of its organisation steel, got one of grid"


def test_an_unknown_meter_does_not_go_live(world: World) -> None:
    assert world.refusal_of(meters.go_live, GO_LIVE) == (
        "UNKNOWN_METER",
        "meter_id: expected a registered meter; register it with meter.register, got 'main'",
    )


def test_a_registered_meter_is_stored_under_its_key(world: World) -> None:
    world.call(meters.register, METER)
    world.next_block()

    stored = world.reader.entries[b"meter/main"]
    assert Meter.decode(stored).meter_id == "main"


def test_a_site_knows_its_meters_and_no_others() -> None:
    world = World()
    world.add_meter()
    world.call(sites.register, replace(SITE, site_id="plant-2"))
    for meter_id, site in (("b", "plant"), ("a", "plant"), ("c", "plant-2")):
        world.call(meters.register, replace(METER, meter_id=meter_id, site=site))

    assert [each.meter_id for each in meters.meters_at(world.state, "plant")] == ["a", "b", "main"]
    assert [each.meter_id for each in meters.meters_at(world.state, "plant-2")] == ["c"]
    assert meters.meters_at(world.state, "nowhere") == ()
