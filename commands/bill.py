"""``tanlian bill``: bills of the utility, and how months compared with them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from commands.month_option import month_of
from commands.output import print_json, print_table, say
from commands.session import Session, reads, signs

app = typer.Typer(no_args_is_help=True, help="Utility bills: file, list, and how months compare.")
_DEFAULT_ACCOUNT = "certifier"


@app.command("submit")
@signs(_DEFAULT_ACCOUNT)
def submit(
    session: Session,
    meter: Annotated[str, typer.Argument(help="Meter that is billed.")],
    month: Annotated[str, typer.Argument(help="Local month, such as 2018-01; it must be over.")],
    amount: Annotated[int, typer.Argument(min=0, help="Billed, in base units such as Wh.")],
    document: Annotated[
        Path | None, typer.Option(help="File of the bill; its SHA-256 is recorded.")
    ] = None,
    note: Annotated[str, typer.Option(help="Number of the bill, or why it replaces one.")] = "",
) -> None:
    """File a bill; needs a certifier, or an account of the utility that the owner has named."""
    from commands.input_file import hash_of_file
    from contracts.bills import SubmitBill

    arguments = SubmitBill(
        meter_id=meter,
        month=month_of(month, "MONTH"),
        amount=amount,
        document=hash_of_file(document),
        note=note,
    )
    session.submit("bill.submit", arguments)


@app.command("list")
@reads
def list_bills(
    session: Session,
    meter: Annotated[str, typer.Argument(help="Meter id.")],
) -> None:
    """List the bills of a meter, and how its months compared with bill, second meter and peers."""
    from contracts.month import month_name

    with session.connect() as client:
        bills: list[dict[str, Any]] = client.entries(f"/v1/meters/{meter}/bills", "bills")
        compared: list[dict[str, Any]] = client.entries(
            f"/v1/meters/{meter}/comparisons", "comparisons"
        )
    if session.as_json:
        print_json({"bills": bills, "comparisons": compared})
        return
    if not bills and not compared:
        say("No bills, and nothing was compared.")
        return
    print_table(
        ("!month", ">number", ">billed", "!by", "note"),
        [
            (
                month_name(each["month"]),
                each["number"],
                each["amount"],
                each["organisation"],
                each["note"],
            )
            for each in bills
        ],
    )
    print_table(
        ("!month", "!against", ">observed", ">expected", ">limit", "!result", "source"),
        [
            (
                month_name(each["month"]),
                each["compared_with"],
                each["observed"],
                each["expected"],
                each["limit"],
                "passed" if each["has_passed"] else "FAILED",
                each["source"],
            )
            for each in compared
        ],
    )
