"""``tanlian period``: months are closed, and restated under two signatures."""

from typing import Annotated, Any, Final

import typer

from commands.month_option import month_of
from commands.output import fail, print_json, print_table, say, short, time_text
from commands.session import Session, reads, signs
from commands.submission import submit_and_print

app = typer.Typer(no_args_is_help=True, help="Months of sites: close, list, restate.")
_DEFAULT_ACCOUNT: Final = "member-1-admin"
_SITES_A_CALL: Final = 16
SiteArgument = Annotated[str, typer.Argument(help="Site id.")]
MonthArgument = Annotated[str, typer.Argument(help="Closed month, such as 2018-01.")]


@app.command("close")
@signs(_DEFAULT_ACCOUNT)
def close(
    session: Session,
    month: Annotated[str, typer.Argument(help="Month such as 2018-01; over at its place.")],
    site: Annotated[
        list[str] | None, typer.Option(help="Site to close; several are allowed.")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(help="Close all sites of this organisation.")
    ] = None,
    note: Annotated[str, typer.Option(help="For people.")] = "",
) -> None:
    """Close a month: its totals stand, and what comes later is counted apart."""
    from contracts.period import ClosePeriod

    if (site is None) == (organisation is None):
        fail("expected either --site or --organisation, got both or neither")
    number = month_of(month, "MONTH")
    with session.connect() as client:
        names = site or [str(each["site_id"]) for each in client.sites(organisation=organisation)]
        if not names:
            fail(f"--organisation: expected one with sites, got {organisation!a}")
        names = sorted(set(names))
        for start in range(0, len(names), _SITES_A_CALL):
            sites = tuple(names[start : start + _SITES_A_CALL])
            arguments = ClosePeriod(sites=sites, month=number, note=note)
            submit_and_print(client, "period.close", arguments, as_json=session.as_json)


@app.command("list")
@reads
def list_closed(session: Session, site: SiteArgument) -> None:
    """List the closed months of a site, and restatements that wait for a second signature."""
    from contracts.month import month_name

    with session.connect() as client:
        months: Any = client.entries(f"/v1/sites/{site}/closed-months", "closed_months")
        waiting: Any = client.entries(f"/v1/sites/{site}/restatement-proposals", "proposals")
    if session.as_json:
        print_json({"closed_months": months, "proposals": waiting})
        return
    if not months:
        say("No closed months.")
        return
    print_table(
        ("!month", "closed (UTC)", ">intervals", ">restated", "!by"),
        [
            (
                month_name(each["month"]),
                time_text(each["closed_ms"]),
                0 if each["totals"] is None else each["totals"]["interval_count"],
                each["restatement_count"],
                short(each["closed_by"]),
            )
            for each in months
        ],
    )
    for each in waiting:
        arguments = each["arguments"]
        say(
            f"Waits for a second signature: tanlian period approve {site} "
            f"{month_name(arguments['month'])} {each['proposal']}"
        )


@app.command("restate")
@signs(_DEFAULT_ACCOUNT)
def restate(
    session: Session,
    site: SiteArgument,
    month: MonthArgument,
    reason: Annotated[str, typer.Option(help="Why; it stands on the chain for ever.")],
) -> None:
    """Propose to take up what came after a close; another admin approves it."""
    from contracts.month_restatement import RestateMonth

    arguments = RestateMonth(site=site, month=month_of(month, "MONTH"), reason=reason)
    document = session.submit("period.restate", arguments)
    if not session.as_json:
        say(f"Another admin: tanlian period approve {site} {month} {document['id']} --as ACCOUNT")


@app.command("approve")
@signs(_DEFAULT_ACCOUNT)
def approve(
    session: Session,
    site: SiteArgument,
    month: MonthArgument,
    proposal: Annotated[str, typer.Argument(help="Id of the proposing transaction.")],
) -> None:
    """Restate a closed month with the second signature."""
    import re

    from contracts.month_restatement import ApproveRestatement

    if re.fullmatch(r"[0-9a-f]{64}", proposal) is None:
        fail(f"PROPOSAL: expected 64 lower-case hexadecimal digits, got {proposal!a:.80}")
    arguments = ApproveRestatement(
        site=site, month=month_of(month, "MONTH"), proposal=bytes.fromhex(proposal)
    )
    session.submit("period.approve_restatement", arguments)
