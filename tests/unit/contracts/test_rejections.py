"""Rejections: a proposal that ends without counting, by the second account or the proposer."""

from dataclasses import replace

import pytest

from contracts import corrections, rejections, remedies
from contracts.check import Check
from contracts.correction import Correction, Rejection, correction_count
from contracts.corrections import ApproveCorrection
from contracts.rejections import RejectCorrection
from contracts.remedies import CorrectCase
from contracts.revisions import RecordedRevision, revision_prefix
from tests.unit.contracts.case_world import explained
from tests.unit.contracts.reading_world import amount
from tests.unit.contracts.registry_world import (
    ADMIN,
    BODY_ADMIN,
    CERTIFIER,
    GATEWAY,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    SECOND_ADMIN,
    SECOND_OPERATOR,
)
from tests.unit.contracts.test_baselines import load
from tests.unit.contracts.test_corrections import FACTOR, PROPOSAL, CorrectedWorld
from tests.unit.contracts.test_remedies import stuck_world

REJECT = RejectCorrection(
    meter_id="main", number=1, proposal=PROPOSAL, reason="the photo shows 200"
)


def reject(world: CorrectedWorld, number: int) -> None:
    """Has an admin reject a proposal."""
    world.call(rejections.reject, replace(REJECT, number=number))


@pytest.fixture
def world() -> CorrectedWorld:
    """A world in which 250 is proposed instead of 200."""
    world = CorrectedWorld()
    world.send(amount(0, 100), amount(1, 200))
    world.propose((1, 250))
    world.next_block()
    return world


@pytest.mark.parametrize("sender", [ADMIN, SECOND_ADMIN, CERTIFIER, OPERATOR])
def test_a_rejected_proposal_stands_with_its_reason_and_moves_nothing(
    world: CorrectedWorld, sender: bytes
) -> None:
    before = world.correction(1)

    world.call(rejections.reject, REJECT, sender=sender)

    rejected = world.correction(1)
    assert rejected == replace(
        before,
        rejection=Rejection(
            rejected_by=sender, rejected_ms=world.time_ms, reason="the photo shows 200"
        ),
    )
    assert (rejected.approved_by, rejected.replaced) == (None, ())
    assert (world.effective(1), world.totals) == (200, (300, 300 * FACTOR))
    assert [(event.kind, event.subject) for event in world.events] == [
        ("correction.rejected", "main")
    ]
    assert Correction.decode(world.events[0].content) == rejected
    assert not list(world.state.iterate(RecordedRevision, revision_prefix("plant")))


@pytest.mark.parametrize(
    ("sender", "got"),
    [
        (SECOND_OPERATOR, "OPERATOR of steel"),
        (GATEWAY, "GATEWAY of steel"),
        (OTHER_ADMIN, "ADMIN of grid"),
        (OTHER_OPERATOR, "OPERATOR of grid"),
        (BODY_ADMIN, "ADMIN of body"),
    ],
)
def test_who_may_not_reject(world: CorrectedWorld, sender: bytes, got: str) -> None:
    assert world.refusal_of(rejections.reject, REJECT, sender=sender) == (
        "NOT_PERMITTED",
        f"correction 1 of main: expected an ADMIN of steel, or a CERTIFIER, got {got}",
    )


def test_what_is_decided_is_decided_once(world: CorrectedWorld) -> None:
    world.call(rejections.reject, REJECT)

    approval = ApproveCorrection(meter_id="main", number=1, proposal=PROPOSAL)
    rejected = (
        "WRONG_STATE",
        (
            "correction 1 of main: expected one that waits for its approval, got one rejected at "
            f"{world.time_ms}; propose again"
        ),
    )
    assert world.refusal_of(corrections.approve, approval, sender=SECOND_ADMIN) == rejected
    assert world.refusal_of(rejections.reject, REJECT, sender=OPERATOR) == rejected


def test_what_is_approved_cannot_be_rejected(world: CorrectedWorld) -> None:
    world.approve(1)

    for sender in (ADMIN, OPERATOR):
        code, detail = world.refusal_of(rejections.reject, REJECT, sender=sender)
        assert code == "WRONG_STATE"
        assert detail.endswith(f"approved at {world.time_ms}; propose another to change it")
    assert world.effective(1) == 250


def test_the_number_of_a_rejected_proposal_is_never_given_again(world: CorrectedWorld) -> None:
    world.call(rejections.reject, REJECT)

    assert world.propose((1, 260)) == 2
    assert correction_count(world.state, "main") == 2
    world.approve(2)
    assert (world.effective(1), world.correction(1).intervals[0].amount) == (260, 250)


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (replace(REJECT, meter_id="none"), "UNKNOWN_METER", "meter_id"),
        (replace(REJECT, number=2), "UNKNOWN_CORRECTION", "number"),
        (replace(REJECT, proposal=b"\x06" * 32), "UNKNOWN_CORRECTION", "proposal"),
        (replace(REJECT, reason=" "), "INVALID_ARGUMENTS", "reason"),
    ],
)
def test_a_rejection_names_what_it_has_read_and_why(
    world: CorrectedWorld, arguments: RejectCorrection, code: str, field: str
) -> None:
    found, detail = world.refusal_of(rejections.reject, arguments)

    assert (found, detail.partition(":")[0]) == (code, field)


def test_a_rejected_correction_resolves_no_case() -> None:
    world = stuck_world()
    alert = explained(world, Check.STUCK)
    number = world.propose(*((place, load(place)) for place in range(192, 202)))
    reject(world, number)

    arguments = CorrectCase(alert_id=alert.alert_id, meter=None, number=number, note="")
    code, detail = world.refusal_of(remedies.correct, arguments, sender=OPERATOR)

    assert code == "INVALID_ARGUMENTS"
    assert detail.endswith("got 1, which is rejected")
