"""The profile of a node is written whatever ends it, and not at all unless asked for."""

import pstats
from pathlib import Path

import pytest

from node.errors import LocalError
from node.profiling import profiled


def work() -> int:
    return sum(range(10))


def fail() -> None:
    raise OSError("No space left on device")


def profiled_functions(path: Path) -> set[str]:
    stats = pstats.Stats(str(path)).get_stats_profile()
    return set(stats.func_profiles)


def test_a_profile_names_what_ran_inside(tmp_path: Path) -> None:
    path = tmp_path / "node.prof"

    with profiled(path):
        work()

    assert "work" in profiled_functions(path)


def test_a_profile_is_written_when_a_fault_ends_the_work(tmp_path: Path) -> None:
    path = tmp_path / "node.prof"

    with pytest.raises(OSError, match="No space left"), profiled(path):
        fail()

    assert "fail" in profiled_functions(path)


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    with profiled(None):
        work()

    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "node.prof"

    with pytest.raises(LocalError, match="expected a file for the profile"), profiled(path):
        pytest.fail("nothing runs")
