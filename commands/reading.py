"""``tanlian reading``: submits readings, shows them, and follows one to its block."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.output import JsonOption, fail, print_fields, print_json, print_table, say, time_text
from commands.target import (
    OPERATOR_ACCOUNT,
    AccountOption,
    NetworkOption,
    NodeOption,
    PassphraseOption,
    connect,
)

if TYPE_CHECKING:
    from contracts.meter import Meter
    from contracts.reading_page import SlotView

app = typer.Typer(no_args_is_help=True, help="Readings: submit, get, list, trace.")
MeterArgument = Annotated[str, typer.Argument(help="Meter id.")]
ZoneOption = Annotated[str, typer.Option(help="IANA zone of stamps without offset.")]


@app.command("submit")
def submit(
    meter_id: MeterArgument,
    source: Annotated[
        str,
        typer.Argument(
            metavar="VALUE|FILE.csv",
            help="One value as the meter shows it, such as 1350; or a CSV file with the columns "
            "stamp and value.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            help="Stamp of a single value, ISO 8601; by default the next interval of a meter in "
            "BACKFILL, and the last one that has ended of a LIVE one.",
            show_default=False,
        ),
    ] = None,
    zone: ZoneOption = "UTC",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign readings of a meter, submit them, wait for the block and print the receipt."""
    from commands.reading_input import read_value
    from commands.reading_receipts import submit_readings
    from commands.registry import meter_of

    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        meter = meter_of(connection.client, meter_id)
        if Path(source).suffix in {".csv", ".gz"}:
            from client.importers.table import read_table

            readings = read_table(Path(source), meter, zone)
        else:
            readings = (read_value(connection.client, meter, source, at, zone),)
        submit_readings(connection.client, meter, readings, as_json=as_json)


@app.command("list")
def list_readings(
    meter_id: MeterArgument,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the intervals of a meter that have a value, the newest last."""
    from commands.registry import meter_of, slots_backwards

    with connect(network, node) as connection:
        meter = meter_of(connection.client, meter_id)
        found = list(islice(slots_backwards(connection.client, meter), limit))
    found.reverse()
    if as_json:
        print_json({"meter": meter_id, "readings": [_document(meter, slot) for slot in found]})
        return
    if not found:
        say("No readings.")
        return
    base = _base_unit(meter)
    print_table(
        ("!interval from", ">submitted", f">{base}", "quality", "failed checks"),
        [
            (
                time_text(slot.start_ms),
                slot.submitted,
                slot.amount,
                slot.quality.name.lower(),
                ", ".join(_failed(slot)) or None,
            )
            for slot in found
        ],
    )


@app.command("get")
def get(
    meter_id: MeterArgument,
    at: Annotated[str, typer.Argument(help="A moment of the interval, ISO 8601.")],
    zone: ZoneOption = "UTC",
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one interval: value, checks that applied and failed, and channels."""
    from commands.reading_input import stamp_of
    from commands.registry import meter_of, slot_at

    with connect(network, node) as connection:
        meter = meter_of(connection.client, meter_id)
        slot = slot_at(connection.client, meter, stamp_of(at, zone))
    if slot is None:
        fail(f"{meter_id}: expected a reading of the interval at {at}, got none")
    document = _document(meter, slot)
    if as_json:
        print_json(document)
        return
    print_fields(
        [
            ("interval from", time_text(slot.start_ms)),
            ("submitted", f"{slot.submitted} x 10^{meter.scale} {meter.unit.name.lower()}"),
            ("amount", f"{slot.amount} {_base_unit(meter)}"),
            ("quality", slot.quality.name.lower()),
            ("checks applied", ", ".join(document["applied"]) or "none"),
            ("checks failed", ", ".join(document["failed"]) or "none"),
            *((name.lower(), value) for name, value in document["channels"].items()),
        ]
    )


@app.command("trace")
def trace(
    transaction_id: Annotated[
        str, typer.Argument(help="Transaction id, as `tanlian reading submit` prints it.")
    ],
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow readings to their block and check the proof here, trusting the genesis only."""
    from commands.tracing import trace_transaction

    with connect(network, node) as connection:
        document = trace_transaction(connection.client, connection.network, transaction_id)
    if as_json:
        print_json(document)
    else:
        print_fields(list(document.items()))


def _document(meter: "Meter", slot: "SlotView") -> dict[str, Any]:
    from contracts.reading import Channel

    return {
        "interval_from_ms": slot.start_ms,
        "interval_from": time_text(slot.start_ms),
        "submitted": slot.submitted,
        "amount": slot.amount,
        "base_unit": _base_unit(meter),
        "quality": slot.quality.name,
        "applied": list(_names(slot.applied)),
        "failed": list(_failed(slot)),
        "channels": {Channel(number).name: value for number, value in slot.channels.items()},
    }


def _failed(slot: "SlotView") -> Iterator[str]:
    from contracts.reading import AFTER_CLOSE, NO_FACTOR

    yield from _names(slot.failed)
    if slot.failed & NO_FACTOR:
        yield "no valid factor"
    if slot.failed & AFTER_CLOSE:
        yield "after the close"


def _names(mask: int) -> Iterator[str]:
    from contracts.check import LABELS, checks_in

    return (LABELS[check] for check in checks_in(mask))


def _base_unit(meter: "Meter") -> str:
    from contracts.meter import base_unit_of

    return base_unit_of(meter.unit).name.lower()
