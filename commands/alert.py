"""``tanlian alert``: what deviated, and what people did about it."""

import time
from typing import Annotated, Any

import typer

from commands.case import AlertArgument, add_steps
from commands.output import (
    minute_text,
    print_fields,
    print_json,
    print_json_line,
    print_table,
    say,
    time_text,
    warn,
)
from commands.session import Session, reads

app = typer.Typer(no_args_is_help=True, help="Alerts: list, follow, explain, resolve, close.")
add_steps(app)


@app.command("list")
@reads
def list_alerts(
    session: Session,
    state: Annotated[str | None, typer.Option(help="Such as open, explained, closed.")] = None,
    severity: Annotated[str | None, typer.Option(help="low, medium, high or critical.")] = None,
    meter: Annotated[str | None, typer.Option(help="Of this meter only.")] = None,
    site: Annotated[str | None, typer.Option(help="Of this site only.")] = None,
    escalated: Annotated[
        bool, typer.Option("--escalated", help="Only where a deadline has passed.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
) -> None:
    """List alerts, the oldest first."""
    from commands.registry import meter_of

    filters = {
        "state": None if state is None else state.upper(),
        "severity": None if severity is None else severity.upper(),
        "meter": meter,
        "site": site,
        "escalated": "true" if escalated else None,
    }
    with session.connect() as client:
        alerts = client.alerts(limit=limit, **filters)
        if meter is not None and not alerts:
            # A misspelt meter must not read as one without alerts.
            meter_of(client, meter)
    alerts.sort(key=lambda alert: str(alert["opened_ms"]))
    if session.as_json:
        print_json({"alerts": alerts})
        return
    if not alerts:
        say("No alerts.")
        return
    print_table(
        ("!alert", "what", "!severity", "!state", ">due in"),
        [alert_row(alert) for alert in alerts],
    )


def alert_row(alert: dict[str, Any]) -> tuple[object, ...]:
    """Returns the cells of one alert in a list."""
    from contracts.check import LABELS, Check

    return (
        alert["alert_id"],
        LABELS[Check[alert["check"]]],
        alert["severity"],
        alert["state"] + ("" if alert["cleared_ms"] is None else ", cleared"),
        left_text(alert),
    )


def left_text(alert: dict[str, Any]) -> str:
    """Returns how long there is until the next step is due, or for how long it has been."""
    if alert["deadline_ms"] is None:
        return "-"
    left_ms = alert["deadline_ms"] - time.time_ns() // 1_000_000
    hours = abs(left_ms) // 3_600_000
    return f"{hours} h" if left_ms >= 0 else f"late {hours} h"


def deadline_text(alert: dict[str, Any]) -> str:
    """Returns by when the next step is due, and how often that has passed."""
    if alert["deadline_ms"] is None:
        return "-"
    late = f", escalated {alert['escalation']} times" if alert["escalation"] else ""
    return f"{minute_text(alert['deadline_ms'])} ({left_text(alert)}){late}"


@app.command("show")
@reads
def show(session: Session, alert_id: AlertArgument) -> None:
    """Show one alert with its whole story: who did what, when, and what is due."""
    from contracts.check import LABELS, Check

    with session.connect() as client:
        alert: dict[str, Any] = client.alert(alert_id)
    if session.as_json:
        print_json(alert)
        return
    check = Check[alert["check"]]
    first, last = time_text(alert["first_interval_ms"]), time_text(alert["last_interval_ms"])
    subject = alert["site"] if alert["meter"] is None else f"{alert['meter']} at {alert['site']}"
    responsible = alert["responsible"]
    fields: list[tuple[str, object]] = [
        ("alert", alert["alert_id"]),
        ("check", f"{check:d}, {LABELS[check]}"),
        ("subject", f"{subject} ({alert['organisation']})"),
        ("severity", alert["severity"]),
        ("state", alert["state"]),
        ("opened", time_text(alert["opened_ms"])),
        ("intervals", f"{first} to {last}, {alert['occurrences']} failed"),
        ("first failure", f"observed {alert['observed']}, expected {alert['expected']}"),
        ("first reading", alert["leaf"]),
        ("cleared", time_text(alert["cleared_ms"])),
        ("cause", alert["cause"]),
        ("responsible", None if responsible is None else responsible[:12]),
        ("next step due", deadline_text(alert)),
    ]
    if alert["remedy"] is not None:
        fields.append(("remedy", f"{alert['remedy']} {_remedy_text(alert)}".rstrip()))
    print_fields(fields)
    if alert["story"]:
        print_table(
            ("!when (UTC)", "who", "did", "!state then", "note"),
            [_entry_row(entry) for entry in alert["story"]],
        )


def _entry_row(entry: dict[str, Any]) -> tuple[object, ...]:
    """Returns the cells of one line of a story."""
    who = "the contract" if entry["account"] is None else entry["account"][:12]
    note = entry["note"]
    if (file := entry["file"]) is not None:
        note = f"{file['name']} ({file['media_type']}), SHA-256 {file['sha256']} {note}"
    if entry["assignee"] is not None:
        note = f"to {entry['assignee'][:12]} {note}"
    if entry["cause"] is not None:
        note = f"{entry['cause']}: {note}"
    if remedy := _remedy_text(entry):
        note = f"{remedy} {note}"
    if (recheck := entry["recheck"]) is not None:
        note = f"{recheck['checked']} checked again, {recheck['failed']} fail {note}"
    return (minute_text(entry["time_ms"]), who, entry["action"], entry["state"], note)


def _remedy_text(named: dict[str, Any]) -> str:
    """Returns the number that a case or an entry names, and whose it is; empty for none."""
    if named["remedy_number"] is None:
        return ""
    whose = "" if named["remedy_meter"] is None else f" of {named['remedy_meter']}"
    return f"number {named['remedy_number']}{whose}"


@app.command("kpi")
@reads
def kpi(
    session: Session,
    site: Annotated[str | None, typer.Option(help="Of this site only.")] = None,
) -> None:
    """Show how many cases wait, for how long, and how long people took, by site and cause."""
    query = {} if site is None else {"site": site}
    with session.connect() as client:
        figures: dict[str, Any] = client.read("/v1/case-figures", query)
    if session.as_json:
        print_json(figures)
        return
    if not figures["counts"]:
        say("No alerts.")
        return
    hours = figures["age_bounds_hours"]
    ages = {(row["site"], row["cause"]): row["by_age"] for row in figures["open_by_age"]}
    print_table(
        ("!site", "!cause", ">open", *(f"><{bound}h" for bound in hours), ">older", ">closed"),
        [
            _count_row(row, ages.get((row["site"], row["cause"]), [0] * (len(hours) + 1)))
            for row in figures["counts"]
            if any(row["by_state"].values())
        ],
    )
    say("Mean and longest time from opening on, in hours:")
    print_table(
        ("!site", "!month", "!cause", ">acknowledge", ">explain", ">close", ">closed"),
        [_time_row(row) for row in figures["times"]],
    )
    if not figures["is_complete"]:
        warn("There is more than one answer holds; name a --site.")


def _count_row(row: dict[str, Any], by_age: list[int]) -> tuple[object, ...]:
    by_state = row["by_state"]
    closed = by_state["CLOSED"]
    waiting = sum(by_state.values()) - closed
    return (row["site"], row["cause"] or "(none yet)", waiting, *by_age, closed)


def _time_row(row: dict[str, Any]) -> tuple[object, ...]:
    steps = [_mean_text(row[name]) for name in ("acknowledge", "explain", "close")]
    return (row["site"], row["month"], row["cause"] or "(all)", *steps, row["close"]["count"])


def _mean_text(spent: dict[str, Any]) -> str:
    """Returns the mean of some times and the longest, in tenths of an hour."""
    if not spent["count"]:
        return "-"
    mean, longest = (spent[name] * 10 // 3_600_000 for name in ("mean_ms", "max_ms"))
    return f"{mean // 10}.{mean % 10}/{longest // 10}.{longest % 10}"


@app.command("watch")
@reads
def watch(
    session: Session,
    after: Annotated[
        str, typer.Option(help="Cursor to go on behind; `latest` for what comes from now on.")
    ] = "latest",
) -> None:
    """Follow alerts as they are raised and dealt with, until Ctrl-C."""
    with session.connect() as client:
        warn("Waiting for alerts; Ctrl-C ends.")
        for event in client.events(after=after, kind="alert.,case."):
            if session.as_json:
                print_json_line(
                    {"cursor": event.cursor, "kind": event.kind, "alert": event.content}
                )
            elif isinstance(event.content, dict):
                say(f"{time_text(event.time_ms)}  {_event_text(event.kind, event.content)}")


def _event_text(kind: str, content: dict[str, Any]) -> str:
    """Returns one line for an event of an alert or its case."""
    if "check" in content:
        label, severity, state = alert_row(content)[1:4]
        return f"{kind:<18} {content['alert_id']}  {label}, {severity}, {state}"
    if kind == "case.escalated":
        return (
            f"{kind:<18} {content['alert_id']}  {content['stage']} is overdue for the "
            f"{content['level']}. time; next: {content['next']}"
        )
    if "action" in content:
        return f"{kind:<18} {content['alert_id']}  {content['note']}"
    return f"{kind:<18} {content['organisation']}"
