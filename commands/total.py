"""``tanlian total``: what an organisation or site emitted, by scope, category and gas."""

from typing import Annotated, Any, Final

import typer

from commands.month_option import month_of, month_text
from commands.output import fail, print_json, print_table, say
from commands.session import Session, reads

app = typer.Typer(no_args_is_help=True, help="Totals of organisations and sites, by month.")
_KINDS: Final = {"EMISSION": "yes", "BIOGENIC": "biogenic, apart", "REMOVAL": "removal, apart"}
_CATEGORIES: Final = {
    1: "direct",
    2: "imported energy",
    3: "transport",
    4: "products used",
    5: "use of products",
    6: "other",
}


@app.command("show")
@reads
def show(
    session: Session,
    subject: Annotated[str, typer.Argument(help="An organisation or a site.")],
    first: Annotated[str, typer.Option("--from", help="First month, such as 2018-01.")],
    last: Annotated[str, typer.Option("--to", help="Last month.")],
) -> None:
    """Show totals by scope, category and gas, and scope 2 both ways."""
    from client.errors import RpcProblem

    span = {
        "from": month_text(month_of(first, "--from")),
        "to": month_text(month_of(last, "--to")),
    }
    with session.connect() as client:
        try:
            document = client.read(f"/v1/sites/{subject}/totals", span)
        except RpcProblem as problem:
            if problem.code != "UNKNOWN_SITE":
                raise
            document = client.read(f"/v1/organisations/{subject}/totals", span)
    if session.as_json:
        print_json(document)
        return
    _print(subject, document)


def _print(subject: str, document: dict[str, Any]) -> None:
    total = document["total"]
    if not document["months"]:
        fail(
            f"{subject}: expected a month with readings or activities from {document['from']} to "
            f"{document['to']}, got none"
        )
    print_table(
        ("scope", "category", "scope 3", "!gas", "counted", ">t CO2e"),
        [
            (
                line["scope"],
                f"{line['category']} {_CATEGORIES[line['category']]}",
                line["s3_category"] or None,
                line["gas"],
                _KINDS[line["kind"]],
                tonnes(line["co2e_g"]),
            )
            for line in total["lines"]
        ],
        title=f"{subject}, {document['from']} to {document['to']}",
    )
    scope2 = total["scope2"]
    say(
        f"scope 2 location-based  {tonnes(scope2['location_based_g'])} t CO2e",
        f"scope 2 market-based    {tonnes(scope2['market_based_g'])} t CO2e",
        f"electricity             {scope2['electricity_wh']} Wh, of which "
        f"{scope2['covered_wh']} Wh covered by instruments",
        f"intervals               {total['interval_count']}, of which {total['flagged_count']} "
        f"failed a check and {total['without_factor_count']} had no factor",
    )
    if document["weakest_evidence"] is not None:
        say(f"weakest evidence        {document['weakest_evidence']}")
    factors = {
        (stream["factor_id"], stream["version"], stream["evidence"])
        for month in document["months"]
        for stream in month.get("streams", ())
    }
    for factor_id, version, evidence in sorted(factors):
        say(f"factor                  {factor_id}, version {version}: {evidence}")


def tonnes(grams: int | str) -> str:
    """Returns grams as tonnes with all digits."""
    whole, rest = divmod(abs(int(grams)), 1_000_000)
    sign = "-" if int(grams) < 0 else ""
    return f"{sign}{whole}.{rest:06d}"
