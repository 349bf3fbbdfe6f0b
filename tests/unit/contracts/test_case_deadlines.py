"""Deadlines of cases on block time: what each stage allows, who is next, and how often."""

from dataclasses import replace

import pytest

from contracts import alerts, cases
from contracts.alert import Alert, AlertState, Cause, Severity, alert_key
from contracts.case import (
    DEFAULT_TERMS,
    CaseSettings,
    Escalation,
    Stage,
    escalee_of,
    settings_version_key,
    span_of,
)
from contracts.case_steps import terms_of
from contracts.cases import ConfigureCases, ExplainCase, TakeStep
from contracts.check import Check
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind, run_due
from contracts.runtime import DUE_HANDLERS
from tests.unit.contracts.registry_world import (
    ADMIN,
    CERTIFIER,
    OPERATOR,
    START_MS,
    World,
    occurrence,
)

HOUR_MS = 3_600_000
ALERT_ID = "main.18.000001"
STEP = TakeStep(alert_id=ALERT_ID, note="seen")
TERMS = ConfigureCases(
    spans=((9_000, 9_000, 9_000), (8_000, 8_000, 8_000), (5_000, 6_000, 7_000), (2_000,) * 3),
    escalations_max=3,
    reason="a test",
)


@pytest.fixture
def world() -> World:
    """A world in which an alert of severity HIGH is open and the terms are short."""
    world = World()
    world.add_meter()
    world.call(cases.configure, TERMS)
    alerts.raise_alert(world.context(), world.meter("main"), occurrence())
    world.next_block(after_ms=0)
    return world


def alert_of(world: World) -> Alert:
    alert = alerts.get_alert(world.state, ALERT_ID)
    assert alert is not None
    return alert


def pass_time(world: World, after_ms: int) -> list[Escalation]:
    """Begins a block so much later; returns what was escalated at its beginning."""
    world.next_block(after_ms=after_ms)
    events = run_due(world.state, world.block, DUE_HANDLERS)
    assert {event.kind for event in events} <= {"case.escalated"}
    return [Escalation.decode(event.content) for event in events]


def queued(world: World) -> list[int]:
    return [
        entry.due_ms
        for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)
        if entry.kind is DueKind.CASE_DEADLINE
    ]


def test_nothing_is_said_before_a_deadline_and_once_at_it(world: World) -> None:
    assert pass_time(world, 4_999) == []

    assert pass_time(world, 1) == [
        Escalation.decode(
            Escalation(
                alert_id=ALERT_ID,
                organisation="steel",
                site="plant",
                stage=Stage.ACKNOWLEDGE,
                level=1,
                severity=Severity.CRITICAL,
                next=escalee_of(1),
                responsible=OPERATOR,
                deadline_ms=START_MS + 7_000,
            ).encode()
        )
    ]
    assert alert_of(world).deadline_ms == START_MS + 7_000
    assert alert_of(world).severity is Severity.CRITICAL
    assert pass_time(world, 1) == []


def test_the_ladder_goes_from_admin_over_certifier_to_consortium_and_ends(world: World) -> None:
    said = [each for _ in range(20) for each in pass_time(world, 1_000)]

    assert [(each.level, each.next.name) for each in said] == [
        (1, "ADMIN"),
        (2, "CERTIFIER"),
        (3, "CONSORTIUM"),
    ]
    assert said[-1].deadline_ms is None
    assert queued(world) == []
    assert alert_of(world).escalation == 3
    assert alert_of(world).deadline_ms == START_MS + 9_000


def test_nobody_is_above_the_consortium() -> None:
    assert [escalee_of(level).name for level in range(5)] == [
        *("RESPONSIBLE", "ADMIN", "CERTIFIER", "CONSORTIUM", "CONSORTIUM"),
    ]


