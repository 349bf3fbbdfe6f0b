"""Short ways to take a case to its remedy, and to read what came of it."""

from contracts import alerts, cases, corrections, remedies
from contracts.alert import Alert, Cause
from contracts.case import CaseEntry, Recheck, entry_prefix
from contracts.cases import ExplainCase, TakeStep
from contracts.check import Check
from contracts.correction import AmountUnit, correction_count
from contracts.corrections import ApproveCorrection, CorrectReadings
from contracts.reading import MethodCode
from contracts.recheck import Remedy, recheck
from contracts.remedies import CorrectCase, RebaselineCase
from tests.unit.contracts.registry_world import ADMIN, OPERATOR, World


def alert_of(world: World, check: Check, number: int = 1, subject: str = "main") -> Alert:
    alert = alerts.get_alert(world.state, f"{subject}.{check:02d}.{number:06d}")
    assert alert is not None
    return alert


def explained(world: World, check: Check, number: int = 1, subject: str = "main") -> Alert:
    """Takes an open case to EXPLAINED, by OPERATOR."""
    alert_id = alert_of(world, check, number, subject).alert_id
    step = TakeStep(alert_id=alert_id, note="")
    world.call(cases.acknowledge, step, sender=OPERATOR)
    world.call(cases.investigate, step, sender=OPERATOR)
    explain(world, alert_id, sender=OPERATOR)
    world.next_block()
    return alert_of(world, check, number, subject)


def explain(world: World, alert_id: str, *, sender: bytes = OPERATOR) -> None:
    arguments = ExplainCase(alert_id=alert_id, cause=Cause.METER_FAULT, explanation="it hung")
    world.call(cases.explain, arguments, sender=sender)


def approved(world: World, meter_id: str, *intervals: tuple[int, int | None]) -> int:
    """Has amounts of intervals, by their starts, corrected; returns the correction's number."""
    proposal = CorrectReadings(
        meter_id=meter_id,
        unit=AmountUnit.BASE,
        intervals=intervals,
        method_code=MethodCode.MANUAL,
        reason="read again",
        evidence=bytes(32),
    )
    world.call(corrections.correct, proposal, sender=OPERATOR)
    number = correction_count(world.state, meter_id)
    approval = ApproveCorrection(meter_id=meter_id, number=number, proposal=bytes(32))
    world.call(corrections.approve, approval, sender=ADMIN)
    return number


def correction(alert: Alert, number: int | None, meter: str | None = None) -> CorrectCase:
    return CorrectCase(alert_id=alert.alert_id, meter=meter, number=number, note="see the log")


def correct(
    world: World, alert: Alert, number: int | None = None, meter: str | None = None
) -> Recheck:
    """Names a correction, or that what was missing has come; returns what the re-check found."""
    world.call(remedies.correct, correction(alert, number, meter), sender=OPERATOR)
    return found_by(world, alert)


def rebaseline(world: World, alert: Alert, version: int) -> Recheck:
    """Names a baseline or target; returns what the re-check found."""
    arguments = RebaselineCase(alert_id=alert.alert_id, version=version, note="see the log")
    world.call(remedies.rebaseline, arguments, sender=OPERATOR)
    return found_by(world, alert)


def found_by(world: World, alert: Alert) -> Recheck:
    found = story_of(world, alert)[-1].recheck
    assert found is not None
    return found


def looked_at(world: World, alert: Alert) -> Recheck:
    """What the re-check would find by a correction, without taking a step."""
    return recheck(world.context(), alert, Remedy.CORRECTION, None)


def story_of(world: World, alert: Alert) -> tuple[CaseEntry, ...]:
    entries = world.state.iterate(CaseEntry, entry_prefix(alert.alert_id))
    return tuple(entry for _, entry in entries)
