"""``tanlian instrument``: energy certificates and contracts, and a site's market."""

import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from commands.input_file import hash_of_file
from commands.month_option import month_of
from commands.output import fail, print_json, print_table, say
from commands.session import Session, reads, signs

app = typer.Typer(no_args_is_help=True, help="Certificates and contracts for electricity.")
_DEFAULT_ACCOUNT: Final = "member-1-admin"


@app.command("register")
@signs(_DEFAULT_ACCOUNT)
def register(
    session: Session,
    instrument_id: Annotated[str, typer.Argument(help="Name on the chain, such as wind-2023-10.")],
    serials: Annotated[str, typer.Argument(help="Serial numbers, such as 1000-1999.")],
    volume_wh: Annotated[int, typer.Argument(min=1, help="Wh.")],
    registry: Annotated[str, typer.Option(help="Who tracks it, such as i-rec or cn-gec.")],
    market: Annotated[str, typer.Option(help="Market, such as cn.")],
    vintage: Annotated[str, typer.Option(help="Months of generation, such as 2023-01..2023-12.")],
    source: Annotated[str, typer.Option(help="Issuer and document.")],
    value: Annotated[int, typer.Option(min=0, help="1e-4 g CO2e per Wh.")] = 0,
    kind: Annotated[str, typer.Option(help="certificate or contract.")] = "certificate",
    evidence: Annotated[
        str, typer.Option(help="confirmed, secondary or unconfirmed.")
    ] = "unconfirmed",
    document: Annotated[Path | None, typer.Option(help="The certificate's file.")] = None,
) -> None:
    """Register an instrument by its serial numbers."""
    from commands.choices import choice_of
    from contracts.factor import EvidenceGrade
    from contracts.instruments import RegisterInstrument
    from contracts.market import MarketRank

    found = re.fullmatch(r"(\d+)(?:-(\d+))?", serials, re.ASCII)
    if found is None:
        fail(f"SERIALS: expected numbers such as 1000-1999, got {serials!a}")
    first, last = found[1], found[2] or found[1]
    made_from, _, made_to = vintage.partition("..")
    arguments = RegisterInstrument(
        instrument_id=instrument_id,
        name=instrument_id,
        rank=choice_of(MarketRank, kind, "--kind"),
        registry=registry,
        serial_first=int(first),
        serial_last=int(last),
        market=market,
        volume_wh=volume_wh,
        vintage_from_month=month_of(made_from, "--vintage"),
        vintage_to_month=month_of(made_to or made_from, "--vintage"),
        value=value,
        source=source,
        evidence=choice_of(EvidenceGrade, evidence, "--evidence"),
        document_hash=hash_of_file(document),
    )
    session.submit("instrument.register", arguments)


@app.command("retire")
@signs(_DEFAULT_ACCOUNT)
def retire(
    session: Session,
    instrument_id: Annotated[str, typer.Argument(help="The instrument.")],
    site: Annotated[str, typer.Argument(help="Site that uses it.")],
    months: Annotated[list[str], typer.Argument(help="Wh by month, such as 2023-10=900000.")],
) -> None:
    """Retire an instrument, once and for good, into months of a site."""
    from contracts.instruments import RetireInstrument

    allocated: list[tuple[int, int]] = []
    for each in months:
        month, _, amount = each.partition("=")
        if re.fullmatch(r"\d+", amount, re.ASCII) is None:
            fail(f"MONTHS: expected Wh by month such as 2023-10=900000, got {each!a}")
        allocated.append((month_of(month, "MONTHS"), int(amount)))
    arguments = RetireInstrument(instrument_id=instrument_id, site=site, months=tuple(allocated))
    session.submit("instrument.retire", arguments)


@app.command("transfer")
@signs(_DEFAULT_ACCOUNT)
def transfer(
    session: Session,
    instrument_id: Annotated[str, typer.Argument(help="The instrument.")],
    receiver: Annotated[str, typer.Argument(help="Member that is to hold it.")],
    reference: Annotated[
        str, typer.Option(help="The contract, or the registry's number of the transfer.")
    ],
) -> None:
    """Hand an instrument, whole, to another member, which may retire it then."""
    from contracts.instruments import TransferInstrument

    arguments = TransferInstrument(
        instrument_id=instrument_id, receiver=receiver, reference=reference
    )
    session.submit("instrument.transfer", arguments)


@app.command("list")
@reads
def list_instruments(
    session: Session,
    organisation: Annotated[str | None, typer.Option(help="Of this organisation only.")] = None,
) -> None:
    """List instruments, retired ones too."""
    with session.connect() as client:
        found: list[Any] = client.entries(
            "/v1/instruments", "instruments", {"organisation": organisation}
        )
    if session.as_json:
        print_json({"instruments": found})
        return
    if not found:
        say("No instruments.")
        return
    print_table(
        ("!instrument", "holder", "!serial numbers", ">Wh", ">1e-4 g/Wh", "state", "!evidence"),
        [
            (
                each["instrument_id"],
                each["organisation"],
                f"{each['registry']} {each['serial_first']}-{each['serial_last']}",
                each["volume_wh"],
                each["value"],
                f"{each['state']} {each['site'] or ''}".strip(),
                each["evidence"],
            )
            for each in found
        ],
    )


@app.command("market")
@signs(_DEFAULT_ACCOUNT)
def market(
    session: Session,
    site: Annotated[str, typer.Argument(help="The site.")],
    name: Annotated[str, typer.Argument(help="Market that its instruments must be of.")],
    first: Annotated[str, typer.Option("--from", help="First month, such as 2023-01.")],
    last: Annotated[str, typer.Option("--to", help="Last month.")],
    series: Annotated[
        str | None, typer.Option(help="Series for what no instrument covers; else the grid's.")
    ] = None,
    supplier: Annotated[
        bool, typer.Option("--supplier", help="The series is the supplier's, not a residual mix.")
    ] = False,
) -> None:
    """Set which market a site buys in, and what counts for the rest of its electricity."""
    from contracts.instruments import SetMarket
    from contracts.market import MarketRank

    arguments = SetMarket(
        from_month=month_of(first, "--from"),
        to_month=month_of(last, "--to"),
        market=name,
        series=series,
        rank=MarketRank.SUPPLIER if supplier else MarketRank.RESIDUAL_MIX,
        site=site,
    )
    session.submit("market.set", arguments)
