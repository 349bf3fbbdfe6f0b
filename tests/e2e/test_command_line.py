"""The product as its users start it: the demonstration, and three commands to a reading."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def tanlian(
    *arguments: str, cwd: Path, code: int = 0, seconds: int = 120
) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user does and checks its exit code."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "tanlian"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == code, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "Traceback" not in done.stdout + done.stderr
    return done


def last_json(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON of the last line."""
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_the_demonstration_finds_what_is_known_to_be_wrong(tmp_path: Path) -> None:
    summary = last_json(tanlian("demo", "--once", "--json", cwd=tmp_path, seconds=240))

    assert set(summary) == {
        "nodes",
        "readings",
        "alerts",
        "baselines",
        "known_faults",
        "seconds",
    }
    nodes = summary["nodes"]
    assert [node["role"] for node in nodes] == ["validator"] * 4 + ["observer"]
    assert len({(node["height"], node["head"], node["state_root"]) for node in nodes}) == 1
    readings = summary["readings"]
    assert readings["submitted"] == readings["committed"] + readings["refused"]
    assert readings["committed"] > 40_000
    faults = summary["known_faults"]
    assert faults["steel_zero_co2"] == {"expected": 47, "found": 47, "false": 0}
    assert faults["forrestal_duplicates"] == {"expected": 43, "found": 43}
    assert faults["forrestal_fallback_hour"] == {"expected_intervals": 100, "found": 100}
    assert faults["forrestal_negative_deltas"] == {"found": 0}
    assert faults["live_missing"]["found"] >= 1
    refused = {each["meter"]: each["cv_rmse_permille"] for each in summary["baselines"]["refused"]}
    assert all(cv_rmse > 300 for cv_rmse in refused.values())
    assert any(meter.startswith("steel") for meter in refused)
    accepted = summary["baselines"]["accepted"]
    assert any(each["meter"].startswith("office") for each in accepted)
    assert list(tmp_path.iterdir()) == []


def test_a_newcomer_gets_from_nothing_to_a_committed_reading(tmp_path: Path) -> None:
    tanlian("network", "init", "try", cwd=tmp_path)
    tanlian("network", "up", "try", "--detach", cwd=tmp_path)
    try:
        shown = tanlian("reading", "submit", "office-main", "1350", cwd=tmp_path)
        alerts = tanlian("alert", "list", "--json", cwd=tmp_path)
        refused = tanlian("reading", "submit", "no-such-meter", "1", cwd=tmp_path, code=1)
        wrong = tanlian("reading", "submit", cwd=tmp_path, code=2)
        again = tanlian("network", "init", "try", cwd=tmp_path, code=1)
    finally:
        tanlian("network", "down", "try", cwd=tmp_path)

    assert "committed" in shown.stdout
    assert "accepted" in shown.stdout
    json.loads(alerts.stdout)
    assert "no-such-meter" in refused.stdout + refused.stderr
    assert "Usage" in wrong.stderr + wrong.stdout
    assert "empty directory" in again.stdout + again.stderr
    verified = tanlian("node", "verify", "--home", "try/node-1", "--json", cwd=tmp_path)
    assert json.loads(verified.stdout)["height"] > 0
    unreachable = tanlian("reading", "submit", "office-main", "1350", cwd=tmp_path, code=1)
    assert unreachable.stderr.strip()


def reject_a_correction(directory: Path, at: str) -> None:
    """Proposes a second correction and has it rejected; then nobody approves it any more."""
    proposal = ("office-main", f"{at}=1500", "--base", "--reason", "read again")
    tanlian("reading", "correct", *proposal, cwd=directory)
    decision = ("office-main", "2", "--reason", "it shows 1400")
    tanlian("reading", "reject", *decision, cwd=directory)
    late = tanlian("reading", "approve", "office-main", "2", cwd=directory, code=1)
    assert "one rejected at" in late.stderr
    assert "rejected" in tanlian("reading", "corrections", "office-main", cwd=directory).stdout


def test_a_corrected_reading_is_proved_to_whoever_has_the_genesis(tmp_path: Path) -> None:
    at = "2013-08-29T07:05:00Z"
    tanlian("network", "init", "try", cwd=tmp_path)
    tanlian("network", "init", "other", cwd=tmp_path)
    tanlian("network", "up", "try", "--detach", cwd=tmp_path)
    try:
        tanlian("reading", "submit", "office-main", "1350", cwd=tmp_path)
        why = ("--reason", "the display was misread", "--base")
        tanlian("reading", "correct", "office-main", f"{at}=1400", *why, cwd=tmp_path)
        own = ("--as", "operator")
        same = tanlian("reading", "approve", "office-main", "1", *own, cwd=tmp_path, code=1)
        tanlian("reading", "approve", "office-main", "1", cwd=tmp_path)
        shown = json.loads(
            tanlian("reading", "get", "office-main", at, "--json", cwd=tmp_path).stdout
        )
        tanlian("proof", "get", "reading", "office-main", at, "--out", "r.json", cwd=tmp_path)
        tanlian("proof", "get", "total", "berkeley", "2013-08", "--out", "t.json", cwd=tmp_path)
        none = tanlian("proof", "get", "alert", "no-such-alert", cwd=tmp_path, code=1)
        reject_a_correction(tmp_path, at)
    finally:
        tanlian("network", "down", "try", cwd=tmp_path)

    assert "NOT_PERMITTED" in same.stderr
    assert (shown["submitted"], shown["effective_amount"]) == (135_000, 1_400)
    assert [each["reason"] for each in shown["corrections"]] == ["the display was misread"]
    assert "UNKNOWN_ALERT" in none.stderr
    genesis = ("--genesis", "try/genesis.json")
    proved = tanlian("proof", "verify", "r.json", *genesis, "--json", cwd=tmp_path)
    first, page, _, corrections = json.loads(proved.stdout)["claims"]
    assert first["reading"]["amount"] == 135_000
    assert page["readings_between"] == [first["reading"]]
    assert [each["amount"] for each in corrections["value"]["slots"]] == [1_400]
    assert "holds" in tanlian("proof", "verify", "t.json", *genesis, cwd=tmp_path).stdout
    other = ("--genesis", "other/genesis.json")
    stranger = tanlian("proof", "verify", "r.json", *other, cwd=tmp_path, code=1)
    assert "of the genesis that is given" in stranger.stderr
    forged = tmp_path / "r.json"
    forged.write_text(forged.read_text().replace('"index":0', '"index":1', 1))
    assert (
        "seal: expected"
        in tanlian("proof", "verify", "r.json", *genesis, cwd=tmp_path, code=1).stderr
    )
    tanlian("proof", "verify", "r.json", cwd=tmp_path, code=2)
