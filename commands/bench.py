"""``tanlian bench``: what a network of processes on this host does in a second, at what cost.

``tanlian bench detection`` measures something else: how well the checks find what is labelled.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from commands.output import JsonOption, fail, print_json_line, print_table, printable, say, warn

app = typer.Typer(invoke_without_command=True)
_PERFORMANCE_OPTIONS = ("quick", "as_json", "validators", "plot", "details")


@app.callback()
def bench(
    context: typer.Context,
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
    """Measure throughput, latency and cost of validators with TLS and durable storage.

    With a command: measure what it says instead.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
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


@app.command()
def detection(
    file: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            help="Labelled readings: meter,timestamp,value,label with a header; plain or .gz.",
        ),
    ] = None,
    warmup_weeks: Annotated[
        int,
        typer.Option(min=2, max=52, help="Weeks before the first reading that is scored."),
    ] = 4,
    as_json: JsonOption = False,
) -> None:
    """Measure how well the checks find what is labelled, with the contracts' own code.

    Without a file: the labelled data of the repository, and injected faults of known kinds.
    """
    from benchmarks.detection import Tally
    from benchmarks.detection_data import Scored, score_examples, score_file
    from client.importers.source_file import SourceError

    scored: list[Scored] = []
    try:
        found = score_examples(warmup_weeks) if file is None else score_file(file, warmup_weeks)
        for each in found:
            warn(printable(f"{each.name}: {each.note or 'scored'}"))
            scored.append(each)
    except SourceError as error:
        fail(str(error))
    total = sum((each.tally for each in scored), Tally())
    print_table(
        ("meter", *(f">{column}" for column in _COLUMNS)),
        [_row(each.name, each.tally.figures) for each in (*scored, Scored("total", total))],
        title=f"{file or 'examples/data'}: what is labelled against what is flagged",
    )
    if not total.labelled:
        say("Nothing that was scored is labelled, so there is nothing to recall.")
    if as_json:
        meters = {each.name: each.tally.figures for each in scored}
        print_json_line({**total.figures, "meters": meters})


_COLUMNS = ("precision", "recall", "F1", "events", "found", "false/week", "delay")


def _row(name: str, figures: Mapping[str, object]) -> tuple[object, ...]:
    return (printable(name), *figures.values())


def _refuse_options_before(context: typer.Context) -> None:
    for name in _PERFORMANCE_OPTIONS:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = "--json" if name == "as_json" else f"--{name}"
            raise typer.BadParameter(
                f"expected after {context.invoked_subcommand}, got before it", param_hint=option
            )
