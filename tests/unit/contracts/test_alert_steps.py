"""The steps that people take an alert through: who may, and in which order."""

from dataclasses import replace

import pytest

from contracts import alerts
from contracts.account import Role, account_key
from contracts.accounts import get_account
from contracts.alert import Alert, AlertReference, AlertState, Cause, Step, state_prefix
from contracts.alerts import AcknowledgeAlert, ExplainAlert, ResolveAlert
from contracts.check import Check
from contracts.meter import meter_key
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
    START_MS,
    World,
)

ALERT_ID = "main.18.000001"
ACKNOWLEDGE = AcknowledgeAlert(alert_id=ALERT_ID, note="on my way")
EXPLAIN = ExplainAlert(alert_id=ALERT_ID, cause=Cause.DATA_ENTRY, explanation="typed as 0")
RESOLVE = ResolveAlert(alert_id=ALERT_ID, note="seen the log")


@pytest.fixture
def world() -> World:
    """A world with an open alert of the meter ``main``, for which OPERATOR is responsible."""
    world = World()
    world.add_meter()
    alerts.raise_alert(
        world.context(),
        meter=world.meter("main"),
        check=Check.ENERGY_CO2,
        interval_start_ms=0,
        observed=0,
        expected=1,
        leaf=bytes(32),
    )
    world.next_block()
    return world


def take_to(world: World, state: AlertState, explained_by: bytes = OPERATOR) -> None:
    if state >= AlertState.ACKNOWLEDGED:
        world.call(alerts.acknowledge, ACKNOWLEDGE, sender=OPERATOR)
    if state >= AlertState.EXPLAINED:
        world.call(alerts.explain, EXPLAIN, sender=explained_by)
    if state >= AlertState.RESOLVED:
        world.call(alerts.resolve, RESOLVE, sender=CERTIFIER)
    world.next_block()


def alert_of(world: World) -> Alert:
    alert = alerts.get_alert(world.state, ALERT_ID)
    assert alert is not None
    return alert


def indexed(world: World) -> list[str]:
    return [
        state.name
        for state in AlertState
        for _ in world.state.iterate(AlertReference, state_prefix(state))
    ]


def test_acknowledging_records_who_and_when(world: World) -> None:
    world.call(alerts.acknowledge, ACKNOWLEDGE, sender=OPERATOR)

    alert = alert_of(world)
    assert alert.state is AlertState.ACKNOWLEDGED
    assert alert.acknowledged == Step(account=OPERATOR, time_ms=START_MS + 1_000, note="on my way")
    assert [(event.kind, event.subject, event.content) for event in world.events] == [
        ("alert.acknowledged", ALERT_ID, alert.encode())
    ]
    assert indexed(world) == ["ACKNOWLEDGED"]


def test_explaining_records_the_cause(world: World) -> None:
    take_to(world, AlertState.ACKNOWLEDGED)

    world.call(alerts.explain, EXPLAIN, sender=SECOND_OPERATOR)

    alert = alert_of(world)
    assert alert.state is AlertState.EXPLAINED
    assert alert.cause is Cause.DATA_ENTRY
    assert alert.explained == Step(
        account=SECOND_OPERATOR, time_ms=START_MS + 2_000, note="typed as 0"
    )
    assert world.event_kinds == ["alert.explained"]
    assert indexed(world) == ["EXPLAINED"]


def test_resolving_ends_it_and_keeps_the_whole_story(world: World) -> None:
    take_to(world, AlertState.EXPLAINED)

    world.call(alerts.resolve, RESOLVE, sender=CERTIFIER)

    alert = alert_of(world)
    assert alert.state is AlertState.RESOLVED
    assert alert.resolved == Step(account=CERTIFIER, time_ms=START_MS + 2_000, note="seen the log")
    assert alert.acknowledged is not None
    assert alert.explained is not None
    assert world.event_kinds == ["alert.resolved"]
    assert indexed(world) == ["RESOLVED"]


@pytest.mark.parametrize("sender", [OPERATOR, SECOND_OPERATOR, ADMIN])
def test_operators_and_admins_of_the_organisation_take_care(world: World, sender: bytes) -> None:
    world.call(alerts.acknowledge, ACKNOWLEDGE, sender=sender)
    world.call(alerts.explain, EXPLAIN, sender=sender)

    assert alert_of(world).state is AlertState.EXPLAINED


def test_a_responsible_gateway_may_acknowledge(world: World) -> None:
    world.state.put(meter_key("main"), replace(world.meter("main"), responsible=GATEWAY))

    world.call(alerts.acknowledge, ACKNOWLEDGE, sender=GATEWAY)

    assert alert_of(world).state is AlertState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("sender", "organisation"),
    [(GATEWAY, "steel"), (OTHER_OPERATOR, "grid"), (OTHER_ADMIN, "grid"), (BODY_ADMIN, "body")],
)
def test_nobody_else_takes_care(world: World, sender: bytes, organisation: str) -> None:
    wanted = (
        "NOT_PERMITTED",
        (
            f"alert {ALERT_ID}: expected the account responsible for its meter, or an OPERATOR "
            f"or ADMIN of steel, got an account of {organisation}"
        ),
    )
    assert world.refusal_of(alerts.acknowledge, ACKNOWLEDGE, sender=sender) == wanted
    take_to(world, AlertState.ACKNOWLEDGED)

    assert world.refusal_of(alerts.explain, EXPLAIN, sender=sender) == wanted


