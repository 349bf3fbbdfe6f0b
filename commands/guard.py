"""``tanlian node guard``: what an operator decides when a sign guard is lost."""

from pathlib import Path
from typing import Annotated

import typer

from commands.output import JsonOption, print_json, say

app = typer.Typer(
    no_args_is_help=True,
    help="The sign guard: the file that keeps a validator from signing twice.",
)


@app.command("accept")
def accept(
    home: Annotated[Path, typer.Option("--home", help="The validator's home; not running.")],
    after_height: Annotated[
        int,
        typer.Option(
            "--after-height",
            min=0,
            help="Above every height at which a peer shows a vote of this validator.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Replace a lost guard: the validator votes again beyond a height, and never below it.

    What a validator signed at heights that its guard forgot, only its peers can tell: see
    `last_vote_height` of this validator in `tanlian node status --json` on each of them.
    """
    from commands.input_file import CONFIG, check_file
    from node.guard_acceptance import accept_guard
    from node.provisioning import CONFIG_FILE

    check_file(home / CONFIG_FILE, CONFIG)
    accept_guard(home, after_height)
    if as_json:
        print_json({"home": str(home), "after_height": after_height})
    else:
        say(f"Accepted: {home} votes again above height {after_height}. Start the node.")
