"""Files that people name: each command, each way in which a file can be wrong, one sentence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from chain.proof_file import FILE_BYTES_MAX as PROOF_BYTES_MAX
from cli import run
from client import json_object
from commands import input_file
from commands.input_file import (
    CERTIFICATE,
    FILE_BYTES_MAX,
    REPORT,
    FileKind,
    check_file,
    hash_of_file,
    read_file,
    read_json,
)
from commands.output import CommandFailed

GENESIS = str(Path(__file__).parents[2] / "vectors" / "proofs" / "genesis.json")
OF_ACTIVITY = "--factor f --from 2018-01 --source x"
IN_JSON = {
    "certificate verify FILE": "a certificate",
    "certificate cosign FILE --out new.json": "a certificate",
    f"certificate verify FILE --genesis {GENESIS}": "a certificate",
    f"certificate verify empty.json --genesis {GENESIS} --proof FILE": "a proof file",
    "certificate verify empty.json --genesis FILE": "a genesis file",
    "certificate verify empty.json --status-list FILE": "a status list",
    "certificate conclude c.000001 --basis x --reexecution FILE": "what an observer executed",
    "certificate issue c.000001 --valid-until 2030-01-01 --report FILE": "a report in JSON",
    "report verify FILE": "a report in JSON",
    "report replay FILE home": "a report in JSON",
    "report define FILE": "a design in JSON",
    "deposit plan plant FILE --reason x": "a monitoring plan in JSON",
    "deposit submit plant 2024-01 1 --figures FILE": "figures in JSON",
    f"proof verify FILE --genesis {GENESIS}": "a proof file",
}
"""What is typed, and what the file should be."""
OTHERS = {
    "alert attach m.04.000001 FILE": "the document to hash",
    f"activity submit s a 1 tonne {OF_ACTIVITY} --document FILE": "the document to hash",
    "bill submit m 2018-01 5 --document FILE": "the document to hash",
    "certificate plan c.000001 --meter m --document FILE": "the document to hash",
    "certificate finding c.000001 --amount-g 5 --words x --evidence FILE": "the document to hash",
    "reading correct m 2018-01-01=5 --reason x --evidence FILE": "the document to hash",
    "site equity s --from 2018-01 --reason x --document FILE": "the document to hash",
    "evidence record FILE": "evidence",
    "factor import FILE": "a table of factors",
    "key show FILE": "a key file",
    "key new new.key --passphrase-file FILE": "a passphrase",
    "account list --network .": "a network's description",
    "node run --config FILE": "a node's configuration",
    "node verify --home .": "a node's configuration",
    "node guard accept --home . --after-height 5": "a node's configuration",
    "evidence list --home .": "a node's configuration",
    "reading submit m FILE": "readings in CSV",
}


def said(command: str, file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Types a command with a file; returns its one sentence."""
    words = [str(file) if word == "FILE" else word for word in command.split()]

    assert run(words) == 1, capsys.readouterr()

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    return err.removeprefix("Error: ")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(("command", "what"), [*IN_JSON.items(), *OTHERS.items()])
def test_a_file_that_is_not_there_is_told_by_every_command(
    command: str, what: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(command, here / "none.csv", capsys)

    assert f": expected {what}, got no file of this name; " in told


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\r\n\x1a\n\x00", "bytes that are no UTF-8 at offset 0"),
        (b"name: value", "no JSON (Expecting value at offset 0)"),
        (b'{"base_year": 2018.0}', "the number 2018.0 where only integers may stand"),
        (b"[1]", "a JSON list"),
    ],
)
@pytest.mark.parametrize(("command", "what"), IN_JSON.items())
def test_other_content_is_told_by_every_command(
    command: str,
    what: str,
    content: bytes,
    got: str,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = here / "given.json"
    file.write_bytes(content)

    assert said(command, file, capsys).startswith(f"{file}: expected {what}, got {got}; ")


@pytest.mark.parametrize(("command", "what"), [*IN_JSON.items(), *OTHERS.items()])
def test_a_directory_is_no_file(
    command: str, what: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("given.csv", "network.json", "config.toml"):
        (here / name).mkdir()

    told = said(command, here / "given.csv", capsys)

    assert f": expected {what}, got a directory; name the file in it" in told


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, so that it has to be somebody else for a while."""
    user = os.geteuid()
    os.seteuid(65_534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_of_somebody_else_is_told_apart_from_a_missing_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text("{}")
    file.chmod(0o000)
    refused = rf"{file}: expected a certificate, got a file that you may not read; ask its owner"

    with without_privileges(), pytest.raises(CommandFailed, match=refused):
        read_json(file, CERTIFICATE)


def test_what_lies_below_a_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(CommandFailed, match="got no file of this name"):
        check_file(tmp_path / "file" / "x.json", REPORT)


def test_other_troubles_are_told_in_the_words_of_the_system(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    with pytest.raises(CommandFailed, match="got a file that cannot be read: Too many levels of"):
        check_file(loop, REPORT)


@pytest.mark.parametrize("excess", [0, 1])
def test_the_longest_file_is_read_and_no_longer_one(excess: int, tmp_path: Path) -> None:
    file = tmp_path / "long"
    with file.open("wb") as sparse:
        sparse.truncate(FILE_BYTES_MAX + excess)

    if excess:
        with pytest.raises(CommandFailed, match=f"got more than {FILE_BYTES_MAX} bytes; `tanlian"):
            read_file(file, REPORT)
    else:
        assert len(read_file(file, REPORT)) == FILE_BYTES_MAX
    assert FILE_BYTES_MAX == PROOF_BYTES_MAX


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 9007199254740992}', r"/a: expected an integer of at most 9007199254740991"),
        (b'{"a": "\\ud800"}', "/a: expected text of whole characters"),
    ],
)
def test_what_has_no_canonical_text_is_told_with_its_place(
    content: bytes, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "given.json"
    file.write_bytes(content)

    with pytest.raises(CommandFailed, match=f"{file}: {message}.*; `tanlian report build"):
        read_json(file, REPORT)


def test_a_document_is_known_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "bill.pdf"
    path.write_bytes(b"bill")

    assert hash_of_file(path) == sha256(b"bill").digest()
    assert hash_of_file(None) == bytes(32)
    assert json_object.parse(b'{"a": [1, "b"]}') == {"a": [1, "b"]}


def test_every_kind_says_what_it_is_and_what_to_do() -> None:
    kinds = [each for each in vars(input_file).values() if isinstance(each, FileKind)]

    assert len(kinds) > 10
    assert len({each.what for each in kinds}) == len(kinds)
    assert all(each.remedy and not each.remedy.endswith(".") for each in kinds)


def test_a_pointer_to_a_network_that_is_gone_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / ".tanlian").write_text("gone\n")
    assert ".tanlian names this directory; delete it, or name another by --network" in said(
        "alert list", here, capsys
    )
    (here / ".tanlian").write_bytes(b"\xff\x00")
    assert "got no file of this name" in said("alert list", here, capsys)
