from dataclasses import replace

import pytest

from contracts import alerts, cases
from contracts.alert import (
    Alert,
    AlertReference,
    AlertState,
    AlertTrack,
    Cause,
    Severity,
    alert_id_of,
    alert_key,
    state_prefix,
    track_key,
)
from contracts.alerts import GROUPING_MS, OCCURRENCES_MAX, TRACKED_MAX
from contracts.cases import ExplainCase, TakeStep
from contracts.check import Check
from contracts.sites import get_site
from tests.unit.contracts.registry_world import CERTIFIER, OPERATOR, START_MS, World, occurrence

HOUR_MS = 3_600_000
FIRST_MS = 1_000 * HOUR_MS


@pytest.fixture
def world() -> World:
    """A world with the meter ``main`` and a block without events."""
    world = World()
    world.add_meter()
    world.next_block(after_ms=0)
    return world


def fail(
    world: World,
    interval_start_ms: int = FIRST_MS,
    check: Check = Check.ENERGY_CO2,
    observed: int = 0,
    expected: int = 12_000,
) -> None:
    alerts.raise_alert(
        world.context(),
        world.meter("main"),
        occurrence(
            interval_start_ms,
            check=check,
            observed=observed,
            expected=expected,
            leaf=b"\x07" * 32,
        ),
    )


def clear(world: World, at_ms: int, check: Check = Check.ENERGY_CO2) -> None:
    alerts.clear_alert(world.context(), subject_id="main", check=check, at_ms=at_ms)


def alert_of(world: World, number: int = 1, check: Check = Check.ENERGY_CO2) -> Alert:
    alert = alerts.get_alert(world.state, alert_id_of("main", check, number))
    assert alert is not None
    return alert


def close(world: World, number: int = 1) -> None:
    """Takes a case all the way, by two people."""
    verify(world, number)
    world.call(cases.close, TakeStep(alert_id=id_of(number), note=""), sender=CERTIFIER)


def verify(world: World, number: int = 1) -> None:
    """Takes a case to VERIFIED, dismissed by a second person."""
    step = TakeStep(alert_id=id_of(number), note="seen")
    world.call(cases.acknowledge, step)
    world.call(cases.investigate, step)
    world.call(
        cases.explain, ExplainCase(alert_id=id_of(number), cause=Cause.COMMS, explanation="x")
    )
    world.call(cases.dismiss, step, sender=CERTIFIER)


def id_of(number: int) -> str:
    return f"main.18.{number:06d}"


def test_a_failing_reading_opens_an_alert(world: World) -> None:
    fail(world)

    expected = Alert(
        alert_id="main.18.000001",
        meter="main",
        organisation="steel",
        site="plant",
        check=Check.ENERGY_CO2,
        severity=Severity.HIGH,
        state=AlertState.OPEN,
        opened_ms=START_MS,
        updated_ms=START_MS,
        first_interval_ms=FIRST_MS,
        last_interval_ms=FIRST_MS,
        occurrences=1,
        observed=0,
        expected=12_000,
        leaf=b"\x07" * 32,
        cleared_ms=None,
        cleared_at_ms=None,
        responsible=OPERATOR,
        deadline_ms=START_MS + 8 * HOUR_MS,
        escalation=0,
        cause=None,
        acknowledged_ms=None,
        explained_ms=None,
        explained_by=None,
        remedy=None,
        remedy_meter=None,
        remedy_number=None,
        rechecked_to_ms=None,
        entry_count=0,
        comment_count=0,
        file_count=0,
    )
    assert alert_of(world) == expected
    assert [(event.kind, event.subject, event.content) for event in world.events] == [
        ("alert.opened", "main.18.000001", expected.encode())
    ]


def test_keys_of_an_alert_are_found_by_meter_and_by_state(world: World) -> None:
    fail(world)
    world.next_block()

    keys = [key for key in sorted(world.reader.entries) if key.startswith(b"alert")]

    assert keys == [
        b"alert-by-state/1/00000001700000000000/main.18.000001",
        b"alert-track/main/18",
        b"alert/main/18/000001",
    ]
    assert track_key("main", Check.ENERGY_CO2) == keys[1]
    assert alert_key("main.18.000001") == keys[2]


def test_ids_of_meters_with_dots_stay_apart() -> None:
    assert alert_key("a.18.05.000001") == b"alert/a.18/05/000001"
    assert alert_id_of("a", Check.REGISTER, 1_000_000) == "a.05.1000000"


@pytest.mark.parametrize("offset_ms", [-GROUPING_MS, -1, 0, 1, GROUPING_MS])
def test_a_failure_within_eight_hours_is_a_repeat(world: World, offset_ms: int) -> None:
    fail(world)

    fail(world, FIRST_MS + offset_ms, observed=5)

    alert = alert_of(world)
    assert alert.occurrences == 2
    assert alert.first_interval_ms == FIRST_MS + min(offset_ms, 0)
    assert alert.last_interval_ms == FIRST_MS + max(offset_ms, 0)
    assert alert.observed == 0
    assert alerts.get_alert(world.state, id_of(2)) is None


