"""What a reader is told of an interval: sent, approved, counting."""

from contracts.correction import CorrectedPage, corrected_page_key
from contracts.interval import Interval, intervals_of
from contracts.reading import MethodCode, Quality
from contracts.reading_page import ReadingPage, page_key
from tests.unit.contracts.reading_world import DAY, QUARTER_MS, amount
from tests.unit.contracts.test_corrections import CorrectedWorld


def intervals(world: CorrectedWorld) -> dict[int, Interval]:
    page = world.state.get(ReadingPage, page_key("main", DAY))
    corrected = world.state.get(CorrectedPage, corrected_page_key("main", DAY))
    assert page is not None
    return {
        (each.start_ms - DAY) // QUARTER_MS: each
        for each in intervals_of(world.main, DAY, page, corrected)
    }


def test_a_reading_counts_while_nothing_is_approved() -> None:
    world = CorrectedWorld()
    world.send(amount(0, 100, quality=Quality.ESTIMATED))

    (only,) = intervals(world).values()

    assert only.raw is not None
    assert (only.newest, only.in_force) == (None, None)
    assert (only.effective_amount, only.effective_quality) == (100, Quality.ESTIMATED)
    assert only.has_factor


def test_what_is_approved_counts_and_the_reading_is_still_told() -> None:
    world = CorrectedWorld()
    world.send(amount(0, 100))
    world.correct((0, 7), (3, 8))

    found = intervals(world)

    assert sorted(found) == [0, 3]
    assert found[0].raw is not None
    assert (found[0].raw.amount, found[0].effective_amount) == (100, 7)
    assert found[0].effective_quality is Quality.MEASURED
    assert (found[3].raw, found[3].effective_amount) == (None, 8)
    assert found[3].effective_quality is Quality.SUBSTITUTE
    assert found[3].in_force is not None
    assert found[3].in_force.method_code is MethodCode.MANUAL


def test_a_withdrawn_correction_leaves_its_trace_and_counts_for_nothing() -> None:
    world = CorrectedWorld()
    world.send(amount(0, 100))
    world.correct((0, 7), (3, 8))
    world.correct((0, None), (3, None))

    found = intervals(world)

    assert found[0].effective_amount == 100
    assert (found[3].effective_amount, found[3].effective_quality) == (None, Quality.MISSING)
    assert [each.newest.number if each.newest else None for each in found.values()] == [2, 2]
    assert [each.in_force for each in found.values()] == [None, None]


def test_without_a_factor_it_is_said_of_what_counts() -> None:
    world = CorrectedWorld(factor_until_ms=DAY + QUARTER_MS)
    world.send(amount(0, 100), amount(1, 100))
    world.correct((0, 5), (2, 6))

    assert {number: each.has_factor for number, each in intervals(world).items()} == {
        0: True,
        1: False,
        2: False,
    }
