"""A genesis file is checked as a whole before anything trusts it."""

import json
from pathlib import Path

import pytest

from node.genesis_file import FILE_BYTES_MAX, GenesisFileError, load_genesis, save_genesis
from tests import chain_samples as samples

GENESIS = samples.genesis()


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save_genesis(tmp_path / "genesis.json", GENESIS)

    assert load_genesis(tmp_path / "genesis.json") == GENESIS


def test_people_see_chain_id_and_members(tmp_path: Path) -> None:
    save_genesis(tmp_path / "genesis.json", GENESIS)

    document = json.loads((tmp_path / "genesis.json").read_text())

    assert document["chain_id"] == GENESIS.chain_id.hex()
    assert document["members"][0] == "node-1 (steel, validator)"


def test_another_genesis_is_not_overwritten(tmp_path: Path) -> None:
    save_genesis(tmp_path / "genesis.json", GENESIS)

    with pytest.raises(GenesisFileError, match="expected no file"):
        save_genesis(tmp_path / "genesis.json", GENESIS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "as `tanlian network init` writes it"),
        ("[]", "as `tanlian network init` writes it"),
        ("{}", "chain_id|canonical"),
        ('{"chain_id": "00", "canonical": "zz"}', "as `tanlian network init` writes it"),
        ('{"chain_id": "00", "canonical": "00"}', "as `tanlian network init` writes it"),
        ('{"chain_id": 5, "canonical": 5}', "as `tanlian network init` writes it"),
    ],
)
def test_a_damaged_file_is_refused_with_its_path(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(content)

    with pytest.raises(GenesisFileError, match=words) as error:
        load_genesis(path)

    assert str(path) in str(error.value)


def test_a_chain_id_that_is_not_the_record_s_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    save_genesis(path, GENESIS)
    document = json.loads(path.read_text())
    document["chain_id"] = "00" * 32
    path.write_text(json.dumps(document))

    with pytest.raises(GenesisFileError, match="edited or damaged"):
        load_genesis(path)


def test_a_record_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    save_genesis(path, samples.genesis(members=(samples.member(1), samples.member(2))))

    with pytest.raises(GenesisFileError, match="validators: expected 1"):
        load_genesis(path)


def test_an_absent_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(GenesisFileError, match="No such file"):
        load_genesis(tmp_path / "genesis.json")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    with path.open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)

    with pytest.raises(GenesisFileError, match="at most"):
        load_genesis(path)
