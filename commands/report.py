"""``tanlian report``: built from the state, anchored, listed, and verified by anybody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.month_option import month_of
from commands.output import (
    EXIT_FAILED,
    JsonOption,
    fail,
    print_fields,
    print_json,
    print_table,
    say,
    short,
    time_text,
)
from commands.report_file import HEADLINE
from commands.session import Session, reads, signs

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient
    from contracts.report import Headline, ReportKind

app = typer.Typer(no_args_is_help=True, help="Reports: build, anchor, list, show, verify.")
_DEFAULT_ACCOUNT: Final = "member-1-admin"
_KINDS: Final = {
    "inventory": "GHG_INVENTORY",
    "cn-monthly": "CN_MONTHLY_DEPOSIT",
    "cn-annual": "CN_ANNUAL",
}
_SHORT_NAMES: Final = {name: short_name for short_name, name in _KINDS.items()}
OrganisationArgument = Annotated[str, typer.Argument(help="Organisation whose report it is.")]


@app.command("build")
@signs()
def build(
    session: Session,
    organisation: OrganisationArgument,
    first: Annotated[str, typer.Option("--from", help="First month, such as 2018-01.")],
    last: Annotated[str, typer.Option("--to", help="Last month, inclusive.")],
    kind: Annotated[str, typer.Option(help="inventory, cn-monthly or cn-annual.")] = "inventory",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the JSON and the CSV; none: print the JSON.")
    ] = None,
    anchor: Annotated[
        bool, typer.Option("--anchor", help="Put its hash on the chain, signed by an admin.")
    ] = False,
) -> None:
    """Build a report from a node's newest state; with --anchor, anchor it too."""
    import sys

    from chain import jcs
    from commands.report_file import write_report

    wanted = _kind_of(kind)
    query = {"kind": wanted.name, "organisation": organisation}
    query |= {"from": first, "to": last}
    months = (month_of(first, "--from"), month_of(last, "--to"))
    signing = session.by_default(_DEFAULT_ACCOUNT) if anchor else session
    with signing.connect() as client:
        document = client.read("/v1/report-document", query)
        body = jcs.encode(document)
        paths = None if out is None else write_report(document, body, out)
        anchored = None
        if anchor:
            anchored = _anchor(client, wanted, months, document, body)
    if session.as_json:
        print_json({"files": [str(path) for path in paths or ()], **_summary(document, body)})
        return
    if paths is None and not anchor:
        sys.stdout.buffer.write(body)
        return
    _print_summary(document, body)
    for path in paths or ():
        say(f"wrote {path}")
    if anchored is not None:
        say(f"anchored in block {anchored['height']}, transaction {anchored['id']}")


@app.command("list")
@reads
def list_reports(
    session: Session,
    organisation: Annotated[str | None, typer.Option(help="Of this organisation only.")] = None,
) -> None:
    """List anchored reports, and whether a revision has touched their period."""
    with session.connect() as client:
        reports: Any = client.entries("/v1/reports", "reports", {"organisation": organisation})
    if session.as_json:
        print_json({"reports": reports})
        return
    if not reports:
        say("No reports are anchored.")
        return
    print_table(
        ("!report", "!kind", "!period", "!status", "!document"),
        [
            (
                f"{each['organisation']}/{each['number']}",
                _SHORT_NAMES.get(each["kind"], each["kind"]),
                _period_text(each),
                str(each["status"]).lower(),
                short(str(each["document"])),
            )
            for each in reports
        ],
    )


@app.command("show")
@reads
def show(
    session: Session,
    organisation: OrganisationArgument,
    number: Annotated[int, typer.Argument(min=1, help="Number, as `report list` shows it.")],
) -> None:
    """Show an anchored report: its totals, its factors, and what has touched it since."""
    with session.connect() as client:
        report: Any = client.read(f"/v1/reports/{organisation}/{number}")
    if session.as_json:
        print_json(report)
        return
    print_fields(_report_fields(report))


