"""Settings, quality, bills and comparisons over a real socket."""

from collections.abc import Awaitable, Callable

from contracts.check import Check
from contracts.check_settings import PARAMETERS
from contracts.check_source import NameSources
from contracts.checks import ConfigureChecks
from tests.contract.test_rpc_readings import commit, get, measured
from tests.rpc_node import ServedNode

Run = Callable[[Awaitable[None]], None]
CHANGE = ConfigureChecks(
    meter_id="main",
    replaces=0,
    off=(Check.SPIKE,),
    parameters=(("stuck.equal_min", 9),),
    reason="a coarse register",
)


def test_the_checks_of_a_meter_show_what_was_configured(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            _, before = await get(served, "/v1/meters/main/checks")
            await commit(served, 5, "check.configure", CHANGE)

            _, defaults = await get(served, "/v1/checks")
            _, found = await get(served, "/v1/meters/main/checks")
            _, versions = await get(served, "/v1/meters/main/checks/versions")

            assert before["checks"] == defaults["checks"]
            assert (before["version"], before["configured"], before["sources"]) == (0, None, None)
            names = [one["name"] for each in defaults["checks"] for one in each["parameters"]]
            assert names == list(PARAMETERS)
            checks = {each["name"]: each for each in found["checks"]}
            assert [name for name, each in checks.items() if not each["is_on"]] == ["SPIKE"]
            equal_min = checks["STUCK"]["parameters"][0]
            assert (equal_min["value"], equal_min["default"]) == (9, 7)
            assert found["configured"]["reason"] == "a coarse register"
            assert [each["version"] for each in versions["versions"]] == [1]

    run(body())


def test_the_quality_of_a_month_is_shown_in_full_where_it_is_asked_for(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            _, every = await get(served, "/v1/meters/main/quality")
            _, found = await get(served, "/v1/meters/main/quality?month=2023-11")
            _, empty = await get(served, "/v1/meters/main/quality?month=2023-10")

            (month,) = found["months"]
            monitor = month.pop("monitor_availability")
            assert every["months"] == [month]
            assert (month["month"], month["present"], month["flagged"]) == ("2023-11", 3, 1)
            assert month["qualities"]["MEASURED"] == 3
            caps = [each for each in month["checks"] if each["name"] == "PHYSICAL_CAP"]
            assert caps == [{"number": 6, "name": "PHYSICAL_CAP", "applied": 3, "failed": 1}]
            assert month["availability_permille"] == 3_000 // month["expected"]
            assert monitor["assured"] == 2
            assert (empty["months"][0]["present"], empty["months"][0]["expected"]) == (0, 0)

    run(body())


def test_sources_are_shown_and_lists_of_months_are_empty_before_any(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            named = NameSources(meter_id="main", utility=None, second_meter=None)
            await commit(served, 5, "check.name_sources", named)

            _, found = await get(served, "/v1/meters/main/checks")
            assert found["sources"]["utility"] is None
            for name in ("bills", "comparisons"):
                assert await get(served, f"/v1/meters/main/{name}") == (
                    200,
                    {name: [], "after": None},
                )

    run(body())


def test_what_is_not_there_or_no_month_is_a_problem(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            for path in ("checks", "quality"):
                status, problem = await get(served, f"/v1/meters/nowhere/{path}")
                assert (status, problem["code"]) == (404, "UNKNOWN_METER")
            status, problem = await get(served, "/v1/meters/main/quality?month=2023-13")
            assert (status, problem["code"]) == (400, "MALFORMED_PARAMETER")
            status, problem = await get(served, "/v1/checks?meter=main")
            assert status == 400

    run(body())
