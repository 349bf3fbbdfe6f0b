"""Readings and baselines over a real socket, from signed transactions to what people see."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.merkle import root_of_hashes
from chain.state import State
from client.asynchronous import TanlianClient
from contracts.account import Role
from contracts.accounts import RegisterAccount
from contracts.baseline import (
    Approval,
    Baseline,
    DayModel,
    Model,
    Reason,
    Resolution,
    approval_key,
    baseline_key,
    pack_cells,
)
from contracts.calendars import Calendar, RegisterCalendar
from contracts.correction import AmountUnit
from contracts.corrections import ApproveCorrection, CorrectReadings
from contracts.factor import EvidenceGrade, FactorBasis
from contracts.factors import SetFactor
from contracts.meter import Direction, Quantity, StampConvention, Unit, ValueKind
from contracts.meters import RegisterMeter
from contracts.reading import Channel, MethodCode, Quality, RawReading, SubmitReadings, leaf_of
from contracts.sites import RegisterSite
from tests.rpc_node import ADMIN, ServedNode, key

Run = Callable[[Awaitable[None]], None]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_699_920_000_000
"""2023-11-14T00:00:00Z, the day of the chain's first block."""

CALENDAR = RegisterCalendar(
    calendar=Calendar(
        calendar_id="utc", version=1, source="test", transitions=((0, 0),), holidays=()
    )
)
SITE = RegisterSite(
    site_id="plant", name="Steel plant", country="KR", address="", calendar=("utc", 1)
)
FACTOR = SetFactor(
    factor_id="kr-grid",
    name="Korean grid",
    basis=FactorBasis.LOCATION_BASED,
    base_unit=Unit.WATT_HOUR,
    value=4_306,
    valid_from_ms=START_MS + HOUR_MS,
    valid_to_ms=START_MS + 365 * DAY_MS,
    source="a publisher",
    evidence=EvidenceGrade.SECONDARY,
)
METER = RegisterMeter(
    meter_id="main",
    site="plant",
    name="Main meter",
    serial="A-1",
    make="Maker",
    accuracy_class_permille=10,
    quantity=Quantity.ELECTRICITY,
    unit=Unit.KILOWATT_HOUR,
    scale=0,
    kind=ValueKind.INTERVAL,
    direction=Direction.IMPORT,
    transformer_ratio=(1, 1),
    multiplier=(1, 1),
    register_modulus=None,
    nameplate_w=500_000,
    interval_ms=HOUR_MS,
    stamp=StampConvention.START,
    calendar=("utc", 1),
    parent=None,
    factor="kr-grid",
    co2_check=None,
    responsible=ADMIN.public_key,
    calibration_certificate=bytes(32),
    calibration_valid_until_ms=0,
    installed_from_ms=START_MS - DAY_MS,
    installed_to_ms=None,
)


def reading(hour: int, amount: int, **channels: int) -> RawReading:
    return RawReading(
        stamp_ms=START_MS + hour * HOUR_MS,
        register=None,
        amount=amount,
        quality=Quality.MEASURED,
        sequence=None,
        previous_leaf=None,
        channels=tuple((Channel[name], value) for name, value in channels.items()),
    )


READINGS = (reading(0, 100), reading(1, 90_000), reading(2, 120, DEMAND_W=120_000))


async def commit(
    served: ServedNode, number: int, method: str, arguments: Record, signer: Ed25519Signer = ADMIN
) -> bytes:
    """Commits a transaction of this number in a block of its own; returns its id."""
    transaction = served.node.transaction(number, method=method, arguments=arguments, sender=signer)
    (admission,) = await served.node.submit([transaction.wire])
    assert admission.is_accepted, admission
    await served.node.commit()
    receipt = served.node.store.receipts(number + 1)[0]
    assert receipt.code == "", receipt
    return transaction.id


async def measured(served: ServedNode) -> None:
    """Commits a meter with three readings: without a factor, above its nameplate, and good."""
    calls: tuple[tuple[str, Any], ...] = (
        ("calendar.register", CALENDAR),
        ("site.register", SITE),
        ("factor.set", FACTOR),
        ("meter.register", METER),
        (
            "readings.submit",
            SubmitReadings(meter_id="main", unit=Unit.KILOWATT_HOUR, readings=READINGS),
        ),
    )
    for number, (method, arguments) in enumerate(calls):
        await commit(served, number, method, arguments)


async def get(served: ServedNode, path: str) -> tuple[int, Any]:
    async with served.http.get(served.url + path) as response:
        return response.status, json.loads(await response.read())


