from dataclasses import replace

from contracts import period, sites
from contracts.calendars import DAY_MS
from contracts.month import first_day_of
from contracts.period import ClosedMonth, ClosePeriod, closed_at, get_closed, late_prefix
from contracts.site_month import SiteMonth, site_month_key
from tests.unit.contracts.reading_world import HOUR_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import OTHER_ADMIN, SECOND_ADMIN, SITE

MONTH = 645
"""2023-10, over at NOW_MS by the clock of the site, ten hours ahead of UTC."""
CLOSE = ClosePeriod(sites=("plant",), month=MONTH, note="all meters are in")


def closed_of(world: ReadingWorld, month: int = MONTH) -> ClosedMonth:
    closed = get_closed(world.state, "plant", month)
    assert closed is not None
    return closed


def test_a_close_freezes_the_totals_of_the_month() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000), amount(1, 2_000))
    world.call(period.close, CLOSE, sender=SECOND_ADMIN)

    closed = closed_of(world)
    assert closed.totals == world.state.get(SiteMonth, site_month_key("plant", MONTH))
    assert closed.totals is not None
    assert closed.totals.interval_count == 2
    quality = closed.quality
    assert (quality.meter_count, quality.expected, quality.present) == (1, 31 * 96, 2)
    assert (quality.availability_permille, quality.substituted_permille) == (0, 0)
    assert quality.score_permille is not None
    assert closed.from_ms == first_day_of(MONTH) * DAY_MS - 10 * HOUR_MS
    assert closed.to_ms == first_day_of(MONTH + 1) * DAY_MS - 10 * HOUR_MS
    assert (closed.closed_by, closed.closed_ms) == (SECOND_ADMIN, world.time_ms)
    assert closed_at(world.state, "plant", MONTH) == world.time_ms
    assert closed_at(world.state, "plant", MONTH + 1) is None
    assert world.event_kinds[-1] == "period.closed"


def test_a_month_without_readings_can_be_closed() -> None:
    world = ReadingWorld()
    world.call(period.close, replace(CLOSE, month=0))
    assert closed_of(world, 0).totals is None


def test_a_month_is_closed_once() -> None:
    world = ReadingWorld()
    world.call(period.close, CLOSE)
    code, detail = world.refusal_of(period.close, CLOSE)
    assert code == "WRONG_STATE"
    assert detail.startswith("month 2023-10 of site plant: expected an open month;")


def test_a_month_is_closed_when_it_is_over_at_its_place() -> None:
    world = ReadingWorld()
    end_ms = first_day_of(MONTH + 2) * DAY_MS - 10 * HOUR_MS
    november = replace(CLOSE, month=MONTH + 1)
    world.next_block(after_ms=end_ms - 1 - world.time_ms)
    code, detail = world.refusal_of(period.close, november)
    assert code == "WRONG_STATE"
    assert detail == (
        "month 2023-11 of site plant: expected one that is over by the site's calendar at the "
        f"block time {end_ms - 1}, got one that ends at {end_ms}"
    )
    world.next_block(after_ms=1)
    world.call(period.close, november)
    assert closed_of(world, MONTH + 1).to_ms == end_ms


def test_several_sites_are_closed_together_or_not_at_all() -> None:
    world = ReadingWorld()
    world.call(sites.register, replace(SITE, site_id="annex"))
    both = replace(CLOSE, sites=("annex", "plant"))
    assert world.refusal_of(period.close, replace(CLOSE, sites=("annex", "nowhere")))[0] == (
        "UNKNOWN_SITE"
    )
    assert world.refusal_of(period.close, replace(CLOSE, sites=("plant", "annex"))) == (
        "INVALID_ARGUMENTS",
        "sites: expected each site once, in ascending order, got 'annex' after 'plant'",
    )
    world.call(period.close, both)
    assert [closed_at(world.state, site, MONTH) for site in both.sites] == [world.time_ms] * 2
    (method,) = [method for method in period.METHODS if method.name == "period.close"]
    assert method.work(both) == 200


def test_another_organisation_closes_nothing() -> None:
    assert ReadingWorld().refusal_of(period.close, CLOSE, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"


def test_what_comes_late_has_keys_of_its_own() -> None:
    assert late_prefix("plant", 7) == b"late/plant/000007/"
