from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from chain.codec import Record
from contracts import activities, meters, month_restatement, period
from contracts.emissions import MonthTotal, meter_month_key, numerator_of
from contracts.month_restatement import (
    ApproveRestatement,
    MonthRestatement,
    RestatedMeter,
    RestateMonth,
    late_meters,
    late_site,
    restated_meter_key,
    restatement_key,
)
from contracts.period import get_closed, late_prefix
from contracts.reading import AFTER_CLOSE, NO_FACTOR, RawReading
from contracts.revisions import RecordedRevision, RevisionKind, revision_key
from contracts.site_month import (
    OrganisationMonth,
    SiteMonth,
    organisation_month_key,
    site_month_key,
)
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    ReadingWorld,
    amount,
    register,
)
from tests.unit.contracts.registry_world import (
    ADMIN,
    OTHER_ADMIN,
    SECOND_ADMIN,
)
from tests.unit.contracts.test_activities import SUBMIT, ActivityWorld
from tests.unit.contracts.test_period import CLOSE, MONTH

RESTATE = RestateMonth(site="plant", month=MONTH, reason="the gateway was off")
PROPOSAL = b"\x09" * 32
APPROVE = ApproveRestatement(site="plant", month=MONTH, proposal=PROPOSAL)
LIVE_KEYS = (
    (MonthTotal, meter_month_key("main", MONTH)),
    (SiteMonth, site_month_key("plant", MONTH)),
    (OrganisationMonth, organisation_month_key("steel", MONTH)),
)


def totals_of(world: ReadingWorld) -> list[Record | None]:
    return [world.state.get(cls, key) for cls, key in LIVE_KEYS]


def amount_of(total: MonthTotal | None) -> int:
    assert total is not None
    return numerator_of(total.amount)


def closed_world() -> ReadingWorld:
    """A world with two intervals of a month that is closed."""
    world = ReadingWorld()
    world.send(amount(0, 1_000), amount(1, 2_000))
    world.call(period.close, CLOSE)
    world.next_block()
    return world


def restated(world: ReadingWorld) -> None:
    world.call(month_restatement.restate, RESTATE, transaction_id=PROPOSAL)
    world.call(month_restatement.approve, APPROVE, sender=SECOND_ADMIN)


def test_what_comes_after_a_close_is_kept_flagged_and_counted_apart() -> None:
    world = closed_world()
    before = totals_of(world)
    result = world.result([amount(2, 4_000)])
    assert [mask & AFTER_CLOSE != 0 for mask in result.failed] == [True]
    assert world.amounts == {0: 1_000, 1: 2_000, 2: 4_000}
    assert world.slots[2].failed & AFTER_CLOSE
    assert totals_of(world) == before
    ((meter_id, late),) = late_meters(world.state, "plant", MONTH)
    assert (meter_id, amount_of(late), late.interval_count) == ("main", 4_000, 1)
    site = late_site(world.state, "plant", MONTH)
    assert site is not None
    assert [numerator_of(stream.amount) for stream in site.streams] == [4_000]


def test_other_months_stay_open() -> None:
    world = closed_world()
    november = 20 * 96
    result = world.result([amount(november, 4_000)])
    assert result.failed[0] & AFTER_CLOSE == 0
    assert list(late_meters(world.state, "plant", MONTH)) == []
    assert world.meter_total(MONTH + 1) == (4_000, 4_000 * 4_306)


def test_a_restatement_takes_up_what_came_and_keeps_both_totals() -> None:
    world = closed_world()
    world.send(amount(2, 4_000))
    world.next_block()
    old = totals_of(world)
    restated(world)
    new = totals_of(world)
    assert new != old

    assert world.meter_total(MONTH) == (7_000, 7_000 * 4_306)
    record = world.state.get(MonthRestatement, restatement_key("plant", MONTH, 1))
    assert record is not None
    assert [record.old, record.new] == [old[1], new[1]]
    assert (record.proposed_by, record.approved_by) == (ADMIN, SECOND_ADMIN)
    assert record.reason == RESTATE.reason
    meter = world.state.get(RestatedMeter, restated_meter_key("plant", MONTH, 1, "main"))
    assert meter is not None
    assert [meter.old, meter.new] == [old[0], new[0]]
    closed = get_closed(world.state, "plant", MONTH)
    assert closed is not None
    assert (closed.restatement_count, closed.totals) == (1, old[1])
    assert [key for key, _ in world.state.iterate(MonthTotal, late_prefix("plant", MONTH))] == []


def test_a_restatement_is_a_revision_of_the_whole_month() -> None:
    world = closed_world()
    world.send(amount(2, 4_000))
    restated(world)
    closed = get_closed(world.state, "plant", MONTH)
    recorded = world.state.get(RecordedRevision, revision_key("plant", 1))
    assert recorded is not None
    assert closed is not None
    revision = recorded.revision
    assert (revision.from_ms, revision.to_ms) == (closed.from_ms, closed.to_ms)
    assert (revision.kind, revision.subject) == (
        RevisionKind.AFTER_CLOSE,
        "restatement/2023-10/00001",
    )
    assert {"period.restatement_proposed", "period.restated", "revision.recorded"} <= {
        *world.event_kinds
    }


