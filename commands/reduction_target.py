"""``tanlian target``: the yearly path of a site, and where it stands on it."""

import re
from typing import Annotated, Any, Final

import typer

from commands.output import fail, print_json, print_table, say
from commands.session import Session, reads, signs
from commands.total import tonnes

app = typer.Typer(no_args_is_help=True, help="Yearly targets of sites, progress and forecast.")
_DEFAULT_ACCOUNT: Final = "member-1-admin"
SiteArgument = Annotated[str, typer.Argument(help="The site.")]


@app.command("set")
@signs(_DEFAULT_ACCOUNT)
def set_target(
    session: Session,
    site: SiteArgument,
    base: Annotated[str, typer.Argument(help="Base year and its tonnes, such as 2017=450.")],
    years: Annotated[list[str], typer.Argument(help="Tonnes by year, such as 2018=430 2019=410.")],
    reason: Annotated[str, typer.Option(help="Plan or decision that it follows.")],
    scope: Annotated[
        list[int] | None, typer.Option(min=1, max=3, help="Repeatable; by default 1 and 2.")
    ] = None,
    market_based: Annotated[
        bool, typer.Option("--market-based", help="Count scope 2 market-based.")
    ] = False,
    tolerance: Annotated[int, typer.Option(min=0, max=1000, help="Permille.")] = 0,
) -> None:
    """Set a site's path; what stood before stays as an older version."""
    from contracts.emissions import Scope
    from contracts.target import YearTarget
    from contracts.targets import SetTarget

    base_year, base_grams = _year_and_grams(base, "BASE")
    arguments = SetTarget(
        site=site,
        scopes=tuple(Scope(each) for each in sorted(scope or (1, 2))),
        is_market_based=market_based,
        base_year=base_year,
        base_grams=base_grams,
        years=tuple(
            YearTarget(year=year, grams=grams)
            for year, grams in (_year_and_grams(each, "YEARS") for each in years)
        ),
        tolerance_permille=tolerance,
        reason=reason,
    )
    session.submit("target.set", arguments)


def _year_and_grams(text: str, argument: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4})=(\d{1,12})(?:\.(\d{1,6}))?", text, re.ASCII)
    if found is None:
        fail(f"{argument}: expected a year and its tonnes such as 2018=430.5, got {text!a}")
    return int(found[1]), int(found[2] + (found[3] or "").ljust(6, "0"))


@app.command("show")
@reads
def show(
    session: Session,
    site: SiteArgument,
    year: Annotated[int, typer.Option(help="A year of the path.")],
) -> None:
    """Show what the path allows, what was emitted, and what the year will come to."""
    with session.connect() as client:
        document: Any = client.read(f"/v1/sites/{site}/target", {"year": str(year)})
    if session.as_json:
        print_json(document)
        return
    target, progress = document["target"], document["progress"]
    basis = ", scope 2 market-based" if target["is_market_based"] else ""
    say(
        f"{site}: version {target['version']}, {', '.join(target['scopes'])}{basis}; base year "
        f"{target['base_year']}: {tonnes(target['base_grams'])} t"
    )
    if not progress:
        known = ", ".join(str(each["year"]) for each in target["years"])
        fail(f"--year: expected a year of the path ({known}), got {year}")
    print_table(
        ("!month", ">t until then", ">path, t", ">forecast, t", ">target, t", "path"),
        [
            (
                each["month"],
                tonnes(each["actual_grams"]),
                tonnes(each["path_grams"]),
                None if each["forecast_grams"] is None else tonnes(each["forecast_grams"]),
                tonnes(each["target_grams"]),
                "left" if each["has_left"] else "kept",
            )
            for each in progress
        ],
    )
    seasonal = progress[0]["is_seasonal"]
    say(
        "The year is expected to run "
        + (f"as {target['base_year']} did." if seasonal else "evenly: the base year has gaps.")
    )


@app.command("list")
@reads
def list_targets(session: Session) -> None:
    """List the targets in force."""
    with session.connect() as client:
        found: list[Any] = client.entries("/v1/targets", "targets")
    if session.as_json:
        print_json({"targets": found})
        return
    if not found:
        say("No targets.")
        return
    print_table(
        ("!site", "organisation", ">version", "scopes", "years", "reason"),
        [
            (
                each["site"],
                each["organisation"],
                each["version"],
                ", ".join(each["scopes"]),
                f"{each['years'][0]['year']} to {each['years'][-1]['year']}",
                each["reason"],
            )
            for each in found
        ],
    )
