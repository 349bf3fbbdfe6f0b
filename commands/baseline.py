"""``tanlian baseline``: fitted and gated by the chain, set in force by a second account."""

from typing import Annotated, Any

import typer

from commands.output import (
    JsonOption,
    fail,
    minute_text,
    print_fields,
    print_json,
    print_table,
    say,
)
from commands.submission import submit_and_print
from commands.target import (
    OPERATOR_ACCOUNT,
    AccountOption,
    NetworkOption,
    NodeOption,
    PassphraseOption,
    connect,
)

app = typer.Typer(no_args_is_help=True, help="Baselines: fit, set in force, show.")
MeterArgument = Annotated[str, typer.Argument(help="Meter id.")]
_DAY_MS = 86_400_000
_ADMIN = "member-1-admin"


@app.command("fit")
def fit(
    meter_id: MeterArgument,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Start of the window, ISO 8601; by default 28 days back."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="End of the window; by default after the newest reading."),
    ] = None,
    zone: Annotated[str, typer.Option(help="IANA zone of times without offset.")] = "UTC",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let every validator fit a baseline from the readings of a window, and gate it."""
    from commands.fit_results import fit_result_of, words_of
    from commands.reading_input import stamp_of
    from commands.registry import meter_of, newest_interval_ms
    from contracts.baselines import FitBaseline

    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        client = connection.client
        meter = meter_of(client, meter_id)
        if end is not None:
            to_ms = stamp_of(end, zone)
        else:
            newest_ms = newest_interval_ms(client, meter_id)
            if newest_ms is None:
                fail(f"{meter_id}: expected readings to fit a baseline from, got none yet")
            to_ms = newest_ms + meter.interval_ms
        from_ms = to_ms - 28 * _DAY_MS if start is None else stamp_of(start, zone)
        arguments = FitBaseline(meter_id=meter_id, from_ms=max(from_ms, 0), to_ms=to_ms)
        document = submit_and_print(client, "baseline.fit", arguments, as_json=as_json)
        result = fit_result_of(client, bytes.fromhex(document["id"]))
    if not as_json:
        say(words_of(result))
    if not result.accepted:
        fail(
            f"{meter_id}: expected a baseline that qualifies, got one that does not; choose "
            "another window, or accept that this meter has none"
        )
    if not as_json:
        say(f"Set it in force: tanlian baseline set {meter_id} {result.version} --as ADMIN")


@app.command("set")
def set_in_force(
    meter_id: MeterArgument,
    version: Annotated[int, typer.Argument(min=1, help="A version that qualifies.")],
    start: Annotated[
        str | None,
        typer.Option("--from", help="First interval held against it; by default its window's end."),
    ] = None,
    zone: Annotated[str, typer.Option(help="IANA zone of times without offset.")] = "UTC",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a baseline into force; needs another account than the one that fitted it."""
    from commands.reading_input import stamp_of
    from contracts.baselines import SetBaseline

    with connect(
        network, node, account=account, passphrase_file=passphrase_file, default_account=_ADMIN
    ) as connection:
        client = connection.client
        if start is None:
            from_ms = _version_of(client.baselines(meter=meter_id), meter_id, version)["to_ms"]
        else:
            from_ms = stamp_of(start, zone)
        arguments = SetBaseline(meter_id=meter_id, version=version, from_ms=from_ms)
        submit_and_print(client, "baseline.set", arguments, as_json=as_json)


@app.command("show")
def show(
    meter_id: MeterArgument,
    version: Annotated[
        int | None, typer.Argument(min=1, help="One version with its profile.")
    ] = None,
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the baselines of a meter, refused ones too, or the profile of one."""
    from commands.registry import meter_of

    with connect(network, node) as connection:
        baselines: list[dict[str, Any]] = connection.client.baselines(meter=meter_id)
        if not baselines:
            meter_of(connection.client, meter_id)
    if version is not None:
        found = _version_of(baselines, meter_id, version)
        if as_json:
            print_json(found)
        else:
            _print_profile(found)
        return
    if as_json:
        print_json({"baselines": baselines})
        return
    if not baselines:
        say("No baselines.")
        return
    from demo.fitting import percent

    print_table(
        (">version", "!from (UTC)", "!to (UTC)", ">CV(RMSE)", ">NMBE", "verdict"),
        [
            (
                each["version"],
                minute_text(each["from_ms"]),
                minute_text(each["to_ms"]),
                percent(each["cv_rmse_permille"]),
                percent(each["nmbe_permille"]),
                _verdict(each),
            )
            for each in baselines
        ],
    )


def _print_profile(baseline: dict[str, Any]) -> None:
    print_fields(
        [
            ("meter", baseline["meter_id"]),
            ("version", f"{baseline['version']}, {_verdict(baseline)}"),
            ("fitted by", baseline["fitted_by"]),
        ]
    )
    medians = baseline["medians"]
    print_table(
        (">hour", *(f">{name.lower()}" for name in medians)),
        [(hour, *(medians[name][hour] for name in medians)) for hour in range(24)],
        title="Median, base units an interval",
    )


def _verdict(baseline: dict[str, Any]) -> str:
    reason = baseline["reason"]
    return "qualifies" if reason is None else reason.lower().replace("_", " ")


def _version_of(baselines: list[Any], meter_id: str, version: int) -> dict[str, Any]:
    by_version = {each["version"]: dict(each) for each in baselines}
    if version not in by_version:
        known = ", ".join(map(str, by_version)) or "none yet"
        fail(f"{meter_id}: expected one of its baselines ({known}), got version {version}")
    return by_version[version]
