"""Corrections of a month that is closed: they count apart, until a restatement takes them up."""

from dataclasses import replace

import pytest

from contracts import factors, month_restatement, period
from contracts.emissions import MonthTotal, meter_month_key, numerator_of
from contracts.month_restatement import ApproveRestatement, RestateMonth
from contracts.period import late_prefix
from tests.unit.contracts.reading_world import DAY, FACTOR_UNTIL_MS, QUARTER_MS, amount
from tests.unit.contracts.registry_world import ADMIN, FACTOR, SECOND_ADMIN
from tests.unit.contracts.test_corrections import CorrectedWorld
from tests.unit.contracts.test_period import CLOSE, MONTH

PROPOSAL = b"\x09" * 32


def closed_world() -> CorrectedWorld:
    """A closed month with amounts 100 and 200, the second of them without a factor."""
    world = CorrectedWorld(factor_until_ms=DAY + QUARTER_MS)
    world.send(amount(0, 100), amount(1, 200))
    world.call(period.close, CLOSE)
    world.next_block()
    return world


def restate(world: CorrectedWorld) -> None:
    proposed = RestateMonth(site="plant", month=MONTH, reason="put right")
    world.call(month_restatement.restate, proposed, transaction_id=PROPOSAL)
    approved = ApproveRestatement(site="plant", month=MONTH, proposal=PROPOSAL)
    world.call(month_restatement.approve, approved, sender=SECOND_ADMIN)


def live(world: CorrectedWorld) -> tuple[int, int, int]:
    total = world.state.get(MonthTotal, meter_month_key("main", MONTH))
    assert total is not None
    return numerator_of(total.amount), total.interval_count, total.without_factor_count


def test_a_closed_month_moves_only_when_it_is_restated() -> None:
    world = closed_world()
    world.correct((0, 70), (5, 30))
    world.next_block()

    assert live(world) == (300, 2, 1)
    assert world.effective(0) == 70
    late = world.state.get(MonthTotal, late_prefix("plant", MONTH) + meter_month_key("main", MONTH))
    assert late is not None
    assert numerator_of(late.amount) == 0

    restate(world)
    world.next_block()
    assert live(world) == (300, 2, 2)


@pytest.mark.parametrize("is_set", [False, True])
def test_a_factor_that_came_since_the_close_counts_with_the_correction(*, is_set: bool) -> None:
    world = closed_world()
    if is_set:
        late = replace(FACTOR, valid_from_ms=DAY + QUARTER_MS, valid_to_ms=FACTOR_UNTIL_MS)
        world.call(factors.set_factor, late, sender=ADMIN)
    world.correct((1, 150))
    world.next_block()
    world.correct((1, None))
    world.next_block()
    world.correct((1, 160))
    world.next_block()

    restate(world)
    world.next_block()

    assert live(world) == (260, 2, 0 if is_set else 1)
    co2e = (100 + 160) * FACTOR.value if is_set else 100 * FACTOR.value
    assert world.totals == (260, co2e)
