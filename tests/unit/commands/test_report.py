"""``tanlian report`` from a definition to a document that any node computes again."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command_node import CommandNode
from tests.contract.test_rpc_readings import CALENDAR, SITE

DESIGN = {
    "sites": ["plant"],
    "consolidation": "OPERATIONAL_CONTROL",
    "boundary": "the plant",
    "significance": "everything",
    "base_year": 2020,
    "base_year_reason": "the first whole one",
    "recalculation": "above 5 %",
    "gwp": "AR5",
    "exclusions": [],
    "responsible": "somebody",
}


@pytest.fixture
def month(node: CommandNode) -> str:
    """A month that is over and closed, with one activity by a factor that is uncertain."""
    node.send("calendar.register", CALENDAR)
    node.send("site.register", SITE)
    now = datetime.fromtimestamp(node.now_ms / 1_000, UTC)
    year, before = divmod(now.year * 12 + now.month - 2, 12)
    name = f"{year:04d}-{before + 1:02d}"
    node.run(
        *("factor", "set", "diesel", "31000", "--source", "a table", "--base-unit", "gram"),
        *("--valid-from", "2020-01-01", "--valid-to", "2100-01-01", "--basis", "combustion"),
        *("--uncertainty", "40", "--uncertainty-source", "its annex"),
    )
    node.run(
        *("activity", "submit", "plant", "fuel-1", "2", "kilogram", "--factor", "diesel"),
        *("--from", name, "--source", "a bill", "--uncertainty", "30"),
    )
    node.run("period", "close", name, "--organisation", "steel")
    return name


def test_an_inventory_is_computed_again_equal(
    node: CommandNode, month: str, tmp_path: Path
) -> None:
    design = tmp_path / "design.json"
    design.write_text(json.dumps(DESIGN), encoding="utf-8")
    node.run("report", "define", str(design))
    build = ("report", "build", "steel", "--from", month, "--to", month, "--kind", "inventory")
    node.run(*build, "--out", str(tmp_path), "--anchor")

    (path,) = tmp_path.glob("steel-*.json")
    verdict = node.json("report", "verify", str(path))
    assert (verdict["recomputed"], verdict["faults"], verdict["status"]) == (True, [], "CURRENT")
    document: dict[str, Any] = json.loads(path.read_bytes())
    uncertainty = document["uncertainty"]
    # 2,000 g x 3.1 g, uncertain by sqrt(30^2 + 40^2) = 50 permille.
    assert (uncertainty["combined_1e4"], uncertainty["covered_1e10_g"]) == (500, str(62 * 10**12))
    assert uncertainty["factor_not_declared_1e10_g"] == "0"
    assert uncertainty["factors"][0]["source"] == "its annex"


def test_a_report_without_a_design_says_how_to_get_one(
    node: CommandNode, month: str, tmp_path: Path
) -> None:
    build = ("report", "build", "steel", "--from", month, "--to", month, "--kind", "inventory")
    assert "report.define" in node.fails(*build, "--out", str(tmp_path))
