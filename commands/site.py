"""``tanlian site``: what sites are used for, and who holds them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.month_option import month_of
from commands.output import fail, print_json, print_table, say, short, time_text
from commands.session import Session, reads, signs

if TYPE_CHECKING:
    from contracts.equity import Holding

app = typer.Typer(no_args_is_help=True, help="Sites: use and floor area, and shares of equity.")
_DEFAULT_ACCOUNT = "member-1-admin"
_PPM_OF_PERCENT: Final = 10_000
SiteArgument = Annotated[str, typer.Argument(help="Site of the signing admin's organisation.")]


@app.command("describe")
@signs(_DEFAULT_ACCOUNT)
def describe(
    session: Session,
    site: SiteArgument,
    use: Annotated[str, typer.Option(help="office, school, hospital, retail, industry, ...")],
    floor_area_m2: Annotated[int, typer.Option(min=1, help="Gross floor area.")],
    main_meter: Annotated[
        list[str], typer.Option(help="Meter of its energy without a parent; several are allowed.")
    ],
) -> None:
    """Say what a site is used for and how large it is; it is compared with its peers monthly."""
    from commands.choices import choice_of
    from contracts.site_profile import DescribeSite, UseType

    arguments = DescribeSite(
        site_id=site,
        use_type=choice_of(UseType, use, "--use"),
        floor_area_m2=floor_area_m2,
        main_meters=tuple(sorted(main_meter)),
    )
    session.submit("site.describe", arguments)


@app.command("equity")
@signs(_DEFAULT_ACCOUNT)
def equity(
    session: Session,
    site: SiteArgument,
    first: Annotated[str, typer.Option("--from", help="First month that it holds for.")],
    reason: Annotated[str, typer.Option(help="Why, such as what was bought from whom.")],
    holder: Annotated[
        list[str] | None,
        typer.Option(help="Organisation and per cent, such as member-2=48.75; repeatable."),
    ] = None,
    document: Annotated[
        Path | None, typer.Option(help="File that shows it; its SHA-256 is recorded.")
    ] = None,
) -> None:
    """Declare who holds a site from a month on; reports by equity share go by it."""
    from commands.input_file import hash_of_file
    from contracts.equity import DeclareEquity

    arguments = DeclareEquity(
        site=site,
        from_month=month_of(first, "--from"),
        holders=holders_of(holder or []),
        reason=reason,
        evidence=hash_of_file(document),
    )
    session.submit("equity.declare", arguments)


@app.command("holders")
@reads
def list_holders(
    session: Session,
    site: Annotated[str, typer.Argument(help="Site id.")],
) -> None:
    """List who was declared to hold a site; of those that fit a month the newest holds."""
    with session.connect() as client:
        path = f"/v1/sites/{site}/equity-declarations"
        declarations: list[Any] = client.entries(path, "declarations")
    if session.as_json:
        print_json({"declarations": declarations})
        return
    if not declarations:
        say(f"Nobody was declared to hold {site}.")
        return
    print_table(
        (">number", "from", "holders", "declared", "evidence", "reason"),
        [
            (
                each["number"],
                _month_text(each["from_month"]),
                ", ".join(
                    f"{holding['organisation']} {percent_text(holding['share_ppm'])} %"
                    for holding in each["holders"]
                )
                or "nobody of this chain",
                time_text(each["declared_ms"]),
                short(str(each["evidence"])),
                each["reason"],
            )
            for each in declarations
        ],
    )


def holders_of(texts: list[str]) -> tuple["Holding", ...]:
    """Returns holdings such as ``member-2=48.75``, in per cent, by organisation.

    Raises:
        CommandFailed: one is of another form, or finer than 0.0001 per cent.
    """
    from contracts.equity import Holding

    holdings = []
    for text in texts:
        found = re.fullmatch(r"([^=]+)=(\d{1,3})(?:\.(\d{1,4}))?", text, re.ASCII)
        if found is None:
            fail(
                "--holder: expected ORGANISATION=PER-CENT with at most four decimals, such as "
                f"member-2=48.75, got {text!a}"
            )
        name, whole, decimals = found.groups()
        share_ppm = int(whole) * _PPM_OF_PERCENT + int((decimals or "").ljust(4, "0"))
        if not 1 <= share_ppm <= 100 * _PPM_OF_PERCENT:
            fail(f"--holder: expected a share from 0.0001 to 100 per cent, got {text!a}")
        holdings.append(Holding.from_value((name, share_ppm), f"--holder {text}"))
    return tuple(sorted(holdings, key=lambda each: each.organisation))


def percent_text(share_ppm: int) -> str:
    """Returns parts per million as per cent, exactly."""
    whole, decimals = divmod(share_ppm, _PPM_OF_PERCENT)
    return f"{whole}.{decimals:04d}".rstrip("0").rstrip(".")


def _month_text(month: int) -> str:
    from contracts.month import month_name

    return month_name(month)
