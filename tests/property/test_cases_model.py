"""Cases under random steps of machine, people and clock, against a slow recount of everything."""

from collections import Counter
from typing import TypeVar

from hypothesis import given, strategies as st

from chain.codec import Record
from chain.errors import ContractRefusal
from chain.receipt import Event
from chain.state import MemoryStateReader
from contracts import alerts, cases, queries
from contracts.alert import (
    Alert,
    AlertReference,
    AlertState,
    AlertTrack,
    Cause,
    alert_key,
    number_of,
    reference_to,
    state_key,
    track_key,
)
from contracts.alerts import GROUPING_MS
from contracts.calendars import DAY_MS
from contracts.case import STAGES, TRANSITIONS, Action, CaseEntry, Escalation, Stage
from contracts.case_figures import COUNTS_PREFIX, TIMES_PREFIX, CaseCounts, CaseTimes, Spent
from contracts.cases import CommentCase, ConfigureCases, ExplainCase, TakeStep
from contracts.check import Check
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind, run_due
from contracts.emissions import month_of_day
from contracts.queries import AlertFilter, Cut
from contracts.runtime import DUE_HANDLERS
from tests.unit.contracts.registry_world import (
    ADMIN,
    CERTIFIER,
    OPERATOR,
    SECOND_ADMIN,
    World,
    occurrence,
)

RecordT = TypeVar("RecordT", bound=Record)
HOUR_MS = 3_600_000
CHECKS = (Check.ENERGY_CO2, Check.BASELINE)
PEOPLE = (ADMIN, SECOND_ADMIN, OPERATOR, CERTIFIER)
CAUSES = (Cause.COMMS, Cause.FRAUD)

Step = tuple[str, int]
KINDS = (
    *("fail", "fail", "clear", "acknowledge", "investigate", "explain", "dismiss", "return"),
    *("close", "comment", "wait", "configure"),
)
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 71)), max_size=60)


class Told:
    """Every event of a run, by the block that said it."""

    def __init__(self) -> None:
        self.escalations: list[Escalation] = []
        self.steps: list[tuple[str, int]] = []

    def take(self, events: tuple[Event, ...], time_ms: int) -> None:
        for event in events:
            if event.kind == "case.escalated":
                self.escalations.append(Escalation.decode(event.content))
            elif event.kind.startswith("case."):
                self.steps.append((event.subject, time_ms))


def take(world: World, kind: str, number: int) -> None:
    """Takes one step; what people do wrong is refused and changes nothing."""
    check = CHECKS[number % 2]
    step = TakeStep(alert_id=f"main.{check:02d}.{number % 6 // 2 + 1:06d}", note="x")
    who = PEOPLE[number % len(PEOPLE)]
    match kind:
        case "fail":
            found = occurrence(number * HOUR_MS, check=check)
            alerts.raise_alert(world.context(), world.meter("main"), found)
        case "clear":
            at_ms = number * HOUR_MS
            alerts.clear_alert(world.context(), subject_id="main", check=check, at_ms=at_ms)
        case "acknowledge":
            world.call(cases.acknowledge, step, sender=who)
        case "investigate":
            world.call(cases.investigate, step, sender=who)
        case "explain":
            explained = ExplainCase(
                alert_id=step.alert_id, cause=CAUSES[number % 5 % 2], explanation="x"
            )
            world.call(cases.explain, explained, sender=who)
        case "dismiss":
            world.call(cases.dismiss, step, sender=who)
        case "return":
            world.call(cases.send_back, step, sender=who)
        case "close":
            world.call(cases.close, step, sender=who)
        case "comment":
            said = CommentCase(alert_id=step.alert_id, comment="x")
            world.call(cases.comment, said, sender=who)
        case _:
            hours = number + 1
            spans = ((hours * HOUR_MS,) * len(Stage),) * 4
            terms = ConfigureCases(spans=spans, escalations_max=number % 3 + 1, reason="x")
            world.call(cases.configure, terms, sender=ADMIN)


