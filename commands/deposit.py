"""``tanlian deposit``: China's monthly deposits and annual filings, and the plans they go by."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from commands.month_option import month_of
from commands.output import print_json, print_table, say, time_text
from commands.session import Session, reads, signs

app = typer.Typer(
    no_args_is_help=True,
    help="China's monthly deposits (plan, enrol, submit, check, complete) and annual filings.",
)
_ADMIN: Final = "member-1-admin"
_CERTIFIER: Final = "certifier"
SiteArgument = Annotated[str, typer.Argument(help="Site id.")]
MonthArgument = Annotated[str, typer.Argument(help="Month such as 2026-01.")]
YearArgument = Annotated[int, typer.Argument(min=1970, max=9999, help="Year such as 2026.")]
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
    from commands.input_file import PLAN, hash_of_file, read_json

    digest = hash_of_file(document)
    arguments = plan_of(read_json(file, PLAN), file, site=site, digest=digest, reason=reason)
    session.submit("plan.file", arguments)


@app.command("enrol")
@signs(_ADMIN)
def enrol(
    session: Session,
    site: SiteArgument,
    month: Annotated[str, typer.Argument(help="First month that is deposited; not over yet.")],
) -> None:
    """Start a site's clocks: 20, 25 and 40 days after each month, 1 February and 1 March."""
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
    from commands.input_file import FIGURES, read_json
    from contracts.deposits import SubmitDeposit

    rows = () if figures is None else figures_of(read_json(figures, FIGURES), figures)
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


@app.command("submit-annual")
@signs(_ADMIN)
def submit_annual(
    session: Session,
    site: SiteArgument,
    year: YearArgument,
    report: Annotated[int, typer.Argument(min=1, help="Number of the anchored cn-annual report.")],
    note: NoteOption = "",
) -> None:
    """Submit a year's anchored annual report, by 1 February of the next one."""
    from contracts.annual_filings import SubmitAnnual

    arguments = SubmitAnnual(site=site, year=year, report=report, note=note)
    session.submit("annual.submit", arguments)


@app.command("check-annual")
@signs(_CERTIFIER)
def check_annual(
    session: Session,
    site: SiteArgument,
    year: YearArgument,
    report: Annotated[int, typer.Argument(min=1, help="Number of the report that was looked at.")],
    note: NoteOption = "",
) -> None:
    """Take the city's check of a submitted year, by 1 March of the next one."""
    from contracts.annual_filings import CheckAnnual

    arguments = CheckAnnual(site=site, year=year, report=report, note=note)
    session.submit("annual.check", arguments)


@app.command("list-annual")
@reads
def list_annual(session: Session, site: SiteArgument) -> None:
    """List a site's annual filings by year: each step, late ones, and what was missed."""
    with session.connect() as client:
        filings: Any = client.entries(f"/v1/sites/{site}/annual-filings", "filings")
    if session.as_json:
        print_json({"filings": filings})
        return
    if not filings:
        say("No annual filings.")
        return
    print_table(
        ("!year", ">report", "submitted", "checked", "missed"),
        [
            (
                each["year"],
                each["report"] or None,
                _step_text(each["submitted"]),
                _step_text(each["checked"]),
                ", ".join(each["missed"]).lower() or "none",
            )
            for each in filings
        ],
    )


def _step_text(step: dict[str, Any] | None) -> str | None:
    if step is None:
        return None
    return time_text(step["time_ms"]) + (", late" if step["is_late"] else "")
