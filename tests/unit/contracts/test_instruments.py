"""Instruments: known by serial numbers, retired once, into months of their market and vintage."""

from dataclasses import replace

import pytest

from contracts import factors, instruments, period, sites
from contracts.factor import EvidenceGrade, FactorBasis
from contracts.factor_content import CO2E_OF_VALUE
from contracts.instrument import Instrument, InstrumentState, get_instrument
from contracts.instruments import RegisterInstrument, RetireInstrument, SetMarket
from contracts.market import MarketRank, SiteMarket, market_key
from contracts.period import ClosePeriod
from contracts.site_month import SiteMonth, Sums, site_month_key, sums_of
from tests.unit.contracts.reading_world import ReadingWorld, amount
from tests.unit.contracts.registry_world import FACTOR, OTHER_ADMIN, SITE

OCTOBER = (2023 - 1970) * 12 + 9
GRID = 4_306 * CO2E_OF_VALUE
REGISTER = RegisterInstrument(
    instrument_id="wind-1",
    name="Wind farm, October",
    rank=MarketRank.CERTIFICATE,
    registry="k-reco",
    serial_first=1_000,
    serial_last=1_999,
    market="kr",
    volume_wh=1_000_000,
    vintage_from_month=OCTOBER,
    vintage_to_month=OCTOBER + 1,
    value=0,
    source="registry extract",
    evidence=EvidenceGrade.CONFIRMED,
    document_hash=bytes(32),
)
RETIRE = RetireInstrument(
    instrument_id="wind-1", site="plant", months=((OCTOBER, 900_000), (OCTOBER + 1, 100_000))
)
MARKET = SetMarket(
    site="plant",
    from_month=OCTOBER - 9,
    to_month=OCTOBER + 2,
    market="kr",
    series="residual",
    rank=MarketRank.RESIDUAL_MIX,
)


class MarketWorld(ReadingWorld):
    """A site with a market and a residual mix of 6,096."""

    def __init__(self) -> None:
        super().__init__()
        residual = replace(
            FACTOR,
            factor_id="residual",
            basis=FactorBasis.RESIDUAL_MIX,
            value=6_096,
            valid_from_ms=0,
            valid_to_ms=2**60,
        )
        self.call(factors.set_factor, residual)
        self.call(instruments.set_market, MARKET)
        self.call(instruments.register, REGISTER)

    def sums(self, month: int = OCTOBER) -> Sums:
        record = self.state.get(SiteMonth, site_month_key("plant", month))
        assert record is not None
        return sums_of(record)

    @property
    def instrument(self) -> Instrument:
        found = get_instrument(self.state, "wind-1")
        assert found is not None
        return found


def test_what_a_certificate_covers_counts_by_it_and_the_rest_by_the_residual_mix() -> None:
    world = MarketWorld()
    world.send(amount(0, 2_000_000))
    assert world.sums().market == 2_000_000 * 6_096 * CO2E_OF_VALUE
    world.call(instruments.retire, RETIRE)
    sums = world.sums()
    assert sums.location == 2_000_000 * GRID
    assert sums.market == 1_100_000 * 6_096 * CO2E_OF_VALUE
    assert sums.covered == 900_000
    assert world.instrument.state is InstrumentState.RETIRED
    assert (world.instrument.site, world.instrument.months) == ("plant", RETIRE.months)


def test_a_retired_instrument_waits_for_its_electricity() -> None:
    world = MarketWorld()
    world.call(instruments.retire, RETIRE)
    assert world.sums().covered == 0
    world.next_block()
    world.send(amount(0, 10))
    assert (world.sums().covered, world.sums().market) == (10, 0)


def test_an_instrument_is_retired_once() -> None:
    world = MarketWorld()
    world.call(instruments.retire, RETIRE)
    assert world.refusal_of(instruments.retire, RETIRE) == (
        "WRONG_STATE",
        (
            "instrument wind-1: expected one that is not retired: it counts once, got one retired "
            f"at {world.time_ms} for site plant"
        ),
    )


@pytest.mark.parametrize(
    ("first", "last", "is_free"),
    [
        (1_000, 1_999, False),
        (500, 1_000, False),
        (1_999, 3_000, False),
        (1_200, 1_300, False),
        (1, 9_000, False),
        (500, 999, True),
        (2_000, 2_000, True),
    ],
)
def test_serial_numbers_are_brought_once(first: int, last: int, *, is_free: bool) -> None:
    world = MarketWorld()
    again = replace(REGISTER, instrument_id="again", serial_first=first, serial_last=last)
    if is_free:
        world.call(instruments.register, again)
        return
    assert world.refusal_of(instruments.register, again) == (
        "ALREADY_EXISTS",
        (
            "serial_first: expected serial numbers of k-reco that no instrument has, got 1000 to "
            "1999 of wind-1"
        ),
    )


