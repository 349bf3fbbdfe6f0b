"""The curve has a point for each load, and its picture is a PNG."""

from pathlib import Path

import pytest

from benchmarks import curve
from benchmarks.curve import DrawingUnavailable, check_drawing, points_of
from benchmarks.drawing import draw
from benchmarks.figures import Latency
from tests.benchmark_samples import LATENCY, result


def test_the_points_are_the_paced_loads_then_saturation_and_overload() -> None:
    points = points_of(result())

    assert [(each.label, each.offered_per_second) for each in points] == [
        ("50%", 1_250.0),
        ("saturation", 2_500.0),
        ("overload", 4_000.0),
    ]
    assert [each.committed_per_second for each in points] == [1_243.75, 2_500.0, 2_000.0]
    assert [each.latency is None for each in points] == [False, False, True]


@pytest.mark.slow
@pytest.mark.parametrize("half", [LATENCY, None])
def test_the_picture_is_a_png_whether_all_was_seen_or_not(
    tmp_path: Path, half: Latency | None
) -> None:
    draw(result(half=half), tmp_path / "curve.png")

    assert (tmp_path / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_matplotlib_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "find_spec", lambda _: None)

    with pytest.raises(DrawingUnavailable, match="make setup"):
        check_drawing()
