"""``tanlian deposit``: China's monthly deposits, and the monitoring plans that they go by."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from commands.month import month_of
from commands.output import JsonOption, print_json, print_table, say, time_text
from commands.submission import submit_and_print
from commands.target import (
    AccountOption,
    NetworkOption,
    NodeOption,
    PassphraseOption,
    connect,
)

app = typer.Typer(
    no_args_is_help=True, help="China's monthly deposits: plan, enrol, submit, check, complete."
)
_ADMIN: Final = "member-1-admin"
_CERTIFIER: Final = "certifier"
SiteArgument = Annotated[str, typer.Argument(help="Site id.")]
MonthArgument = Annotated[str, typer.Argument(help="Month such as 2026-01.")]
SubmissionArgument = Annotated[int, typer.Argument(min=1, help="Number that was looked at.")]
NoteOption = Annotated[str, typer.Option(help="For people.")]


@app.command("plan")
def plan(
    site: SiteArgument,
    file: Annotated[Path, typer.Argument(help="JSON with the members of docs/reports.md, Plan.")],
    reason: Annotated[str, typer.Option(help="Why this version is filed.")],
    document: Annotated[
        Path | None, typer.Option(help="File of the full plan; its SHA-256 is recorded.")
    ] = None,
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """File the next version of a site's monitoring plan."""
    from commands.filings import plan_of
    from commands.report_file import hash_of_file, read_filing

    digest = hash_of_file(document)
    arguments = plan_of(read_filing(file), file, site=site, digest=digest, reason=reason)
    with connect(
        network, node, account=account, passphrase_file=passphrase_file, default_account=_ADMIN
    ) as connection:
        submit_and_print(connection.client, "plan.file", arguments, as_json=as_json)


@app.command("enrol")
def enrol(
    site: SiteArgument,
    month: Annotated[str, typer.Argument(help="First month that is deposited; not over yet.")],
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start the clock of a site: 20, 25 and 40 days after each month."""
    from contracts.deposits import EnrolSite

    arguments = EnrolSite(site=site, from_month=month_of(month, "MONTH"))
    with connect(
        network, node, account=account, passphrase_file=passphrase_file, default_account=_ADMIN
    ) as connection:
        submit_and_print(connection.client, "deposit.enrol", arguments, as_json=as_json)


@app.command("submit")
def submit(
    site: SiteArgument,
    month: MonthArgument,
    report: Annotated[int, typer.Argument(min=1, help="Number of the anchored cn-monthly report.")],
    figures: Annotated[
        Path | None, typer.Option(help="JSON with the members of docs/reports.md, Figures.")
    ] = None,
    note: NoteOption = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Submit a month's deposit: its anchored report, and figures that no meter measures."""
    from commands.filings import figures_of
    from commands.report_file import read_filing
    from contracts.deposits import SubmitDeposit

    rows = () if figures is None else figures_of(read_filing(figures), figures)
    arguments = SubmitDeposit(
        site=site, month=month_of(month, "MONTH"), report=report, figures=rows, note=note
    )
    with connect(
        network, node, account=account, passphrase_file=passphrase_file, default_account=_ADMIN
    ) as connection:
        submit_and_print(connection.client, "deposit.submit", arguments, as_json=as_json)


@app.command("check")
def check(
    site: SiteArgument,
    month: MonthArgument,
    submission: SubmissionArgument,
    note: NoteOption = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the district's check of a submitted deposit."""
    from contracts.deposits import PassDeposit

    number = month_of(month, "MONTH")
    arguments = PassDeposit(site=site, month=number, submission=submission, note=note)
    with connect(
        network, node, account=account, passphrase_file=passphrase_file, default_account=_CERTIFIER
    ) as connection:
        submit_and_print(connection.client, "deposit.check", arguments, as_json=as_json)


@app.command("complete")
def complete(
    site: SiteArgument,
    month: MonthArgument,
    submission: SubmissionArgument,
    note: NoteOption = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the city's completion of a checked deposit, by another account."""
    from contracts.deposits import PassDeposit

    number = month_of(month, "MONTH")
    arguments = PassDeposit(site=site, month=number, submission=submission, note=note)
    with connect(
        network, node, account=account, passphrase_file=passphrase_file, default_account=_CERTIFIER
    ) as connection:
        submit_and_print(connection.client, "deposit.complete", arguments, as_json=as_json)


@app.command("list")
def list_deposits(
    site: SiteArgument,
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a site's deposits by month: each step, late ones, and what was missed."""
    from contracts.month import month_name

    with connect(network, node) as connection:
        deposits: Any = connection.client.entries(f"/v1/sites/{site}/deposits", "deposits")
    if as_json:
        print_json({"deposits": deposits})
        return
    if not deposits:
        say("No deposits.")
        return
    print_table(
        ("!month", ">submission", "submitted", "checked", "completed", "missed"),
        [
            (
                month_name(each["month"]),
                each["submission"],
                *(_step_text(each[name]) for name in ("submitted", "checked", "completed")),
                ", ".join(each["missed"]).lower() or "none",
            )
            for each in deposits
        ],
    )


def _step_text(step: dict[str, Any] | None) -> str | None:
    if step is None:
        return None
    return time_text(step["time_ms"]) + (", late" if step["is_late"] else "")
