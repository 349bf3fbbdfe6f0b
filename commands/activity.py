"""``tanlian activity``: fuel, refrigerants, removals and the value chain, by document."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from commands.input_file import hash_of_file
from commands.month_option import month_of, month_text
from commands.output import fail, print_json, print_table, say
from commands.session import Session, reads, signs
from commands.target import OPERATOR_ACCOUNT

app = typer.Typer(no_args_is_help=True, help="Emissions that no meter counts.")
SiteArgument = Annotated[str, typer.Argument(help="The site.")]
ActivityArgument = Annotated[str, typer.Argument(help="Id at the site, such as an invoice's.")]
_ISO_OF_S3: Final = (4, 4, 4, 3, 4, 3, 3, 4, 3, 5, 5, 5, 5, 5, 5)
"""ISO 14064-1 category of the scope 3 categories 1 to 15, unless told otherwise; a usual mapping,
not confirmed against the standard."""


@app.command("submit")
@signs(OPERATOR_ACCOUNT)
def submit(
    session: Session,
    site: SiteArgument,
    activity_id: ActivityArgument,
    amount: Annotated[str, typer.Argument(help="Amount, such as 1250.5.")],
    unit: Annotated[str, typer.Argument(help="Unit, such as cubic_metre, tonne or gigajoule.")],
    factor: Annotated[str, typer.Option(help="Factor series.")],
    first: Annotated[str, typer.Option("--from", help="First month, such as 2023-10.")],
    source: Annotated[str, typer.Option(help="Document that it is taken from.")],
    last: Annotated[str | None, typer.Option("--to", help="Last month; by default the first.")] = (
        None
    ),
    scope: Annotated[int, typer.Option(min=1, max=3)] = 1,
    s3_category: Annotated[int, typer.Option(min=0, max=15, help="1 to 15 in scope 3.")] = 0,
    iso_category: Annotated[
        int | None, typer.Option(min=1, max=6, help="Of ISO 14064-1; by default from the scope.")
    ] = None,
    removal: Annotated[bool, typer.Option("--removal", help="Taken out of the air.")] = False,
    quality: Annotated[str, typer.Option(help="measured, calculated or estimated.")] = "measured",
    uncertainty: Annotated[int, typer.Option(min=0, help="Permille of the amount.")] = 0,
    name: Annotated[str, typer.Option(help="For people; by default the id.")] = "",
    document: Annotated[Path | None, typer.Option(help="The document's file.")] = None,
) -> None:
    """Count an activity in the totals of its months."""
    from commands.choices import choice_of
    from contracts.activities import SubmitActivity
    from contracts.emissions import IsoCategory, Scope
    from contracts.meter import Unit
    from contracts.reading import Quality
    from contracts.site_month import Booking

    if (scope == 3) != (s3_category > 0):
        fail(f"--s3-category: expected {'1 to 15' if scope == 3 else 'none'} in scope {scope}, "
             f"got {s3_category}")  # fmt: skip
    category = iso_category or (_ISO_OF_S3[s3_category - 1] if scope == 3 else scope)
    number, scale = scaled_amount(amount)
    arguments = SubmitActivity(
        site=site,
        activity_id=activity_id,
        name=name or activity_id,
        booking=Booking(
            scope=Scope(scope),
            category=IsoCategory(category),
            s3_category=s3_category,
            is_removal=removal,
        ),
        amount=number,
        unit=choice_of(Unit, unit, "UNIT"),
        scale=scale,
        factor=factor,
        from_month=month_of(first, "--from"),
        to_month=month_of(last or first, "--to"),
        quality=choice_of(Quality, quality, "--quality"),
        uncertainty_permille=uncertainty,
        source=source,
        evidence_hash=hash_of_file(document),
    )
    session.submit("activity.submit", arguments)


def scaled_amount(text: str) -> tuple[int, int]:
    """Returns a decimal number as an integer and a power of ten.

    Raises:
        CommandFailed: it is no number above zero of at most six decimals.
    """
    found = re.fullmatch(r"(\d{1,15})(?:\.(\d{1,6}))?", text, re.ASCII)
    decimals = "" if found is None else (found[2] or "").rstrip("0")
    number = 0 if found is None else int(found[1] + decimals)
    if not number:
        fail(f"AMOUNT: expected a number above 0 of at most six decimals, got {text!a}")
    return number, -len(decimals)


@app.command("withdraw")
@signs(OPERATOR_ACCOUNT)
def withdraw(
    session: Session,
    site: SiteArgument,
    activity_id: ActivityArgument,
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Take an activity out of the totals; the record stays."""
    from contracts.activities import WithdrawActivity

    arguments = WithdrawActivity(site=site, activity_id=activity_id, reason=reason)
    session.submit("activity.withdraw", arguments)


@app.command("list")
@reads
def list_activities(session: Session, site: SiteArgument) -> None:
    """List the activities of a site, withdrawn ones too."""
    with session.connect() as client:
        found: list[Any] = client.entries(f"/v1/sites/{site}/activities", "activities")
    if session.as_json:
        print_json({"activities": found})
        return
    if not found:
        say("No activities.")
        return
    print_table(
        ("!activity", ">scope", ">amount", "unit", "months", "factor", "quality", "state"),
        [
            (
                each["activity_id"],
                each["booking"]["scope"],
                Decimal(each["amount"]).scaleb(each["scale"]),
                each["unit"],
                f"{month_text(each['from_month'])} to {month_text(each['to_month'])}",
                each["factor"],
                each["quality"],
                "in force" if each["withdrawn_ms"] is None else "withdrawn",
            )
            for each in found
        ],
    )
