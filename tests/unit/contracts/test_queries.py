from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from chain.errors import ContractRefusal
from chain.state import MemoryStateReader, StateReader
from contracts import alerts, cases, factors, meters, queries
from contracts.alert import Alert, AlertState, Severity
from contracts.cases import TakeStep
from contracts.check import Check
from contracts.exchange import ProposeExchange
from contracts.meters import ApproveExchange
from contracts.organisations import Organisation, OrganisationKind, organisation_key
from contracts.queries import PAGE_MAX, SCAN_MAX, AlertFilter, Cut, Page
from tests.unit.contracts.registry_world import (
    ADMIN,
    CALENDAR,
    FACTOR,
    METER,
    NEW_KEY,
    OPERATOR,
    START_MS,
    World,
    occurrence,
)


@pytest.fixture
def world() -> World:
    """A world with two meters and three alerts, of which one is acknowledged."""
    world = World()
    world.add_meter()
    world.call(meters.register, replace(METER, meter_id="main-2", parent="main"))
    world.call(factors.set_factor, replace(FACTOR, valid_from_ms=2_000, valid_to_ms=3_000))
    world.call(factors.set_factor, replace(FACTOR, factor_id="kr-grid-2"))
    for meter, check in (("main-2", Check.STUCK), ("main", Check.SPIKE), ("main", Check.CLOCK)):
        alerts.raise_alert(world.context(), world.meter(meter), occurrence(check=check))
        world.next_block()
    world.call(cases.acknowledge, TakeStep(alert_id="main.10.000001", note=""))
    world.next_block()
    return world


def ids(page: Page[Alert]) -> list[str]:
    return [alert.alert_id for alert in page.records]


def test_single_records_are_found_or_none(world: World) -> None:
    reader = world.reader

    organisation = queries.find_organisation(reader, "steel")
    account = queries.find_account(reader, ADMIN)
    site = queries.find_site(reader, "plant")
    meter = queries.find_meter(reader, "main-2")
    alert = queries.find_alert(reader, "main.10.000001")

    assert organisation is not None
    assert account is not None
    assert site is not None
    assert meter is not None
    assert alert is not None
    assert organisation.name == "steel"
    assert account.organisation == "steel"
    assert site.name == "Steel plant"
    assert meter.parent == "main"
    assert alert.state is AlertState.ACKNOWLEDGED
    assert queries.find_calendar(reader, "seoul", 1) == CALENDAR.calendar
    assert queries.find_organisation(reader, "nobody") is None
    assert queries.find_account(reader, NEW_KEY) is None
    assert queries.find_site(reader, "nowhere") is None
    assert queries.find_calendar(reader, "seoul", 2) is None
    assert queries.find_meter(reader, "main-3") is None
    assert queries.find_alert(reader, "main.10.000002") is None


@pytest.mark.parametrize(
    "text", ["", "main", "main.1.000001", "main.10.000001\n", "../x.10.000001"]
)
def test_what_is_no_alert_id_names_no_alert(world: World, text: str) -> None:
    assert queries.find_alert(world.reader, text) is None


def test_lists_come_by_id_and_by_owner(world: World) -> None:
    reader = world.reader

    assert [each.organisation_id for each in queries.list_organisations(reader).records] == [
        "body",
        "grid",
        "steel",
    ]
    assert len(queries.list_accounts(reader).records) == 10
    assert len(queries.list_accounts(reader, organisation="steel").records) == 6
    assert [site.site_id for site in queries.list_sites(reader).records] == ["plant"]
    assert queries.list_sites(reader, organisation="grid").records == ()
    assert [each.version for each in queries.list_calendars(reader).records] == [1]


def test_meters_are_listed_by_organisation_and_site(world: World) -> None:
    reader = world.reader

    assert [meter.meter_id for meter in queries.list_meters(reader).records] == ["main", "main-2"]
    assert len(queries.list_meters(reader, organisation="steel", site="plant").records) == 2
    assert queries.list_meters(reader, organisation="grid").records == ()
    assert queries.list_meters(reader, organisation="steel", site="hall").records == ()


def test_factors_are_listed_by_series_and_time(world: World) -> None:
    every = queries.list_factors(world.reader).records
    one = queries.list_factors(world.reader, factor_id="kr-grid").records

    assert [(each.factor_id, each.valid_from_ms) for each in every] == [
        ("kr-grid-2", 1_000),
        ("kr-grid", 1_000),
        ("kr-grid", 2_000),
    ]
    assert [each.valid_from_ms for each in one] == [1_000, 2_000]


def test_an_exchange_is_found_as_proposal_and_then_listed(world: World) -> None:
    proposal = ProposeExchange(
        meter_id="main",
        effective_ms=START_MS,
        last_register=1,
        first_register=2,
        serial="B",
        make="M",
        register_modulus=None,
        calibration_certificate=bytes(32),
        calibration_valid_until_ms=0,
        reason="old",
    )
    world.call(meters.propose_exchange, proposal, sender=OPERATOR)
    world.next_block()

    waiting = queries.find_proposal(world.reader, "main")
    assert waiting is not None
    assert waiting.arguments == proposal
    assert queries.list_exchanges(world.reader, "main").records == ()

    world.call(meters.approve_exchange, ApproveExchange(meter_id="main", proposal=bytes(32)))
    world.next_block()

    assert queries.find_proposal(world.reader, "main") is None
    exchanges = queries.list_exchanges(world.reader, "main").records
    assert [each.first_register for each in exchanges] == [2]
    assert queries.list_exchanges(world.reader, "main-2").records == ()


