"""``tanlian reading``: submits readings, shows them, and follows one to its block."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import correction
from commands.output import fail, print_fields, print_json, print_table, say, time_text
from commands.session import Session, reads, signs
from commands.target import OPERATOR_ACCOUNT, connect

if TYPE_CHECKING:
    from contracts.interval import Interval
    from contracts.meter import Meter

app = typer.Typer(no_args_is_help=True, help="Readings: submit, get, list, trace, correct.")
MeterArgument = Annotated[str, typer.Argument(help="Meter id.")]
ZoneOption = Annotated[str, typer.Option(help="IANA zone of stamps without offset.")]


@app.command("submit")
@signs(OPERATOR_ACCOUNT)
def submit(
    session: Session,
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
) -> None:
    """Sign readings of a meter, submit them, wait for the block and print the receipt."""
    from commands.input_file import READINGS, check_file
    from commands.reading_input import read_value
    from commands.reading_receipts import submit_readings
    from commands.registry import meter_of

    is_table = Path(source).suffix in {".csv", ".gz"}
    if is_table:
        check_file(Path(source), READINGS)
    with session.connect() as client:
        meter = meter_of(client, meter_id)
        if is_table:
            from client.importers.table import read_table

            readings = read_table(Path(source), meter, zone)
        else:
            readings = (read_value(client, meter, source, at, zone),)
        submit_readings(client, meter, readings, as_json=session.as_json)


@app.command("list")
@reads
def list_readings(
    session: Session,
    meter_id: MeterArgument,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
) -> None:
    """List the intervals of a meter that have a value, the newest last."""
    from commands.registry import intervals_backwards, meter_of

    with session.connect() as client:
        meter = meter_of(client, meter_id)
        found = list(islice(intervals_backwards(client, meter), limit))
    found.reverse()
    if session.as_json:
        print_json({"meter": meter_id, "readings": [_document(meter, each) for each in found]})
        return
    if not found:
        say("No readings.")
        return
    base = _base_unit(meter)
    print_table(
        ("!interval from", ">submitted", f">{base}", ">counts", "quality", "failed checks"),
        [
            (
                time_text(each.start_ms),
                None if each.raw is None else each.raw.submitted,
                None if each.raw is None else each.raw.amount,
                each.effective_amount,
                each.effective_quality.name.lower(),
                ", ".join(_failed(each)) or None,
            )
            for each in found
        ],
    )


@app.command("get")
@reads
def get(
    session: Session,
    meter_id: MeterArgument,
    at: Annotated[str, typer.Argument(help="A moment of the interval, ISO 8601.")],
    zone: ZoneOption = "UTC",
) -> None:
    """Show one interval: value, checks that applied and failed, and channels."""
    from commands.correction import correction_document, correction_field
    from commands.reading_input import stamp_of
    from commands.registry import corrections_of, interval_at, meter_of

    with session.connect() as client:
        meter = meter_of(client, meter_id)
        found = interval_at(client, meter, stamp_of(at, zone))
        if found is None:
            fail(f"{meter_id}: expected a reading of the interval at {at}, got none")
        history = list(corrections_of(client, meter, found))
    document = _document(meter, found)
    document["corrections"] = [correction_document(each, found.start_ms) for each in history]
    if session.as_json:
        print_json(document)
        return
    raw, base = found.raw, _base_unit(meter)
    unit = f"x 10^{meter.scale} {meter.unit.name.lower()}"
    print_fields(
        [
            ("interval from", time_text(found.start_ms)),
            ("submitted", "none" if raw is None else f"{raw.submitted} {unit}"),
            ("amount", "none" if raw is None else f"{raw.amount} {base}"),
            ("counts", f"{found.effective_amount} {base}"),
            ("quality", found.effective_quality.name.lower()),
            ("checks applied", ", ".join(document["applied"]) or "none"),
            ("checks failed", ", ".join(document["failed"]) or "none"),
            *((name.lower(), value) for name, value in document["channels"].items()),
            *(correction_field(each, found.start_ms, base) for each in history),
        ]
    )


@app.command("trace")
@reads
def trace(
    session: Session,
    transaction_id: Annotated[
        str, typer.Argument(help="Transaction id, as `tanlian reading submit` prints it.")
    ],
) -> None:
    """Follow readings to their block and check the proof here, trusting the genesis only."""
    from commands.tracing import trace_transaction

    with connect(session.network, session.node) as connection:
        document = trace_transaction(connection.client, connection.network, transaction_id)
    if session.as_json:
        print_json(document)
    else:
        print_fields(list(document.items()))


app.command("correct")(correction.correct)
app.command("substitute")(correction.substitute)
app.command("approve")(correction.approve)
app.command("reject")(correction.reject)
app.command("corrections")(correction.list_corrections)


def _document(meter: "Meter", interval: "Interval") -> dict[str, Any]:
    from contracts.reading import Channel

    raw, in_force = interval.raw, interval.in_force
    channels = {} if raw is None else raw.channels
    return {
        "interval_from_ms": interval.start_ms,
        "interval_from": time_text(interval.start_ms),
        "submitted": None if raw is None else raw.submitted,
        "amount": None if raw is None else raw.amount,
        "base_unit": _base_unit(meter),
        "quality": None if raw is None else raw.quality.name,
        "effective_amount": interval.effective_amount,
        "effective_quality": interval.effective_quality.name,
        "correction": None if in_force is None else in_force.number,
        "applied": [] if raw is None else list(_names(raw.applied)),
        "failed": list(_failed(interval)),
        "channels": {Channel(number).name: value for number, value in channels.items()},
    }


def _failed(interval: "Interval") -> Iterator[str]:
    from contracts.reading import AFTER_CLOSE

    if interval.raw is not None:
        yield from _names(interval.raw.failed)
    if not interval.has_factor:
        yield "no valid factor"
    if interval.raw is not None and interval.raw.failed & AFTER_CLOSE:
        yield "after the close"


def _names(mask: int) -> Iterator[str]:
    from contracts.check import LABELS, checks_in

    return (LABELS[check] for check in checks_in(mask))


def _base_unit(meter: "Meter") -> str:
    from contracts.meter import base_unit_of

    return base_unit_of(meter.unit).name.lower()
