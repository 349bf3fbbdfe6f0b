"""``tanlian deposit``: China's monthly deposits, and the monitoring plans that they go by."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from commands.month import month_of
from commands.output import print_json, print_table, say, time_text
from commands.session import Session, reads, signs

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
@signs(_ADMIN)
def plan(
    session: Session,
    site: SiteArgument,
    file: Annotated[Path, typer.Argument(help="JSON with the members of docs/reports.md, Plan.")],
    reason: Annotated[str, typer.Option(help="Why this version is filed.")],
    document: Annotated[
        Path | None, typer.Option(help="File of the full plan; its SHA-256 is recorded.")
    ] = None,
) -> None:
    """File the next version of a site's monitoring plan."""
    from commands.filings import plan_of
    from commands.report_file import hash_of_file, read_filing

    digest = hash_of_file(document)
    arguments = plan_of(read_filing(file), file, site=site, digest=digest, reason=reason)
    session.submit("plan.file", arguments)


@app.command("enrol")
@signs(_ADMIN)
def enrol(
    session: Session,
    site: SiteArgument,
    month: Annotated[str, typer.Argument(help="First month that is deposited; not over yet.")],
) -> None:
    """Start the clock of a site: 20, 25 and 40 days after each month."""
    from contracts.deposits import EnrolSite

    session.submit("deposit.enrol", EnrolSite(site=site, from_month=month_of(month, "MONTH")))


@app.command("submit")
@signs(_ADMIN)
def submit(
    session: Session,
    site: SiteArgument,
    month: MonthArgument,
    report: Annotated[int, typer.Argument(min=1, help="Number of the anchored cn-monthly report.")],
    figures: Annotated[
        Path | None, typer.Option(help="JSON with the members of docs/reports.md, Figures.")
    ] = None,
    note: NoteOption = "",
) -> None:
    """Submit a month's deposit: its anchored report, and figures that no meter measures."""
    from commands.filings import figures_of
    from commands.report_file import read_filing
    from contracts.deposits import SubmitDeposit

    rows = () if figures is None else figures_of(read_filing(figures), figures)
    arguments = SubmitDeposit(
        site=site, month=month_of(month, "MONTH"), report=report, figures=rows, note=note
    )
    session.submit("deposit.submit", arguments)


@app.command("check")
@signs(_CERTIFIER)
def check(
    session: Session,
    site: SiteArgument,
    month: MonthArgument,
    submission: SubmissionArgument,
    note: NoteOption = "",
) -> None:
    """Take the district's check of a submitted deposit."""
    from contracts.deposits import PassDeposit

    number = month_of(month, "MONTH")
    arguments = PassDeposit(site=site, month=number, submission=submission, note=note)
    session.submit("deposit.check", arguments)


@app.command("complete")
@signs(_CERTIFIER)
def complete(
    session: Session,
    site: SiteArgument,
    month: MonthArgument,
    submission: SubmissionArgument,
    note: NoteOption = "",
) -> None:
    """Take the city's completion of a checked deposit, by another account."""
    from contracts.deposits import PassDeposit

    number = month_of(month, "MONTH")
    arguments = PassDeposit(site=site, month=number, submission=submission, note=note)
    session.submit("deposit.complete", arguments)


@app.command("list")
@reads
def list_deposits(session: Session, site: SiteArgument) -> None:
    """List a site's deposits by month: each step, late ones, and what was missed."""
    from contracts.month import month_name

    with session.connect() as client:
        deposits: Any = client.entries(f"/v1/sites/{site}/deposits", "deposits")
    if session.as_json:
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
