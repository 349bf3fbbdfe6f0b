"""``tanlian simulate``: seeded networks on virtual time, to replay what a test run found."""

from dataclasses import asdict
from typing import Annotated

import typer

from commands.output import JsonOption, fail, print_fields, print_json, say


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="Decides network, faults and load.")],
    trace: Annotated[bool, typer.Option("--trace", help="Print every event.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one seed of the simulator: nodes on virtual time, with faults and checkers."""
    from node.simulator.plan import plan_of
    from node.simulator.simulation import SimulationFailure, run_seed

    if not as_json:
        say(plan_of(seed).describe())
    try:
        report = run_seed(seed, trace=trace and not as_json, print_line=say)
    except SimulationFailure as failure:
        fail(str(failure))
    if as_json:
        document = asdict(report)
        document["faults"], document["probes"] = dict(report.faults), dict(report.probes)
        print_json(document)
        return
    print_fields(
        [
            ("seed", f"{seed} held every invariant"),
            ("blocks", f"{report.blocks}, up to view {report.views}"),
            ("transactions", report.transactions),
            ("virtual time", f"{report.virtual_ms} ms, {report.events} events"),
            ("digest", report.digest),
        ]
    )
