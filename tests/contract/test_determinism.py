"""The same blocks give the same roots, whatever the environment of the process (style P12)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.determinism_story import WATT_HOURS

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Seoul", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/New_York", "LANG": "de_DE.UTF-8"},
    {"PYTHONHASHSEED": "random", "TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "7", "TZ": "<-12>12", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
)
FIXED = ("PYTHONHASHSEED", "PYTHONUTF8", "TZ", "LANG", "LANGUAGE")


def told(environment: dict[str, str], *arguments: str) -> list[list[str]]:
    """Runs the story in a process of its own; returns the words of each block's line."""
    rest = {
        name: value
        for name, value in os.environ.items()
        if name not in FIXED and not name.startswith("LC_")
    }
    finished = subprocess.run(
        [sys.executable, "-m", "tests.determinism_story", *arguments],
        cwd=ROOT,
        env={**rest, **environment},
        capture_output=True,
        encoding="ascii",
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return [line.split() for line in finished.stdout.splitlines()]


@pytest.fixture(scope="module")
def reference() -> list[list[str]]:
    return told(ENVIRONMENTS[0])


def test_the_story_is_worth_telling(reference: list[list[str]]) -> None:
    receipt_roots, state_roots, codes = zip(*reference, strict=True)

    assert codes == (
        "OK,OK,OK,OK,NOT_PERMITTED,OK",
        "OK,OK,OK,OK,OK,OK",
        "OK,OK,OK,OK,OK,OK",
        "OK,OK,UNKNOWN_METER,OK,OK",
        "OK",
        "OK,OK,OK",
        "OK,OK",
        "OK,OK,OK",
        "OK,OK,OK,OK",
    )
    assert len(set(receipt_roots)) == 9
    # The block without transactions is the one that leaves the state as it was.
    assert state_roots[4] == state_roots[3]
    assert len(set(state_roots)) == 8


@pytest.mark.parametrize("environment", ENVIRONMENTS[1:], ids=lambda each: each["TZ"])
def test_the_same_blocks_give_the_same_roots_in_every_environment(
    reference: list[list[str]], environment: dict[str, str]
) -> None:
    assert told(environment) == reference


def test_one_reading_that_differs_by_one_changes_both_roots(reference: list[list[str]]) -> None:
    other = told(ENVIRONMENTS[0], str(WATT_HOURS + 1))

    assert other[:5] == reference[:5]
    assert other[5][0] != reference[5][0]
    assert other[5][1] != reference[5][1]
