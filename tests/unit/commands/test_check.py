"""``tanlian check``: what a person sees and changes of the checks of a meter."""

from typing import Any

import pytest

from tests.command_node import CommandNode

CONFIGURE = ("check", "configure", "main")
REASON = ("--reason", "the process stands still at night")


def named(document: dict[str, Any], name: str) -> dict[str, Any]:
    (check,) = (each for each in document["checks"] if each["name"] == name)
    return dict(check)


def test_without_a_meter_the_published_values_are_listed(node: CommandNode) -> None:
    found = node.json("check", "list")

    assert len(found["checks"]) == 21
    stuck = named(found, "STUCK")
    assert stuck["is_on"]
    assert {each["name"]: each["value"] for each in stuck["parameters"]}["stuck.equal_min"] == 7
    table = node.run("check", "list")
    assert "STUCK" in table
    assert "stuck.equal_min" in table


def test_a_change_leaves_the_rest_as_it_is_and_says_why(plant: CommandNode) -> None:
    plant.run(*CONFIGURE, *REASON, "--off", "zero-drop", "--set", "stuck.equal_min=9")
    plant.run(*CONFIGURE, *REASON, "--off", "spike", "--set", "weather.sigma_tenths=50")
    plant.run(*CONFIGURE, *REASON, "--on", "zero_drop", "--reset", "stuck.equal_min")

    found = plant.json("check", "list", "--meter", "main")
    off = {each["name"] for each in found["checks"] if not each["is_on"]}
    changed = {
        parameter["name"]: parameter["value"]
        for each in found["checks"]
        for parameter in each["parameters"]
        if parameter["value"] != parameter["default"]
    }
    assert (found["version"], off, changed) == (3, {"SPIKE"}, {"weather.sigma_tenths": 50})
    table = plant.run("check", "list", "--meter", "main")
    assert "OFF" in table
    assert f"Version 3, {found['configured']['changed_utc'][:10]}" in table
    assert REASON[1] in table


def test_who_changed_what_is_listed_by_version(plant: CommandNode) -> None:
    assert "all are on with their defaults" in plant.run("check", "history", "main")
    plant.run(*CONFIGURE, *REASON, "--off", "spike", "--set", "stuck.equal_min=9")

    (version,) = plant.json("check", "history", "main")["versions"]
    assert (version["version"], version["parameters"]) == (1, [["stuck.equal_min", 9]])
    table = plant.run("check", "history", "main")
    assert "SPIKE" in table
    assert "stuck.equal_min=9" in table


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "expected one of --off, --on, --set and --reset, got none: nothing would change"),
        (("--off", "spikes"), "--off: expected one of signature_sequence, clock"),
        (("--off", "target"), "off: expected checks of readings; those of sites cannot be"),
        (("--on", "nothing"), "--on: expected one of"),
        (("--set", "stuck.equal_min"), "--set: expected NAME=VALUE with a whole number, got"),
        (("--set", "stuck.equal_min=seven"), "got 'stuck.equal_min=seven'"),
        (("--set", "stuck.equal_min=7.5"), "got 'stuck.equal_min=7.5'"),
        (("--set", "=7"), "got '=7'"),
        (("--set", "stuck.equal_max=7"), "INVALID_ARGUMENTS"),
        (("--set", "stuck.equal_min=0"), "INVALID_ARGUMENTS"),
        (("--reset", "stuck.equal_min"), "--reset: expected a parameter that is set, got 'stuck"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    plant: CommandNode, options: tuple[str, ...], words: str
) -> None:
    assert words in plant.fails(*CONFIGURE, *REASON, *options)
    assert plant.json("check", "list", "--meter", "main")["version"] == 0


def test_an_unknown_meter_is_named(plant: CommandNode) -> None:
    for command in (
        ("list", "--meter", "other"),
        ("configure", "other", *REASON, "--off", "spike"),
        ("sources", "other"),
    ):
        assert "UNKNOWN_METER" in plant.fails("check", *command)


def test_sources_are_named_and_taken_away(plant: CommandNode) -> None:
    plant.run("check", "sources", "main", "--utility", "body")
    assert plant.read("/v1/meters/main/checks")["sources"]["utility"] == "body"
    plant.run("check", "sources", "main")
    assert plant.read("/v1/meters/main/checks")["sources"]["utility"] is None
    assert "second_meter" in plant.fails("check", "sources", "main", "--second-meter", "main")
