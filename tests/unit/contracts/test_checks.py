"""``check.configure``: who may, what is refused, and what holds from when on."""

from dataclasses import replace

import pytest

from contracts.account import Role
from contracts.check import Check, bit
from contracts.check_settings import (
    ALL_CHECKS,
    DEFAULTS,
    PARAMETERS,
    CheckSettings,
    get_settings_record,
    settings_at,
    version_prefix,
)
from contracts.checks import METHODS, ConfigureChecks, configure
from contracts.meters import GoLive, go_live
from contracts.missing import on_due
from tests.unit.contracts.reading_world import AMOUNTS, ReadingWorld, amount
from tests.unit.contracts.registry_world import ADMIN, OTHER_ADMIN

CAPPED = replace(AMOUNTS, nameplate_w=400)
"""A quarter of an hour holds 110 Wh."""
CHANGE = ConfigureChecks(
    meter_id="main",
    replaces=0,
    off=(),
    parameters=(),
    reason="a nameplate that is not the present motor's",
)


def configured(world: ReadingWorld, change: ConfigureChecks = CHANGE) -> CheckSettings:
    record = get_settings_record(world.state, "main")
    replaces = 0 if record is None else record.version
    world.call(configure, replace(change, replaces=replaces))
    record = get_settings_record(world.state, "main")
    assert record is not None
    return record


def test_without_any_state_every_check_is_on_with_its_default() -> None:
    assert settings_at(ReadingWorld().state, "main") is DEFAULTS
    assert DEFAULTS.enabled == ALL_CHECKS == 2**21 - 1


def test_the_table_names_each_field_once_and_its_default_lies_within_its_bounds() -> None:
    for name, parameter in PARAMETERS.items():
        assert parameter.name == name
        assert parameter.minimum <= parameter.default <= parameter.maximum
        assert getattr(DEFAULTS, parameter.attribute) == parameter.default
        assert parameter.unit
        assert parameter.meaning
    checks = [parameter.check for parameter in PARAMETERS.values()]
    assert checks == sorted(checks)


def test_the_values_that_are_published_are_the_defaults() -> None:
    published = {
        "clock.skew_ms": 120_000,
        "clock.late_ms": 48 * 3_600_000,
        "missing.tolerated": 2,
        "physical_cap.margin_percent": 110,
        "stuck.equal_min": 7,
        "zero_drop.median_percent": 30,
        "parent_sum.k_tenths": 30,
        "parent_sum.loss_permille": 20,
        "register_demand.tolerance_permille": 25,
        "volt_ampere.tolerance_percent": 10,
        "energy_co2.tolerance_steps": 0,
        "bill.tolerance_permille": 10,
        "peer.mad_tenths": 30,
    }
    assert {name: PARAMETERS[name].default for name in published} == published


def test_a_check_that_is_off_neither_applies_nor_fails() -> None:
    world = ReadingWorld(CAPPED)
    assert world.flags(amount(0, 111)) == [(Check.PHYSICAL_CAP,)]
    record = configured(world, replace(CHANGE, off=(Check.PHYSICAL_CAP,)))
    assert record.enabled == ALL_CHECKS & ~bit(Check.PHYSICAL_CAP)
    assert world.flags(amount(1, 111)) == [()]
    assert world.slots[0].applied & bit(Check.PHYSICAL_CAP)
    assert not world.slots[1].applied & bit(Check.PHYSICAL_CAP)
    configured(world)
    assert world.flags(amount(2, 111)) == [(Check.PHYSICAL_CAP,)]


def test_checks_before_the_rules_can_be_off_too() -> None:
    world = ReadingWorld()
    configured(
        world,
        replace(
            CHANGE, off=(Check.SIGNATURE_SEQUENCE, Check.CLOCK, Check.DUPLICATE, Check.MISSING)
        ),
    )
    readings = (
        amount(0, 5, sequence=1),
        amount(0, 6, sequence=7),
        amount(20, 5, sequence=3),
        amount(40, 5, sequence=9, off_ms=100_000),
        amount(50, 5),
    )
    assert world.flags(*readings) == [()] * len(readings)
    assert world.slots[0].applied & 0b1111 == 0
    assert world.alerts == []


def test_a_parameter_holds_for_readings_that_are_committed_later() -> None:
    world = ReadingWorld(CAPPED)
    record = configured(world, replace(CHANGE, parameters=(("physical_cap.margin_percent", 120),)))
    assert record.parameters == (("physical_cap.margin_percent", 120),)
    assert world.flags(amount(0, 120), amount(1, 121)) == [(), (Check.PHYSICAL_CAP,)]
    configured(world)
    assert world.flags(amount(2, 111)) == [(Check.PHYSICAL_CAP,)]


