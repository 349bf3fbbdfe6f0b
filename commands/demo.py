"""``tanlian demo``: the whole of it on real meter data, in a network that is thrown away."""

import time
from pathlib import Path
from typing import Annotated

import typer

from commands.output import JsonOption


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself after the summary.")] = False,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="Make the network in this new directory and leave it there."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Four validators and an observer turn real meter data into agreed alerts."""
    started_s = time.monotonic()
    from commands.performance import perform

    perform(started_s, keep=keep, is_once=once or as_json, as_json=as_json)
