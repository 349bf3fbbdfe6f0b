"""A journal in a directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.journal_file import JournalFile
from tests.journal_samples import FILE_BYTES


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    JournalFile.create(tmp_path, preallocated_bytes=FILE_BYTES)
    return tmp_path


@pytest.fixture
def journal(directory: Path) -> Iterator[JournalFile]:
    opened = JournalFile(directory)
    opened.load()
    yield opened
    opened.close()