def test_one_month_is_restated_as_often_as_something_comes() -> None:
    world = closed_world()
    for number in (2, 3):
        world.send(amount(number, 1_000))
        restated(world)
        world.next_block()
    assert world.meter_total(MONTH) == (5_000, 5_000 * 4_306)
    second = world.state.get(MonthRestatement, restatement_key("plant", MONTH, 2))
    assert second is not None
    assert second.number == 2
    assert world.refusal_of(month_restatement.restate, RESTATE) == (
        "WRONG_STATE",
        (
            "closed month 2023-10 of site plant: expected readings, corrections or activities "
            "that came after its close, got none"
        ),
    )


def test_one_approves_what_one_has_read() -> None:
    world = closed_world()
    world.send(amount(2, 4_000))
    world.call(month_restatement.restate, RESTATE, transaction_id=PROPOSAL)
    world.send(amount(3, 4_000))
    assert world.refusal_of(month_restatement.approve, APPROVE, sender=SECOND_ADMIN)[0] == (
        "WRONG_STATE"
    )
    other = replace(APPROVE, proposal=b"\x08" * 32)
    code, detail = world.refusal_of(month_restatement.approve, other, sender=SECOND_ADMIN)
    assert (code, detail.startswith("proposal: expected the open one, 0909")) == (
        "WRONG_STATE",
        True,
    )
    restated(world)
    assert world.meter_total(MONTH) == (11_000, 11_000 * 4_306)


def test_two_people_sign() -> None:
    world = closed_world()
    world.send(amount(2, 4_000))
    world.call(month_restatement.restate, RESTATE, transaction_id=PROPOSAL)
    assert world.refusal_of(month_restatement.approve, APPROVE) == (
        "NOT_PERMITTED",
        (
            "closed month 2023-10 of site plant: expected another ADMIN than the account that "
            "proposed the restatement, got the same"
        ),
    )
    codes = [
        world.refusal_of(month_restatement.restate, RESTATE, sender=OTHER_ADMIN)[0],
        world.refusal_of(month_restatement.approve, APPROVE, sender=OTHER_ADMIN)[0],
    ]
    assert codes == ["NOT_PERMITTED"] * 2


def test_what_cannot_be_meant_is_refused() -> None:
    world = ReadingWorld()
    code, detail = world.refusal_of(month_restatement.restate, RESTATE)
    assert (code, detail.rpartition(", got ")[2]) == ("WRONG_STATE", "an open one")
    world.call(period.close, CLOSE)
    assert world.refusal_of(month_restatement.restate, replace(RESTATE, reason=" ")) == (
        "INVALID_ARGUMENTS",
        "reason: expected why it is restated, got an empty text",
    )
    assert world.refusal_of(month_restatement.approve, APPROVE)[0] == "WRONG_STATE"


def test_a_sub_meter_is_restated_without_the_site() -> None:
    world = ReadingWorld()
    world.call(meters.register, replace(AMOUNTS, meter_id="sub", parent="main"))
    world.call(period.close, CLOSE)
    world.send_to("sub", amount(2, 4_000))
    restated(world)
    record = world.state.get(MonthRestatement, restatement_key("plant", MONTH, 1))
    assert record is not None
    assert (record.old, record.new, record.meter_count) == (None, None, 1)
    assert amount_of(world.state.get(MonthTotal, meter_month_key("sub", MONTH))) == 4_000


def test_an_interval_without_factor_stays_one() -> None:
    world = ReadingWorld()
    world.call(meters.register, replace(AMOUNTS, meter_id="bare", factor=None))
    world.call(period.close, CLOSE)
    result = world.send_to("bare", amount(2, 4_000))
    assert result.failed[0] & (NO_FACTOR | AFTER_CLOSE) == AFTER_CLOSE


STEPS = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 5_000)), min_size=2, max_size=16)


@pytest.mark.parametrize("kind", ["amounts", "registers"])
@given(STEPS, st.integers(0, 15))
@settings(max_examples=60, deadline=None)
def test_closed_and_restated_is_as_never_closed(
    kind: str, steps: list[tuple[int, int]], closed_after: int
) -> None:
    make = amount if kind == "amounts" else register
    readings: list[RawReading] = [make(interval, value) for interval, value in steps]
    meter = AMOUNTS if kind == "amounts" else COUNTER
    plain, closed = ReadingWorld(meter), ReadingWorld(meter)
    frozen = totals_of(closed)
    for number, reading in enumerate(readings):
        if number == closed_after:
            closed.call(period.close, CLOSE)
            frozen = totals_of(closed)
        plain.send(reading)
        closed.send(reading)
    if closed_after < len(readings):
        assert totals_of(closed) == frozen
        if list(late_meters(closed.state, "plant", MONTH)):
            restated(closed)
    assert totals_of(closed) == totals_of(plain)
    closed.next_block()
    plain.next_block()
    assert totals_of(closed) == totals_of(plain)


def test_an_activity_after_the_close_is_restated_without_any_meter() -> None:
    world = ActivityWorld()
    world.call(period.close, CLOSE)
    world.call(activities.submit, SUBMIT)
    assert world.state.get(SiteMonth, site_month_key("plant", MONTH)) is None
    restated(world)
    record = world.state.get(MonthRestatement, restatement_key("plant", MONTH, 1))
    assert record is not None
    assert (record.old, record.meter_count) == (None, 0)
    assert record.new == world.state.get(SiteMonth, site_month_key("plant", MONTH))
    assert len(world.sums().lines) == 1
    assert late_site(world.state, "plant", MONTH) is None
