"""Reports over a real socket: built, anchored, found by their document, refused with a reason."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chain import jcs
from contracts.emissions import pack_numerator
from contracts.period import ClosePeriod
from contracts.report import AnchorReport, Headline, ReportKind
from tests.contract.test_rpc_readings import commit, get, measured
from tests.rpc_node import ServedNode
from tests.unit.contracts.test_inventory_design import DESIGN
from tests.unit.contracts.test_monitoring_plan import PLAN

Run = Callable[[Awaitable[None]], None]
OCTOBER = 645
"""2023-10, over when the chain begins; the readings are of November."""
DOCUMENT = "/v1/report-document?kind=CN_MONTHLY_DEPOSIT&organisation=steelworks"


async def closed(served: ServedNode) -> str:
    """Commits readings, a design, a plan and a closed month; returns the organisation."""
    await measured(served)
    _, site = await get(served, "/v1/sites")
    await commit(served, 5, "report.define", replace(DESIGN, sites=("plant",)))
    await commit(served, 6, "plan.file", PLAN)
    await commit(served, 7, "period.close", ClosePeriod(sites=("plant",), month=OCTOBER, note=""))
    return str(site["sites"][0]["organisation"])


def headline_of(totals: dict[str, Any]) -> Headline:
    def packed(name: str) -> bytes:
        return pack_numerator(int(totals[name]["numerator_1e10_g"]))

    return Headline(
        direct=packed("direct"),
        location_based=packed("scope2_location_based"),
        market_based=packed("scope2_market_based"),
        value_chain=packed("value_chain"),
        biogenic=packed("biogenic"),
        removals=packed("removals"),
    )


def test_a_report_is_built_anchored_and_found_by_its_document(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            organisation = await closed(served)
            path = (
                f"/v1/report-document?kind=cn_monthly_deposit&organisation={organisation}"
                "&from=2023-10&to=2023-10"
            )
            async with served.http.get(served.url + path) as response:
                content = await response.read()
                digest = response.headers["X-Document-SHA256"]
            _, document = await get(served, path)
            assert jcs.encode(document) == content
            assert hashlib.sha256(content).hexdigest() == digest
            header = served.node.store.header(8)
            assert header is not None
            assert document["computed_at"] == {
                "chain_id": served.node.chain_id.hex(),
                "height": 8,
                "state_root": header.state_root.hex(),
                "time_ms": header.time_ms,
            }
            arguments = AnchorReport(
                kind=ReportKind.CN_MONTHLY_DEPOSIT,
                from_month=OCTOBER,
                to_month=OCTOBER,
                document=bytes.fromhex(digest),
                computed_height=8,
                state_root=header.state_root,
                headline=headline_of(document["totals"]),
            )
            await commit(served, 8, "report.anchor", arguments)

            _, listed = await get(served, f"/v1/reports?organisation={organisation}")
            _, shown = await get(served, f"/v1/reports/{organisation}/1")
            _, found = await get(served, f"/v1/report-documents/{digest}")
            assert [each["document"] for each in listed["reports"]] == [digest]
            assert shown == found
            assert (shown["from"], shown["status"], shown["number"]) == ("2023-10", "CURRENT", 1)

    run(body())


def test_what_a_report_rests_on_is_listed(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            organisation = await closed(served)
            _, months = await get(served, "/v1/sites/plant/closed-months")
            _, plans = await get(served, "/v1/sites/plant/monitoring-plans")
            _, designs = await get(served, f"/v1/organisations/{organisation}/designs")
            assert [each["month"] for each in months["closed_months"]] == [OCTOBER]
            assert [each["version"] for each in plans["plans"]] == [1]
            assert [each["base_year"] for each in designs["designs"]] == [2018]
            for path, name in (
                ("month-restatements", "restatements"),
                ("restatement-proposals", "proposals"),
                ("equity-declarations", "declarations"),
                ("deposits", "deposits"),
                ("deposit-submissions", "submissions"),
                ("annual-filings", "filings"),
            ):
                assert await get(served, f"/v1/sites/plant/{path}") == (
                    200,
                    {name: [], "after": None},
                )

    run(body())


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/reports/steelworks/1", "UNKNOWN_REPORT"),
        ("/v1/reports/steelworks/0", "MALFORMED_PARAMETER"),
        ("/v1/report-documents/" + "00" * 32, "UNKNOWN_REPORT"),
        ("/v1/report-documents/00", "MALFORMED_PARAMETER"),
        ("/v1/sites/plant/deposit-clock", "UNKNOWN_DEPOSIT"),
        ("/v1/sites/plant/annual-clock", "UNKNOWN_DEPOSIT"),
        (DOCUMENT, "MALFORMED_PARAMETER"),
        (DOCUMENT.replace("CN_MONTHLY_DEPOSIT", "ANY"), "MALFORMED_PARAMETER"),
        (DOCUMENT + "&from=2023-10&to=2023-11", "INVALID_ARGUMENTS"),
        (DOCUMENT + "&from=2023-10&to=2023-10", "INVALID_ARGUMENTS"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(run: Run, path: str, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            status, problem = await get(served, path)
            assert (problem["code"], 400 <= status < 500) == (code, True)

    run(body())
