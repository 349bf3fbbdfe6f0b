"""The outcome of the demonstration, as one JSON object and as tables for people."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.check import LABELS, Check
from demo.findings import disappointments
from demo.fitting import percent

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that the summary says."""

    nodes: list[Document]
    """name, role, height, head, state_root of each."""
    submitted: int
    committed: int
    refused: int
    reasons: Mapping[str, int]
    """Readings that were not committed, by code."""
    alerts: list[Document]
    accepted: list[Document]
    """Baselines in force: meter, cv_rmse_permille, nmbe_permille."""
    turned_down: list[Document]
    """Baselines that the gate refused: the same, with the reason."""
    known_faults: Mapping[str, Mapping[str, int]]
    setup_s: float
    first_reading_s: float
    replay_s: float

    def to_json(self) -> Document:
        """Returns the object that ``--json`` prints, key for key."""
        return {
            "nodes": self.nodes,
            "readings": {
                "submitted": self.submitted,
                "committed": self.committed,
                "refused": self.refused,
            },
            "alerts": {"total": len(self.alerts), "by_check": by_check(self.alerts)},
            "baselines": {"accepted": self.accepted, "refused": self.turned_down},
            "known_faults": self.known_faults,
            "seconds": {"setup": round(self.setup_s, 3), "replay": round(self.replay_s, 3)},
        }

    def faults(self) -> list[str]:
        """Returns a sentence for each thing that was expected and did not come."""
        found = disappointments(self.known_faults)
        heads = {(node["height"], node["head"], node["state_root"]) for node in self.nodes}
        if len(heads) != 1:
            found.append("nodes: expected the same head and state root everywhere, got others")
        if self.committed + self.refused != self.submitted:
            missing = self.submitted - self.committed - self.refused
            found.append(f"readings: expected each committed or refused, got {missing} neither")
        found += [
            f"readings: expected all committed, got {count} refused with {code}"
            for code, count in self.reasons.items()
        ]
        if not self.accepted:
            found.append("baselines: expected the office's to qualify, got none")
        if not self.turned_down:
            found.append("baselines: expected the steel plant's to be refused, it was not")
        return found


def by_check(alerts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Counts alerts by the name of their check, in the order of the checks."""
    counts = Counter(str(alert["check"]) for alert in alerts)
    return {check.name: counts[check.name] for check in Check if counts[check.name]}


def print_report(report: Report, console: Console) -> None:
    """Prints the summary for people."""
    console.print(_nodes_table(report.nodes))
    console.print(_faults_table(report.known_faults))
    console.print(_alerts_table(report.alerts))
    for baseline in report.accepted:
        console.print(Text(f"Baseline of {baseline['meter']} qualifies: {_measures(baseline)}."))
    for baseline in report.turned_down:
        console.print(
            Text(f"Baseline of {baseline['meter']} refused by the gate: {_measures(baseline)}.")
        )
    console.print(
        Text(
            f"{report.submitted:,} readings submitted, {report.committed:,} committed, "
            f"{report.refused:,} refused; first one after {report.first_reading_s:.1f} s, "
            f"replay in {report.replay_s:.0f} s."
        )
    )


def _measures(baseline: Mapping[str, Any]) -> str:
    cv_rmse, nmbe = baseline["cv_rmse_permille"], baseline["nmbe_permille"]
    return f"CV(RMSE) {percent(cv_rmse)}, NMBE {percent(nmbe)}"


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for column in columns:
        table.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left"
        )
    return table


def _nodes_table(nodes: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Nodes", "node", "role", ">height", "head", "state root")
    for node in nodes:
        table.add_row(
            node["name"],
            node["role"],
            str(node["height"]),
            node["head"][:16],
            node["state_root"][:16],
        )
    return table


def _faults_table(known_faults: Mapping[str, Mapping[str, int]]) -> Table:
    table = _table("Known faults of the data", "fault", ">expected", ">found", ">beyond labels")
    for name, fault in known_faults.items():
        expected = fault.get("expected", fault.get("expected_intervals", "-"))
        table.add_row(
            name.replace("_", " "), str(expected), str(fault["found"]), str(fault.get("false", "-"))
        )
    return table


def _alerts_table(alerts: list[Document]) -> Table:
    table = _table(f"{len(alerts)} alerts", ">check", "what", ">alerts", ">still open")
    still_open = Counter(alert["check"] for alert in alerts if alert["state"] == "OPEN")
    for name, count in by_check(alerts).items():
        check = Check[name]
        table.add_row(str(int(check)), LABELS[check], str(count), str(still_open[name]))
    return table
