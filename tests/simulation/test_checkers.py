"""The checkers find what they are for: too many faulty validators, and replicas made wrong.

A simulator that never fails proves nothing; so here it has to.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest

import chain.validator_set
from chain.certificate import PreparedCertificate
from chain.types import Hash
from consensus import view_change
from consensus.effects import Persist
from consensus.events import Now
from consensus.messages import ViewChange
from consensus.replica import initial_guard
from node.kernel.effects import KernelEffect
from node.kernel.events import KernelEvent
from node.kernel.kernel import Kernel
from node.simulator.disk import SimulatedDisk
from node.simulator.plan import Fault, FaultKind, Plan, plan_of
from node.simulator.simulation import SimulationFailure, run_plan
from node.storage import ChainStore
from tests.simulation.plans import plan_with


def first_violation(plans: Iterable[Plan]) -> str:
    """What the first failing plan shows, or nothing."""
    for plan in plans:
        try:
            run_plan(plan)
        except SimulationFailure as failure:
            return str(failure.cause)
    return ""


def ambushed(seed: int) -> Plan:
    """A network in which the first that prepares is cut off, then the first that commits."""
    plan = plan_with(seed=seed, seconds=14)
    ambush = Fault(kind=FaultKind.AMBUSH, at_us=500_000, until_us=plan.chaos_us, nodes=(), amount=2)
    return replace(plan, faults=(ambush,))


def test_more_twins_than_the_chain_survives_fork_it() -> None:
    # Validators 1 and 2 run twice; one instance of each sees only honest 0, the other only 3.
    found = ""
    for seed in range(20):
        plan = plan_with(seed=seed, twins=(1, 2))
        end_us = plan.chaos_us
        sides = tuple(
            Fault(kind=FaultKind.TWIN_SIDES, at_us=0, until_us=end_us, nodes=side, amount=twin)
            for twin, side in ((1, (0, 2)), (2, (0, 1)))
        )
        try:
            run_plan(replace(plan, faults=sides), is_over_budget=True)
        except SimulationFailure as failure:
            found = str(failure.cause)
            break

    assert found.startswith("agreement:")


def test_as_many_twins_as_the_chain_survives_do_not() -> None:
    plan = plan_with(twins=(1,))
    end_us = plan.chaos_us
    sides = Fault(kind=FaultKind.TWIN_SIDES, at_us=0, until_us=end_us, nodes=(0, 2), amount=1)

    assert run_plan(replace(plan, faults=(sides,))).blocks >= 2


def test_a_quorum_lowered_by_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    quorum_of = chain.validator_set.quorum_of
    monkeypatch.setattr(chain.validator_set, "quorum_of", lambda count: quorum_of(count) - 1)

    assert first_violation(map(plan_of, range(10))).startswith("certificate:")


def test_a_vote_sent_before_it_is_durable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Kernel.step

    def step_late(kernel: Kernel, event: KernelEvent, now: Now) -> tuple[KernelEffect, ...]:
        return tuple(sorted(step(kernel, event, now), key=lambda each: isinstance(each, Persist)))

    monkeypatch.setattr(Kernel, "step", step_late)

    assert first_violation(map(plan_of, range(10))).startswith("persist before send:")


def test_a_disk_that_forgets_what_was_signed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedDisk, "load_journal", lambda _disk: ())
    monkeypatch.setattr(SimulatedDisk, "load_guard", lambda _disk: initial_guard())

    assert first_violation(map(plan_of, range(10))).startswith(("recovery:", "double vote:"))


def test_a_store_that_does_not_know_its_transactions_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def holds_nothing(_store: ChainStore, _transaction_id: Hash) -> bool:
        return False

    monkeypatch.setattr(ChainStore, "holds", holds_nothing)

    assert first_violation(map(plan_of, range(10))).startswith("exactly once:")


def test_a_new_view_without_its_primary_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_change, "_begin_view", lambda _state: [])

    assert first_violation(map(plan_of, range(60))).startswith("progress:")


def test_an_ambush_harms_nobody() -> None:
    report = run_plan(ambushed(0))

    assert dict(report.probes)["ambush"] == 2
    assert report.views >= 2


def test_a_new_view_that_ignores_what_was_prepared_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_prepared(_view_changes: Iterable[ViewChange]) -> None:
        return None

    monkeypatch.setattr(view_change, "highest_prepared", none_prepared)

    assert first_violation(map(ambushed, range(20))).startswith("agreement:")


def test_a_new_view_that_takes_the_lowest_certificate_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lowest_prepared(view_changes: Iterable[ViewChange]) -> PreparedCertificate | None:
        found = [each.prepared for each in view_changes if each.prepared is not None]
        return min(found, key=lambda certificate: certificate.view, default=None)

    monkeypatch.setattr(view_change, "highest_prepared", lowest_prepared)

    assert first_violation(map(ambushed, range(20))).startswith("agreement:")


def test_a_failure_says_how_to_replay_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_change, "highest_prepared", lambda _view_changes: None)

    with pytest.raises(SimulationFailure) as caught:
        run_plan(ambushed(0))

    words = str(caught.value)
    assert words.startswith("seed 0: InvariantViolation: agreement: at height ")
    assert "ambush nodes=[] amount=2" in words
    assert "last events:" in words
    assert words.endswith("replay: tanlian simulate --seed 0")
