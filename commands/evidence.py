"""``tanlian evidence``: equivocation that a node saw, and bringing it before all."""

from pathlib import Path
from typing import Annotated

import typer

from commands.output import JsonOption, print_json, print_table, say
from commands.session import Session, signs

app = typer.Typer(
    no_args_is_help=True, help="Two conflicting votes of one validator: list, record on chain."
)


@app.command("list")
def list_files(
    home: Annotated[Path, typer.Option("--home", help="A node's home directory.")],
    as_json: JsonOption = False,
) -> None:
    """List the evidence that a node has kept."""
    from commands.input_file import CONFIG, check_file
    from node.evidence_files import list_evidence, load_evidence
    from node.provisioning import CONFIG_FILE

    check_file(home / CONFIG_FILE, CONFIG)
    found = [(path, load_evidence(path).first) for path in list_evidence(home)]
    if as_json:
        print_json(
            {
                "evidence": [
                    {
                        "file": str(path),
                        "height": vote.height,
                        "view": vote.view,
                        "kind": vote.kind.name,
                        "signer": vote.signer,
                    }
                    for path, vote in found
                ]
            }
        )
    elif found:
        print_table(
            ("!file", ">height", ">view", "kind", ">validator"),
            [
                (str(path), vote.height, vote.view, vote.kind.name, vote.signer)
                for path, vote in found
            ],
        )
    else:
        say("No evidence: this node has seen no validator sign twice.")


@app.command("record")
@signs("member-1-admin")
def record(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A file of `tanlian evidence list`.")],
) -> None:
    """Record evidence on chain; every validator checks both signatures again."""
    from commands.input_file import EQUIVOCATION, check_file
    from contracts.evidence import RecordEquivocation
    from node.evidence_files import load_evidence

    check_file(file, EQUIVOCATION)
    session.submit("evidence.record", RecordEquivocation(evidence=load_evidence(file)))
