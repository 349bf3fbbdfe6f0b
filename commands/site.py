"""``tanlian site``: what sites are used for, by which like ones are compared."""

from typing import Annotated

import typer

from commands.session import Session, signs

app = typer.Typer(no_args_is_help=True, help="Sites: use and floor area, for comparing peers.")
_DEFAULT_ACCOUNT = "member-1-admin"


@app.callback()
def group() -> None:
    """Sites: use and floor area, for comparing peers."""


@app.command("describe")
@signs(_DEFAULT_ACCOUNT)
def describe(
    session: Session,
    site: Annotated[str, typer.Argument(help="Site of the signing admin's organisation.")],
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
