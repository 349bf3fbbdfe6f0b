"""The summary: its JSON, key for key, and what makes the demonstration fail."""

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from demo.report import Report, print_report

NODE = {"name": "node-1", "role": "validator", "height": 9, "head": "aa" * 32, "state_root": "bb"}
QUALIFIED = {"meter": "office", "cv_rmse_permille": 266, "nmbe_permille": 32}
REFUSED = {
    "meter": "steel",
    "cv_rmse_permille": 772,
    "nmbe_permille": -158,
    "reason": "SCATTER_TOO_HIGH",
}
REPORT = Report(
    nodes=[NODE, NODE | {"name": "observer-1", "role": "observer"}],
    submitted=10,
    committed=10,
    refused=0,
    reasons={},
    alerts=[
        {"check": "STUCK", "state": "RESOLVED"},
        {"check": "MISSING", "state": "OPEN"},
        {"check": "MISSING", "state": "OPEN"},
    ],
    accepted=[QUALIFIED],
    turned_down=[REFUSED],
    known_faults={
        "steel_zero_co2": {"expected": 47, "found": 47, "false": 0},
        "forrestal_negative_deltas": {"found": 0},
        "live_missing": {"found": 1},
    },
    setup_s=3.57912,
    first_reading_s=4.0,
    replay_s=8.0914,
)


def test_the_json_has_the_promised_keys() -> None:
    assert REPORT.to_json() == {
        "nodes": REPORT.nodes,
        "readings": {"submitted": 10, "committed": 10, "refused": 0},
        "alerts": {"total": 3, "by_check": {"MISSING": 2, "STUCK": 1}},
        "baselines": {"accepted": [QUALIFIED], "refused": [REFUSED]},
        "known_faults": REPORT.known_faults,
        "seconds": {"setup": 3.579, "replay": 8.091},
    }


def test_a_report_as_expected_has_no_faults() -> None:
    assert REPORT.faults() == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"nodes": [NODE, NODE | {"head": "cc"}]}, "nodes: expected the same head"),
        ({"nodes": [NODE, NODE | {"state_root": "cc"}]}, "nodes: expected the same head"),
        ({"submitted": 11}, "readings: expected each committed or refused, got 1 neither"),
        (
            {"committed": 8, "refused": 2, "reasons": {"WRONG_UNIT": 2}},
            "readings: expected all committed, got 2 refused with WRONG_UNIT",
        ),
        ({"accepted": []}, "baselines: expected the office's to qualify, got none"),
        ({"turned_down": []}, "baselines: expected the steel plant's to be refused, it was not"),
    ],
)
def test_each_disappointment_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    (fault,) = replace(REPORT, **changes).faults()

    assert fault.startswith(sentence)


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_fit_the_terminal(width: int) -> None:
    text = StringIO()

    print_report(REPORT, Console(file=text, width=width))

    assert max(map(len, text.getvalue().splitlines())) <= width
    assert (
        "Baseline of steel refused by the gate: CV(RMSE) 77.2 %, NMBE -15.8 %." in text.getvalue()
    )