@app.command("verify")
@reads
def verify(
    session: Session,
    file: Annotated[Path, typer.Argument(help="The report's JSON, as it was written.")],
) -> None:
    """Check a report: canonical, anchored, of this chain, and what a node computes itself."""
    import hashlib

    from commands.report_file import differences, read_report

    document, body = read_report(file)
    digest = hashlib.sha256(body).hexdigest()
    with session.connect() as client:
        report: Any = client.read(f"/v1/report-documents/{digest}")
        faults = [*_headline_faults(document, report), *_place_faults(client, document, report)]
        rebuilt: Any = client.read("/v1/report-document", _query_of(document))
    rebuilt["computed_at"] = document["computed_at"]
    changed = list(differences(document, rebuilt))
    result = {
        "document": digest,
        "report": f"{report['organisation']}/{report['number']}",
        "status": report["status"],
        "faults": faults,
        "changed_since": changed,
        "recomputed": not changed,
    }
    if session.as_json:
        print_json(result)
    else:
        _print_verdict(document, report, faults, changed)
    if faults or changed:
        raise typer.Exit(EXIT_FAILED)


@app.command("replay")
def replay(
    file: Annotated[Path, typer.Argument(help="The report's JSON, as it was written.")],
    home: Annotated[Path, typer.Argument(help="Home of a node that does not run.")],
    as_json: JsonOption = False,
) -> None:
    """Compute a report at its own block: execute the chain up to it and compare every byte."""
    from commands.report_file import differences, read_report
    from commands.verification import document_at
    from contracts.report_document import ReportRequest

    document, _ = read_report(file)
    period = document["period"]
    request = ReportRequest(
        kind=_named_kind(document["kind"]),
        organisation=document["organisation"]["id"],
        from_month=month_of(period["from"], f"{file}: from"),
        to_month=month_of(period["to"], f"{file}: to"),
    )
    height = document["computed_at"]["height"]
    computed = document_at(home, request, height, is_quiet=as_json)
    changed = list(differences(document, computed))
    if as_json:
        print_json({"height": height, "differences": changed, "recomputed": not changed})
    elif not changed:
        say(f"Equal in every member to what block {height} gives.")
    else:
        say(f"Differs from what block {height} gives at:", *changed)
    if changed:
        raise typer.Exit(EXIT_FAILED)


@app.command("define")
@signs(_DEFAULT_ACCOUNT)
def define(
    session: Session,
    file: Annotated[Path, typer.Argument(help="JSON with the members of docs/reports.md, Design.")],
) -> None:
    """Define what reports of the signing admin's organisation cover: the next design version."""
    from commands.filings import design_of
    from commands.input_file import DESIGN, read_json

    session.submit("report.define", design_of(read_json(file, DESIGN), file))


def _named_kind(name: str) -> "ReportKind":
    from contracts.report import ReportKind

    if name not in ReportKind.__members__:
        fail(f"kind: expected one of {', '.join(ReportKind.__members__)}, got {name!a}")
    return ReportKind[name]


def _kind_of(text: str) -> "ReportKind":
    from contracts.report import ReportKind

    name = _KINDS.get(text.lower())
    if name is None:
        fail(f"--kind: expected one of {', '.join(_KINDS)}, got {text!a}")
    return ReportKind[name]


def _anchor(
    client: "SyncTanlianClient",
    kind: "ReportKind",
    months: tuple[int, int],
    document: dict[str, Any],
    body: bytes,
) -> dict[str, Any]:
    import hashlib

    from commands.submission import committed_transaction, submit
    from contracts.report import AnchorReport

    at = document["computed_at"]
    arguments = AnchorReport(
        kind=kind,
        from_month=months[0],
        to_month=months[1],
        document=hashlib.sha256(body).digest(),
        computed_height=at["height"],
        state_root=bytes.fromhex(at["state_root"]),
        headline=_headline_of(document),
    )
    outcome = submit(client, "report.anchor", arguments)
    return committed_transaction(client, outcome.transaction_id)


def _headline_of(document: dict[str, Any]) -> "Headline":
    from contracts.emissions import pack_numerator
    from contracts.report import Headline

    totals = document["totals"]
    return Headline(
        **{
            field: pack_numerator(int(totals[name]["numerator_1e10_g"]))
            for field, name in HEADLINE.items()
        }
    )


