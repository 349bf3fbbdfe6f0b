"""``tanlian bench``: what a network of processes on this host does in a second, at what cost."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from commands.output import fail, print_json_line, print_table, warn


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one line of JSON on standard output.")
    ] = False,
    validators: Annotated[int, typer.Option(min=4, max=31, help="Number of validators.")] = 4,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the saturation curve into this PNG file.")
    ] = None,
    details: Annotated[
        Path | None, typer.Option("--details", help="Write everything measured to this file.")
    ] = None,
) -> None:
    """Measure throughput, latency and cost of validators with TLS and durable storage."""
    from benchmarks.curve import DrawingUnavailable, check_drawing
    from benchmarks.result import Result
    from benchmarks.rig import BenchmarkFailed
    from benchmarks.run import FULL, QUICK, run
    from commands.interruption import ended_like_ctrl_c

    for option, path in (("--plot", plot), ("--details", details)):
        # Before the run: nobody should wait minutes for a complaint about a directory.
        if path is not None and not path.parent.is_dir():
            fail(f"{option}: expected a file in a directory that exists, got {path}")
    command = " ".join(["tanlian", *sys.argv[1:]])
    try:
        if plot is not None:
            check_drawing()
        with ended_like_ctrl_c():
            result: Result = run(
                QUICK if quick else FULL, validators=validators, command=command, say=warn
            )
    except (BenchmarkFailed, DrawingUnavailable) as error:
        fail(str(error))
    environment = result.environment
    print_table(
        ("figure", ">value", "remark"),
        result.rows(),
        title=f"{environment.validators} validators on {environment.machine}, Python "
        f"{environment.python}, commit {environment.commit[:12]}: {command}",
    )
    if plot is not None:
        from benchmarks.drawing import draw

        draw(result, plot)
    if details is not None:
        details.write_text(json.dumps(result.details(), indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json_line(result.line())