def play(steps: list[Step]) -> tuple[World, Told]:
    world, told = World(), Told()
    world.add_meter()
    for kind, number in steps:
        if kind == "wait":
            told.take(tuple(world.events), world.time_ms)
            world.next_block(after_ms=(number + 1) * HOUR_MS)
            told.take(run_due(world.state, world.block, DUE_HANDLERS), world.time_ms)
            continue
        try:
            take(world, kind, number)
        except ContractRefusal as refusal:
            if refusal.code not in {"UNKNOWN_ALERT", "WRONG_STATE", "NOT_PERMITTED"}:
                raise
    told.take(tuple(world.events), world.time_ms)
    world.next_block()
    return world, told


def all_alerts(world: World) -> tuple[Alert, ...]:
    return queries.list_alerts(world.reader, Cut(limit=500)).records


@given(STEPS)
def test_every_alert_is_counted_indexed_tracked_and_waited_for(steps: list[Step]) -> None:
    world, _ = play(steps)
    every = all_alerts(world)

    assert sum(alert.occurrences for alert in every) == sum(kind == "fail" for kind, _ in steps)
    for alert in every:
        check_alert(alert)
        check_track(world, alert)
    check_index(world, every)
    check_queue(world, every)


def check_alert(alert: Alert) -> None:
    assert alert.first_interval_ms <= alert.last_interval_ms
    assert alert.opened_ms <= alert.updated_ms
    span_max_ms = (alert.occurrences - 1) * GROUPING_MS
    assert alert.last_interval_ms - alert.first_interval_ms <= span_max_ms
    was_explained = alert.explained_ms is not None
    assert (alert.cause is not None) == (alert.explained_by is not None) == was_explained
    if alert.state >= AlertState.ACKNOWLEDGED:
        assert alert.acknowledged_ms is not None
    if alert.state >= AlertState.EXPLAINED:
        assert was_explained
    assert (alert.deadline_ms is None) == (alert.state is AlertState.CLOSED)
    if alert.state in {AlertState.VERIFIED, AlertState.CLOSED}:
        assert alert.remedy is AlertState.DISMISSED
    if alert.cleared_ms is not None:
        assert alert.cleared_ms > alert.last_interval_ms
        assert alert.cleared_at_ms is not None


def check_track(world: World, alert: Alert) -> None:
    track = world.state.get(AlertTrack, track_key("main", alert.check))
    assert track is not None
    assert number_of(alert) <= track.counter
    if alert.state is AlertState.CLOSED:
        assert number_of(alert) not in track.unclosed
    for number in track.unclosed:
        assert alerts.get_alert(world.state, f"main.{alert.check:02d}.{number:06d}") is not None


def check_index(world: World, every: tuple[Alert, ...]) -> None:
    indexed = [
        alert
        for state in AlertState
        for alert in queries.list_alerts(
            world.reader, Cut(limit=500), AlertFilter(state=state)
        ).records
    ]
    assert sorted(alert.alert_id for alert in indexed) == [alert.alert_id for alert in every]
    references = [key for key in world.reader.entries if key.startswith(b"alert-by-state/")]
    assert sorted(references) == sorted(state_key(alert) for alert in every)
    for alert in every:
        assert world.state.get(AlertReference, state_key(alert)) == reference_to(alert)
        assert world.state.get(Alert, alert_key(alert.alert_id)) == alert


def check_queue(world: World, every: tuple[Alert, ...]) -> None:
    """One entry for each deadline that still lies ahead or was not handled yet, and no other."""
    queued = [
        (entry.subject, entry.due_ms)
        for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)
        if entry.kind is DueKind.CASE_DEADLINE
    ]
    by_id = {alert.alert_id: alert for alert in every}
    assert len({subject for subject, _ in queued}) == len(queued)
    for subject, due_ms in queued:
        assert by_id[subject].deadline_ms == due_ms
    for alert in every:
        if alert.deadline_ms is not None and alert.escalation == 0:
            assert (alert.alert_id, alert.deadline_ms) in queued


