"""``tanlian proof verify`` with right and wrong input: one sentence, and the exit code."""

import json
from pathlib import Path

import pytest

from cli import run

VECTORS = Path(__file__).parents[2] / "vectors" / "proofs"
GENESIS = str(VECTORS / "genesis.json")


def verify(file: Path, *options: str, genesis: str = GENESIS) -> int:
    return run(["proof", "verify", str(file), "--genesis", genesis, *options])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reading", "1 of the 28 readings"),
        ("absence", "0 of the 28 readings"),
        ("nothing", "absent       nothing/here after block 14"),
    ],
)
def test_a_proof_is_told_in_words(
    name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(VECTORS / f"{name}.json") == 0

    shown = capsys.readouterr().out
    assert "3 of 4 validators signed" in shown
    assert words in shown


def test_a_program_gets_the_reading_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(VECTORS / "reading.json", "--json") == 0

    first, page, _, _ = json.loads(capsys.readouterr().out)["claims"]
    assert (first["kind"], first["outcome"]) == ("reading", "ACCEPTED")
    assert (first["reading"]["unit"], first["reading"]["amount"]) == ("WATT_HOUR", 127_225)
    assert page["readings_between"] == [first["reading"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "got nesting without end; `tanlian proof get` writes one"),
        (b'{"a":1,"a":2}', "got the name 'a' twice in one object"),
        (b"{}", "the proof does not hold: file: expected an object of format"),
        ((VECTORS / "alert.json").read_bytes()[:-1], "expected canonical JSON"),
        ((VECTORS / "alert.json").read_bytes()[:999], "got no JSON (Unterminated string"),
    ],
)
def test_what_is_no_proof_is_refused_in_a_sentence(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(content)

    assert verify(file) == 1

    assert words in capsys.readouterr().err


def test_a_proof_needs_the_genesis_that_it_is_held_against(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verify(VECTORS / "alert.json", genesis=str(VECTORS / "alert.json")) == 1
    assert run(["proof", "verify", str(VECTORS / "alert.json")]) == 2

    assert "canonical: expected it, as in each genesis file, got nothing" in capsys.readouterr().err
