"""Check 21: intensities, limits, and who is compared with whom."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from contracts import site_profile, sites
from contracts.check import Check
from contracts.checks import ConfigureChecks, configure
from contracts.comparison import ComparedWith
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind
from contracts.meter import Quantity, Unit
from contracts.meters import register
from contracts.peers import intensity_of, limit_of, on_due
from contracts.site_profile import (
    DescribeSite,
    UseType,
    describe,
    get_profile,
    sites_of_use,
)
from tests.unit.contracts.month_world import DAILY, SEPTEMBER, MonthWorld
from tests.unit.contracts.reading_world import DAY_MS
from tests.unit.contracts.registry_world import OTHER_ADMIN, SITE

OFFICE = DescribeSite(
    site_id="plant", use_type=UseType.OFFICE, floor_area_m2=10, main_meters=("main",)
)


class OfficeWorld(MonthWorld):
    """Offices of 10 square metres, each with a meter; the first is ``plant`` with ``main``."""

    def __init__(self, *daily: int) -> None:
        super().__init__()
        for number, each in enumerate(daily):
            meter_id = "main" if number == 0 else f"m{number}"
            if number:
                self.call(sites.register, replace(SITE, site_id=f"s{number}"))
                self.call(register, replace(DAILY, meter_id=meter_id, site=f"s{number}"))
            site_id = "plant" if number == 0 else f"s{number}"
            self.call(describe, replace(OFFICE, site_id=site_id, main_meters=(meter_id,)))
            self.report_month(meter_id, each, days=70)
        self.next_block()

    def look(self) -> None:
        assert on_due(self.context(), "office") == self.time_ms + DAY_MS


def test_a_site_far_from_its_peers_is_an_alert_of_its_first_meter() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    world.look()
    (found,) = world.comparisons()
    assert (found.compared_with, found.source) == (
        ComparedWith.PEERS,
        "5 other sites of use OFFICE",
    )
    # October has 31 days: 4,650 Wh a square metre against 3,100, within 3 x 8 % of it.
    assert (found.observed, found.expected, found.limit) == (4_650, 3_100, 744)
    (alert,) = world.alerts_of(Check.PEER)
    assert (alert.meter, alert.site) == ("main", "plant")
    assert world.counts(Check.PEER) == (1, 1)
    assert [each.has_passed for each in world.comparisons("m1")] == [True]
    assert world.counts(Check.PEER, "m1") == (1, 0)


def test_a_month_is_compared_once() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    world.look()
    world.next_block(after_ms=DAY_MS)
    world.look()
    assert world.event_kinds == []
    assert world.counts(Check.PEER) == (1, 1)


def test_five_others_are_needed() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990)
    world.look()
    assert world.comparisons() == []


def test_a_site_whose_month_is_not_there_is_no_peer() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990)
    world.call(sites.register, replace(SITE, site_id="s9"))
    world.call(register, replace(DAILY, meter_id="m9", site="s9"))
    world.call(describe, replace(OFFICE, site_id="s9", main_meters=("m9",)))
    world.report_month("m9", 1_000, days=50)
    world.look()
    assert world.comparisons() == []


def test_a_check_that_is_off_leaves_the_site_a_peer_of_others() -> None:
    world = OfficeWorld(1_500, 1_000, 1_010, 1_020, 990, 980)
    change = ConfigureChecks(
        meter_id="main", replaces=0, off=(Check.PEER,), parameters=(), reason="a kitchen inside"
    )
    world.call(configure, change)
    world.look()
    assert world.comparisons() == []
    assert len(world.comparisons("m1")) == 1


def test_heat_and_electricity_add_up() -> None:
    heat = replace(DAILY, meter_id="heat", quantity=Quantity.HEAT, unit=Unit.KILOJOULE, factor=None)
    world = MonthWorld(heat)
    world.call(describe, replace(OFFICE, main_meters=("heat", "main")))
    profile = get_profile(world.state, "plant")
    assert profile is not None
    assert intensity_of(world.context(), profile, SEPTEMBER) is None
    world.report_month("main", 1_000)
    assert intensity_of(world.context(), profile, SEPTEMBER) is None
    world.report_month("heat", 3_600)
    assert intensity_of(world.context(), profile, SEPTEMBER) == 30 * (1_000 + 1_000) // 10


@given(others=st.lists(st.integers(0, 10**6), min_size=5, max_size=40), k=st.integers(10, 200))
def test_the_limit_is_that_of_the_sorted_values(others: list[int], k: int) -> None:
    ordered = sorted(others)
    centre = ordered[(len(ordered) - 1) // 2]
    distances = sorted(abs(each - centre) for each in others)
    spread = max(distances[(len(distances) - 1) // 2], centre * 8 // 100, 1)
    assert limit_of(others, k) == (centre, spread * k // 10)


def test_describing_a_site_again_moves_it_to_its_use() -> None:
    world = MonthWorld()
    world.call(describe, OFFICE)
    world.call(describe, replace(OFFICE, use_type=UseType.HOTEL, floor_area_m2=99))
    assert sites_of_use(world.state, UseType.OFFICE) == ()
    assert sites_of_use(world.state, UseType.HOTEL) == ("plant",)
    profile = get_profile(world.state, "plant")
    assert profile is not None
    assert profile.floor_area_m2 == 99
    assert on_due(world.context(), "office") is None
    due = [entry for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)]
    assert [each.subject for each in due if each.kind is DueKind.PEER] == ["hotel", "office"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (replace(OFFICE, site_id="nowhere"), "UNKNOWN_SITE", "site"),
        (replace(OFFICE, main_meters=("nowhere",)), "UNKNOWN_METER", "main_meters"),
        (replace(OFFICE, main_meters=("main", "main")), "INVALID_ARGUMENTS", "each meter once"),
        (replace(OFFICE, main_meters=("sub",)), "INVALID_ARGUMENTS", "without a parent, got 'sub'"),
        (replace(OFFICE, main_meters=("gas",)), "INVALID_ARGUMENTS", "meters of imported energy"),
    ],
)
def test_what_is_no_profile_is_refused(arguments: DescribeSite, code: str, words: str) -> None:
    gas = replace(DAILY, meter_id="gas", quantity=Quantity.GAS, unit=Unit.CUBIC_METRE, factor=None)
    sub = replace(DAILY, meter_id="sub", parent="main")
    found = MonthWorld(gas, sub).refusal_of(describe, arguments)
    assert found[0] == code
    assert words in found[1]


def test_sites_of_one_use_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_profile, "SITES_MAX", 0)
    assert MonthWorld().refusal_of(describe, OFFICE)[0] == "LIMIT_REACHED"


def test_only_the_owner_describes_a_site() -> None:
    assert MonthWorld().refusal_of(describe, OFFICE, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
