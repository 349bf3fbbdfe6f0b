"""Evidence that this node saw, one file each: it outlives the process and can be handed on."""

from pathlib import Path
from typing import Final

from chain.errors import DecodeError
from chain.evidence import Equivocation
from node.disk import create_private_directory, create_private_file
from node.errors import LocalError

DIRECTORY: Final = "evidence"
FILES_MAX: Final = 1_000
"""A validator that equivocates at every height must not fill the disk; some proof is enough."""
_SUFFIX: Final = ".evidence"


def keep_evidence(home: Path, evidence: Equivocation) -> None:
    """Writes evidence into a home, durably; what is kept already is not written again."""
    directory = home / DIRECTORY
    if not directory.exists():
        create_private_directory(directory)
    vote = evidence.first
    name = f"{vote.height}-{vote.view}-{vote.kind.name.lower()}-{vote.signer}{_SUFFIX}"
    path = directory / name
    if not path.exists() and sum(1 for _ in directory.iterdir()) < FILES_MAX:
        create_private_file(path, evidence.encode())


def list_evidence(home: Path) -> list[Path]:
    """Returns the files of a home, by name."""
    return sorted((home / DIRECTORY).glob(f"*{_SUFFIX}"))


def load_evidence(path: Path) -> Equivocation:
    """Reads one file; its signatures are checked by whoever acts on it.

    Raises:
        LocalError: absent, or no evidence.
    """
    try:
        return Equivocation.decode(path.read_bytes())
    except OSError as error:
        raise LocalError(f"{path}: expected evidence, got: {error.strerror}") from None
    except DecodeError as error:
        raise LocalError(f"{path}: expected evidence, got other bytes: {error}") from error
