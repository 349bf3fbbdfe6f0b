from dataclasses import replace

import pytest

from chain.errors import ContractRefusal, DecodeError
from chain.receipt import Event
from contracts.context import Context
from contracts.due_queue import (
    DUE_PREFIX,
    QUARANTINE_PREFIX,
    DueEntry,
    DueHandler,
    DueKind,
    QuarantinedEntry,
    due_key,
    push,
    run_due,
)
from contracts.organisations import Organisation, get_organisation, organisation_key
from tests.unit.contracts.registry_world import START_MS, World


def push_missing(world: World, due_ms: int, subject: str) -> None:
    push(world.state, due_ms=due_ms, kind=DueKind.MISSING, subject=subject)


def run(world: World, handler: DueHandler) -> tuple[Event, ...]:
    return run_due(world.state, world.block, {DueKind.MISSING: handler})


def waiting(world: World) -> list[tuple[int, str]]:
    return [(entry.due_ms, entry.subject) for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)]


def quarantined(world: World) -> list[QuarantinedEntry]:
    return [entry for _, entry in world.state.iterate(QuarantinedEntry, QUARANTINE_PREFIX)]


class Recorder:
    """A handler that notes what it was asked, and answers the same each time."""

    def __init__(self, answer: int | None = None) -> None:
        self.answer = answer
        self.subjects: list[str] = []

    def __call__(self, context: Context, subject: str) -> int | None:
        assert (context.sender, context.transaction_id) == (bytes(32), bytes(32))
        self.subjects.append(subject)
        return self.answer


def test_keys_sort_by_time_kind_and_subject() -> None:
    entry = DueEntry(due_ms=1_234, kind=DueKind.MISSING, subject="main")

    assert due_key(entry) == b"due/00000000000000001234/01/main"


def test_what_is_due_is_asked_oldest_first_and_what_is_not_waits() -> None:
    world = World()
    for due_ms, subject in ((START_MS, "now"), (START_MS + 1, "later"), (5, "old"), (5, "also")):
        push_missing(world, due_ms, subject)
    recorder = Recorder()

    events = run(world, recorder)

    assert recorder.subjects == ["also", "old", "now"]
    assert events == ()
    assert waiting(world) == [(START_MS + 1, "later")]


def test_a_handler_says_when_to_ask_again() -> None:
    world = World()
    push_missing(world, 5, "main")

    run(world, Recorder(answer=START_MS + 60_000))

    assert waiting(world) == [(START_MS + 60_000, "main")]


@pytest.mark.parametrize("answer_ms", [0, START_MS - 1, START_MS, START_MS + 1])
def test_an_answer_in_the_past_waits_for_the_next_block(answer_ms: int) -> None:
    world = World()
    push_missing(world, 5, "main")

    run(world, Recorder(answer=answer_ms))

    assert waiting(world) == [(START_MS + 1, "main")]


def test_a_block_takes_entries_up_to_its_limit_and_leaves_the_rest() -> None:
    world = World()
    world.parameters = replace(world.parameters, due_entries_per_block_max=2)
    for subject in ("a", "b", "c"):
        push_missing(world, 5, subject)
    recorder = Recorder()

    run(world, recorder)
    assert recorder.subjects == ["a", "b"]
    run(world, recorder)

    assert recorder.subjects == ["a", "b", "c"]
    assert waiting(world) == []


def test_a_limit_that_fits_takes_all() -> None:
    world = World()
    world.parameters = replace(world.parameters, due_entries_per_block_max=2)
    for subject in ("a", "b"):
        push_missing(world, 5, subject)

    run(world, Recorder())

    assert waiting(world) == []


def test_what_a_handler_pushes_waits_for_the_next_block() -> None:
    world = World()
    push_missing(world, 5, "first")
    asked: list[str] = []

    def handler(context: Context, subject: str) -> None:
        asked.append(subject)
        push(context.state, due_ms=1, kind=DueKind.MISSING, subject="second")

    run(world, handler)

    assert asked == ["first"]
    assert waiting(world) == [(1, "second")]


def test_writes_and_events_of_handlers_stay_in_order() -> None:
    world = World()
    push_missing(world, 5, "a")
    push_missing(world, 6, "b")

    def handler(context: Context, subject: str) -> None:
        entry = DueEntry(due_ms=context.time_ms, kind=DueKind.MISSING, subject=subject)
        context.emit("seen", subject, entry)

    events = run(world, handler)

    assert [(event.kind, event.subject) for event in events] == [("seen", "a"), ("seen", "b")]


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        AssertionError(),
        AttributeError(),
        KeyError(),
        IndexError(),
        RuntimeError(),
        TypeError(),
        ValueError(),
        ContractRefusal("CODE", "detail"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_handler_that_fails_everywhere_is_set_aside_and_the_others_go_on(
    error: Exception,
) -> None:
    world = World()
    push_missing(world, 5, "broken")
    push_missing(world, 6, "whole")
    asked: list[str] = []

    def handler(context: Context, subject: str) -> None:
        steel = get_organisation(context.state, "steel")
        assert steel is not None
        context.state.put(organisation_key("steel"), replace(steel, name=subject))
        context.emit("seen", subject, steel)
        if subject == "broken":
            raise error
        asked.append(subject)

    events = run(world, handler)

    entry = DueEntry(due_ms=5, kind=DueKind.MISSING, subject="broken")
    record = QuarantinedEntry(entry=entry, quarantined_ms=START_MS)
    assert asked == ["whole"]
    assert quarantined(world) == [record]
    assert waiting(world) == []
    assert [(event.kind, event.subject) for event in events] == [
        ("due.quarantined", "broken"),
        ("seen", "whole"),
    ]
    assert events[0].content == record.encode()


def test_what_a_failed_handler_wrote_is_forgotten() -> None:
    world = World()
    push_missing(world, 5, "broken")

    def handler(context: Context, subject: str) -> None:
        steel = get_organisation(context.state, "steel")
        assert steel is not None
        context.state.put(organisation_key("steel"), replace(steel, name=subject))
        raise ValueError

    run(world, handler)

    steel = world.state.get(Organisation, organisation_key("steel"))
    assert steel is not None
    assert steel.name == "steel"


def test_a_kind_without_handler_is_set_aside() -> None:
    world = World()
    push_missing(world, 5, "main")

    events = run_due(world.state, world.block, {})

    assert [event.kind for event in events] == ["due.quarantined"]
    assert len(quarantined(world)) == 1


@pytest.mark.parametrize(
    "error",
    [
        RecursionError(),
        MemoryError(),
        OSError(),
        DecodeError(path="x", expected="y", got="z"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_only_this_machine_meets_stops_this_machine(error: Exception) -> None:
    world = World()
    push_missing(world, 5, "main")

    def handler(*_: object) -> None:
        raise error

    with pytest.raises(type(error)):
        run(world, handler)