def test_a_default_is_not_kept_as_a_deviation_from_it() -> None:
    world = ReadingWorld()
    assert configured(world, replace(CHANGE, parameters=(("stuck.equal_min", 7),))).parameters == ()


def test_every_version_is_kept_with_who_when_and_why() -> None:
    world = ReadingWorld()
    first = configured(world, replace(CHANGE, off=(Check.SPIKE,)))
    world.next_block(after_ms=5_000)
    second = configured(
        world, replace(CHANGE, parameters=(("stuck.equal_min", 9),), reason="a coarse register")
    )
    versions = [each for _, each in world.state.iterate(CheckSettings, version_prefix("main"))]
    assert versions == [first, second]
    assert (second.version, second.reason, second.changed_by) == (2, "a coarse register", ADMIN)
    assert second.changed_ms == first.changed_ms + 5_000
    assert [event.kind for event in world.events] == ["check.configured"]


def test_it_holds_within_the_same_block_and_in_the_next() -> None:
    together, apart = ReadingWorld(CAPPED), ReadingWorld(CAPPED)
    for world in (together, apart):
        world.send(amount(0, 111))
        if world is apart:
            world.next_block(after_ms=0)
        configured(world, replace(CHANGE, off=(Check.PHYSICAL_CAP,)))
        if world is apart:
            world.next_block(after_ms=0)
        world.send(amount(1, 111))
        world.next_block(after_ms=0)
    assert together.reader.entries == apart.reader.entries


def test_silence_is_judged_by_the_settings_in_force() -> None:
    world = ReadingWorld()
    world.send(amount(0, 5))
    world.call(go_live, GoLive(meter_id="main"))
    configured(world, replace(CHANGE, parameters=(("missing.tolerated", 9),)))
    world.next_block(after_ms=5 * 900_000)
    assert on_due(world.context(), "main") == world.time_ms + 5 * 900_000
    configured(world, replace(CHANGE, off=(Check.MISSING,)))
    world.next_block(after_ms=20 * 900_000)
    assert on_due(world.context(), "main") is not None
    assert world.alerts == []
    configured(world)
    on_due(world.context(), "main")
    assert world.alert_checks == [Check.MISSING]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            replace(CHANGE, meter_id="other"),
            "UNKNOWN_METER",
            "meter_id: expected a registered meter",
        ),
        (
            replace(CHANGE, replaces=1),
            "WRONG_STATE",
            "replaces: expected the version in force, 0; look at it and configure again, got 1",
        ),
        (replace(CHANGE, reason="  "), "INVALID_ARGUMENTS", "reason: expected why"),
        (
            replace(CHANGE, off=(Check.SPIKE, Check.STUCK)),
            "INVALID_ARGUMENTS",
            "off: expected each check once, ascending, got STUCK after SPIKE",
        ),
        (
            replace(CHANGE, off=(Check.TARGET,)),
            "INVALID_ARGUMENTS",
            "off: expected checks of readings; those of sites cannot be switched off, got TARGET",
        ),
        (
            replace(CHANGE, off=(Check.SPIKE, Check.SPIKE)),
            "INVALID_ARGUMENTS",
            "got SPIKE after SPIKE",
        ),
        (
            replace(CHANGE, parameters=(("stuck.equal_max", 9),)),
            "INVALID_ARGUMENTS",
            "parameters: expected one of stuck.equal_min, stuck.history_min",
        ),
        (
            replace(CHANGE, parameters=(("wind.speed", 9),)),
            "INVALID_ARGUMENTS",
            "parameters: expected one of clock.skew_ms",
        ),
        (
            replace(CHANGE, parameters=(("stuck.equal_min", 18),)),
            "INVALID_ARGUMENTS",
            "stuck.equal_min: expected 3 to 17 amounts, got 18",
        ),
        (
            replace(CHANGE, parameters=(("stuck.equal_min", 2),)),
            "INVALID_ARGUMENTS",
            "stuck.equal_min: expected 3 to 17 amounts, got 2",
        ),
        (
            replace(CHANGE, parameters=(("stuck.equal_min", 8), ("spike.change_factor", 8))),
            "INVALID_ARGUMENTS",
            "parameters: expected each name once, ascending",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_field_expectation_and_finding(
    arguments: ConfigureChecks, code: str, words: str
) -> None:
    found = ReadingWorld().refusal_of(configure, arguments)
    assert found[0] == code
    assert words in found[1]


def test_only_an_admin_of_the_owner_configures() -> None:
    code, _ = ReadingWorld().refusal_of(configure, CHANGE, sender=OTHER_ADMIN)
    assert code == "NOT_PERMITTED"
    (method,) = METHODS
    assert method.roles == {Role.ADMIN}
