"""An answer reaches the replica after all effects of the step that asked (consensus.effects)."""

from collections.abc import Sequence

import pytest

from consensus.effects import (
    AssembleProposal,
    CancelTimer,
    Effect,
    JudgeProposal,
    StartTimer,
)
from consensus.events import Event, Now, ProposalAssembled, ProposalJudged, Timer, TimerKind
from node.kernel.effects import KernelEffect
from node.kernel.events import TransactionsSubmitted
from tests.kernel_samples import LoneNode, note

OLD = Timer(kind=TimerKind.VIEW, height=1, view=0)
NEW = Timer(kind=TimerKind.VIEW, height=1, view=1)


def timers_after(
    node: LoneNode, monkeypatch: pytest.MonkeyPatch, question: Effect
) -> list[KernelEffect]:
    """Asks, cancels the old timer in the same step, and starts a new one on the answer."""

    def step(event: Event, now: Now) -> Sequence[Effect]:
        del now
        if isinstance(event, ProposalAssembled | ProposalJudged):
            return (StartTimer(timer=NEW, after_ms=3_000),)
        return (question, CancelTimer(timer=OLD))

    monkeypatch.setattr(node.kernel.replica, "step", step)
    wires = (note(node.genesis, 1).wire,)
    effects = node.kernel.step(TransactionsSubmitted(ticket=1, wires=wires), node.now())
    return [each for each in effects if isinstance(each, StartTimer | CancelTimer)]


def test_a_timer_that_an_assembled_block_starts_is_not_cancelled_by_the_step_that_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = LoneNode()
    question = AssembleProposal(height=1, view=1, is_heartbeat=False)

    timers = timers_after(node, monkeypatch, question)

    assert timers == [CancelTimer(timer=OLD), StartTimer(timer=NEW, after_ms=3_000)]


def test_a_timer_that_a_judged_block_starts_is_not_cancelled_by_the_step_that_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = LoneNode()
    block = node.kernel.workshop.build(
        [], time_ms=node.wall_ms, proposer=node.kernel.workshop.parent.validators.keys[0]
    )
    question = JudgeProposal(
        header=block.header,
        transaction_ids=(),
        source=node.kernel.workshop.parent.validators.keys[0],
    )

    timers = timers_after(node, monkeypatch, question)

    assert timers == [CancelTimer(timer=OLD), StartTimer(timer=NEW, after_ms=3_000)]
