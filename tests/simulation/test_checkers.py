"""The checkers find what they are for: too many faulty validators, and replicas made wrong.

A simulator that never fails proves nothing; so here it has to.
"""

from dataclasses import replace

import pytest

import chain.validator_set
from node.simulator.plan import (
    Fault,
    FaultKind,
)
from node.simulator.simulation import SimulationFailure, run_plan, run_seed
from tests.simulation.plans import plan_with


def first_violation(seeds: range) -> str:
    """What the first failing seed shows, or nothing."""
    for seed in seeds:
        try:
            run_seed(seed)
        except SimulationFailure as failure:
            return str(failure.cause)
    return ""


def test_more_twins_than_the_chain_survives_fork_it() -> None:
    # Validators 1 and 2 each run twice; one instance of each sees only honest 0, one only honest 3.
    found = ""
    for seed in range(20):
        plan = plan_with(seed=seed, twins=(1, 2))
        sides = [
            Fault(kind=FaultKind.TWIN_SIDES, at_us=0, until_us=plan.chaos_us, nodes=side, amount=twin)
            for twin, side in ((1, (0, 2)), (2, (0, 1)))
        ]
        try:
            run_plan(replace(plan, faults=tuple(sides)), is_over_budget=True)
        except SimulationFailure as failure:
            found = str(failure.cause)
            break

    assert found.startswith("agreement:")


def test_a_quorum_lowered_by_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    quorum_of = chain.validator_set.quorum_of
    monkeypatch.setattr(chain.validator_set, "quorum_of", lambda count: quorum_of(count) - 1)

    assert first_violation(range(10)).startswith("certificate:")