@pytest.mark.parametrize("offset_ms", [-GROUPING_MS - 1, GROUPING_MS + 1])
def test_a_failure_further_away_is_another_episode(world: World, offset_ms: int) -> None:
    fail(world)

    fail(world, FIRST_MS + offset_ms)

    assert alert_of(world).occurrences == 1
    assert alert_of(world, 2).first_interval_ms == FIRST_MS + offset_ms
    assert world.event_kinds == ["alert.opened", "alert.opened"]


def test_eight_hours_count_from_the_last_repeat(world: World) -> None:
    for step in range(4):
        fail(world, FIRST_MS + step * GROUPING_MS)

    assert alert_of(world).occurrences == 4
    assert GROUPING_MS == 8 * HOUR_MS


def test_checks_of_a_meter_have_alerts_of_their_own(world: World) -> None:
    fail(world)
    fail(world, check=Check.STUCK)

    assert alert_of(world, check=Check.STUCK).alert_id == "main.08.000001"
    assert alert_of(world).occurrences == 1


def test_a_repeat_is_told_once_per_block_and_not_where_the_alert_was_opened(world: World) -> None:
    fail(world)
    fail(world, FIRST_MS + 1)
    assert world.event_kinds == ["alert.opened"]
    world.next_block()

    fail(world, FIRST_MS + 2)
    fail(world, FIRST_MS + 3)

    assert world.event_kinds == ["alert.updated"]
    assert alert_of(world).occurrences == 4
    assert alert_of(world).updated_ms == START_MS + 1_000
    assert Alert.decode(world.events[0].content).occurrences == 3


def test_an_alert_is_written_once_per_block(world: World) -> None:
    for step in range(100):
        fail(world, FIRST_MS + step)

    assert [key for key in world.state.changes() if key.startswith(b"alert/")] == [
        b"alert/main/18/000001"
    ]


def test_a_late_failure_joins_an_earlier_episode(world: World) -> None:
    fail(world)
    fail(world, FIRST_MS + 24 * HOUR_MS)

    fail(world, FIRST_MS + HOUR_MS)

    assert alert_of(world, 1).occurrences == 2
    assert alert_of(world, 2).occurrences == 1


def test_repeats_are_matched_against_the_latest_episodes_only(world: World) -> None:
    for day in range(TRACKED_MAX + 1):
        fail(world, FIRST_MS + day * 24 * HOUR_MS)

    fail(world, FIRST_MS + 24 * HOUR_MS)
    fail(world, FIRST_MS)

    assert TRACKED_MAX == 4
    assert alert_of(world, 2).occurrences == 2
    assert alert_of(world, 1).occurrences == 1
    assert alert_of(world, 6).first_interval_ms == FIRST_MS
    track = world.state.get(AlertTrack, track_key("main", Check.ENERGY_CO2))
    assert track == AlertTrack(counter=6, unclosed=(3, 4, 5, 6))


def test_occurrences_stop_at_what_a_record_holds(world: World) -> None:
    fail(world)
    full = replace(alert_of(world), occurrences=OCCURRENCES_MAX - 1)
    world.state.put(alert_key(full.alert_id), full)

    fail(world)
    assert alert_of(world).occurrences == 4_294_967_295
    fail(world)

    assert alert_of(world).occurrences == 4_294_967_295
    assert Alert.decode(alert_of(world).encode()) == alert_of(world)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (-(2**63), -(2**63)),
        (-(2**63) - 1, -(2**63)),
        (2**64 - 1, 2**64 - 1),
        (2**64, 2**64 - 1),
    ],
)
def test_values_are_kept_within_what_a_record_holds(world: World, value: int, kept: int) -> None:
    fail(world, observed=value, expected=value)

    alert = alert_of(world)
    assert (alert.observed, alert.expected) == (kept, kept)
    assert Alert.decode(alert.encode()) == alert


def test_a_condition_that_goes_away_leaves_the_alert_open(world: World) -> None:
    fail(world)
    world.next_block()

    clear(world, FIRST_MS + 1)

    alert = alert_of(world)
    assert alert.state is AlertState.OPEN
    assert alert.cleared_ms == FIRST_MS + 1
    assert alert.cleared_at_ms == START_MS + 1_000
    assert [(event.kind, event.content) for event in world.events] == [
        ("alert.cleared", alert.encode())
    ]


def test_clearing_where_nothing_is_held_does_nothing(world: World) -> None:
    fail(world)
    world.next_block()

    clear(world, FIRST_MS + 1, check=Check.STUCK)

    assert world.events == []
    assert world.state.changes() == {}


