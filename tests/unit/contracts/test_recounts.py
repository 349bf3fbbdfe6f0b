"""Readings that came before their factor are counted once it is there."""

from dataclasses import replace

import pytest

from contracts import factors, meters, period, recounts
from contracts.emissions import MonthTotal, meter_month_key, numerator_of
from contracts.factor_content import CO2E_OF_VALUE
from contracts.period import ClosePeriod
from contracts.reading import NO_FACTOR, SubmitReadings
from contracts.readings import submit
from contracts.recounts import Recounted, RecountReadings
from contracts.revisions import RecordedRevision, revision_key
from contracts.site_month import SiteMonth, site_month_key, sums_of
from tests.unit.contracts.reading_world import AMOUNTS, DAY, ReadingWorld, amount
from tests.unit.contracts.registry_world import FACTOR, OPERATOR, OTHER_OPERATOR

OCTOBER = (2023 - 1970) * 12 + 9
RECOUNT = RecountReadings(meter_id="early", from_ms=DAY, page_count=2)


class EarlyWorld(ReadingWorld):
    """A meter whose factor covers nothing yet, with readings on three days."""

    def __init__(self) -> None:
        super().__init__()
        self.call(
            factors.set_factor,
            replace(FACTOR, factor_id="late", valid_from_ms=2**60, valid_to_ms=2**61),
        )
        self.call(meters.register, replace(AMOUNTS, meter_id="early", factor="late"))
        readings = tuple(amount(number, 1_000) for number in (0, 1, 96, 192))
        arguments = SubmitReadings(meter_id="early", unit=self.main.unit, readings=readings)
        submit(self.context(OPERATOR), arguments)
        self.next_block()

    def set_factor(self, valid_to_ms: int = 2**50) -> None:
        late = replace(FACTOR, factor_id="late", valid_from_ms=0, valid_to_ms=valid_to_ms)
        self.call(factors.set_factor, late)

    def recount(self, arguments: RecountReadings = RECOUNT) -> Recounted:
        return Recounted.decode(recounts.recount(self.context(OPERATOR), arguments))

    @property
    def total(self) -> MonthTotal:
        total = self.state.get(MonthTotal, meter_month_key("early", OCTOBER))
        assert total is not None
        return total

    @property
    def site_co2e(self) -> int:
        record = self.state.get(SiteMonth, site_month_key("plant", OCTOBER))
        assert record is not None
        return sums_of(record).location


def test_what_has_a_factor_now_is_counted_page_by_page() -> None:
    world = EarlyWorld()
    assert (world.site_co2e, world.total.without_factor_count) == (0, 4)
    world.set_factor()
    first = world.recount()
    assert (first.counted, first.left) == (3, 0)
    assert first.next_ms is not None
    second = world.recount(replace(RECOUNT, from_ms=first.next_ms))
    assert (second.counted, second.next_ms) == (1, None)
    assert world.site_co2e == 4_000 * FACTOR.value * CO2E_OF_VALUE
    assert numerator_of(world.total.co2e) == world.site_co2e
    assert numerator_of(world.total.amount) == 4_000
    assert world.total.without_factor_count == 0
    assert world.state.get(RecordedRevision, revision_key("plant", 2)) is not None


def test_what_is_counted_is_not_counted_again() -> None:
    world = EarlyWorld()
    world.set_factor()
    world.recount()
    before = world.site_co2e
    again = world.recount()
    assert (again.counted, again.left, world.site_co2e) == (0, 0, before)


def test_what_still_has_no_factor_stays_flagged() -> None:
    world = EarlyWorld()
    world.set_factor(valid_to_ms=amount(1, 0).stamp_ms)
    result = world.recount()
    assert (result.counted, result.left) == (1, 2)
    assert world.total.without_factor_count == 3
    assert NO_FACTOR == 1 << 24


@pytest.mark.parametrize(
    ("arguments", "sender", "code"),
    [
        (replace(RECOUNT, meter_id="nobody"), OPERATOR, "UNKNOWN_METER"),
        (RECOUNT, OTHER_OPERATOR, "NOT_PERMITTED"),
    ],
)
def test_only_an_own_meter_is_recounted(
    arguments: RecountReadings, sender: bytes, code: str
) -> None:
    assert EarlyWorld().refusal_of(recounts.recount, arguments, sender=sender)[0] == code


def test_a_closed_month_is_left_to_its_restatement() -> None:
    world = EarlyWorld()
    world.set_factor()
    world.call(period.close, ClosePeriod(sites=("plant",), month=OCTOBER, note=""))
    code, detail = world.refusal_of(recounts.recount, RECOUNT)
    assert (code, detail.partition(":")[0]) == ("WRONG_STATE", "month 2023-10 of site plant")
