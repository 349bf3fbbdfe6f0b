"""Evidence is kept in files that outlive the node, bounded, each once."""

from pathlib import Path

import pytest

from chain.evidence import Equivocation, equivocation_of
from node import evidence_files
from node.errors import LocalError
from node.evidence_files import keep_evidence, list_evidence, load_evidence
from tests import chain_samples as samples


def evidence(height: int = 5) -> Equivocation:
    return equivocation_of(
        samples.vote(1, height=height, digest=b"a" * 32),
        samples.vote(1, height=height, digest=b"b" * 32),
    )


def test_what_was_kept_is_listed_and_loaded(tmp_path: Path) -> None:
    keep_evidence(tmp_path, evidence())
    keep_evidence(tmp_path, evidence())
    keep_evidence(tmp_path, evidence(6))

    files = list_evidence(tmp_path)

    assert [file.name for file in files] == ["5-2-commit-1.evidence", "6-2-commit-1.evidence"]
    assert load_evidence(files[0]) == evidence()


def test_a_home_without_evidence_has_none(tmp_path: Path) -> None:
    assert list_evidence(tmp_path) == []


def test_a_validator_cannot_fill_the_disk_with_its_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_files, "FILES_MAX", 2)
    for height in range(1, 5):
        keep_evidence(tmp_path, evidence(height))

    assert len(list_evidence(tmp_path)) == 2


@pytest.mark.parametrize("content", [None, b"", b"\xc1"])
def test_what_is_no_evidence_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.evidence"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(LocalError, match="expected evidence"):
        load_evidence(path)
