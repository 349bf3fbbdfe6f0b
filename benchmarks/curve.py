"""The saturation curve: what is committed of what is offered, and how soon."""

from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.figures import Latency
from benchmarks.result import Result


class DrawingUnavailable(Exception):
    """The library that draws is not installed; says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One load and what became of it."""

    label: str
    offered_per_second: float
    committed_per_second: float
    latency: Latency | None


def points_of(result: Result) -> list[Point]:
    """Returns the points of a run: paced ones ascending, saturation, overload."""
    paced = [
        Point(
            label=f"{share:.0%}",
            offered_per_second=each.offered_per_second,
            committed_per_second=each.committed_per_second,
            latency=each.latency,
        )
        for share, each in sorted(result.paced.items())
    ]
    single, over = result.single, result.overload
    # At saturation the load waits for the nodes: what it keeps offering is what they take.
    saturated = Point(
        label="saturation",
        offered_per_second=single.per_second,
        committed_per_second=single.per_second,
        latency=single.latency,
    )
    flooded = Point(
        label="overload",
        offered_per_second=over.offered_per_second,
        committed_per_second=over.per_second,
        latency=None,
    )
    return [*paced, saturated, flooded]


def check_drawing() -> None:
    """Tells before a long run whether its curve can be drawn.

    Raises:
        DrawingUnavailable: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise DrawingUnavailable(
            "--plot: expected matplotlib, which draws the curve, and it is not installed; it is a "
            "development dependency: run `make setup`, or leave --plot out"
        )
