"""Certificates as files: what is signed, and by whom, with right and wrong input."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import run
from client.credentials.document import text_of
from node.genesis_file import save_genesis
from tests.unit.credentials.credential_world import (
    CERTIFICATE,
    CERTIFIER,
    GENESIS,
    proof_answer,
    signed,
)

EXPORT = ("certificate", "export", CERTIFICATE.certificate_id, "--out")


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the node of a network answers when it is asked for the certificate's proof."""
    given = proof_answer()
    genesis = tmp_path / "genesis.json"
    save_genesis(genesis, GENESIS)
    client = SimpleNamespace(
        read=lambda _path: {},
        state_proof=lambda _key: given,
        status=lambda: {"chain_id": GENESIS.chain_id.hex()},
    )

    @contextmanager
    def connect(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(client=client, network=SimpleNamespace(genesis_path=genesis))

    monkeypatch.setattr("commands.credential.connect", connect)
    monkeypatch.setattr("commands.credential.find_network", lambda _network: None)
    monkeypatch.setattr("commands.credential.open_signer", lambda *_: CERTIFIER)
    return given


def test_a_certifier_signs_what_the_chain_holds(answer: dict[str, Any], tmp_path: Path) -> None:
    assert answer["value"] == CERTIFICATE.encode().hex()
    out = tmp_path / "certificate.json"

    assert run([*EXPORT, str(out)]) == 0

    assert json.loads(out.read_text())["credentialSubject"] == signed()["credentialSubject"]


def test_a_certifier_signs_nothing_that_a_node_made_up(
    answer: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = replace(CERTIFICATE, valid_until_ms=CERTIFICATE.valid_until_ms + 1)
    answer["value"] = forged.encode().hex()
    out = tmp_path / "certificate.json"

    assert run([*EXPORT, str(out)]) == 1

    assert "evidence: state key" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.usefixtures("answer")
def test_a_key_signs_a_certificate_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "certificate.json", tmp_path / "again.json"
    file.write_text(text_of(signed()))

    assert run(["certificate", "cosign", str(file), "--out", str(out)]) == 1

    key = CERTIFIER.public_key.hex()
    assert f"expected a certificate that {key} has not signed yet" in capsys.readouterr().err
    assert not out.exists()
