"""``tanlian alert``: what deviated, and what people did about it."""

from typing import Annotated, Any

import typer

from commands.output import (
    JsonOption,
    minute_text,
    print_fields,
    print_json,
    print_json_line,
    print_table,
    say,
    time_text,
    warn,
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

app = typer.Typer(no_args_is_help=True, help="Alerts: list, follow, acknowledge, explain, resolve.")

AlertArgument = Annotated[str, typer.Argument(help="Alert id, as `tanlian alert list` shows it.")]
_CERTIFIER = "certifier"


@app.command("list")
def list_alerts(
    state: Annotated[
        str | None, typer.Option(help="open, acknowledged, explained or resolved.")
    ] = None,
    meter: Annotated[str | None, typer.Option(help="Of this meter only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alerts, the oldest first."""
    from commands.registry import meter_of

    wanted = None if state is None else state.upper()
    with connect(network, node) as connection:
        alerts = connection.client.alerts(state=wanted, meter=meter, limit=limit)
        if meter is not None and not alerts:
            # A misspelt meter must not read as one without alerts.
            meter_of(connection.client, meter)
    alerts.sort(key=lambda alert: str(alert["opened_ms"]))
    if as_json:
        print_json({"alerts": alerts})
        return
    if not alerts:
        say("No alerts.")
        return
    print_table(
        ("!alert", "what", "state", "!since (UTC)", ">times"),
        [alert_row(alert) for alert in alerts],
    )


def alert_row(alert: dict[str, Any]) -> tuple[object, ...]:
    """Returns the cells of one alert in a list."""
    from contracts.check import LABELS, Check

    return (
        alert["alert_id"],
        LABELS[Check[alert["check"]]],
        alert["state"] + ("" if alert["cleared_ms"] is None else ", cleared"),
        minute_text(alert["first_interval_ms"]),
        alert["occurrences"],
    )


@app.command("show")
def show(
    alert_id: AlertArgument,
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one alert with every step that people took."""
    from contracts.check import LABELS, Check

    with connect(network, node) as connection:
        alert: dict[str, Any] = connection.client.alert(alert_id)
    if as_json:
        print_json(alert)
        return
    check = Check[alert["check"]]
    first, last = time_text(alert["first_interval_ms"]), time_text(alert["last_interval_ms"])
    intervals = f"{first} to {last}, {alert['occurrences']} failed"
    fields: list[tuple[str, object]] = [
        ("alert", alert["alert_id"]),
        ("check", f"{check:d}, {LABELS[check]}"),
        ("meter", f"{alert['meter']} at {alert['site']} ({alert['organisation']})"),
        ("state", alert["state"]),
        ("opened", time_text(alert["opened_ms"])),
        ("intervals", intervals),
        ("first failure", f"observed {alert['observed']}, expected {alert['expected']}"),
        ("first reading", alert["leaf"]),
        ("cleared", time_text(alert["cleared_ms"])),
        ("cause", alert["cause"]),
    ]
    for step in ("acknowledged", "explained", "resolved"):
        if (taken := alert[step]) is not None:
            by = f"{time_text(taken['time_ms'])} by {taken['account'][:12]}"
            fields.append((step, f"{by}: {taken['note'] or '(no note)'}"))
    print_fields(fields)


@app.command("ack")
def acknowledge(
    alert_id: AlertArgument,
    note: Annotated[str, typer.Option(help="What is being done.")] = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an alert from OPEN to ACKNOWLEDGED: somebody has seen it."""
    from contracts.alerts import AcknowledgeAlert

    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        arguments = AcknowledgeAlert(alert_id=alert_id, note=note)
        submit_and_print(connection.client, "alert.acknowledge", arguments, as_json=as_json)


@app.command("explain")
def explain(
    alert_id: AlertArgument,
    cause: Annotated[str, typer.Option(help="Such as METER_FAULT, COMMS, SCHEDULE, EQUIPMENT.")],
    note: Annotated[str, typer.Option(help="What happened, and how one knows.")],
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an alert from ACKNOWLEDGED to EXPLAINED: a cause is stated."""
    from commands.choices import choice_of
    from contracts.alert import Cause
    from contracts.alerts import ExplainAlert

    arguments = ExplainAlert(
        alert_id=alert_id, cause=choice_of(Cause, cause, "--cause"), explanation=note
    )
    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        submit_and_print(connection.client, "alert.explain", arguments, as_json=as_json)


@app.command("resolve")
def resolve(
    alert_id: AlertArgument,
    note: Annotated[str, typer.Option(help="Why the explanation is accepted.")] = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an alert from EXPLAINED to RESOLVED: a second pair of eyes accepts it."""
    from contracts.alerts import ResolveAlert

    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=_CERTIFIER,
    ) as connection:
        arguments = ResolveAlert(alert_id=alert_id, note=note)
        submit_and_print(connection.client, "alert.resolve", arguments, as_json=as_json)


@app.command("watch")
def watch(
    after: Annotated[
        str, typer.Option(help="Cursor to go on behind; `latest` for what comes from now on.")
    ] = "latest",
    network: NetworkOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow alerts as they are raised and dealt with, until Ctrl-C."""
    with connect(network, node) as connection:
        warn("Waiting for alerts; Ctrl-C ends.")
        for event in connection.client.events(after=after, kind="alert."):
            if as_json:
                print_json_line(
                    {"cursor": event.cursor, "kind": event.kind, "alert": event.content}
                )
            elif isinstance(event.content, dict):
                label, state = alert_row(event.content)[1:3]
                moment = time_text(event.time_ms)
                say(f"{moment}  {event.kind:<18} {event.subject}  {label}, {state}")
