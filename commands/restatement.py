"""``tanlian factor restate`` and what follows: a second signature, and carrying totals over."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands import factor as factor_command
from commands.factor import (
    DEFAULT_ACCOUNT,
    UncertaintyOption,
    UncertaintySourceOption,
    uncertainty_of,
)
from commands.gas_option import check_complete, gases_of
from commands.input_file import hash_of_file
from commands.month_option import day_ms
from commands.output import fail, print_json, print_table, say
from commands.session import Session, reads, signs
from commands.submission import submit, submit_and_print
from commands.target import OPERATOR_ACCOUNT

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient
    from contracts.factor import FuelBasis

app = factor_command.app
"""The commands here stand beside those of factors."""
_SECOND_ACCOUNT: Final = "certifier"
"""Account of the certification body that is not its admin."""
_MONTHS_PER_CALL: Final = 64
SeriesArgument = Annotated[str, typer.Argument(help="Series, such as cn-average.")]
NumberArgument = Annotated[int, typer.Argument(min=1, help="Number of the restatement.")]


@app.command("restate")
@signs(DEFAULT_ACCOUNT)
def restate(
    session: Session,
    factor_id: SeriesArgument,
    value: Annotated[
        int | None,
        typer.Argument(min=0, help="1e-4 g CO2e per base unit; none with --gas or --fuel."),
    ] = None,
    *,
    valid_from: Annotated[str, typer.Option(help="Begin of the period, as factor list shows it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    source: Annotated[str, typer.Option(help="Publisher and document of the new value.")],
    evidence: Annotated[
        str, typer.Option(help="confirmed, secondary or unconfirmed.")
    ] = "unconfirmed",
    fuel: Annotated[
        str | None, typer.Option(help="NCV,CC,OF of a fuel in the units of its table.")
    ] = None,
    gas: Annotated[
        list[str] | None,
        typer.Option(help="SPECIES=GRAMS per base unit, such as ch4=0.000947817; repeatable."),
    ] = None,
    gwp: Annotated[
        str | None, typer.Option(help="Set that weighs the gases; by default the period's.")
    ] = None,
    uncertainty: UncertaintyOption = None,
    uncertainty_source: UncertaintySourceOption = None,
    document: Annotated[Path | None, typer.Option(help="File that the reason refers to.")] = None,
) -> None:
    """Propose what a period says from now on, all of it; a second account approves it.

    That is a value, or each gas, or a fuel and the gases beside its CO2. An uncertainty that is
    not declared again is gone.
    """
    from commands.choices import choice_of
    from contracts.factor import EvidenceGrade
    from contracts.restatements import RestateFactor

    gases = gases_of(gas or ())
    if (value is None) != bool(gas or fuel):
        fail("VALUE: expected either a value or what is emitted by --gas and --fuel, got "
             f"{'none of them' if value is None else 'both'}")  # fmt: skip
    if gwp is not None and not gases:
        fail(f"--gwp: expected gases that it weighs, by --gas, got {gwp!a} and none")
    declared = uncertainty_of(uncertainty, uncertainty_source)
    with session.connect() as client:
        period = _period_of(client, factor_id, valid_from)
        check_complete(gases, period, says_co2=fuel is not None or value is not None)
        is_co2 = value is not None and [each["gas"] for each in period["gases"]] == ["CO2"]
        arguments = RestateFactor(
            value=value or 0,
            is_co2=is_co2,
            gases=gases,
            fuel=None if fuel is None else _fuel_of(fuel, period),
            gwp_set=(gwp or period["gwp_set"]) if gases else None,
            source=source,
            evidence=choice_of(EvidenceGrade, evidence, "--evidence"),
            factor_set=period["factor_set"],
            uncertainty=declared,
            factor_id=factor_id,
            valid_from_ms=period["valid_from_ms"],
            version=period["version"],
            reason=reason,
            evidence_hash=hash_of_file(document),
        )
        submit_and_print(client, "factor.restate", arguments, as_json=session.as_json)


def _period_of(client: "SyncTanlianClient", factor_id: str, valid_from: str) -> dict[str, Any]:
    periods: list[Any] = client.factors(factor=factor_id)
    wanted = [
        each
        for each in periods
        if str(each.get("valid_from_utc", each["valid_from_ms"])).startswith(valid_from)
        or each["valid_from_ms"] == day_ms(valid_from, "--valid-from")
    ]
    if len(wanted) != 1:
        known = ", ".join(str(each.get("valid_from_utc", "1970"))[:16] for each in periods)
        fail(
            f"--valid-from: expected the begin of one period of {factor_id} "
            f"({known or 'there is none'}), got {valid_from!a}"
        )
    return dict(wanted[0])


def _fuel_of(text: str, period: dict[str, Any]) -> "FuelBasis":
    from contracts.factor import FuelBasis

    numbers = text.split(",")
    if len(numbers) != 3 or not all(each.isdecimal() for each in numbers):
        fail(f"--fuel: expected NCV,CC,OF such as 38931,1530,9900, got {text!a}")
    if period["fuel"] is None:
        fail(f"--fuel: expected a series that is computed from NCV, CC and OF, got "
             f"{period['factor_id']}")  # fmt: skip
    return FuelBasis(
        heating_value=int(numbers[0]),
        carbon=int(numbers[1]),
        oxidation=int(numbers[2]),
        base_units=period["fuel"]["base_units"],
    )


@app.command("approve")
@signs(_SECOND_ACCOUNT)
def approve(
    session: Session,
    factor_id: SeriesArgument,
    number: NumberArgument,
    reject: Annotated[
        bool, typer.Option("--reject", help="Reject it, or withdraw one's own.")
    ] = False,
) -> None:
    """Sign a restatement as the second account."""
    from contracts.restatements import DecideRestatement

    method = "factor.reject_restatement" if reject else "factor.approve_restatement"
    arguments = DecideRestatement(factor_id=factor_id, number=number)
    session.submit(method, arguments)


@app.command("apply")
@signs(DEFAULT_ACCOUNT)
def apply(session: Session, factor_id: SeriesArgument, number: NumberArgument) -> None:
    """Carry all totals over to an approved restatement, in as many transactions as it takes."""
    from contracts.restatements import ApplyRestatement

    arguments = ApplyRestatement(factor_id=factor_id, number=number, month_count=_MONTHS_PER_CALL)
    entry: Any
    with session.connect() as client:
        call_count = 0
        while True:
            submit(client, "restatement.apply", arguments)
            call_count += 1
            (entry,) = [
                each
                for each in client.entries(
                    "/v1/restatements", "restatements", {"factor": factor_id}
                )
                if each["number"] == number
            ]
            if entry["state"] == "APPLIED":
                break
    if session.as_json:
        print_json({"transactions": call_count, "restatement": entry})
    else:
        say(
            f"Applied: {entry['changed_month_count']} months of meters and sites changed, "
            f"in {call_count} transactions."
        )


@app.command("restatements")
@reads
def list_restatements(
    session: Session,
    factor: Annotated[str | None, typer.Option(help="Of this series only.")] = None,
) -> None:
    """List restatements with their state."""
    with session.connect() as client:
        filters = {"factor": factor}
        found: list[Any] = client.entries("/v1/restatements", "restatements", filters)
    if session.as_json:
        print_json({"restatements": found})
        return
    if not found:
        say("No restatements.")
        return
    print_table(
        ("!series", ">number", "!state", ">months changed", "!evidence", "reason"),
        [
            (
                each["factor_id"],
                each["number"],
                each["state"],
                each["changed_month_count"],
                each["content"]["evidence"],
                each["reason"],
            )
            for each in found
        ],
    )


@app.command("recount")
@signs(OPERATOR_ACCOUNT)
def recount(
    session: Session,
    meter: Annotated[str, typer.Argument(help="The meter.")],
    first: Annotated[str, typer.Option("--from", help="First day, UTC.")] = "1970-01-01",
) -> None:
    """Count readings of a meter that came before their factor was set."""
    from commands.submission import committed_transaction
    from contracts.recounts import PAGES_MAX, RecountReadings

    next_ms: int | None = day_ms(first, "--from")
    counted = left = 0
    with session.connect() as client:
        while next_ms is not None:
            arguments = RecountReadings(meter_id=meter, from_ms=next_ms, page_count=PAGES_MAX)
            outcome = submit(client, "reading.recount", arguments)
            receipt = committed_transaction(client, outcome.transaction_id)["receipt"]
            counted += receipt["result"]["counted"]
            left += receipt["result"]["left"]
            next_ms = receipt["result"]["next_ms"]
    if session.as_json:
        print_json({"meter": meter, "counted": counted, "left": left})
    else:
        say(f"{counted} intervals have a factor now, {left} still have none.")
