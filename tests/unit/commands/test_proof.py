"""``tanlian proof verify`` with right and wrong input: one sentence, and the exit code."""

import json
from pathlib import Path

import pytest

from chain.proof_file import FILE_BYTES_MAX
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
        (b"", "expected a proof file, JSON as `tanlian proof get` writes it, got"),
        (b"\xff\xfe", "got a byte at offset 0 that is not UTF-8"),
        (b"not json", "got Expecting value at offset 0"),
        (b"[" * 100_000, "got "),
        (b'{"a":1,"a":2}', "got the key 'a' twice in one object"),
        (b"{}", "the proof does not hold: file: expected an object of format"),
        ((VECTORS / "alert.json").read_bytes()[:-1], "expected canonical JSON"),
        ((VECTORS / "alert.json").read_bytes()[:999], "got Unterminated string"),
    ],
)
def test_what_is_no_proof_is_refused_in_a_sentence(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(content)

    assert verify(file) == 1

    assert words in capsys.readouterr().err


def test_a_huge_file_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as sparse:
        sparse.truncate(FILE_BYTES_MAX + 1)

    assert verify(file) == 1
    assert f"at most {FILE_BYTES_MAX} bytes, got" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(tmp_path / "none.json") == 1
    assert verify(VECTORS / "alert.json", genesis=str(tmp_path / "none.json")) == 1
    assert verify(VECTORS / "alert.json", genesis=str(VECTORS / "alert.json")) == 1
    assert run(["proof", "verify", str(VECTORS / "alert.json")]) == 2
    errors = capsys.readouterr().err
    assert "expected a proof file, got: No such file" in errors
    assert "expected a genesis file" in errors
