"""Draws the saturation curve; needs matplotlib, so only whoever wants a picture imports it."""

from math import ceil, floor, log10
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.curve import Point, points_of
from benchmarks.result import Environment, Result

WIDTH_INCHES: Final = 9.0
HEIGHT_INCHES: Final = 7.0
DOTS_PER_INCH: Final = 150
_INK: Final = "#1f2933"
_GRID: Final = "#d9dee3"
_BLUE: Final = "#1f6fb2"
_ORANGE: Final = "#d9730d"
_GREY: Final = "#8a949e"


def draw(result: Result, path: Path) -> None:
    """Writes the curve as a PNG.

    Raises:
        OSError: the file cannot be written.
    """
    # Without pyplot: no window, no state outside of this function.
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


def _draw_throughput(axes: Axes, points: list[Point], ceiling: float) -> None:
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


def _draw_latency(axes: Axes, points: list[Point]) -> None:
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
    axes.set_ylabel("until committed, ms (log)")
    if known:
        # Whole decades: each of them has a label then.
        axes.set_ylim(
            10 ** floor(log10(min(latency.p50_ms for _, latency in known) / 1.5)),
            10 ** ceil(log10(max(latency.p99_ms for _, latency in known) * 1.5)),
        )
    _finish(axes)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="upper left", frameon=False, fontsize=9)


def _finish(axes: Axes) -> None:
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
