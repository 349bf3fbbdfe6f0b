"""The seeds together meet everything that they are for (probes, faults.md 3.2).

A file of its own, and early in the order, because it is one long test beside many short ones.
"""

from collections import Counter

import pytest

from node.simulator.probes import PROBES
from node.simulator.simulation import run_seed

PROBED_SEEDS = range(100)
"""Half of what a run has; what a hundred seeds do not meet is too rare."""


@pytest.mark.slow
def test_the_seeds_together_meet_everything_that_they_are_for() -> None:
    counts: Counter[str] = Counter()
    for seed in PROBED_SEEDS:
        counts.update(dict(run_seed(seed).probes))

    assert [name for name in PROBES if not counts[name]] == []
