"""From readings to what needs no node: a report, a certificate and a proof, as the README goes."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_command_line import tanlian

pytestmark = pytest.mark.e2e

DESIGN = Path(__file__).parents[2] / "examples" / "reports" / "office-design.json"
ID = "certifier-1.000001"
END = datetime.now(UTC).year + 2
"""Year in which the certificate ends."""


def open_cases(directory: Path) -> list[str]:
    listed = json.loads(tanlian("alert", "list", "--json", cwd=directory).stdout)
    return [alert["alert_id"] for alert in listed["alerts"]]


def certify(directory: Path, report: str, cases: list[str]) -> None:
    """Takes an engagement to its certificate; open cases are stated as exceptions."""
    (directory / "plan.pdf").write_bytes(b"the sampling plan")
    month = ("--from", "2013-08", "--to", "2013-08")
    opening = ("open", "member-1", "--site", "berkeley", *month)
    tanlian("certificate", *opening, cwd=directory)
    # The sample comes from the block after the opening; a quiet chain would make it in a while.
    tanlian("alert", "ack", cases[0], cwd=directory)
    planning = ("plan", ID, "--document", "plan.pdf", "--meter", "office-main")
    tanlian("certificate", *planning, cwd=directory)
    tanlian("network", "down", "try", "--node", "observer-1", cwd=directory)
    for step in (
        ("reexecute", "--home", "try/observer-1", "--out", "executed.json"),
        (
            "conclude",
            ID,
            "--reexecution",
            "executed.json",
            "--basis",
            "All executed again.",
            *(word for case in cases for word in ("--exception", case)),
        ),
        ("issue", ID, "--report", report, "--valid-until", f"{END}-01-01"),
        ("export", ID, "--out", "certificate.json", "--status-lists", "lists"),
    ):
        tanlian("certificate", *step, cwd=directory)
    tanlian("proof", "get", "certificate", ID, "--out", "standing.json", cwd=directory)


def verified(directory: Path, *more: str, code: int = 0) -> Any:
    command = ("certificate", "verify", "certificate.json", "--genesis", "genesis.json", "--json")
    return json.loads(tanlian(*command, *more, cwd=directory, code=code).stdout)


def test_a_month_is_reported_certified_and_checked_without_a_node(tmp_path: Path) -> None:
    tanlian("network", "init", "try", cwd=tmp_path)
    tanlian("network", "up", "try", "--detach", cwd=tmp_path)
    try:
        cases = open_cases(tmp_path)
        assert len(cases) == 2
        tanlian("period", "close", "2013-08", "--site", "berkeley", cwd=tmp_path)
        tanlian("report", "define", str(DESIGN), cwd=tmp_path)
        build = ("report", "build", "member-1", "--from", "2013-08", "--to", "2013-08")
        tanlian(*build, "--kind", "inventory", "--out", "reports", "--anchor", cwd=tmp_path)
        (report,) = (tmp_path / "reports").glob("*.json")
        checked = tanlian("report", "verify", str(report), cwd=tmp_path).stdout
        assert "equal in every member" in checked
        total = json.loads(report.read_text())["base_year"]["totals"]["scope2_location_based"]
        shown = tanlian(
            "total", "show", "berkeley", "--from", "2013-08", "--to", "2013-08", cwd=tmp_path
        )
        (tonnes,) = re.findall(r"location-based\s+([\d.]+) t", shown.stdout)
        assert round(float(tonnes) * 1_000_000) == int(total["grams"]) == 1_713_929

        certify(tmp_path, str(report), cases)
        tanlian(
            "proof",
            "get",
            "reading",
            "office-main",
            "2013-08-05T10:00:00Z",
            "--out",
            "r.json",
            cwd=tmp_path,
        )
        (tmp_path / "genesis.json").write_bytes((tmp_path / "try" / "genesis.json").read_bytes())
    finally:
        tanlian("network", "down", "try", cwd=tmp_path)

    # No node runs any more.
    standing = verified(tmp_path, "--proof", "standing.json")
    assert standing["bound_to_chain"] is True
    tanlian("proof", "verify", "r.json", "--genesis", "genesis.json", cwd=tmp_path)
    credential = (tmp_path / "certificate.json").read_text()
    (tmp_path / "certificate.json").write_text(credential.replace(f'"{END}-', f'"{END + 1}-', 1))
    tanlian("certificate", "verify", "certificate.json", cwd=tmp_path, code=1)