def test_each_stage_has_its_own_time_and_starts_the_ladder_anew(world: World) -> None:
    pass_time(world, 5_000)
    world.call(cases.acknowledge, STEP)
    assert (alert_of(world).escalation, alert_of(world).deadline_ms) == (0, world.time_ms + 2_000)
    world.next_block()
    world.call(cases.investigate, STEP)
    assert alert_of(world).deadline_ms == world.time_ms + 1_000

    (said,) = pass_time(world, 1_000)

    assert (said.stage, said.level) == (Stage.EXPLAIN, 1)


def test_there_is_one_entry_in_the_queue_and_none_of_a_closed_case(world: World) -> None:
    explain = ExplainCase(alert_id=ALERT_ID, cause=Cause.COMMS, explanation="x")
    assert queued(world) == [START_MS + 5_000]
    world.call(cases.acknowledge, STEP)
    world.call(cases.investigate, STEP)
    assert queued(world) == [START_MS + 6_000]
    world.call(cases.explain, explain)
    assert queued(world) == [START_MS + 7_000]
    world.call(cases.dismiss, STEP, sender=CERTIFIER)
    assert queued(world) == [START_MS + 7_000]
    world.call(cases.close, STEP, sender=CERTIFIER)

    assert queued(world) == []
    assert pass_time(world, 100_000) == []


def test_a_step_in_the_very_block_of_the_deadline_comes_after_it(world: World) -> None:
    assert len(pass_time(world, 5_000)) == 1

    world.call(cases.acknowledge, STEP)

    assert alert_of(world).state is AlertState.ACKNOWLEDGED
    assert queued(world) == [world.time_ms + 2_000]


def test_an_entry_that_a_step_overtook_says_nothing(world: World) -> None:
    later = replace(alert_of(world), deadline_ms=START_MS + 50_000)
    world.state.put(alert_key(ALERT_ID), later)

    assert pass_time(world, 5_000) == []


def test_terms_hold_for_stages_that_begin_from_then_on(world: World) -> None:
    world.call(cases.configure, replace(TERMS, spans=((60_000,) * 3,) * 4, reason="slower"))
    assert alert_of(world).deadline_ms == START_MS + 5_000

    world.call(cases.acknowledge, STEP)

    assert alert_of(world).deadline_ms == world.time_ms + 60_000


def test_every_version_of_the_terms_is_kept(world: World) -> None:
    world.call(cases.configure, replace(TERMS, escalations_max=1, reason="less noise"))
    assert world.event_kinds == ["case.configured"]

    first = world.state.get(CaseSettings, settings_version_key("steel", 1))
    second = world.state.get(CaseSettings, settings_version_key("steel", 2))
    assert first is not None
    assert second is not None
    assert (first.reason, first.version, first.escalations_max) == ("a test", 1, 3)
    assert (second.reason, second.set_by, second.set_ms) == ("less noise", ADMIN, START_MS)
    assert terms_of(world.state, "steel") == second
    assert terms_of(world.state, "grid") == DEFAULT_TERMS


def test_terms_want_a_reason(world: World) -> None:
    assert world.refusal_of(cases.configure, replace(TERMS, reason=" ")) == (
        "INVALID_ARGUMENTS",
        "reason: expected why the terms change, got an empty text",
    )


def test_what_is_more_severe_is_given_less_time() -> None:
    for stage in Stage:
        spans = [span_of(DEFAULT_TERMS, severity, stage) for severity in Severity]
        assert spans == sorted(spans, reverse=True)
    assert span_of(DEFAULT_TERMS, Severity.HIGH, Stage.ACKNOWLEDGE) == 8 * HOUR_MS


def test_a_block_handles_no_more_deadlines_than_it_may(world: World) -> None:
    world.parameters = replace(world.parameters, due_entries_per_block_max=2)
    for number in range(1, 5):
        failing = occurrence(number * 10 * HOUR_MS, check=Check.CLOCK)
        alerts.raise_alert(world.context(), world.meter("main"), failing)

    counts = [len(pass_time(world, 20_000 if not step else 1)) for step in range(3)]

    assert counts == [2, 2, 1]
