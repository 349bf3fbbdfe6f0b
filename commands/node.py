"""``tanlian node``: runs one node, shows it, and verifies its data offline."""

from pathlib import Path
from typing import Annotated, Any

import typer

from commands import guard
from commands.output import JsonOption, print_fields, print_json, short, time_text
from commands.session import Session, reads

app = typer.Typer(no_args_is_help=True, help="One node: run it, ask it, verify its data.")
app.add_typer(guard.app, name="guard")


@app.command("run")
def run(
    config: Annotated[Path, typer.Option("--config", help="The node's config.toml.")],
    profile: Annotated[
        Path | None,
        typer.Option("--profile", help="Write a cProfile of the event loop here; slows it."),
    ] = None,
) -> None:
    """Run a node until SIGTERM or Ctrl-C."""
    from getpass import getpass

    from commands.input_file import CONFIG, check_file
    from node.app import run_node

    check_file(config, CONFIG)
    run_node(config, getpass, profile_path=profile)


@app.command("status")
@reads
def status(session: Session) -> None:
    """Show what a node says of itself and of its peers."""
    with session.connect() as client:
        found: dict[str, Any] = client.status()
    if session.as_json:
        print_json(found)
        return
    peers = found["peers"]
    connected = [peer["name"] for peer in peers if peer["is_connected"]]
    absent = [peer["name"] for peer in peers if not peer["is_connected"]]
    print_fields(
        [
            ("node", f"{found['name']} ({found['organisation']}, {found['role'].lower()})"),
            ("network", f"{found['network']}, chain {short(found['chain_id'])}"),
            ("height", f"{found['height']} at {time_text(found['head_time_ms'])}"),
            ("head", found["head_hash"]),
            ("state root", found["state_root"]),
            ("view, primary", f"{found['view']}, {found['primary']}"),
            ("pool", f"{found['mempool_transactions']} transactions"),
            ("connected", ", ".join(connected) or "nobody"),
            ("not connected", ", ".join(absent) or "nobody"),
            ("not voting", _not_voting(found)),
            ("ready", "yes" if found["readiness"]["is_ready"] else found["readiness"]["reason"]),
            ("next block", found["why_no_block"] or "comes when there is work"),
        ]
    )


def _not_voting(found: dict[str, Any]) -> str:
    """Returns which validators sign no blocks, as far as this node hears; itself with a reason."""
    missing = [each["name"] for each in found["validators"] if each["is_missing"]]
    if found["observing_reason"] is not None:
        missing = [each for each in missing if each != found["name"]]
        missing.append(f"{found['name']} ({found['observing_reason']})")
    return ", ".join(missing) or "nobody"


@app.command("verify")
def verify(
    home: Annotated[Path, typer.Option("--home", help="The node's home directory; not running.")],
    as_json: JsonOption = False,
) -> None:
    """Verify a stopped node's data: certificates, hashes and every root, by execution."""
    from commands.verification import verify_home

    report = verify_home(home, is_quiet=as_json)
    if as_json:
        print_json(report)
        return
    print_fields(
        [
            ("verified", f"{report['blocks']} blocks, {report['transactions']} transactions"),
            ("entries compared", report["entries"]),
            ("chain", report["chain_id"]),
            ("head", report["head"]),
            ("state root", report["state_root"]),
        ]
    )
