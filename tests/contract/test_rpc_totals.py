"""Totals and what they are made of over a real socket, from signed transactions to documents."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts import instruments
from contracts.activities import SubmitActivity
from contracts.emissions import IsoCategory, Scope
from contracts.factor import EvidenceGrade, FactorBasis, FactorUncertainty
from contracts.instruments import (
    RegisterInstrument,
    RetireInstrument,
    SetMarket,
)
from contracts.market import MarketRank
from contracts.meter import Unit
from contracts.potentials import RegisterFactorSet
from contracts.reading import Quality
from contracts.site_month import Booking
from contracts.target import YearTarget
from contracts.targets import SetTarget
from tests.contract.test_rpc_readings import FACTOR, START_MS, commit, get, measured
from tests.rpc_node import ServedNode
from tests.unit.contracts.test_instrument_transfers import TRANSFER
from tests.unit.contracts.test_instruments import MarketWorld

Run = Callable[[Awaitable[None]], None]
NOVEMBER = (2023 - 1970) * 12 + 10
STEPS: tuple[tuple[str, Any], ...] = (
    (
        "factor.register_set",
        RegisterFactorSet(
            set_id="a-set", name="A set", publisher="somebody", version="1", source="a file",
            licence="", evidence=EvidenceGrade.UNCONFIRMED, evidence_note="",
        ),
    ),
    (
        "factor.set",
        replace(
            FACTOR, factor_id="diesel", base_unit=Unit.GRAM, basis=FactorBasis.COMBUSTION,
            value=31_000, is_co2=True, valid_from_ms=START_MS - 2**32,
            evidence=EvidenceGrade.UNCONFIRMED,
            uncertainty=FactorUncertainty(permille=40, source="an annex"),
        ),
    ),
    (
        "activity.submit",
        SubmitActivity(
            site="plant", activity_id="fuel-1", name="Trucks",
            booking=Booking(
                scope=Scope.DIRECT, category=IsoCategory.DIRECT, s3_category=0, is_removal=False
            ),
            amount=2, unit=Unit.KILOGRAM, scale=0, factor="diesel", from_month=NOVEMBER,
            to_month=NOVEMBER, quality=Quality.MEASURED, uncertainty_permille=0, source="a bill",
            evidence_hash=bytes(32),
        ),
    ),
    (
        "market.set",
        SetMarket(
            site="plant", from_month=NOVEMBER, to_month=NOVEMBER, market="kr", series=None,
            rank=MarketRank.RESIDUAL_MIX,
        ),
    ),
    (
        "instrument.register",
        RegisterInstrument(
            instrument_id="wind", name="Wind", rank=MarketRank.CERTIFICATE, registry="r",
            serial_first=1, serial_last=9, market="kr", volume_wh=20_000,
            vintage_from_month=NOVEMBER, vintage_to_month=NOVEMBER, value=0, source="a registry",
            evidence=EvidenceGrade.SECONDARY, document_hash=bytes(32),
        ),
    ),
    (
        "instrument.retire",
        RetireInstrument(instrument_id="wind", site="plant", months=((NOVEMBER, 20_000),)),
    ),
    (
        "target.set",
        SetTarget(
            site="plant", scopes=(Scope.DIRECT,), is_market_based=False, base_year=2022,
            base_grams=1, years=(YearTarget(year=2023, grams=7_000),), tolerance_permille=0,
            reason="a plan",
        ),
    ),
)  # fmt: skip


async def emitted(served: ServedNode) -> None:
    await measured(served)
    for number, (method, arguments) in enumerate(STEPS, 5):
        await commit(served, number, method, arguments)


def test_a_sites_month_shows_lines_both_scope_2_totals_and_what_they_follow_from(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await emitted(served)

            span = "totals?from=2023-01&to=2023-12"
            status, document = await get(served, f"/v1/sites/plant/{span}")

            assert status == 200
            (month,) = document["months"]
            assert month["month"] == "2023-11"
            by_scope = {line["scope"]: line for line in month["lines"]}
            assert (by_scope[1]["gas"], by_scope[1]["co2e_g"]) == ("CO2", 6_200)
            electricity = month["scope2"]["electricity_wh"]
            assert month["scope2"]["location_based_1e10_g"] == str(electricity * 4_306 * 10**6)
            uncovered = electricity - month["scope2"]["covered_wh"]
            assert month["scope2"]["market_based_1e10_g"] == str(uncovered * 4_306 * 10**6)
            assert month["allocations"][0]["instrument_id"] == "wind"
            assert {each["factor_id"]: each["evidence"] for each in month["streams"]} == {
                "diesel": "UNCONFIRMED",
                "kr-grid": "SECONDARY",
            }
            assert document["weakest_evidence"] == "UNCONFIRMED"
            assert document["market"][0]["market"] == "kr"
            name = next(
                each["organisation"]
                for each in (await get(served, "/v1/sites"))[1]["sites"]
                if each["site_id"] == "plant"
            )
            _, of_organisation = await get(served, f"/v1/organisations/{name}/{span}")
            assert of_organisation["total"] == document["total"]

    run(body())


def test_what_totals_are_made_of_is_listed(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await emitted(served)

            _, sets = await get(served, "/v1/factor-sets")
            assert [each["evidence"] for each in sets["factor_sets"]] == ["UNCONFIRMED"]
            assert (await get(served, "/v1/gwp-sets"))[1]["gwp_sets"] == []
            _, factors = await get(served, "/v1/factors")
            assert {each["factor_id"]: each["uncertainty"] for each in factors["factors"]} == {
                "diesel": {"permille": 40, "source": "an annex"},
                "kr-grid": None,
            }
            _, found = await get(served, "/v1/instruments")
            assert [each["state"] for each in found["instruments"]] == ["RETIRED"]
            _, none = await get(served, "/v1/instruments?organisation=nobody")
            assert none["instruments"] == []
            _, activities = await get(served, "/v1/sites/plant/activities")
            assert [each["activity_id"] for each in activities["activities"]] == ["fuel-1"]
            assert (await get(served, "/v1/restatements"))[1]["restatements"] == []
            _, months = await get(served, "/v1/sites/plant/restated-months")
            assert months["restated_months"] == []

    run(body())


def test_a_target_is_shown_with_its_progress(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await emitted(served)

            _, document = await get(served, "/v1/sites/plant/target?year=2023")

            assert document["target"]["scopes"] == ["DIRECT"]
            assert len(document["progress"]) == 12
            november = document["progress"][10]
            assert (november["month"], november["actual_grams"]) == ("2023-11", 6_200)
            assert november["has_left"] is False
            assert (await get(served, "/v1/targets"))[1]["targets"] == [document["target"]]

    run(body())


def test_an_instrument_shows_its_holder_and_who_handed_it_on(run: Run) -> None:
    async def body() -> None:
        world = MarketWorld()
        world.call(instruments.transfer, TRANSFER)
        world.next_block()
        async with ServedNode() as served:
            served.node.store._database.write(
                [
                    (b"s" + key, value)
                    for key, value in world.reader.entries.items()
                    if key.startswith(b"instrument")
                ]
            )
            held = {
                name: (await get(served, f"/v1/instruments?organisation={name}"))[1]["instruments"]
                for name in ("steel", "grid")
            }
            assert [each["instrument_id"] for each in held["grid"]] == ["wind-1"]
            assert held["steel"] == []
            _, document = await get(served, "/v1/instruments/wind-1/transfers")
            (record,) = document["transfers"]
            assert (record["giver"], record["receiver"], record["reference"]) == (
                "steel",
                "grid",
                TRANSFER.reference,
            )

    run(body())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/sites/nowhere/totals?from=2023-01&to=2023-02", 404, "UNKNOWN_SITE"),
        ("/v1/organisations/nobody/totals?from=2023-01&to=2023-02", 404, "UNKNOWN_ORGANISATION"),
        ("/v1/sites/plant/totals?from=2023-01", 400, "MALFORMED_PARAMETER"),
        ("/v1/sites/plant/totals?from=2023-13&to=2024-01", 400, "MALFORMED_PARAMETER"),
        ("/v1/sites/plant/totals?from=2023-02&to=2023-01", 400, "MALFORMED_PARAMETER"),
        ("/v1/sites/plant/totals?from=1969-12&to=2023-01", 400, "MALFORMED_PARAMETER"),
        ("/v1/sites/plant/totals?from=1970-01&to=2270-01", 400, "MALFORMED_PARAMETER"),
        ("/v1/sites/plant/target", 404, "UNKNOWN_TARGET"),
        ("/v1/sites/plant/target?year=x", 400, "MALFORMED_PARAMETER"),
    ],
)
def test_what_cannot_be_told_is_a_problem(run: Run, path: str, status: int, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            found, problem = await get(served, path)

            assert (found, problem["code"]) == (status, code)

    run(body())