@given(STEPS)
def test_the_figures_are_those_of_a_recount(steps: list[Step]) -> None:
    world, _ = play(steps)
    every = all_alerts(world)

    counted = Counter(
        {
            (counts.cause, state): counts.by_state[state - 1]
            for counts in decoded(world.reader, COUNTS_PREFIX, CaseCounts)
            for state in AlertState
        }
    )
    assert counted == Counter((alert.cause, alert.state) for alert in every)
    assert times_of(world) == recounted(world, every)


def decoded(reader: MemoryStateReader, prefix: bytes, cls: type[RecordT]) -> list[RecordT]:
    return [cls.decode(stored) for _, stored in reader.iterate(prefix)]


def times_of(world: World) -> dict[tuple[int, Cause | None, str], Spent]:
    return {
        (times.month, times.cause, name): getattr(times, name)
        for times in decoded(world.reader, TIMES_PREFIX, CaseTimes)
        for name in ("acknowledge", "explain", "close")
        if getattr(times, name).count
    }


def recounted(world: World, every: tuple[Alert, ...]) -> dict[tuple[int, Cause | None, str], Spent]:
    spans: dict[tuple[int, Cause | None, str], list[int]] = {}

    def add(at_ms: int, cause: Cause | None, name: str, span_ms: int) -> None:
        spans.setdefault((month_of_day(at_ms // DAY_MS), cause, name), []).append(span_ms)

    for alert in every:
        firsts = first_times(world, alert)
        for action, name in (
            (Action.ACKNOWLEDGE, "acknowledge"),
            (Action.EXPLAIN, "explain"),
            (Action.CLOSE, "close"),
        ):
            if action not in firsts:
                continue
            span_ms = firsts[action] - alert.opened_ms
            add(firsts[action], None, name, span_ms)
            if Action.CLOSE in firsts:
                add(firsts[Action.CLOSE], alert.cause, name, span_ms)
    return {
        key: Spent(count=len(each), sum_ms=sum(each), max_ms=max(each))
        for key, each in spans.items()
    }


def story_of(world: World, alert: Alert) -> tuple[CaseEntry, ...]:
    return queries.list_case_entries(world.reader, alert.alert_id, Cut(limit=500)).records


def first_times(world: World, alert: Alert) -> dict[Action, int]:
    firsts: dict[Action, int] = {}
    for entry in story_of(world, alert):
        firsts.setdefault(entry.action, entry.time_ms)
    return firsts


@given(STEPS)
def test_the_story_leads_to_the_state_by_the_table_alone(steps: list[Step]) -> None:
    world, _ = play(steps)
    for alert in all_alerts(world):
        story = story_of(world, alert)
        assert [entry.number for entry in story] == list(range(1, alert.entry_count + 1))
        state = AlertState.OPEN
        for entry in story:
            state = TRANSITIONS.get((state, entry.action), state)
            assert entry.state is state
        assert alert.state is state


@given(STEPS)
def test_a_deadline_is_escalated_once_for_each_level(steps: list[Step]) -> None:
    world, told = play(steps)

    for alert in all_alerts(world):
        levels = [each.level for each in told.escalations if each.alert_id == alert.alert_id]
        story = story_of(world, alert)
        assert len(levels) == sum(entry.action is Action.ESCALATE for entry in story)
        expected = 0
        stage: Stage | None = Stage.ACKNOWLEDGE
        for entry in story:
            if entry.action is Action.ESCALATE:
                expected += 1
                assert levels.pop(0) == expected <= 3
            elif STAGES[entry.state] is not stage:
                expected, stage = 0, STAGES[entry.state]
        assert not levels
    severities = [each.severity for each in told.escalations]
    assert all(severity > 1 for severity in severities)


def test_the_model_reaches_what_it_speaks_of() -> None:
    """Else the properties above would hold of nothing."""
    way = [("fail", 0), ("wait", 71), ("acknowledge", 0), ("investigate", 0), ("explain", 0)]
    world, told = play([*way, ("clear", 2), ("return", 1), ("comment", 0), ("fail", 4)])
    (alert,) = all_alerts(world)

    assert [each.level for each in told.escalations] == [1]
    assert alert.state is AlertState.EXPLAINED
