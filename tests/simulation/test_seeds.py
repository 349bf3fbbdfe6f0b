"""Seeds 0..N-1: every invariant in chaos, progress in the calm that follows.

``make simulate SEEDS=1000`` runs more; ``pytest --seed N`` or ``tanlian simulate --seed N`` one.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from node.simulator.simulation import run_seed

REGRESSIONS = Path(__file__).parents[1] / "regressions" / "simulator_seeds.txt"
"""Every seed that ever failed, for ever; a line is the seed and what it found."""


def regression_seeds() -> list[int]:
    lines = REGRESSIONS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def test_a_seed_holds_every_invariant(seed: int) -> None:
    report = run_seed(seed)

    assert report.seed == seed
    assert report.blocks >= 2


@pytest.mark.parametrize("regression", regression_seeds())
def test_a_seed_that_once_failed_holds_every_invariant(regression: int) -> None:
    assert run_seed(regression).blocks >= 2


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_a_seed_runs_the_same_in_another_process(hash_seed: str) -> None:
    program = (
        "from node.simulator.simulation import run_seed\n"
        "for seed in (2, 7): print(run_seed(seed).digest)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=REGRESSIONS.parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [run_seed(2).digest, run_seed(7).digest]