def test_another_registry_has_numbers_of_its_own() -> None:
    world = MarketWorld()
    world.call(instruments.register, replace(REGISTER, instrument_id="b", registry="i-rec"))


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (replace(RETIRE, instrument_id="nobody"), "UNKNOWN_INSTRUMENT", "instrument_id"),
        (replace(RETIRE, site="nowhere"), "UNKNOWN_SITE", "site"),
        (replace(RETIRE, months=((OCTOBER, 999_999),)), "INVALID_ARGUMENTS", "months"),
        (replace(RETIRE, months=((OCTOBER - 1, 1_000_000),)), "INVALID_ARGUMENTS", "months"),
        (replace(RETIRE, months=((OCTOBER + 2, 1_000_000),)), "INVALID_ARGUMENTS", "months"),
        (
            replace(RETIRE, months=((OCTOBER, 500_000), (OCTOBER, 500_000))),
            "INVALID_ARGUMENTS",
            "months",
        ),
    ],
)
def test_what_cannot_be_retired_is_refused(
    arguments: RetireInstrument, code: str, field: str
) -> None:
    found_code, detail = MarketWorld().refusal_of(instruments.retire, arguments)
    assert (found_code, detail.partition(":")[0]) == (code, field)


def test_an_instrument_of_another_market_covers_nothing() -> None:
    world = MarketWorld()
    other = replace(REGISTER, instrument_id="far", registry="eu", market="eu")
    world.call(instruments.register, other)
    assert world.refusal_of(instruments.retire, replace(RETIRE, instrument_id="far")) == (
        "WRONG_STATE",
        (
            "market of site plant in 2023-10: expected eu, the market of the instrument; see "
            "market.set, got kr"
        ),
    )


def test_a_site_without_a_market_takes_no_instrument() -> None:
    world = MarketWorld()
    world.call(sites.register, replace(SITE, site_id="second"))
    code, detail = world.refusal_of(instruments.retire, replace(RETIRE, site="second"))
    assert (code, detail.rpartition(" ")[2]) == ("WRONG_STATE", "none")


def test_a_closed_month_takes_neither_instrument_nor_market() -> None:
    world = MarketWorld()
    world.call(period.close, ClosePeriod(sites=("plant",), month=OCTOBER, note=""))
    expected = "month 2023-10 of site plant: expected an open month"
    code, detail = world.refusal_of(instruments.retire, RETIRE)
    assert (code, detail.partition(",")[0]) == ("WRONG_STATE", expected)
    code, detail = world.refusal_of(instruments.set_market, MARKET)
    assert (code, detail.partition(",")[0]) == ("WRONG_STATE", expected)


def test_only_the_owner_retires_and_sets_markets() -> None:
    world = MarketWorld()
    code, _ = world.refusal_of(instruments.retire, RETIRE, sender=OTHER_ADMIN)
    assert code == "NOT_PERMITTED"
    code, _ = world.refusal_of(instruments.set_market, MARKET, sender=OTHER_ADMIN)
    assert code == "NOT_PERMITTED"


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (replace(MARKET, to_month=OCTOBER - 10), "INVALID_ARGUMENTS", "to_month"),
        (replace(MARKET, from_month=1, to_month=121), "INVALID_ARGUMENTS", "to_month"),
        (replace(MARKET, rank=MarketRank.CONTRACT), "INVALID_ARGUMENTS", "rank"),
        (replace(MARKET, series="nothing"), "UNKNOWN_FACTOR", "series"),
        (replace(MARKET, site="nowhere"), "UNKNOWN_SITE", "site"),
    ],
)
def test_what_is_no_market_is_refused(arguments: SetMarket, code: str, field: str) -> None:
    found_code, detail = MarketWorld().refusal_of(instruments.set_market, arguments)
    assert (found_code, detail.partition(":")[0]) == (code, field)


def test_a_later_market_takes_its_months_from_the_one_before() -> None:
    world = MarketWorld()
    middle = replace(MARKET, from_month=OCTOBER - 2, to_month=OCTOBER, series=None)
    world.send(amount(0, 1_000))
    world.call(instruments.set_market, middle)
    market = world.state.get(SiteMarket, market_key("plant"))
    assert market is not None
    assert [(span.from_month, span.to_month, span.series) for span in market.spans] == [
        (OCTOBER - 9, OCTOBER - 3, "residual"),
        (OCTOBER - 2, OCTOBER, None),
        (OCTOBER + 1, OCTOBER + 2, "residual"),
    ]
    assert world.sums().market == world.sums().location == 1_000 * GRID


def test_a_month_with_instruments_keeps_its_market() -> None:
    world = MarketWorld()
    world.call(instruments.retire, RETIRE)
    code, detail = world.refusal_of(instruments.set_market, replace(MARKET, market="eu"))
    assert (code, detail.rpartition(" ")[2]) == ("WRONG_STATE", "eu")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (replace(REGISTER, rank=MarketRank.SUPPLIER), "rank"),
        (replace(REGISTER, serial_last=999), "serial_last"),
        (replace(REGISTER, vintage_to_month=OCTOBER - 1), "vintage_to_month"),
        (replace(REGISTER, source=" "), "source"),
    ],
)
def test_what_is_no_instrument_is_refused(arguments: RegisterInstrument, field: str) -> None:
    code, detail = ReadingWorld().refusal_of(instruments.register, arguments)
    assert (code, detail.partition(":")[0]) == ("INVALID_ARGUMENTS", field)
    world = MarketWorld()
    assert world.refusal_of(instruments.register, REGISTER)[0] == "ALREADY_EXISTS"