def test_alerts_come_by_meter_and_check(world: World) -> None:
    assert ids(queries.list_alerts(world.reader)) == [
        "main-2.08.000001",
        "main.02.000001",
        "main.10.000001",
    ]
    assert ids(queries.list_alerts(world.reader, wanted=AlertFilter(meter="main"))) == [
        "main.02.000001",
        "main.10.000001",
    ]
    assert ids(
        queries.list_alerts(world.reader, wanted=AlertFilter(meter="main", state=AlertState.OPEN))
    ) == ["main.02.000001"]


def test_alerts_of_a_state_come_by_time_of_opening(world: World) -> None:
    reader = world.reader

    assert ids(queries.list_alerts(reader, wanted=AlertFilter(state=AlertState.OPEN))) == [
        "main-2.08.000001",
        "main.02.000001",
    ]
    assert ids(queries.list_alerts(reader, wanted=AlertFilter(state=AlertState.ACKNOWLEDGED))) == [
        "main.10.000001"
    ]
    assert ids(queries.list_alerts(reader, wanted=AlertFilter(state=AlertState.CLOSED))) == []
    assert (
        ids(
            queries.list_alerts(
                reader, wanted=AlertFilter(state=AlertState.OPEN, organisation="grid")
            )
        )
        == []
    )
    assert ids(queries.list_alerts(reader, wanted=AlertFilter(organisation="grid"))) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AlertFilter(severity=Severity.LOW), ["main.02.000001"]),
        (AlertFilter(state=AlertState.OPEN, severity=Severity.MEDIUM), ["main-2.08.000001"]),
        (AlertFilter(site="hall"), []),
        (AlertFilter(site="plant", meter="main-2"), ["main-2.08.000001"]),
        (AlertFilter(is_escalated=True), []),
        (AlertFilter(meter="main", is_escalated=False), ["main.02.000001", "main.10.000001"]),
    ],
)
def test_each_filter_narrows(world: World, wanted: AlertFilter, found: list[str]) -> None:
    assert ids(queries.list_alerts(world.reader, wanted=wanted)) == found


def test_the_story_of_a_case_is_a_list(world: World) -> None:
    story = queries.list_case_entries(world.reader, "main.10.000001").records

    assert [entry.action.name for entry in story] == ["ACKNOWLEDGE"]


@pytest.mark.parametrize(
    "query",
    [
        queries.list_alerts,
        partial(queries.list_alerts, wanted=AlertFilter(meter="main")),
        partial(queries.list_alerts, wanted=AlertFilter(state=AlertState.OPEN)),
    ],
)
def test_pages_of_every_order_join_to_the_whole(
    world: World, query: Callable[[StateReader, Cut], Page[Alert]]
) -> None:
    joined: list[str] = []
    after: str | None = ""
    while after is not None:
        page = query(world.reader, Cut(after=after, limit=1))
        joined += ids(page)
        after = page.after

    assert len(joined) >= 2
    assert joined == ids(query(world.reader, Cut()))


def organisations(count: int, name: str = "steel") -> MemoryStateReader:
    entries = {}
    for number in range(count):
        organisation = Organisation(
            organisation_id=f"o{number:05d}",
            name=name,
            kind=OrganisationKind.MEMBER,
            registered_ms=0,
        )
        entries[organisation_key(organisation.organisation_id)] = organisation.encode()
    return MemoryStateReader(entries)


@pytest.mark.parametrize("count", [PAGE_MAX - 1, PAGE_MAX])
def test_a_page_holds_up_to_the_limit(count: int) -> None:
    page = queries.list_organisations(organisations(count), Cut(limit=PAGE_MAX))

    assert PAGE_MAX == 500
    assert len(page.records) == count
    assert page.after is None


def test_one_more_stands_on_the_next_page() -> None:
    reader = organisations(PAGE_MAX + 1)

    page = queries.list_organisations(reader, Cut(limit=PAGE_MAX))
    assert page.after == "o00499"
    rest = queries.list_organisations(reader, Cut(after=page.after))

    assert len(page.records) == 500
    assert [each.organisation_id for each in rest.records] == ["o00500"]


@pytest.mark.parametrize("limit", [0, -1, PAGE_MAX + 1])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(ContractRefusal) as caught:
        queries.list_organisations(MemoryStateReader(), Cut(limit=limit))

    assert caught.value.code == "INVALID_ARGUMENTS"
    assert caught.value.detail == f"limit: expected 1 to 500, got {limit}"


def test_a_page_looks_at_a_bounded_number_of_records() -> None:
    world = World()
    world.add_meter()
    meter = world.meter("main")
    entries = {
        f"meter/m{number:05d}".encode(): replace(
            meter, meter_id=f"m{number:05d}", site="last" if number == SCAN_MAX else "plant"
        ).encode()
        for number in range(SCAN_MAX + 1)
    }
    reader = MemoryStateReader(entries)

    first = queries.list_meters(reader, site="last")
    assert first.after is not None
    second = queries.list_meters(reader, Cut(after=first.after), site="last")

    assert SCAN_MAX == 5_000
    assert first.records == ()
    assert first.after == "m04999"
    assert [each.meter_id for each in second.records] == ["m05000"]
    assert second.after is None


def test_a_cursor_of_nonsense_is_only_a_place_in_the_order() -> None:
    page = queries.list_organisations(organisations(3), Cut(after="o00001\ud800"))

    assert [each.organisation_id for each in page.records] == ["o00002"]
