"""The report on the steel plant's year at 0.4585 kg/kWh, inferred from its file: for tests only."""

import hashlib
from dataclasses import replace
from typing import Any, cast

import pytest

from chain import jcs
from chain.state import State
from client.importers.steel import read_steel
from contracts import factors, inventory_design, period
from contracts.emissions import pack_numerator
from contracts.factor import EvidenceGrade
from contracts.month import month_name
from contracts.period import ClosePeriod
from contracts.report import AnchorReport, Headline, ReportKind
from contracts.report_document import ComputedAt, ReportRequest, build_document
from contracts.reports import anchor, get_report
from tests.unit.contracts.registry_world import FACTOR
from tests.unit.contracts.test_inventory_design import DESIGN
from tests.unit.contracts.test_readings_real_data import DATA, STEEL, RealWorld

READINGS = read_steel(DATA / "steel" / "readings.csv.gz")
JANUARY, DECEMBER = 576, 587
"""Of 2018."""
YEAR = ReportRequest(
    kind=ReportKind.GHG_INVENTORY, organisation="steel", from_month=JANUARY, to_month=DECEMBER
)
INFERRED = replace(
    FACTOR,
    factor_id="steel-inferred",
    name="Inferred from the plant's file",
    value=4_585,
    valid_from_ms=0,
    valid_to_ms=2**60,
    source="ratio of CO2 to energy in the file; not published, for tests only",
    evidence=EvidenceGrade.UNCONFIRMED,
)


@pytest.fixture(scope="module")
def world() -> RealWorld:
    world = RealWorld("Asia/Seoul", range(2017, 2020))
    world.call(factors.set_factor, INFERRED)
    world.replay(replace(STEEL, factor="steel-inferred"), READINGS)
    world.call(inventory_design.define, DESIGN)
    for month in range(JANUARY, DECEMBER + 1):
        world.call(period.close, ClosePeriod(sites=("plant",), month=month, note=""))
    world.next_block()
    return world


@pytest.fixture(scope="module")
def document(world: RealWorld) -> dict[str, Any]:
    at = ComputedAt(chain_id=bytes(32), height=0, state_root=bytes(32), time_ms=world.time_ms)
    return cast("dict[str, Any]", build_document(State(world.reader), YEAR, at))


def test_the_year_is_what_the_files_energy_gives(document: dict[str, Any]) -> None:
    totals = document["totals"]
    assert totals["electricity_wh"] == "959636710"
    assert totals["scope2_location_based"] == {
        "numerator_1e10_g": str(959_636_710 * 4_585 * 10**6),
        "grams": "439993432",
        "tonnes": "439.993",
    }
    assert totals["all_location_based"] == totals["scope2_location_based"]
    assert totals["scope2_market_based"] == totals["scope2_location_based"]
    uncertainty = document["uncertainty"]
    assert uncertainty["combined_1e4"] == 100
    assert uncertainty["factor_not_declared_1e10_g"] == uncertainty["covered_1e10_g"]
    assert uncertainty["not_covered_1e10_g"] == "0"


def test_every_month_is_there_and_closed(document: dict[str, Any]) -> None:
    (site,) = document["sites"]
    assert [month["month"] for month in site["months"]] == [
        month_name(month) for month in range(JANUARY, DECEMBER + 1)
    ]
    assert {month["state"] for month in site["months"]} == {"CLOSED"}
    assert sum(month["intervals"] for month in site["months"]) == 35_040
    assert document["open_months"] == []
    quality = document["data_quality"]
    assert (quality["intervals_expected"], quality["intervals_present"]) == (35_040, 35_040)
    assert quality["availability_permille"] == 1_000
    energy_co2 = next(check for check in quality["checks"] if check["check"] == "ENERGY_CO2")
    assert energy_co2["failed"] == 47


def test_the_base_year_is_the_year_itself(document: dict[str, Any]) -> None:
    base_year = document["base_year"]
    assert base_year["months_with_data"] == 12
    assert base_year["totals"] == document["totals"]


def test_the_factor_is_shown_as_what_it_is(document: dict[str, Any]) -> None:
    (factor,) = document["factors"]
    assert factor["evidence"] == "UNCONFIRMED"
    assert factor["amount"] == document["totals"]["electricity_wh"]


def test_rounding_each_reading_would_lose_a_thirteenth(document: dict[str, Any]) -> None:
    ten_kilograms = 10**14
    numerators = [(reading.amount or 0) * 4_585 * 10**6 for reading in READINGS]
    assert sum(numerators) == int(document["totals"]["scope2_location_based"]["numerator_1e10_g"])
    rounded = sum((each + ten_kilograms // 2) // ten_kilograms for each in numerators)
    assert rounded == 40_555  # hundredths of a tonne, against 43,999
    assert 1_000 * (43_999 - rounded) // 43_999 == 78


def test_the_annual_report_is_in_whole_tonnes(world: RealWorld) -> None:
    at = ComputedAt(chain_id=bytes(32), height=0, state_root=bytes(32), time_ms=world.time_ms)
    request = replace(YEAR, kind=ReportKind.CN_ANNUAL)
    annual = cast("dict[str, Any]", build_document(State(world.reader), request, at))
    assert annual["totals"]["scope2_location_based"]["tonnes"] == "440"
    (activity,) = annual["activity_data"]
    assert activity["amount"] == annual["totals"]["electricity_wh"]
    assert [deposit["submission"] for deposit in annual["deposits"]] == [0] * 12


def test_validators_let_the_year_in(world: RealWorld, document: dict[str, Any]) -> None:
    totals = document["totals"]
    names = {
        "direct": "direct",
        "location_based": "scope2_location_based",
        "market_based": "scope2_market_based",
        "value_chain": "value_chain",
        "biogenic": "biogenic",
        "removals": "removals",
    }
    headline = Headline(
        **{
            field: pack_numerator(int(totals[name]["numerator_1e10_g"]))
            for field, name in names.items()
        }
    )
    arguments = AnchorReport(
        kind=YEAR.kind,
        from_month=JANUARY,
        to_month=DECEMBER,
        document=hashlib.sha256(jcs.encode(document)).digest(),
        computed_height=0,
        state_root=bytes(32),
        headline=headline,
    )
    world.call(anchor, arguments)
    report = get_report(world.state, "steel", 1)
    assert report is not None
    assert report.headline == headline
