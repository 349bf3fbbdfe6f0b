from dataclasses import replace

from contracts import meters
from contracts.check import Check
from contracts.reading import Quality
from contracts.site_quality import NO_QUALITY, SiteQuality, added, site_quality
from tests.unit.contracts.reading_world import AMOUNTS, ReadingWorld, amount

MONTH = 645
EXPECTED = 31 * 96
UNTIL_MS = 2**60


def quality_of(world: ReadingWorld) -> SiteQuality:
    return site_quality(world.state, "plant", MONTH, UNTIL_MS)


def test_the_meters_of_the_totals_are_added_up_and_no_others() -> None:
    world = ReadingWorld()
    world.call(meters.register, replace(AMOUNTS, meter_id="second"))
    world.call(meters.register, replace(AMOUNTS, meter_id="sub", parent="main"))
    world.call(meters.register, replace(AMOUNTS, meter_id="bare", factor=None))
    for meter_id in ("main", "second", "sub", "bare"):
        world.send_to(meter_id, amount(0, 1_000), amount(1, 2_000))
    quality = quality_of(world)
    assert (quality.meter_count, quality.expected, quality.present) == (2, 2 * EXPECTED, 4)
    assert quality.applied[Check.CLOCK - 1] == 4


def test_estimates_are_a_share_of_their_own() -> None:
    world = ReadingWorld()
    world.send(amount(0, 1_000, quality=Quality.ESTIMATED), amount(1, 2_000))
    quality = quality_of(world)
    assert (quality.substituted, quality.present) == (1, 2)
    assert quality.substituted_permille == 1  # one of 2,976 is not nothing
    assert quality.availability_permille == 0


def test_shares_of_nothing_are_not_told() -> None:
    assert NO_QUALITY.availability_permille is None
    assert NO_QUALITY.substituted_permille is None
    assert NO_QUALITY.score_permille is None


def test_a_score_is_passed_of_applicable_rounded_down() -> None:
    applied = (3, *NO_QUALITY.applied[1:])
    failed = (1, *NO_QUALITY.failed[1:])
    quality = replace(NO_QUALITY, applied=applied, failed=failed)
    assert quality.score_permille == 666
    twice = added(quality, quality)
    assert (twice.applied[0], twice.failed[0], twice.score_permille) == (6, 2, 666)
    assert added(quality, NO_QUALITY) == quality
