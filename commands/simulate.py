"""``tanlian simulate``: one seeded network on virtual time, to replay what a test run found."""

from typing import Annotated

import typer

from commands.output import JsonOption


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="Seed of network, faults and load.")],
    as_json: JsonOption = False,
) -> None:
    """Run one seed of the simulator and show what it found."""
    raise NotImplementedError((seed, as_json))
