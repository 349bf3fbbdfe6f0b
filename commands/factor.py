"""``tanlian factor``: dated, sourced emission factors, and tables of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.month_option import day_ms
from commands.output import fail, print_json, print_table, printable, say
from commands.session import Session, reads, signs

if TYPE_CHECKING:
    from client.asynchronous import Call
    from client.importers.published_factors import Published
    from client.synchronous import SyncTanlianClient
    from contracts.factor import FactorUncertainty

app = typer.Typer(no_args_is_help=True, help="Emission factors with their source and validity.")
DEFAULT_ACCOUNT: Final = "certifier-1-admin"
UncertaintyOption = Annotated[
    int | None,
    typer.Option(min=0, max=10_000, help="Permille of the factor, half of a 95 % interval."),
]
UncertaintySourceOption = Annotated[
    str | None, typer.Option(help="Publisher and document of the uncertainty.")
]
_BATCH: Final = 100
"""Factors of one answer of a node."""


@app.command("list")
@reads
def list_factors(
    session: Session,
    factor: Annotated[str | None, typer.Option(help="Of this series only.")] = None,
    sets: Annotated[
        bool, typer.Option("--sets", help="List publications and sets of potentials.")
    ] = False,
) -> None:
    """List factors by series and time, with how far each was confirmed."""
    with session.connect() as client:
        if sets:
            _list_sets(client, as_json=session.as_json)
            return
        factors: list[Any] = client.factors(factor=factor)
    if session.as_json:
        print_json({"factors": factors})
        return
    if not factors:
        say("No factors.")
        return
    print_table(
        ("!series", ">version", ">1e-4 g", "per", "valid", "!evidence"),
        [
            (
                each["factor_id"],
                each["version"],
                each["value"],
                each["base_unit"],
                f"{_day(each, 'valid_from')} to {_day(each, 'valid_to')}",
                each["evidence"],
            )
            for each in factors
        ],
    )
    for each in factors:
        note = f" [{each['evidence_note']}]" if each["evidence_note"] else ""
        say(printable(f"{each['factor_id']}: {each['evidence']}: {each['source']}{note}"))
        if each["uncertainty"] is not None:
            permille, source = each["uncertainty"]["permille"], each["uncertainty"]["source"]
            say(printable(f"{each['factor_id']}: uncertainty {permille} permille: {source}"))


def _day(factor: dict[str, Any], name: str) -> str:
    moment = factor.get(f"{name}_utc")
    return str(moment)[:10] if moment is not None else f"{factor[f'{name}_ms']} ms"


def _list_sets(client: "SyncTanlianClient", *, as_json: bool) -> None:
    factor_sets = client.entries("/v1/factor-sets", "factor_sets")
    gwp_sets: list[Any] = client.entries("/v1/gwp-sets", "gwp_sets")
    if as_json:
        print_json({"factor_sets": factor_sets, "gwp_sets": gwp_sets})
        return
    if not factor_sets and not gwp_sets:
        say("No sets.")
        return
    print_table(
        ("!set", "publisher", "version", "!evidence", "of which"),
        [
            (each["set_id"], each["publisher"], each["version"], each["evidence"], content)
            for each, content in (
                *((each, "factors") for each in factor_sets),
                *((each, f"{len(each['potentials'])} potentials") for each in gwp_sets),
            )
        ],
    )


@app.command("set")
@signs(DEFAULT_ACCOUNT)
def set_factor(
    session: Session,
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
    is_co2: Annotated[bool, typer.Option("--co2", help="The value is CO2 alone.")] = False,
    uncertainty: UncertaintyOption = None,
    uncertainty_source: UncertaintySourceOption = None,
) -> None:  # fmt: skip
    """Set one period of a series; what is set changes by restatement only."""
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
        is_co2=is_co2,
        valid_from_ms=day_ms(valid_from, "--valid-from"),
        valid_to_ms=day_ms(valid_to, "--valid-to"),
        source=source,
        evidence=choice_of(EvidenceGrade, evidence, "--evidence"),
        uncertainty=uncertainty_of(uncertainty, uncertainty_source),
    )
    session.submit("factor.set", arguments)


def uncertainty_of(permille: int | None, source: str | None) -> "FactorUncertainty | None":
    """Returns the uncertainty that a person declares, or None where nothing was said of it.

    Raises:
        CommandFailed: a number without its source, or the other way round.
    """
    from contracts.factor import FactorUncertainty

    if permille is None and source is None:
        return None
    if permille is None or not (source or "").strip():
        fail(f"--uncertainty: expected permille and its --uncertainty-source, or neither, got "
             f"{permille} and {source!a}")  # fmt: skip
    return FactorUncertainty(permille=permille, source=source or "")


@app.command("import")
@signs(DEFAULT_ACCOUNT)
def import_factors(
    session: Session,
    files: Annotated[
        list[Path], typer.Argument(help="Tables such as those in examples/data/factors.")
    ],
    only: Annotated[
        list[str] | None, typer.Option(help="Only series that begin so, such as cn-; repeatable.")
    ] = None,
    until_year: Annotated[
        int | None, typer.Option(min=1971, max=2100, help="Apply latest rows until this year.")
    ] = None,
    gwp: Annotated[str, typer.Option(help="Set that weighs the gases of fuels.")] = "ar5",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent, send nothing.")
    ] = False,
) -> None:
    """Set the factors and potentials of published tables; what is there already stays.

    A table may have the columns uncertainty_permille and uncertainty_source beside its own.
    """
    from client.importers.published_factors import ImportPlan, read_published
    from commands.input_file import FACTORS, check_file

    for each in files:
        check_file(each, FACTORS)
    published = read_published(files, ImportPlan(until_year=until_year, gwp_set=gwp))
    wanted = [
        each
        for each in published.factors
        if only is None or any(each.factor_id.startswith(prefix) for prefix in only)
    ]
    if published.factors and not wanted:
        prefixes = ", ".join(only or ())
        fail(f"--only: expected the beginning of a series in the tables, got {prefixes!a}")
    published.factors = wanted
    if dry_run:
        _print_published(published.factors, as_json=session.as_json)
        return
    with session.connect() as client:
        sent_count, skipped_count = _set_published(client, published)
    if session.as_json:
        print_json({"set": sent_count, "there_already": skipped_count})
        return
    say(f"{sent_count} committed, {skipped_count} factors there already.")
    unconfirmed = sum(each.evidence.name == "UNCONFIRMED" for each in wanted)
    if unconfirmed:
        say(f"{unconfirmed} of {len(wanted)} factors are UNCONFIRMED: check before you report.")


def _set_published(client: "SyncTanlianClient", published: "Published") -> tuple[int, int]:
    """Sends what the chain does not have; returns how many it took and how many it had."""
    from client.asynchronous import Call

    sets = {each["set_id"] for each in client.entries("/v1/factor-sets", "factor_sets")}
    gwps = {each["set_id"] for each in client.entries("/v1/gwp-sets", "gwp_sets")}
    there = {(each["factor_id"], each["valid_from_ms"]) for each in client.factors()}
    publications = [
        Call(method="factor.register_set", arguments=each)
        for each in published.sets
        if each.set_id not in sets
    ]
    publications += [
        Call(method="gwp.register", arguments=each)
        for each in published.gwp_sets
        if each.set_id not in gwps
    ]
    factors = [
        Call(method="factor.set", arguments=each)
        for each in published.factors
        if (each.factor_id, each.valid_from_ms) not in there
    ]
    sent_count = _send(client, publications) + _send(client, factors)
    return sent_count, len(published.factors) - len(factors)


def _send(client: "SyncTanlianClient", calls: "list[Call]") -> int:
    """Sends calls until they are final; returns how many."""
    from client.outcome import OutcomeState

    for start in range(0, len(calls), _BATCH):
        for outcome in client.submit_many(calls[start : start + _BATCH], until_final=True):
            if outcome.state is not OutcomeState.COMMITTED:
                fail(
                    f"import: expected each row committed, got {outcome.state.name.lower()}: "
                    f"{outcome.code}: {outcome.detail}; what was committed before stays"
                )
    return len(calls)


def _print_published(factors: list[Any], *, as_json: bool) -> None:
    if as_json:
        names = ("factor_id", "value", "evidence_note", "source")
        print_json({"factors": [{name: getattr(each, name) for name in names} for each in factors]})
        return
    print_table(
        ("!series", "name", ">1e-4 g", "!evidence"),
        [(each.factor_id, each.name, each.value or "by gas", each.evidence.name)
         for each in factors],
    )  # fmt: skip
