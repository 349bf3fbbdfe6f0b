import csv
import json
from pathlib import Path
from typing import Any, cast

import pytest

from chain import jcs
from chain.errors import DecodeError
from chain.state import State
from commands.filings import design_of, figures_of, plan_of
from commands.output import CommandFailed
from commands.report_file import differences, read_report, write_report
from contracts.monitoring_plan import Determination
from contracts.report_document import build_document
from tests.unit.contracts.test_inventory_design import DESIGN
from tests.unit.contracts.test_report_document import AT, INVENTORY, world_of

FOLDER = Path("reports.json")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    state = State(world_of(1_000, 2_000).reader)
    return cast("dict[str, Any]", build_document(state, INVENTORY, AT))


def test_what_is_written_is_read_back(document: dict[str, Any], tmp_path: Path) -> None:
    body = jcs.encode(document)
    json_path, csv_path = write_report(document, body, tmp_path / "new")
    assert json_path.name == "steel-ghg-inventory-2023-10-2023-11.json"
    assert read_report(json_path) == (json.loads(body), body)
    with csv_path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    total = document["totals"]["scope2_location_based"]["numerator_1e10_g"]
    months = [
        row["numerator_1e10_g"]
        for row in rows
        if row["month"] and row["quantity"] == "scope2_location_based"
    ]
    assert sum(map(int, months)) == int(total)
    lines = [row for row in rows if row["quantity"] == "line"]
    assert [line["numerator_1e10_g"] for line in lines] == [total]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "expected a report in JSON, got no JSON"),
        ("[]", "got a JSON list"),
        ('{"schema":"other"}', "expected a report of schema"),
        ('{"schema": "tanlian/report/1"}', "expected canonical JSON"),
        ('{"schema":"tanlian/report/1","x":0.5}', "got the number 0.5"),
    ],
)
def test_what_is_no_report_is_said(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandFailed, match=words):
        read_report(path)


def test_differences_are_named_by_their_place(document: dict[str, Any]) -> None:
    other = json.loads(jcs.encode(document))
    assert list(differences(document, other)) == []
    other["totals"]["direct"]["grams"] = "1"
    other["sites"][0]["months"][1]["state"] = "CLOSED"
    del other["methods"]
    other["factors"] = []
    assert list(differences(document, other)) == [
        "/factors",
        "/methods",
        "/sites/0/months/1/state",
        "/totals/direct/grams",
    ]


def test_a_design_is_filed_as_json() -> None:
    filed = {
        "sites": ["plant"],
        "consolidation": "operational-control",
        "boundary": DESIGN.boundary,
        "significance": DESIGN.significance,
        "base_year": 2018,
        "base_year_reason": DESIGN.base_year_reason,
        "recalculation": DESIGN.recalculation,
        "gwp": DESIGN.gwp,
        "exclusions": [
            {
                "subject": "Business flights",
                "iso_category": 3,
                "reason": "fewer than ten a year",
                "estimate_permille": 2,
            }
        ],
        "responsible": DESIGN.responsible,
    }
    assert design_of(filed, FOLDER) == DESIGN
    with pytest.raises(CommandFailed, match="consolidation: expected one of"):
        design_of({**filed, "consolidation": "equity share"}, FOLDER)
    with pytest.raises(DecodeError, match="base_year"):
        design_of({**filed, "base_year": "2018"}, FOLDER)
    with pytest.raises(CommandFailed, match="exclusions: expected a list"):
        design_of({**filed, "exclusions": "none"}, FOLDER)


def test_a_plan_and_figures_are_filed_as_json_in_any_order() -> None:
    parameter = {
        "unit": "t",
        "determination": "supplied",
        "frequency": "monthly",
        "substitute": "last month",
    }
    rows = [{**parameter, "parameter": name} for name in ("ncv", "coal")]
    filed = {"valid_from_ms": 1_000, "parameters": rows}
    plan = plan_of(filed, FOLDER, site="plant", digest=bytes(32), reason="first")
    assert [each.parameter for each in plan.parameters] == ["coal", "ncv"]
    assert plan.parameters[0].determination is Determination.SUPPLIED
    assert (plan.parameters[0].instrument, plan.parameters[0].tier) == ("none", None)

    figures = figures_of(
        {
            "figures": [
                {"parameter": "ncv", "unit": "GJ/t", "value": 267, "scale": -1},
                {"parameter": "coal", "unit": "t", "value": 12, "evidence": "06" * 32},
            ]
        },
        FOLDER,
    )
    assert [(each.parameter, each.value, each.scale) for each in figures] == [
        ("coal", 12, 0),
        ("ncv", 267, -1),
    ]
    assert figures[0].evidence == b"\x06" * 32
    with pytest.raises(CommandFailed, match="evidence: expected 64"):
        figures_of({"figures": [{"parameter": "coal", "evidence": "x"}]}, FOLDER)