def test_an_interval_before_or_at_the_last_failure_clears_nothing(world: World) -> None:
    fail(world)

    clear(world, FIRST_MS)
    clear(world, FIRST_MS - 1)

    assert alert_of(world).cleared_ms is None


def test_an_alert_is_cleared_once(world: World) -> None:
    fail(world)
    clear(world, FIRST_MS + 1)
    world.next_block()

    clear(world, FIRST_MS + 2)

    assert alert_of(world).cleared_ms == FIRST_MS + 1
    assert world.events == []


def test_a_condition_that_comes_back_holds_again(world: World) -> None:
    fail(world)
    clear(world, FIRST_MS + 10)

    fail(world, FIRST_MS + 10)

    assert alert_of(world).cleared_ms is None
    assert alert_of(world).cleared_at_ms == START_MS


def test_a_late_failure_before_the_clearing_leaves_it_cleared(world: World) -> None:
    fail(world)
    clear(world, FIRST_MS + 10)

    fail(world, FIRST_MS + 9)

    assert alert_of(world).cleared_ms == FIRST_MS + 10
    assert alert_of(world).occurrences == 2


def test_a_flapping_condition_is_told_once_per_block(world: World) -> None:
    for step in range(0, 10, 2):
        fail(world, FIRST_MS + step)
        clear(world, FIRST_MS + step + 1)
    assert world.event_kinds == ["alert.opened", "alert.cleared"]
    world.next_block()

    for step in range(10, 20, 2):
        fail(world, FIRST_MS + step)
        clear(world, FIRST_MS + step + 1)

    assert world.event_kinds == ["alert.updated", "alert.cleared"]


def test_after_closing_a_repeat_opens_a_new_alert(world: World) -> None:
    fail(world)
    close(world)

    fail(world, FIRST_MS + 1)

    assert alert_of(world, 1).occurrences == 1
    assert alert_of(world, 2).state is AlertState.OPEN


def test_closing_one_episode_keeps_the_others(world: World) -> None:
    fail(world)
    fail(world, FIRST_MS + 24 * HOUR_MS)
    close(world, 1)

    fail(world, FIRST_MS + 24 * HOUR_MS)

    assert alert_of(world, 2).occurrences == 2


def test_an_alert_dropped_with_its_transaction_leaves_no_trace(world: World) -> None:
    world.state.begin()
    fail(world)
    world.state.drop()

    fail(world)

    assert alert_of(world).alert_id == "main.18.000001"
    references = world.state.iterate(AlertReference, state_prefix(AlertState.OPEN))
    assert len(list(references)) == 1


def test_the_meter_at_the_time_names_organisation_and_site(world: World) -> None:
    meter = replace(world.meter("main"), site="hall")

    alerts.raise_alert(world.context(), meter, occurrence(check=Check.MISSING))

    assert alert_of(world, check=Check.MISSING).site == "hall"


def test_a_condition_of_a_site_has_an_alert_without_a_meter(world: World) -> None:
    site = get_site(world.state, "plant")
    assert site is not None

    alerts.raise_alert(world.context(), site, occurrence(check=Check.TARGET, observed=7))
    alerts.raise_alert(world.context(), site, occurrence(1, check=Check.TARGET))
    alerts.clear_alert(world.context(), subject_id="plant", check=Check.TARGET, at_ms=2)

    alert = alerts.get_alert(world.state, "plant.41.000001")
    assert alert is not None
    assert (alert.meter, alert.site, alert.organisation) == (None, "plant", "steel")
    assert (alert.occurrences, alert.observed, alert.cleared_ms) == (2, 7, 2)
    assert alert.responsible is None


def test_a_verified_case_is_reopened_when_the_condition_returns(world: World) -> None:
    fail(world)
    clear(world, FIRST_MS + 1)
    verify(world)
    world.next_block()

    fail(world, FIRST_MS + GROUPING_MS)

    alert = alert_of(world)
    assert alert.state is AlertState.OPEN
    assert (alert.occurrences, alert.cleared_ms) == (2, None)
    assert alert.deadline_ms == world.time_ms + 8 * HOUR_MS
    assert world.event_kinds == ["case.reopened"]
    assert Alert.decode(world.events[0].content) == alert


def test_what_was_dismissed_while_it_held_may_go_on(world: World) -> None:
    fail(world)
    verify(world)

    fail(world, FIRST_MS + 1)

    assert alert_of(world).state is AlertState.VERIFIED
    assert alert_of(world).occurrences == 2


def test_beyond_the_grouping_window_a_verified_case_stays(world: World) -> None:
    fail(world)
    clear(world, FIRST_MS + 1)
    verify(world)

    fail(world, FIRST_MS + GROUPING_MS + 1)

    assert alert_of(world).state is AlertState.VERIFIED
    assert alert_of(world, 2).state is AlertState.OPEN
