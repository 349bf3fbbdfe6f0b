"""A few seeds with the contracts of production and real signatures."""

from dataclasses import replace

import pytest

from node.simulator.plan import plan_of
from node.simulator.simulation import run_plan
from node.simulator.subject import accounts_subject


@pytest.mark.parametrize("number", range(8))
def test_production_contracts_agree_under_faults(number: int) -> None:
    plan = replace(plan_of(number), is_real=True)

    report = run_plan(plan, subject=accounts_subject())

    assert report.transactions >= 2
    assert report.blocks >= 2