def _headline_faults(document: dict[str, Any], report: dict[str, Any]) -> list[str]:
    stated = _headline_of(document)
    return [
        f"{field}: the document's total is not the anchored one"
        for field in HEADLINE
        if getattr(stated, field).hex() != report["headline"][field]
    ]


def _place_faults(
    client: "SyncTanlianClient", document: dict[str, Any], report: dict[str, Any]
) -> list[str]:
    at = document["computed_at"]
    block: Any = client.read(f"/v1/blocks/{at['height']}")
    status: Any = client.read("/v1/status")
    pairs = (
        ("chain_id", at["chain_id"], status["chain_id"]),
        ("state_root", at["state_root"], block["header"]["state_root"]),
        ("anchored state_root", at["state_root"], report["state_root"]),
        ("computed height", at["height"], report["computed_height"]),
    )
    return [f"{name}: expected {want}, got {got}" for name, got, want in pairs if got != want]


def _query_of(document: dict[str, Any]) -> dict[str, str]:
    return {
        "kind": document["kind"],
        "organisation": document["organisation"]["id"],
        "from": document["period"]["from"],
        "to": document["period"]["to"],
    }


def _print_verdict(
    document: dict[str, Any], report: dict[str, Any], faults: list[str], changed: list[str]
) -> None:
    recomputed = "equal in every member"
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        recomputed = f"differs now at {', '.join(changed[:3])}{more}"
    print_fields(
        [
            ("report", f"{report['organisation']}/{report['number']}"),
            ("canonical", "holds"),
            ("anchored", f"block {report['anchored_height']}, {report['status'].lower()}"),
            ("totals and place", "; ".join(faults) or "hold"),
            ("recomputed", recomputed),
        ]
    )
    if changed:
        at = document["computed_at"]["height"]
        say(
            f"The state has moved on since block {at}. To compute it at that block, stop an "
            "observer and use `tanlian report replay FILE HOME`."
        )


def _summary(document: dict[str, Any], body: bytes) -> dict[str, Any]:
    import hashlib

    return {
        "document": hashlib.sha256(body).hexdigest(),
        "kind": document["kind"],
        "period": document["period"],
        "computed_at": document["computed_at"],
        "totals": document["totals"],
    }


def _print_summary(document: dict[str, Any], body: bytes) -> None:
    summary = _summary(document, body)
    totals = document["totals"]
    period = document["period"]
    print_fields(
        [
            ("report", f"{document['kind'].lower()} {period['from']} to {period['to']}"),
            ("document", summary["document"]),
            ("computed at", f"block {document['computed_at']['height']}"),
            ("direct", f"{totals['direct']['tonnes']} t CO2e"),
            ("scope 2 location", f"{totals['scope2_location_based']['tonnes']} t CO2e"),
            ("scope 2 market", f"{totals['scope2_market_based']['tonnes']} t CO2e"),
            ("value chain", f"{totals['value_chain']['tonnes']} t CO2e"),
            ("open months", ", ".join(document.get("open_months", ())) or "none"),
        ]
    )


def _report_fields(report: dict[str, Any]) -> list[tuple[str, object]]:
    from contracts.emissions import numerator_of
    from contracts.report_totals import tonnes

    superseded = report["superseded_by"]
    return [
        ("report", f"{report['organisation']}/{report['number']}, {report['kind'].lower()}"),
        ("period", f"{report['from']} to {report['to']}"),
        ("sites", ", ".join(report["sites"])),
        ("status", report["status"].lower()),
        ("superseded by", None if superseded is None else f"revision {superseded[1]} of site "
                                                          f"{superseded[0]}"),
        ("document", report["document"]),
        ("computed at", f"block {report['computed_height']}, state {report['state_root']}"),
        ("anchored", f"block {report['anchored_height']}, {time_text(report['anchored_ms'])}"),
        *(
            (name.replace("_", " "), f"{tonnes(numerator_of(bytes.fromhex(value)))} t CO2e")
            for name, value in report["headline"].items()
        ),
        (
            "factors",
            ", ".join(f"{each['factor_id']} v{each['version']}" for each in report["factors"]),
        ),
    ]  # fmt: skip


def _period_text(report: dict[str, Any]) -> str:
    from contracts.month import month_name

    return f"{month_name(report['from_month'])} to {month_name(report['to_month'])}"