def test_intervals_show_value_emissions_and_failed_checks_by_name(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            status, document = await get(served, "/v1/meters/main/readings")

            assert status == 200
            assert (document["unit"], document["base_unit"]) == ("KILOWATT_HOUR", "WATT_HOUR")
            early, high, good = document["readings"]
            assert (early["has_factor"], early["co2e_1e10_g"]) == (False, None)
            assert high["failed_checks"] == ["PHYSICAL_CAP"]
            assert good["start_utc"] == "2023-11-14T02:00:00.000Z"
            assert good["end_ms"] == START_MS + 3 * HOUR_MS
            assert (good["submitted"], good["amount"]) == (120, 120_000)
            assert good["co2e_1e10_g"] == 516_720_000 * 10**6
            assert good["quality"] == "MEASURED"
            assert good["failed_checks"] == []
            assert "PHYSICAL_CAP" in good["applied_checks"]
            assert good["channels"] == {"demand_w": 120_000}
            assert document["next_from_ms"] is None

    run(body())


def test_a_submission_says_what_became_of_each_reading(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            _, document = await get(served, "/v1/blocks/5")

            (transaction,) = document["transactions"]
            assert transaction["arguments"]["readings"][1]["amount"] == 90_000
            leaves = [leaf_of("main", Unit.KILOWATT_HOUR, each) for each in READINGS]
            assert transaction["receipt"]["result"] == {
                "outcomes": ["ACCEPTED", "ACCEPTED", "ACCEPTED"],
                "failed": [1 << 24, 1 << 5, 0],
                "root": root_of_hashes(leaves).hex(),
            }

    run(body())


def test_a_correction_stands_beside_its_reading_and_is_listed(run: Run) -> None:
    second = Ed25519Signer(bytes([77]) * 32)

    async def body() -> None:
        async with ServedNode() as served, TanlianClient([served.url]) as client:
            await measured(served)
            account = RegisterAccount(
                public_key=second.public_key, name="Second", roles=(Role.ADMIN,)
            )
            await commit(served, 5, "account.register", account)
            proposal = CorrectReadings(
                meter_id="main",
                unit=AmountUnit.BASE,
                intervals=((START_MS + 2 * HOUR_MS, 7), (START_MS + 3 * HOUR_MS, 8)),
                method_code=MethodCode.INVOICE,
                reason="billed",
                evidence=bytes(32),
            )
            proposed = await commit(served, 6, "reading.correct", proposal)
            approval = ApproveCorrection(meter_id="main", number=1, proposal=proposed)
            await commit(served, 7, "reading.approve_correction", approval, second)

            _, intervals = await get(served, "/v1/meters/main/readings")
            *_, sent, missing = intervals["readings"]
            (listed,) = await client.corrections("main")
            _, revisions = await get(served, "/v1/sites/plant/revisions")

            assert (sent["amount"], sent["effective_amount"]) == (120_000, 7)
            assert (sent["quality"], sent["effective_quality"]) == ("MEASURED", "CALCULATED")
            assert sent["co2e_1e10_g"] == 7 * 4_306 * 10**6
            assert (missing["submitted"], missing["quality"]) == (None, None)
            assert (missing["effective_amount"], missing["effective_quality"]) == (8, "SUBSTITUTE")
            assert missing["correction"]["number"] == listed["number"] == 1
            assert listed["replaced"] == [
                {"amount": 120_000, "number": None},
                {"amount": None, "number": None},
            ]
            (revision,) = revisions["revisions"]
            assert revision["revision"]["subject"] == "correction/main/000001"

    run(body())


def test_intervals_come_in_pages_between_two_moments(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            path = "/v1/meters/main/readings"

            _, first = await get(served, f"{path}?limit=2")
            _, rest = await get(served, f"{path}?from={first['next_from_ms']}")
            _, middle = await get(served, f"{path}?from={START_MS + 1}&to={START_MS + 2 * HOUR_MS}")

            shown = [each["submitted"] for each in first["readings"] + rest["readings"]]
            assert shown == [100, 90_000, 120]
            assert [each["submitted"] for each in middle["readings"]] == [90_000]

    run(body())


def test_the_client_collects_all_pages(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served, TanlianClient([served.url]) as client:
            await measured(served)

            found = await client.readings("main")
            some = await client.readings("main", from_ms=START_MS + HOUR_MS, limit=1)

            assert [each["submitted"] for each in found] == [100, 90_000, 120]
            assert [each["submitted"] for each in some] == [90_000]
            assert [each["meter_id"] for each in await client.meters(site="plant")] == ["main"]
            assert [each["check"] for each in await client.alerts(state="open")] == ["PHYSICAL_CAP"]
            assert [each["value"] for each in await client.factors()] == [4_306]
            assert [each["site_id"] for each in await client.sites()] == ["plant"]

    run(body())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/meters/other/readings", 404, "UNKNOWN_METER"),
        ("/v1/meters/main/readings?from=yesterday", 400, "MALFORMED_PARAMETER"),
        ("/v1/meters/main/readings?to=-1", 400, "MALFORMED_PARAMETER"),
        ("/v1/meters/main/readings?limit=1001", 400, "MALFORMED_PARAMETER"),
        ("/v1/meters/main/readings?until=1", 400, "UNKNOWN_PARAMETER"),
        ("/v1/baselines?meter=A", 400, "MALFORMED_PARAMETER"),
    ],
)
def test_bad_questions_have_their_own_answers(run: Run, path: str, status: int, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            answered, document = await get(served, path)

            assert (answered, document["code"]) == (status, code)

    run(body())


def baseline(meter_id: str, version: int, reason: Reason | None) -> Baseline:
    return Baseline(
        meter_id=meter_id,
        version=version,
        model=Model.DAY_TYPE_HOUR,
        resolution=Resolution.INTERVAL,
        driver=None,
        parameter_count=3,
        fsu_permille=0,
        day_model=None,
        from_ms=START_MS,
        to_ms=START_MS + 28 * DAY_MS,
        interval_count=672,
        coverage_permille=1_000,
        cv_rmse_permille=219,
        nmbe_permille=-28,
        reason=reason,
        medians=pack_cells(list(range(96))),
        sigmas=pack_cells([7] * 96),
        known_cells=(0b11 | 1 << 95).to_bytes(12, "big"),
        fitted_ms=START_MS,
        fitted_by=key(1),
    )


def test_baselines_show_their_gate_and_their_profile_by_day_type(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            records = (
                baseline("main", 1, Reason.SCATTER_TOO_HIGH),
                baseline("main", 2, None),
                baseline("side", 1, None),
            )
            state = State(served.node.store)
            for each in records:
                state.put(baseline_key(each.meter_id, each.version), each)
            served.node.store._database.write(
                [(b"s" + name, value) for name, value in state.changes().items()]
            )

            _, everything = await get(served, "/v1/baselines")
            _, first = await get(served, "/v1/baselines?meter=main&limit=1")
            _, second = await get(served, f"/v1/baselines?meter=main&after={first['after']}")

            shown = [(each["meter_id"], each["version"]) for each in everything["baselines"]]
            assert shown == [("main", 1), ("main", 2), ("side", 1)]
            (refused,) = first["baselines"]
            assert (refused["qualifies"], refused["reason"]) == (False, "SCATTER_TOO_HIGH")
            assert (refused["cv_rmse_permille"], refused["nmbe_permille"]) == (219, -28)
            assert refused["medians"]["WORKDAY"][:3] == [0, 1, None]
            assert refused["medians"]["HOLIDAY"][22:] == [None, 95]
            (good,) = second["baselines"]
            assert (good["version"], good["qualifies"], good["reason"]) == (2, True, None)
            assert second["after"] is None

    run(body())


def test_baselines_show_their_model_and_who_approved_them(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            week = replace(
                baseline("main", 1, None),
                model=Model.HOUR_OF_WEEK,
                medians=pack_cells(list(range(168))),
                sigmas=pack_cells([7] * 168),
                known_cells=(1 << 167).to_bytes(21, "big"),
            )
            days = replace(
                baseline("main", 2, None),
                model=Model.COOLING_3P,
                resolution=Resolution.DAY,
                driver="outdoor",
                medians=b"",
                sigmas=b"",
                known_cells=b"",
                day_model=DayModel(
                    levels=(183_066, None, 82_300),
                    heating_slope=0,
                    heating_point=None,
                    cooling_slope=2**60,
                    cooling_point=145,
                    sigma=10_394,
                    driver_min=135,
                    driver_max=198,
                ),
            )
            approval = Approval(
                meter_id="main",
                number=1,
                version=2,
                from_ms=START_MS + 28 * DAY_MS,
                case="main.14.000001",
                reason="a second shift",
                approved_by=key(2),
                approved_ms=START_MS,
            )
            state = State(served.node.store)
            state.put(baseline_key("main", 1), week)
            state.put(baseline_key("main", 2), days)
            state.put(approval_key("main", 1), approval)
            served.node.store._database.write(
                [(b"s" + name, value) for name, value in state.changes().items()]
            )

            _, document = await get(served, "/v1/baselines?meter=main")

            of_week, of_days = document["baselines"]
            assert list(of_week["medians"])[5:] == ["SATURDAY", "SUNDAY"]
            assert of_week["medians"]["SUNDAY"][22:] == [None, 167]
            assert (of_week["day_model"], of_week["approvals"]) == (None, [])
            assert (of_days["medians"], of_days["driver"]) == (None, "outdoor")
            assert of_days["day_model"]["levels"] == [183_066, None, 82_300]
            assert of_days["day_model"]["cooling_slope"] == str(2**60)
            (approved,) = of_days["approvals"]
            assert (approved["case"], approved["reason"]) == ("main.14.000001", "a second shift")

    run(body())
