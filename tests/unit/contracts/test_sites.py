import pytest

from chain.errors import ContractRefusal, DecodeError
from contracts import sites
from contracts.sites import RegisterSite, Site
from tests.unit.contracts.registry_world import OTHER_ADMIN, SITE, START_MS, World


def test_an_admin_registers_a_site_of_its_organisation() -> None:
    world = World()
    world.add_calendar()

    world.call(sites.register, SITE)

    expected = Site(
        site_id="plant",
        name="Steel plant",
        country="KR",
        address="Gwangyang",
        calendar=("seoul", 1),
        organisation="steel",
        registered_ms=START_MS,
    )
    assert sites.require_site(world.state, "plant") == expected
    assert (world.events[-1].kind, world.events[-1].subject, world.events[-1].content) == (
        "site.registered",
        "plant",
        expected.encode(),
    )


def test_a_site_needs_a_registered_calendar() -> None:
    code, detail = World().refusal_of(sites.register, SITE)

    assert code == "UNKNOWN_CALENDAR"
    assert detail.endswith("got seoul version 1")


def test_a_site_id_is_used_once_by_anybody() -> None:
    world = World()
    world.add_site()

    assert world.refusal_of(sites.register, SITE, sender=OTHER_ADMIN) == (
        "ALREADY_EXISTS",
        "site_id: expected an id that no organisation uses, got 'plant' of steel",
    )


def test_an_unknown_site_is_named() -> None:
    with pytest.raises(ContractRefusal) as caught:
        sites.require_site(World().state, "nowhere")

    assert caught.value.code == "UNKNOWN_SITE"
    assert caught.value.detail.endswith("register it with site.register, got 'nowhere'")


def test_a_country_is_two_capitals() -> None:
    value = list(SITE.to_value())
    value[2] = "kr"

    with pytest.raises(DecodeError, match=r"RegisterSite\.country: expected an ISO 3166-1 code"):
        RegisterSite.from_value(tuple(value))
