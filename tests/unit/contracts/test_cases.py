"""The steps that people take a case through: who may, in which order, and what is kept of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts import alerts, cases, queries
from contracts.account import Role, account_key
from contracts.accounts import get_account
from contracts.alert import Alert, AlertReference, AlertState, Cause, alert_key, state_prefix
from contracts.case import (
    EVENTS,
    PARTIES,
    SEVERITIES,
    STAGES,
    TRANSITIONS,
    Action,
    CaseEntry,
    EvidenceFile,
    Party,
)
from contracts.cases import (
    COMMENTS_MAX,
    FILES_MAX,
    AssignCase,
    AttachFile,
    CommentCase,
    ExplainCase,
    TakeStep,
)
from contracts.check import Check
from tests.unit.contracts.registry_world import (
    ADMIN,
    BODY_ADMIN,
    CERTIFIER,
    GATEWAY,
    NEW_KEY,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    REVOKED,
    SECOND_ADMIN,
    SECOND_OPERATOR,
    START_MS,
    World,
    occurrence,
)

ALERT_ID = "main.18.000001"
STEP = TakeStep(alert_id=ALERT_ID, note="because")
EXPLAIN = ExplainCase(alert_id=ALERT_ID, cause=Cause.DATA_ENTRY, explanation="typed as 0")
FILE = EvidenceFile(sha256=b"\x05" * 32, name="log.pdf", media_type="application/pdf")
EVERYBODY = (
    ADMIN,
    SECOND_ADMIN,
    OPERATOR,
    SECOND_OPERATOR,
    GATEWAY,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    BODY_ADMIN,
    CERTIFIER,
)
Call = Callable[[World, bytes], None]

STEPS: dict[Action, Call] = {
    Action.ACKNOWLEDGE: lambda world, who: world.call(cases.acknowledge, STEP, sender=who),
    Action.INVESTIGATE: lambda world, who: world.call(cases.investigate, STEP, sender=who),
    Action.EXPLAIN: lambda world, who: world.call(cases.explain, EXPLAIN, sender=who),
    Action.DISMISS: lambda world, who: world.call(cases.dismiss, STEP, sender=who),
    Action.RETURN: lambda world, who: world.call(cases.send_back, STEP, sender=who),
    Action.CLOSE: lambda world, who: world.call(cases.close, STEP, sender=who),
}
"""How each step is called."""
WAY = (
    (Action.ACKNOWLEDGE, OPERATOR),
    (Action.INVESTIGATE, OPERATOR),
    (Action.EXPLAIN, OPERATOR),
    (Action.DISMISS, CERTIFIER),
    (Action.CLOSE, CERTIFIER),
)
ARRIVES = {
    AlertState.OPEN: 0,
    AlertState.ACKNOWLEDGED: 1,
    AlertState.INVESTIGATING: 2,
    AlertState.EXPLAINED: 3,
    AlertState.VERIFIED: 4,
    AlertState.CLOSED: 5,
}
"""Steps of the way that lead to each state in which a case rests."""
REACHED = {
    ("OPEN", "ACKNOWLEDGE"): "ACKNOWLEDGED",
    ("ACKNOWLEDGED", "INVESTIGATE"): "INVESTIGATING",
    ("INVESTIGATING", "EXPLAIN"): "EXPLAINED",
    ("EXPLAINED", "REBASELINE"): "REBASELINED",
    ("EXPLAINED", "CORRECT"): "CORRECTED",
    ("EXPLAINED", "DISMISS"): "DISMISSED",
    ("EXPLAINED", "RETURN"): "INVESTIGATING",
    ("REBASELINED", "PASS"): "VERIFIED",
    ("REBASELINED", "FAIL"): "INVESTIGATING",
    ("CORRECTED", "PASS"): "VERIFIED",
    ("CORRECTED", "FAIL"): "INVESTIGATING",
    ("DISMISSED", "PASS"): "VERIFIED",
    ("VERIFIED", "CLOSE"): "CLOSED",
    ("VERIFIED", "RETURN"): "INVESTIGATING",
    ("VERIFIED", "REOPEN"): "OPEN",
}


@pytest.fixture
def world() -> World:
    """A world with an open alert of the meter ``main``, for which OPERATOR is responsible."""
    world = World()
    world.add_meter()
    alerts.raise_alert(world.context(), world.meter("main"), occurrence())
    world.next_block()
    return world


def take_to(world: World, state: AlertState, explained_by: bytes = OPERATOR) -> None:
    """Takes the steps to a state, a second apart; others than resting ones are just written."""
    for action, who in WAY[: ARRIVES.get(state, 3)]:
        STEPS[action](world, explained_by if action is Action.EXPLAIN else who)
        world.next_block()
    if state not in ARRIVES:
        world.state.put(alert_key(ALERT_ID), replace(alert_of(world), state=state))
        world.next_block()


def alert_of(world: World) -> Alert:
    alert = alerts.get_alert(world.state, ALERT_ID)
    assert alert is not None
    return alert


def story_of(world: World) -> tuple[CaseEntry, ...]:
    world.next_block(after_ms=0)
    return queries.list_case_entries(world.reader, ALERT_ID).records


def indexed(world: World) -> list[str]:
    return [
        state.name
        for state in AlertState
        for _ in world.state.iterate(AlertReference, state_prefix(state))
    ]


def test_the_table_is_the_one_that_is_documented() -> None:
    assert {
        (state.name, action.name): after.name for (state, action), after in TRANSITIONS.items()
    } == REACHED
    assert {action for _, action in TRANSITIONS} == set(PARTIES)
    assert set(STAGES) == set(AlertState)
    assert set(SEVERITIES) == set(Check)
    assert set(EVENTS) == set(AlertState)
    contract = {action for action, party in PARTIES.items() if party is Party.CONTRACT}
    assert contract == {Action.PASS, Action.FAIL, Action.REOPEN}


@pytest.mark.parametrize("state", list(AlertState))
@pytest.mark.parametrize("action", list(STEPS))
def test_a_step_is_taken_where_the_table_has_it_and_refused_elsewhere(
    world: World, state: AlertState, action: Action
) -> None:
    take_to(world, state)
    before = alert_of(world)
    who = dict(WAY).get(action, CERTIFIER)

    if (state.name, action.name) in REACHED:
        STEPS[action](world, who)
        reached = AlertState[REACHED[state.name, action.name]]
        assert alert_of(world).state is (
            AlertState.VERIFIED if reached is AlertState.DISMISSED else reached
        )
        return

    with pytest.raises(Exception, match=f"got {state.name}; ") as refused:
        STEPS[action](world, who)
    assert getattr(refused.value, "code", "") == "WRONG_STATE"
    assert alert_of(world) == before


def test_a_refusal_names_what_may_be_called_instead(world: World) -> None:
    assert world.refusal_of(cases.close, STEP, sender=CERTIFIER) == (
        "WRONG_STATE",
        f"alert {ALERT_ID}: expected state VERIFIED, got OPEN; call case.acknowledge",
    )
    take_to(world, AlertState.CLOSED)

    assert world.refusal_of(cases.acknowledge, STEP) == (
        "WRONG_STATE",
        f"alert {ALERT_ID}: expected state OPEN, got CLOSED; nothing is left to do",
    )


MAY = {
    Action.ACKNOWLEDGE: {ADMIN, SECOND_ADMIN, OPERATOR, SECOND_OPERATOR},
    Action.INVESTIGATE: {ADMIN, SECOND_ADMIN, OPERATOR, SECOND_OPERATOR},
    Action.EXPLAIN: {ADMIN, SECOND_ADMIN, OPERATOR, SECOND_OPERATOR},
    Action.DISMISS: {SECOND_ADMIN, CERTIFIER},
    Action.RETURN: {SECOND_ADMIN, CERTIFIER},
    Action.CLOSE: {SECOND_ADMIN, OPERATOR, SECOND_OPERATOR, CERTIFIER},
}
"""Who may take each step of a case of the organisation ``steel`` that ADMIN explained."""


@pytest.mark.parametrize("action", list(STEPS))
@pytest.mark.parametrize("who", EVERYBODY)
def test_a_step_is_taken_by_who_may_and_by_nobody_else(
    world: World, action: Action, who: bytes
) -> None:
    state = next(state for state, taken in TRANSITIONS if taken is action)
    take_to(world, state, explained_by=ADMIN)

    if who in MAY[action]:
        STEPS[action](world, who)
        return

    with pytest.raises(Exception, match=f"alert {ALERT_ID}: expected ") as refused:
        STEPS[action](world, who)
    assert getattr(refused.value, "code", "") == "NOT_PERMITTED"


@pytest.mark.parametrize("action", [Action.DISMISS, Action.RETURN, Action.CLOSE])
def test_who_explained_it_reviews_nothing_whatever_the_roles(world: World, action: Action) -> None:
    account = get_account(world.state, OPERATOR)
    assert account is not None
    every = (Role.ADMIN, Role.OPERATOR, Role.CERTIFIER)
    world.state.put(account_key(OPERATOR), replace(account, roles=every))
    take_to(world, AlertState.VERIFIED if action is Action.CLOSE else AlertState.EXPLAINED)

    with pytest.raises(Exception, match=r"another account than .* explained it, got the same"):
        STEPS[action](world, OPERATOR)


def test_the_account_responsible_takes_care_whatever_its_roles(world: World) -> None:
    world.state.put(alert_key(ALERT_ID), replace(alert_of(world), responsible=GATEWAY))

    world.call(cases.acknowledge, STEP, sender=GATEWAY)

    assert alert_of(world).state is AlertState.ACKNOWLEDGED


def test_the_whole_story_is_kept_step_by_step(world: World) -> None:
    take_to(world, AlertState.CLOSED)

    assert [
        (
            entry.number,
            entry.action.name,
            entry.state.name,
            entry.account,
            entry.time_ms,
            entry.note,
        )
        for entry in story_of(world)
    ] == [
        (1, "ACKNOWLEDGE", "ACKNOWLEDGED", OPERATOR, START_MS + 1_000, "because"),
        (2, "INVESTIGATE", "INVESTIGATING", OPERATOR, START_MS + 2_000, "because"),
        (3, "EXPLAIN", "EXPLAINED", OPERATOR, START_MS + 3_000, "typed as 0"),
        (4, "DISMISS", "DISMISSED", CERTIFIER, START_MS + 4_000, "because"),
        (5, "PASS", "VERIFIED", None, START_MS + 4_000, ""),
        (6, "CLOSE", "CLOSED", CERTIFIER, START_MS + 5_000, "because"),
    ]
    alert = alert_of(world)
    assert (alert.cause, alert.explained_by) == (Cause.DATA_ENTRY, OPERATOR)
    assert (alert.acknowledged_ms, alert.explained_ms) == (START_MS + 1_000, START_MS + 3_000)
    assert (alert.remedy, alert.remedy_number) == (AlertState.DISMISSED, None)
    assert alert.deadline_ms is None
    assert indexed(world) == ["CLOSED"]


@pytest.mark.parametrize(
    ("state", "action", "kinds"),
    [
        (AlertState.OPEN, Action.ACKNOWLEDGE, ["case.acknowledged"]),
        (AlertState.ACKNOWLEDGED, Action.INVESTIGATE, ["case.investigating"]),
        (AlertState.INVESTIGATING, Action.EXPLAIN, ["case.explained"]),
        (AlertState.EXPLAINED, Action.DISMISS, ["case.dismissed", "case.verified"]),
        (AlertState.VERIFIED, Action.RETURN, ["case.investigating"]),
        (AlertState.VERIFIED, Action.CLOSE, ["case.closed"]),
    ],
)
def test_each_step_says_so(
    world: World, state: AlertState, action: Action, kinds: list[str]
) -> None:
    take_to(world, state)
    STEPS[action](world, dict(WAY).get(action, CERTIFIER))

    assert world.event_kinds == kinds
    assert Alert.decode(world.events[-1].content) == alert_of(world)


def test_what_was_sent_back_is_explained_anew(world: World) -> None:
    take_to(world, AlertState.EXPLAINED)
    world.call(cases.send_back, STEP, sender=CERTIFIER)
    again = replace(EXPLAIN, cause=Cause.FRAUD)
    world.call(cases.explain, again, sender=ADMIN)

    alert = alert_of(world)
    assert (alert.cause, alert.explained_by) == (Cause.FRAUD, ADMIN)
    assert alert.explained_ms == START_MS + 3_000
    assert indexed(world) == ["EXPLAINED"]


def test_what_has_to_be_said_is_not_empty(world: World) -> None:
    comment = CommentCase(alert_id=ALERT_ID, comment="\t")
    assert world.refusal_of(cases.comment, comment) == (
        "INVALID_ARGUMENTS",
        "comment: expected something to say, got an empty text",
    )
    take_to(world, AlertState.INVESTIGATING)
    assert world.refusal_of(cases.explain, replace(EXPLAIN, explanation=" \n")) == (
        "INVALID_ARGUMENTS",
        "explanation: expected what happened and how one knows, got an empty text",
    )
    world.call(cases.explain, EXPLAIN, sender=OPERATOR)
    for function in (cases.dismiss, cases.send_back):
        code, detail = world.refusal_of(function, replace(STEP, note=""))
        assert code == "INVALID_ARGUMENTS"
        assert detail.startswith("note: expected ")


def test_an_unknown_alert_is_named(world: World) -> None:
    unknown = "main.18.000002"

    assert world.refusal_of(cases.acknowledge, replace(STEP, alert_id=unknown)) == (
        "UNKNOWN_ALERT",
        f"alert_id: expected the id of an alert, got {unknown!r}",
    )


def test_comments_and_files_stand_in_the_story(world: World) -> None:
    world.call(cases.comment, CommentCase(alert_id=ALERT_ID, comment="hm"), sender=GATEWAY)
    attach = AttachFile(alert_id=ALERT_ID, file=FILE, note="the log")
    world.call(cases.attach, attach, sender=CERTIFIER)

    assert world.event_kinds == ["case.commented", "case.attached"]
    told, shown = story_of(world)
    assert (told.action, told.account, told.note) == (Action.COMMENT, GATEWAY, "hm")
    assert (shown.action, shown.account, shown.file) == (Action.ATTACH, CERTIFIER, FILE)
    assert shown.state is AlertState.OPEN
    assert (alert_of(world).comment_count, alert_of(world).file_count) == (1, 1)


@pytest.mark.parametrize("who", [OTHER_OPERATOR, OTHER_ADMIN, BODY_ADMIN])
def test_strangers_say_nothing(world: World, who: bytes) -> None:
    wanted = f"alert {ALERT_ID}: expected an account of steel, or a CERTIFIER, got an account of "
    comment = CommentCase(alert_id=ALERT_ID, comment="hm")
    attach = AttachFile(alert_id=ALERT_ID, file=FILE, note="")

    assert world.refusal_of(cases.comment, comment, sender=who)[1].startswith(wanted)
    assert world.refusal_of(cases.attach, attach, sender=who)[1].startswith(wanted)


def test_a_closed_case_takes_up_nothing(world: World) -> None:
    take_to(world, AlertState.CLOSED)
    wanted = (
        "WRONG_STATE",
        f"alert {ALERT_ID}: expected one that is not CLOSED, got CLOSED; nothing is left to do",
    )
    comment = CommentCase(alert_id=ALERT_ID, comment="hm")
    attach = AttachFile(alert_id=ALERT_ID, file=FILE, note="")
    assign = AssignCase(alert_id=ALERT_ID, assignee=ADMIN, note="")

    assert world.refusal_of(cases.comment, comment) == wanted
    assert world.refusal_of(cases.attach, attach) == wanted
    assert world.refusal_of(cases.assign, assign) == wanted


def test_comments_and_files_are_bounded(world: World) -> None:
    comment = CommentCase(alert_id=ALERT_ID, comment="hm")
    attach = AttachFile(alert_id=ALERT_ID, file=FILE, note="")
    for _ in range(COMMENTS_MAX):
        world.call(cases.comment, comment)
    for _ in range(FILES_MAX):
        world.call(cases.attach, attach)

    assert world.refusal_of(cases.comment, comment) == (
        "LIMIT_REACHED",
        f"comments of alert {ALERT_ID}: expected at most 100, got 100 already",
    )
    assert world.refusal_of(cases.attach, attach) == (
        "LIMIT_REACHED",
        f"files of alert {ALERT_ID}: expected at most 20, got 20 already",
    )


def test_an_assignee_becomes_responsible(world: World) -> None:
    assign = AssignCase(alert_id=ALERT_ID, assignee=SECOND_OPERATOR, note="your shift")
    world.call(cases.assign, assign, sender=OPERATOR)

    assert alert_of(world).responsible == SECOND_OPERATOR
    assert world.event_kinds == ["case.assigned"]
    (entry,) = story_of(world)
    assert (entry.assignee, entry.note) == (SECOND_OPERATOR, "your shift")


@pytest.mark.parametrize(
    ("assignee", "code"),
    [
        (NEW_KEY, "UNKNOWN_ACCOUNT"),
        (REVOKED, "ACCOUNT_REVOKED"),
        (OTHER_OPERATOR, "NOT_PERMITTED"),
        (GATEWAY, "NOT_PERMITTED"),
    ],
)
def test_not_everybody_can_be_assigned(world: World, assignee: bytes, code: str) -> None:
    arguments = AssignCase(alert_id=ALERT_ID, assignee=assignee, note="")

    found, detail = world.refusal_of(cases.assign, arguments, sender=OPERATOR)

    assert found == code
    assert detail.startswith("assignee: expected ")


@pytest.mark.parametrize("who", [GATEWAY, CERTIFIER, OTHER_ADMIN])
def test_only_caretakers_assign(world: World, who: bytes) -> None:
    arguments = AssignCase(alert_id=ALERT_ID, assignee=OPERATOR, note="")

    assert world.refusal_of(cases.assign, arguments, sender=who)[0] == "NOT_PERMITTED"
