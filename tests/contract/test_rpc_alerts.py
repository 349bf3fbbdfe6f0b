"""Alerts, stories of cases and figures over a real socket."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contracts.alert import Cause
from contracts.cases import CommentCase, ExplainCase, TakeStep
from tests.contract.test_rpc_readings import commit, get, measured
from tests.rpc_node import ServedNode

Run = Callable[[Awaitable[None]], None]
ALERT_ID = "main.06.000001"


async def explained(served: ServedNode) -> None:
    """Commits a meter with an alert of check 6, explained."""
    await measured(served)
    step = TakeStep(alert_id=ALERT_ID, note="")
    explain = ExplainCase(alert_id=ALERT_ID, cause=Cause.DATA_ENTRY, explanation="a zero more")
    calls: tuple[tuple[str, Any], ...] = (
        ("case.acknowledge", step),
        ("case.investigate", step),
        ("case.explain", explain),
        ("case.comment", CommentCase(alert_id=ALERT_ID, comment="sure?")),
    )
    for number, (method, arguments) in enumerate(calls, 5):
        await commit(served, number, method, arguments)


def test_an_alert_is_shown_with_its_story(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await explained(served)

            status, alert = await get(served, f"/v1/alerts/{ALERT_ID}")

            assert status == 200
            assert (alert["state"], alert["severity"], alert["cause"]) == (
                "EXPLAINED",
                "HIGH",
                "DATA_ENTRY",
            )
            assert [
                (entry["action"], entry["state"], entry["note"]) for entry in alert["story"]
            ] == [
                ("ACKNOWLEDGE", "ACKNOWLEDGED", ""),
                ("INVESTIGATE", "INVESTIGATING", ""),
                ("EXPLAIN", "EXPLAINED", "a zero more"),
                ("COMMENT", "EXPLAINED", "sure?"),
            ]
            assert "deadline_utc" in alert

    run(body())


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=explained", 1),
        ("state=OPEN", 0),
        ("severity=high", 1),
        ("severity=LOW", 0),
        ("site=plant&escalated=false", 1),
        ("escalated=true", 0),
        ("meter=main", 1),
    ],
)
def test_filters_narrow_the_list(run: Run, query: str, count: int) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await explained(served)

            _, document = await get(served, f"/v1/alerts?{query}")

            assert len(document["alerts"]) == count

    run(body())


def test_figures_say_how_many_wait_and_how_long_people_took(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await explained(served)

            _, figures = await get(served, "/v1/case-figures?site=plant")
            _, everywhere = await get(served, "/v1/case-figures")

            assert figures == everywhere
            by_cause = {row["cause"]: row["by_state"] for row in figures["counts"]}
            assert by_cause["DATA_ENTRY"]["EXPLAINED"] == 1
            assert sum(by_cause[None].values()) == 0
            (ages,) = figures["open_by_age"]
            assert (ages["cause"], ages["by_age"]) == ("DATA_ENTRY", [1, 0, 0, 0, 0, 0])
            (times,) = figures["times"]
            assert (times["month"], times["cause"]) == ("2023-11", None)
            assert times["explain"]["count"] == 1
            assert times["explain"]["mean_ms"] == times["explain"]["max_ms"] > 0
            assert times["close"] == {"count": 0, "sum_ms": 0, "max_ms": 0, "mean_ms": None}
            assert figures["is_complete"]

    run(body())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/case-figures?site=nowhere", 404, "UNKNOWN_SITE"),
        ("/v1/case-figures?site=%21", 400, "MALFORMED_PARAMETER"),
        ("/v1/alerts?severity=awful", 400, "MALFORMED_PARAMETER"),
        ("/v1/alerts?escalated=maybe", 400, "MALFORMED_PARAMETER"),
    ],
)
def test_bad_questions_are_problems(run: Run, path: str, status: int, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            found, problem = await get(served, path)

            assert (found, problem["code"]) == (status, code)

    run(body())


def test_events_of_alerts_and_cases_are_one_stream(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await explained(served)

            _, page = await get(served, "/v1/events?kind=alert.,case.")

            assert [event["kind"] for event in page["events"]] == [
                *("alert.opened", "alert.cleared", "case.acknowledged", "case.investigating"),
                *("case.explained", "case.commented"),
            ]
            assert page["events"][-1]["content"]["note"] == "sure?"

    run(body())
