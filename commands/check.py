"""``tanlian check``: what readings are held against, and how strictly."""

import re
from typing import Annotated, Any

import typer

from commands.output import fail, print_json, print_table, say, time_text
from commands.session import Session, reads, signs
from commands.submission import submit_and_print

app = typer.Typer(
    no_args_is_help=True, help="Checks: which are on, and how strictly; what months compare with."
)
_DEFAULT_ACCOUNT = "member-1-admin"


@app.command("list")
@reads
def list_checks(
    session: Session,
    meter: Annotated[str | None, typer.Option(help="As they are for this meter.")] = None,
) -> None:
    """List all checks with their parameters: defaults, or those of a meter."""
    with session.connect() as client:
        path = "/v1/checks" if meter is None else f"/v1/meters/{meter}/checks"
        found: dict[str, Any] = client.read(path)
    if session.as_json:
        print_json(found)
        return
    rows: list[tuple[object, ...]] = []
    for each in found["checks"]:
        state = "on" if each["is_on"] else "OFF"
        head = (each["number"], each["name"], state if each["runs"] else "not here yet")
        rows += [
            (*(head if place == 0 else ("", "", "")), *_parameter_cells(parameter))
            for place, parameter in enumerate(each["parameters"])
        ] or [(*head, "", "", "", "")]
    print_table((">#", "!check", "!state", "!parameter", ">value", "!range", "meaning"), rows)
    configured = found.get("configured")
    if configured is not None:
        when = time_text(configured["changed_ms"])
        say(f"Version {found['version']}, {when}: {configured['reason']}")


def _parameter_cells(parameter: dict[str, Any]) -> tuple[str, str, str, str]:
    is_default = parameter["value"] == parameter["default"]
    value = f"{parameter['value']}" if is_default else f"{parameter['value']} *"
    bounds = f"{parameter['minimum']} to {parameter['maximum']}"
    if not is_default:
        bounds += f", default {parameter['default']}"
    return parameter["name"], value, bounds, f"{parameter['unit']} {parameter['meaning']}"


@app.command("history")
@reads
def history(
    session: Session,
    meter: Annotated[str, typer.Argument(help="Meter id.")],
) -> None:
    """List who configured a meter's checks, when and why."""
    with session.connect() as client:
        versions: list[dict[str, Any]] = client.entries(
            f"/v1/meters/{meter}/checks/versions", "versions"
        )
    if session.as_json:
        print_json({"versions": versions})
        return
    if not versions:
        say("Nobody has configured the checks of this meter: all are on with their defaults.")
        return
    print_table(
        (">version", "!when", "!off", "!set", "reason"),
        [
            (
                each["version"],
                time_text(each["changed_ms"]),
                ", ".join(_off_names(each["enabled"])) or "none",
                ", ".join(f"{name}={value}" for name, value in each["parameters"]) or "none",
                each["reason"],
            )
            for each in versions
        ],
    )


def _off_names(enabled: int) -> list[str]:
    from contracts.check import checks_in
    from contracts.check_settings import ALL_CHECKS

    return [check.name for check in checks_in(ALL_CHECKS & ~enabled)]


@app.command("configure")
@signs(_DEFAULT_ACCOUNT)
def configure(
    session: Session,
    meter: Annotated[str, typer.Argument(help="Meter of the signing admin's organisation.")],
    reason: Annotated[str, typer.Option(help="Why; members see it.")],
    off: Annotated[
        list[str] | None, typer.Option(help="Switch a check off, such as spike.")
    ] = None,
    on: Annotated[list[str] | None, typer.Option(help="Switch a check on again.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, such as stuck.equal_min=9.")
    ] = None,
    reset: Annotated[
        list[str] | None, typer.Option(help="Give a parameter its default again.")
    ] = None,
) -> None:
    """Change checks of a meter for readings that come later; the rest stays as it is."""
    from commands.choices import choice_of
    from contracts.check import Check
    from contracts.checks import ConfigureChecks

    if not (off or on or set_ or reset):
        fail("expected one of --off, --on, --set and --reset, got none: nothing would change")
    switched_off = [choice_of(Check, each, "--off") for each in off or ()]
    switched_on = [choice_of(Check, each, "--on") for each in on or ()]
    assigned = dict(_assignment(each) for each in set_ or ())
    with session.connect() as client:
        found: dict[str, Any] = client.read(f"/v1/meters/{meter}/checks")
        is_off = {Check[each["name"]] for each in found["checks"] if not each["is_on"]}
        configured = found["configured"] or {"parameters": []}
        parameters = dict(configured["parameters"]) | assigned
        for name in reset or ():
            if parameters.pop(name, None) is None:
                fail(f"--reset: expected a parameter that is set, got {name!a}")
        arguments = ConfigureChecks(
            meter_id=meter,
            replaces=found["version"],
            off=tuple(sorted((is_off | set(switched_off)) - set(switched_on))),
            parameters=tuple(sorted(parameters.items())),
            reason=reason,
        )
        submit_and_print(client, "check.configure", arguments, as_json=session.as_json)


@app.command("sources")
@signs(_DEFAULT_ACCOUNT)
def sources(
    session: Session,
    meter: Annotated[str, typer.Argument(help="Meter of the signing admin's organisation.")],
    utility: Annotated[
        str | None, typer.Option(help="Other organisation that may file its bills.")
    ] = None,
    second_meter: Annotated[
        str | None, typer.Option(help="Other meter of the same supply.")
    ] = None,
) -> None:
    """Name what a meter's months are held against; what is not named is taken away."""
    from contracts.check_source import NameSources

    arguments = NameSources(meter_id=meter, utility=utility, second_meter=second_meter)
    session.submit("check.name_sources", arguments)


def _assignment(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or re.fullmatch(r"-?\d{1,18}", number, re.ASCII) is None:
        fail(f"--set: expected NAME=VALUE with a whole number, got {text!a}")
    return name, int(number)