@pytest.mark.parametrize("sender", [CERTIFIER, ADMIN, SECOND_ADMIN])
def test_a_certifier_or_an_admin_who_did_not_explain_it_resolves(
    world: World, sender: bytes
) -> None:
    take_to(world, AlertState.EXPLAINED)

    world.call(alerts.resolve, RESOLVE, sender=sender)

    assert alert_of(world).state is AlertState.RESOLVED


def test_an_admin_does_not_accept_its_own_explanation(world: World) -> None:
    take_to(world, AlertState.EXPLAINED, explained_by=ADMIN)

    assert world.refusal_of(alerts.resolve, RESOLVE, sender=ADMIN) == (
        "NOT_PERMITTED",
        f"alert {ALERT_ID}: expected another account than the one that explained it, got the same",
    )
    world.call(alerts.resolve, RESOLVE, sender=SECOND_ADMIN)


def test_a_certifier_does_not_accept_its_own_explanation(world: World) -> None:
    account = get_account(world.state, OPERATOR)
    assert account is not None
    both = replace(account, roles=(Role.OPERATOR, Role.CERTIFIER))
    world.state.put(account_key(OPERATOR), both)
    take_to(world, AlertState.EXPLAINED, explained_by=OPERATOR)

    code, detail = world.refusal_of(alerts.resolve, RESOLVE, sender=OPERATOR)

    assert code == "NOT_PERMITTED"
    assert detail.endswith("got the same")


def test_an_admin_of_another_organisation_does_not_resolve(world: World) -> None:
    take_to(world, AlertState.EXPLAINED)

    assert world.refusal_of(alerts.resolve, RESOLVE, sender=OTHER_ADMIN) == (
        "NOT_PERMITTED",
        f"alert {ALERT_ID}: expected a CERTIFIER, or an ADMIN of steel, got an account of grid",
    )


NEXT_STEP = {
    AlertState.OPEN: "call alert.acknowledge",
    AlertState.ACKNOWLEDGED: "call alert.explain",
    AlertState.EXPLAINED: "call alert.resolve",
    AlertState.RESOLVED: "nothing is left to do",
}


@pytest.mark.parametrize(
    "state", [AlertState.ACKNOWLEDGED, AlertState.EXPLAINED, AlertState.RESOLVED]
)
def test_only_an_open_alert_is_acknowledged(world: World, state: AlertState) -> None:
    take_to(world, state)

    assert world.refusal_of(alerts.acknowledge, ACKNOWLEDGE) == (
        "WRONG_STATE",
        f"alert {ALERT_ID}: expected state OPEN, got {state.name}; {NEXT_STEP[state]}",
    )


@pytest.mark.parametrize("state", [AlertState.OPEN, AlertState.EXPLAINED, AlertState.RESOLVED])
def test_only_an_acknowledged_alert_is_explained(world: World, state: AlertState) -> None:
    take_to(world, state)

    assert world.refusal_of(alerts.explain, EXPLAIN) == (
        "WRONG_STATE",
        f"alert {ALERT_ID}: expected state ACKNOWLEDGED, got {state.name}; {NEXT_STEP[state]}",
    )


@pytest.mark.parametrize("state", [AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.RESOLVED])
def test_only_an_explained_alert_is_resolved(world: World, state: AlertState) -> None:
    take_to(world, state)

    assert world.refusal_of(alerts.resolve, RESOLVE, sender=CERTIFIER) == (
        "WRONG_STATE",
        f"alert {ALERT_ID}: expected state EXPLAINED, got {state.name}; {NEXT_STEP[state]}",
    )


def test_an_explanation_says_something(world: World) -> None:
    take_to(world, AlertState.ACKNOWLEDGED)

    assert world.refusal_of(alerts.explain, replace(EXPLAIN, explanation=" \n")) == (
        "INVALID_ARGUMENTS",
        "explanation: expected what happened and how one knows, got an empty text",
    )


def test_an_unknown_alert_is_named(world: World) -> None:
    unknown = "main.18.000002"
    wanted = ("UNKNOWN_ALERT", f"alert_id: expected the id of an alert, got {unknown!r}")

    assert world.refusal_of(alerts.acknowledge, replace(ACKNOWLEDGE, alert_id=unknown)) == wanted
    assert world.refusal_of(alerts.explain, replace(EXPLAIN, alert_id=unknown)) == wanted
    assert world.refusal_of(alerts.resolve, replace(RESOLVE, alert_id=unknown)) == wanted
