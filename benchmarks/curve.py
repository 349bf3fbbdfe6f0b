"""The saturation curve as a picture: what is committed of what is offered, and how soon."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.figures import Latency
from benchmarks.result import Environment, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_INCHES: Final = 9.0
HEIGHT_INCHES: Final = 7.0
DOTS_PER_INCH: Final = 150
_INK: Final = "#1f2933"
_GRID: Final = "#d9dee3"
_BLUE: Final = "#1f6fb2"
_ORANGE: Final = "#d9730d"
_GREY: Final = "#8a949e"


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


def draw(result: Result, path: Path) -> None:
    """Writes the curve as a PNG.

    Raises:
        DrawingUnavailable: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    check_drawing()
    # Without pyplot: no window, no state outside of this function.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    points = points_of(result)
    _draw_throughput(upper, points, result.ceiling_per_second)
    _draw_latency(lower, points)
    lower.set_xlabel("offered, transactions/s")
    figure.suptitle(
        f"Saturation curve: {result.environment.validators} validators, one reading a transaction",
        fontsize=13,
        fontweight="bold",
        color=_INK,
    )
    figure.supxlabel(_caption(result.environment), fontsize=7.5, color=_GREY)
    figure.savefig(path, dpi=DOTS_PER_INCH)


def _draw_throughput(axes: "Axes", points: list[Point], ceiling: float) -> None:
    offered = [each.offered_per_second for each in points]
    committed = [each.committed_per_second for each in points]
    end = max(offered) * 1.12
    axes.plot([0, end], [0, end], ls="--", lw=1, color=_GREY, label="all that is offered")
    axes.plot([0, *offered], [0, *committed], color=_BLUE, lw=2, zorder=3)
    axes.scatter(offered, committed, color=_BLUE, s=42, zorder=4, label="committed")
    for point in points:
        axes.annotate(
            f"{point.label}\n{point.committed_per_second:,.0f}/s",
            (point.offered_per_second, point.committed_per_second),
            xytext=(8, -8),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
            color=_INK,
        )
    top = max(committed) * 1.35
    is_in_sight = ceiling <= top * 1.5
    words = f"signature ceiling, {ceiling:,.0f}/s"
    if is_in_sight:
        top = max(top, ceiling * 1.08)
        axes.axhline(ceiling, color=_ORANGE, lw=1.2, ls=":", label=words)
    axes.set(xlim=(0, end), ylim=(0, top), ylabel="committed, transactions/s")
    _finish(axes)
    title = None if is_in_sight else f"{words}, is above this picture"
    legend = axes.legend(loc="lower right", frameon=False, fontsize=9, title=title)
    legend.get_title().set(fontsize=8, color=_GREY)


def _draw_latency(axes: "Axes", points: list[Point]) -> None:
    known = [(each.offered_per_second, each.latency) for each in points if each.latency is not None]
    offered = [each for each, _ in known]
    for name, color, values in (
        ("p99", _ORANGE, [latency.p99_ms for _, latency in known]),
        ("p50", _BLUE, [latency.p50_ms for _, latency in known]),
    ):
        axes.plot(offered, values, color=color, lw=2, marker="o", ms=5, label=name)
        for x, y in zip(offered, values, strict=True):
            above = name == "p99"
            axes.annotate(
                f"{y:,.0f}",
                (x, y),
                xytext=(-3, 6) if above else (6, -6),
                textcoords="offset points",
                ha="center" if above else "left",
                va="bottom" if above else "top",
                fontsize=8,
                color=color,
            )
    axes.set_yscale("log")
    axes.margins(y=0.35)
    axes.set_ylabel("until committed, ms (log)")
    _finish(axes)
    axes.legend(loc="upper left", frameon=False, fontsize=9)


def _finish(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    axes.grid(color=_GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    thousands = FuncFormatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_major_formatter(thousands)
    axes.yaxis.set_major_formatter(thousands)


def _caption(environment: Environment) -> str:
    return (
        f"{environment.machine}; Python {environment.python}; commit {environment.commit[:12]}; "
        f"{environment.command}"
    )
