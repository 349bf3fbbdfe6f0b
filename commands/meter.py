"""``tanlian meter``: registers and shows meters."""

from typing import Annotated, Any

import typer

from commands.output import fail, print_fields, print_json, print_table, say, time_text
from commands.session import Session, reads, signs
from commands.target import public_key_of

app = typer.Typer(no_args_is_help=True, help="Meters: register, list, show.")
_DEFAULT_ACCOUNT = "member-1-admin"


@app.command("list")
@reads
def list_meters(
    session: Session,
    site: Annotated[str | None, typer.Option(help="At this site only.")] = None,
    organisation: Annotated[str | None, typer.Option(help="Of this organisation only.")] = None,
) -> None:
    """List meters by id."""
    with session.connect() as client:
        meters: list[dict[str, Any]] = client.meters(organisation=organisation, site=site)
    if session.as_json:
        print_json({"meters": meters})
        return
    if not meters:
        say("No meters.")
        return
    print_table(
        ("!meter", "site", "measures", ">every", "mode", "factor"),
        [
            (
                each["meter_id"],
                each["site"],
                f"{each['quantity'].lower()}, {each['unit'].lower()} x 10^{each['scale']}",
                _span(each["interval_ms"]),
                each["mode"],
                each["factor"],
            )
            for each in meters
        ],
    )


@app.command("show")
@reads
def show(
    session: Session,
    meter_id: Annotated[str, typer.Argument(help="Meter id.")],
) -> None:
    """Show everything that is registered of a meter."""
    with session.connect() as client:
        found: dict[str, Any] = client.meter(meter_id)
    if session.as_json:
        print_json(found)
        return
    fields: list[tuple[str, object]] = []
    for name, value in found.items():
        if name.endswith("_utc"):
            continue
        shown = time_text(value) if f"{name.removesuffix('_ms')}_utc" in found else value
        fields.append((name, shown))
    print_fields(fields)


@app.command("quality")
@reads
def quality(
    session: Session,
    meter_id: Annotated[str, typer.Argument(help="Meter id.")],
    month: Annotated[
        str | None, typer.Option(help="This local month in full, such as 2018-01.")
    ] = None,
) -> None:
    """Show how complete a meter's readings are, and how many checks they passed, by month."""
    with session.connect() as client:
        query = {} if month is None else {"month": month}
        found: dict[str, Any] = client.read(f"/v1/meters/{meter_id}/quality", query)
    if session.as_json:
        print_json(found)
        return
    if not found["months"]:
        say("No readings.")
        return
    print_table(
        ("!month", ">present", ">expected", ">available", ">score", ">flagged", ">aside", "off"),
        [
            (
                each["month"],
                each["present"],
                each["expected"],
                _permille_text(each["availability_permille"]),
                _permille_text(each["score_permille"]),
                each["flagged"],
                each["aside"],
                ", ".join(each["off"]) or "none",
            )
            for each in found["months"]
        ],
    )
    if month is not None:
        _print_month(found["months"][0])


def _print_month(found: dict[str, Any]) -> None:
    counts = ", ".join(f"{n} {name.lower()}" for name, n in found["qualities"].items() if n)
    monitor = found["monitor_availability"]
    hours = f"{monitor['assured']} of {monitor['hours']} hours"
    print_fields(
        [
            ("values", counts or "none"),
            ("monitor", f"{_permille_text(monitor['permille'])} available, {hours} before its end"),
        ]
    )
    print_table(
        (">#", "!check", ">applied", ">failed"),
        [
            (each["number"], each["name"], each["applied"], each["failed"])
            for each in found["checks"]
        ],
    )


def _permille_text(permille: int | None) -> str:
    return "none" if permille is None else f"{permille // 10}.{permille % 10} %"


@app.command("register")
@signs(_DEFAULT_ACCOUNT)
def register(
    session: Session,
    meter_id: Annotated[str, typer.Argument(help="Id that no organisation uses, a-z 0-9 . _ -.")],
    site: Annotated[str, typer.Option(help="Site of the signing account's organisation.")],
    calendar: Annotated[str, typer.Option(help="Calendar of the site: ID or ID:VERSION.")],
    responsible: Annotated[
        str | None,
        typer.Option(help="Account that answers alerts: name or key file; by default the signer."),
    ] = None,
    name: Annotated[str, typer.Option(help="For people; by default the id.")] = "",
    serial: Annotated[str, typer.Option(help="Serial number.")] = "unknown",
    make: Annotated[str, typer.Option(help="Maker and type.")] = "unknown",
    accuracy_class_permille: Annotated[int, typer.Option(min=1, max=1_000)] = 10,
    quantity: Annotated[str, typer.Option(help="electricity, gas, heat, ...")] = "electricity",
    unit: Annotated[str, typer.Option(help="Unit of submitted values.")] = "kilowatt_hour",
    scale: Annotated[
        int, typer.Option(min=-6, max=6, help="-3: values are sent to three decimals.")
    ] = -3,
    kind: Annotated[str, typer.Option(help="register (a counter) or interval.")] = "interval",
    direction: Annotated[str, typer.Option(help="import or export.")] = "import",
    stamp: Annotated[str, typer.Option(help="Stamps name the start or the end.")] = "start",
    interval_s: Annotated[int, typer.Option(min=1, max=86_400)] = 900,
    register_modulus: Annotated[int | None, typer.Option(help="In submitted units.")] = None,
    nameplate_w: Annotated[int | None, typer.Option(help="Capacity in watts.")] = None,
    factor: Annotated[str | None, typer.Option(help="Emission factor series.")] = None,
    parent: Annotated[str | None, typer.Option(help="Meter that this is a sub-meter of.")] = None,
) -> None:
    """Register a meter in mode BACKFILL; needs an admin of the site's organisation."""
    from commands.choices import choice_of
    from contracts.meter import Direction, Quantity, StampConvention, Unit, ValueKind
    from contracts.meters import RegisterMeter

    calendar_id, _, version = calendar.partition(":")
    arguments = RegisterMeter(
        meter_id=meter_id,
        site=site,
        name=name or meter_id,
        serial=serial,
        make=make,
        accuracy_class_permille=accuracy_class_permille,
        quantity=choice_of(Quantity, quantity, "--quantity"),
        unit=choice_of(Unit, unit, "--unit"),
        scale=scale,
        kind=choice_of(ValueKind, kind, "--kind"),
        direction=choice_of(Direction, direction, "--direction"),
        transformer_ratio=(1, 1),
        multiplier=(1, 1),
        register_modulus=register_modulus,
        nameplate_w=nameplate_w,
        interval_ms=interval_s * 1_000,
        stamp=choice_of(StampConvention, stamp, "--stamp"),
        calendar=(calendar_id, _version_of(version)),
        parent=parent,
        factor=factor,
        co2_check=None,
        responsible=public_key_of(
            session.network, responsible or session.account or _DEFAULT_ACCOUNT, "--responsible"
        ),
        calibration_certificate=bytes(32),
        calibration_valid_until_ms=0,
        installed_from_ms=0,
        installed_to_ms=None,
    )
    session.submit("meter.register", arguments)


def _version_of(text: str) -> int:
    if text == "":
        return 1
    if not text.isascii() or not text.isdigit():
        fail(f"--calendar: expected ID or ID:VERSION such as utc:1, got version {text!a}")
    return int(text)


def _span(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1_000, 60)
    return f"{minutes} min" if seconds == 0 else f"{milliseconds // 1_000} s"
