"""A crash in the middle of each write in turn, of one node and of all at once."""

from dataclasses import replace

import pytest

from node.simulator.plan import SECOND_US, Fault, FaultKind
from node.simulator.simulation import run_plan
from tests.simulation.plans import plan_with

WRITES = range(16)
"""Three blocks and more: each takes a proposal, a certificate and a batch."""


@pytest.mark.parametrize("writes", WRITES)
@pytest.mark.parametrize(
    ("validators", "nodes"),
    [(1, (0,)), (4, (1,)), (4, (0,)), (4, (0, 1, 2, 3))],
    ids=["alone", "primary", "backup", "all"],
)
def test_a_crash_in_any_write_loses_nothing(
    writes: int, validators: int, nodes: tuple[int, ...]
) -> None:
    plan = plan_with(seed=writes, validators=validators, transactions=12, seconds=3)
    crash = Fault(
        kind=FaultKind.CRASH_AT_WRITE,
        at_us=SECOND_US // 10,
        until_us=SECOND_US,
        nodes=nodes,
        amount=writes,
    )

    report = run_plan(replace(plan, faults=(crash,)))

    probes = dict(report.probes)
    assert probes["crash in a write"] == len(nodes)
    assert probes["restart"] == len(nodes)
    assert report.transactions == 14
