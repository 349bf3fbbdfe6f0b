"""Files that people name: read, or told which file, what it should be, what came and what to do.

Every command reads through here, so that a file that is missing, damaged or another one is told in
the same way everywhere, and nothing is sent or signed before all files are read.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from commands.output import fail

if TYPE_CHECKING:
    from chain.genesis import Genesis

FILE_BYTES_MAX: Final = 33_554_432
"""Longer files are not read into memory; the largest ones, proofs, may have as much."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file should be."""

    what: str
    remedy: str
    """What to do where it is something else: what writes one, or what says how it looks."""


CERTIFICATE: Final = FileKind("a certificate", "`tanlian certificate export` writes one")
STATUS_LIST: Final = FileKind("a status list", "`tanlian certificate status-list` writes one")
REEXECUTION: Final = FileKind(
    "what an observer executed", "`tanlian certificate reexecute` writes it"
)
PROOF: Final = FileKind("a proof file", "`tanlian proof get` writes one")
REPORT: Final = FileKind("a report in JSON", "`tanlian report build --out` writes one")
DESIGN: Final = FileKind("a design in JSON", "docs/reports.md shows one")
PLAN: Final = FileKind("a monitoring plan in JSON", "docs/reports.md shows one")
FIGURES: Final = FileKind("figures in JSON", "docs/reports.md shows them")
GENESIS: Final = FileKind(
    "a genesis file", "it is genesis.json of the network directory; ask a member for it"
)
POINTER: Final = FileKind("the name of a network directory", "delete it, or give --network")
CONFIG: Final = FileKind(
    "a node's configuration", "it is config.toml in the home of a node, such as try/node-1"
)
NETWORK: Final = FileKind("a network's description", "`tanlian network init DIR` makes a network")
KEY: Final = FileKind("a key file", "`tanlian key new` makes one")
PASSPHRASE: Final = FileKind("a passphrase", "name the file that holds it, of mode 0600")
EQUIVOCATION: Final = FileKind("evidence", "`tanlian evidence list` names the files of a node")
READINGS: Final = FileKind("readings in CSV", "it needs the columns stamp and value")
FACTORS: Final = FileKind("a table of factors", "examples/data/factors has some")
DOCUMENT: Final = FileKind("the document to hash", "check its name")


def read_file(path: Path, kind: FileKind) -> bytes:
    """Returns the bytes of a file.

    Raises:
        CommandFailed: missing, not readable, a directory, empty, or longer than
            :data:`FILE_BYTES_MAX`.
    """
    with _opened(path, kind) as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        _refuse(path, kind, f"more than {FILE_BYTES_MAX} bytes")
    return content


def read_json(path: Path, kind: FileKind) -> dict[str, Any]:
    """Returns the JSON object in a file; every number in it is an integer.

    Raises:
        CommandFailed: as :func:`read_file`, or another content.
    """
    return read_document(path, kind)[1]


def read_document(path: Path, kind: FileKind) -> tuple[bytes, dict[str, Any]]:
    """Returns the bytes of a file and the JSON object in them, as :func:`read_json`."""
    from chain.jcs import NotCanonicalJson
    from client.json_object import NoJsonObject, parse

    content = read_file(path, kind)
    try:
        return content, parse(content)
    except NoJsonObject as error:
        _refuse(path, kind, str(error))
    except NotCanonicalJson as error:
        fail(f"{path}: {error}; {kind.remedy}")


def hash_of_file(path: Path | None) -> bytes:
    """Returns the SHA-256 of a document of any length; zeros where none is named.

    Raises:
        CommandFailed: missing, not readable, a directory or empty.
    """
    if path is None:
        return bytes(32)
    with _opened(path, DOCUMENT) as file:
        return hashlib.file_digest(file, "sha256").digest()


def check_file(path: Path, kind: FileKind) -> None:
    """Checks that a file can be read, for whoever reads it by its name.

    Raises:
        CommandFailed: missing, not readable, a directory or empty.
    """
    with _opened(path, kind):
        pass


def read_genesis(path: Path) -> "Genesis":
    """Returns the genesis record in a file, checked.

    Raises:
        CommandFailed: as :func:`read_json`.
        GenesisFileError: a record that is damaged or contradicts itself.
    """
    from node.genesis_file import load_genesis

    read_json(path, GENESIS)
    return load_genesis(path)


@contextmanager
def _opened(path: Path, kind: FileKind) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            if not file.peek(1):
                _refuse(path, kind, "an empty file")
            yield file
    except IsADirectoryError:
        fail(f"{path}: expected {kind.what}, got a directory; name the file in it")
    except PermissionError:
        fail(
            f"{path}: expected {kind.what}, got a file that you may not read; ask its owner, or "
            "run as its owner"
        )
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a zero byte is in no name
        _refuse(path, kind, "no file of this name")
    except OSError as error:
        _refuse(path, kind, f"a file that cannot be read: {error.strerror}")


def _refuse(path: Path, kind: FileKind, got: str) -> NoReturn:
    fail(f"{path}: expected {kind.what}, got {got}; {kind.remedy}")
