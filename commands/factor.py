"""``tanlian factor``: dated, sourced emission factors."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.output import JsonOption, fail, print_json, print_table, printable, say
from commands.submission import submit_and_print
from commands.target import (
    AccountOption,
    NetworkOption,
    NodeOption,
    PassphraseOption,
    connect,
)

app = typer.Typer(no_args_is_help=True, help="Emission factors with their source and validity.")
_DEFAULT_ACCOUNT = "certifier-1-admin"


@app.command("list")
def list_factors(
    factor: Annotated[str | None, typer.Option(help="Of this series only.")] = None,
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List factors by series and time."""
    with connect(network, node) as connection:
        factors = connection.client.factors(factor=factor)
    if as_json:
        print_json({"factors": factors})
        return
    if not factors:
        say("No factors.")
        return
    print_table(
        ("!series", ">1e-4 g per", "!base unit", "!valid", "evidence"),
        [
            (
                each["factor_id"],
                each["value"],
                each["base_unit"],
                f"{str(each['valid_from_utc'])[:10]} to {str(each['valid_to_utc'])[:10]}",
                each["evidence"],
            )
            for each in factors
        ],
    )
    for each in factors:
        say(printable(f"{each['factor_id']}: {each['source']}"))


@app.command("set")
def set_factor(
    factor_id: Annotated[str, typer.Argument(help="Series, such as cn-grid-northwest.")],
    value: Annotated[int, typer.Argument(min=0, help="1e-4 g CO2e per base unit (5306 for "
                                                     "0.5306 kg/kWh).")],
    source: Annotated[str, typer.Option(help="Publisher and document.")],
    valid_from: Annotated[str, typer.Option(help="First day, UTC, such as 2023-01-01.")],
    valid_to: Annotated[str, typer.Option(help="Day after the last, UTC.")],
    evidence: Annotated[
        str, typer.Option(help="confirmed, secondary or unconfirmed.")
    ] = "unconfirmed",
    basis: Annotated[
        str, typer.Option(help="location_based, market_based, residual_mix or combustion.")
    ] = "location_based",
    base_unit: Annotated[str, typer.Option(help="Base unit that it is per.")] = "watt_hour",
    name: Annotated[str, typer.Option(help="For people; by default the series.")] = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Set one period of a series; what is set never changes."""
    from commands.choices import choice_of
    from contracts.factor import EvidenceGrade, FactorBasis
    from contracts.factors import SetFactor
    from contracts.meter import Unit

    arguments = SetFactor(
        factor_id=factor_id,
        name=name or factor_id,
        basis=choice_of(FactorBasis, basis, "--basis"),
        base_unit=choice_of(Unit, base_unit, "--base-unit"),
        value=value,
        valid_from_ms=_day_ms(valid_from, "--valid-from"),
        valid_to_ms=_day_ms(valid_to, "--valid-to"),
        source=source,
        evidence=choice_of(EvidenceGrade, evidence, "--evidence"),
    )
    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=_DEFAULT_ACCOUNT,
    ) as connection:
        submit_and_print(connection.client, "factor.set", arguments, as_json=as_json)


def _day_ms(text: str, option: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: expected a date such as 2023-01-01, got {text!a}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000
