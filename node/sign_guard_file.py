"""The sign guard's file: the newest state survives a torn write and any one damaged byte.

The guard (consensus.md 6) is the last line against signing twice, so its file must never fall
back to an older state without a trace. It holds four pages of 4,096 bytes in two pairs:

    page 0  page 1 | page 2  page 3        a pair holds one state, twice
    state s, twice | state s-1, twice

A write of state s+1 goes to the pair of s-1, in one call, and is synced before :meth:`write`
returns. A crash in the middle can damage that pair only; s is intact, and s+1 was not yet relied
on. A flipped bit damages one page of a pair, and the other page still has the newest state. A
single copy for each state would not do: a damaged newest slot looks like a torn write, and the
node would sign by the older state. Damage of both copies is left to the comparison of guard,
journal and chain at start, and :attr:`damaged_pages` tells of any.

A page is ``magic, version, sequence, length, digest, payload``; the digest covers everything else
in front of the padding. The payload is opaque here.
"""

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.disk import create_private_file, write_at
from node.errors import LocalError

PAGE_BYTES: Final = 4096
"""The unit that disks and file systems write whole or not at all, or at worst damage alone."""
PAGES: Final = 4
FILE_BYTES: Final = PAGE_BYTES * PAGES
_HEADER: Final = struct.Struct(">8sHQI")
_MAGIC: Final = b"TLNGUARD"
_VERSION: Final = 1
_DIGEST_BYTES: Final = 32
PAYLOAD_BYTES_MAX: Final = PAGE_BYTES - _HEADER.size - _DIGEST_BYTES
"""4,042 bytes: what is left of a page."""


class GuardMissing(LocalError):
    """There is no guard file; it is created with the key and never again, so it was lost."""


class GuardCorrupt(LocalError):
    """No page of the guard file is intact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    sequence: int
    payload: bytes


class SignGuardFile:
    """One open guard file; the caller holds the home's lock, so there is one writer."""

    def __init__(self, path: Path) -> None:
        """Opens the file; call :meth:`load` before :meth:`write`.

        Args:
            path: The guard file.

        Raises:
            GuardMissing: When it does not exist.
            OSError: When it cannot be opened.
        """
        self.path = path
        self.damaged_pages: tuple[int, ...] = ()
        """Indices of the pages that :meth:`load` found damaged: a torn write, or a bad disk."""
        self._sequence: int | None = None
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise GuardMissing(
                f"{path}: expected the sign guard that was created with the key, got no file; "
                "restore nothing from a backup: a guard older than the last signature is worse "
                "than none; see `node guard accept`"
            ) from None

    @staticmethod
    def create(path: Path, payload: bytes) -> None:
        """Creates the file, once, together with the key.

        Args:
            path: The new file, in an existing directory.
            payload: The first state, at most :data:`PAYLOAD_BYTES_MAX` bytes.

        Raises:
            ValueError: When the payload is too long.
            FileExistsError: When there is a file already; it is left as it is.
            OSError: When writing or syncing fails.
        """
        newest, older = _encode_page(1, payload), _encode_page(0, payload)
        create_private_file(path, older + older + newest + newest)

    def load(self) -> bytes:
        """Reads the newest state and makes sure that it is durable.

        Returns:
            The payload of the last write that returned, or of one that a crash interrupted.

        Raises:
            GuardCorrupt: When no page is intact, or intact pages contradict one another.
            OSError: When reading or syncing fails.
        """
        # After a crash of the process alone the newest page may exist in the page cache only.
        os.fdatasync(self._descriptor)
        content = os.pread(self._descriptor, FILE_BYTES + 1, 0)
        if len(content) > FILE_BYTES:
            raise GuardCorrupt(f"{self.path}: expected {FILE_BYTES} bytes, got more")
        pages = [
            _decode_page(content[start : start + PAGE_BYTES], pair=start // PAGE_BYTES // 2)
            for start in range(0, FILE_BYTES, PAGE_BYTES)
        ]
        self.damaged_pages = tuple(index for index, page in enumerate(pages) if page is None)
        intact = [page for page in pages if page is not None]
        if not intact:
            raise GuardCorrupt(
                f"{self.path}: expected an intact page, got {PAGES} damaged ones; the node may "
                "not sign by it; see `node guard accept`"
            )
        newest = max(intact, key=lambda page: page.sequence)
        if any(
            page.sequence == newest.sequence and page.payload != newest.payload for page in intact
        ):
            raise GuardCorrupt(
                f"{self.path}: expected one state {newest.sequence}, got two different ones"
            )
        self._sequence = newest.sequence
        return newest.payload

    def write(self, payload: bytes) -> None:
        """Replaces the state; it is durable when this returns.

        Args:
            payload: The new state, at most :data:`PAYLOAD_BYTES_MAX` bytes.

        Raises:
            ValueError: When the payload is too long; nothing is written.
            OSError: When writing or syncing fails; the caller ends the process, because it is
                unknown which state a restart will find. Every later call is refused.
        """
        if self._sequence is None:
            raise RuntimeError(
                "expected load() to have succeeded before write(), and no failed write"
            )
        sequence = self._sequence + 1
        page = _encode_page(sequence, payload)
        self._sequence = None
        write_at(self._descriptor, page + page, (sequence % 2) * 2 * PAGE_BYTES)
        os.fdatasync(self._descriptor)
        self._sequence = sequence

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._sequence = None


def _encode_page(sequence: int, payload: bytes) -> bytes:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(
            f"guard payload: expected at most {PAYLOAD_BYTES_MAX} bytes, got {len(payload)}"
        )
    header = _HEADER.pack(_MAGIC, _VERSION, sequence, len(payload))
    digest = hashlib.blake2b(header + payload, digest_size=_DIGEST_BYTES).digest()
    return (header + digest + payload).ljust(PAGE_BYTES, b"\0")


def _decode_page(content: bytes, *, pair: int) -> _Page | None:
    """Returns the page, or None when any of its bytes but the padding is not as written."""
    if len(content) != PAGE_BYTES:
        return None
    magic, version, sequence, length = _HEADER.unpack_from(content)
    if magic != _MAGIC or version != _VERSION or length > PAYLOAD_BYTES_MAX:
        return None
    start = _HEADER.size + _DIGEST_BYTES
    payload = content[start : start + length]
    header, digest = content[: _HEADER.size], content[_HEADER.size : start]
    if hashlib.blake2b(header + payload, digest_size=_DIGEST_BYTES).digest() != digest:
        return None
    # A page that landed in the other pair is a misdirected write, not a state.
    if sequence % 2 != pair:
        return None
    return _Page(sequence=sequence, payload=payload)
