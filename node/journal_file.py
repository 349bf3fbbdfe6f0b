"""The journal's files: opaque records that are durable before the messages that rest on them.

Two preallocated files are used in turn, one *generation* (what was written between two commits)
each: generation g lives in file ``g % 2``. Starting a new generation costs no I/O: the next
append simply goes to the start of the other file. So the previous generation stays readable until
the first append of the new one is durable, and a crash at any point leaves one of the two
complete; records that a commit has overtaken may come back and are for the caller to ignore.

An append writes one *frame* with all its records and syncs once, so the records of one step are
there together or not at all. Every frame starts on a page of 4,096 bytes of its own: writing it
cannot tear a page that holds an older frame.

    frame header: magic, generation, offset, length, count, digest of body, digest of header
    frame body:   (length, record) for each record, then zeros to the end of the page

Digests are keyed by a random salt in the file's first page, so that no one who gets bytes into a
record (a transaction, say) can place something there that reads as a frame.

Reading stops at the first frame that is not intact. An append begins only when the one before it
is durable; so a frame header of the same generation *behind* that point proves that durable bytes
were damaged (:class:`JournalCorrupt`), and its absence means a torn last append, which nothing was
sent on and which is cut. That a *last* frame was damaged later cannot be told from a torn one; the
sign guard then knows of a signature that the journal does not (consensus.md 6).
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.disk import create_private_file, fsync_directory, write_at
from node.errors import LocalError

PAGE_BYTES: Final = 4096
FILE_NAMES: Final = ("journal-0", "journal-1")
PREALLOCATED_BYTES_DEFAULT: Final = 4 * 2**20
"""Room for the records of an ordinary height; a longer one grows the file, which costs time."""
FRAME_BYTES_MAX: Final = 64 * 2**20
"""One append: far above a proposal with all its bodies, far below what memory holds."""
FILE_BYTES_MAX: Final = 2**30
"""One height: a day of view changes a minute apart at n = 100 stays under it."""
_MAGIC: Final = b"TLNJRNL1"
_SALT_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_FILE_HEADER: Final = struct.Struct(f">8sBQ{_SALT_BYTES}s")
_FRAME_HEADER: Final = struct.Struct(f">8sQQII{_DIGEST_BYTES}s")
_LENGTH: Final = struct.Struct(">I")
_FRAME_HEADER_BYTES: Final = _FRAME_HEADER.size + _DIGEST_BYTES


class JournalMissing(LocalError):
    """A journal file is not there; the journal is created once, with the home directory."""


class JournalCorrupt(LocalError):
    """Bytes that were durable are damaged; the node may not vote by what is left."""

    def __init__(self, path: Path, offset: int, *, expected: str, got: str) -> None:
        self.path = path
        self.offset = offset
        """Where the first damaged frame starts, in bytes from the start of the file."""
        super().__init__(
            f"{path}: at offset {offset}: expected {expected}, got {got}; the disk or a person "
            "changed the file: do not edit it, and let the node rejoin as an observer"
        )


class JournalFull(LocalError):
    """One height wrote more than a journal file may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _FrameHeader:
    generation: int
    length: int
    count: int
    body_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """What one file holds, read from its start."""

    generation: int | None
    """Generation of the first frame; None where that is not intact."""
    records: tuple[bytes, ...]
    end: int
    """Offset of the first frame that is not intact or of another generation."""
    later_generation: int
    """The highest generation of a frame header behind ``end``; 0 where there is none."""


class JournalFile:
    """The open journal of one node; the caller holds the home's lock, so there is one writer."""

    def __init__(self, directory: Path) -> None:
        """Opens both files; call :meth:`load` before :meth:`append`.

        Args:
            directory: The directory in which :meth:`create` was called.

        Raises:
            JournalMissing: When one of the files is absent.
            JournalCorrupt: When the first page of a file is damaged.
            OSError: When a file cannot be opened or read.
        """
        self._files: list[_OpenFile] = []
        self._generation = 1
        self._end = PAGE_BYTES
        self._is_ready = False
        try:
            for index, name in enumerate(FILE_NAMES):
                self._files.append(_OpenFile(directory / name, index))
        except BaseException:
            self.close()
            raise

    @staticmethod
    def create(directory: Path, *, preallocated_bytes: int = PREALLOCATED_BYTES_DEFAULT) -> None:
        """Creates the two files, filled with zeros, so that no append has to allocate.

        Args:
            directory: An existing directory without a journal.
            preallocated_bytes: Size of each file: a multiple of 4,096, at least 8,192.

        Raises:
            ValueError: When the size breaks that rule.
            FileExistsError: When there is a journal; it is left as it is.
            OSError: When writing or syncing fails.
        """
        if preallocated_bytes % PAGE_BYTES or not (
            2 * PAGE_BYTES <= preallocated_bytes <= FILE_BYTES_MAX
        ):
            raise ValueError(
                f"preallocated_bytes: expected a multiple of {PAGE_BYTES} from {2 * PAGE_BYTES} "
                f"to {FILE_BYTES_MAX}, got {preallocated_bytes}"
            )
        for index, name in enumerate(FILE_NAMES):
            salt = os.urandom(_SALT_BYTES)
            header = _FILE_HEADER.pack(_MAGIC, index, preallocated_bytes, salt)
            page = header + _digest(header, salt)
            create_private_file(directory / name, page.ljust(preallocated_bytes, b"\0"))
        fsync_directory(directory)

    def load(self) -> list[bytes]:
        """Reads the newest generation, cuts a torn last append, and makes the rest durable.

        Returns:
            The records in the order in which they were appended. After :meth:`recycle` and a
            crash before the first append these are the records of the generation before.

        Raises:
            JournalCorrupt: When a damaged frame stands before a later one of its generation.
            OSError: When reading or syncing fails.
        """
        self._is_ready = False
        for file in self._files:
            # After a crash of the process alone frames may exist in the page cache only; what is
            # returned from here gets sent, so it must be durable.
            os.fdatasync(file.descriptor)
        scans = [file.scan() for file in self._files]
        generations = [scan.generation or 0 for scan in scans]
        current = max(range(len(scans)), key=lambda index: generations[index])
        newest = generations[current]
        for file, scan in zip(self._files, scans, strict=True):
            # At the same generation only the current file can hold frames at all.
            if scan.later_generation and scan.later_generation >= newest:
                start = scan.end if scan.generation == scan.later_generation else PAGE_BYTES
                raise JournalCorrupt(
                    file.path,
                    start,
                    expected=f"an intact frame of generation {scan.later_generation}",
                    got="a damaged one with a later frame behind it",
                )
        self._generation = newest or 1
        self._end = scans[current].end if newest else PAGE_BYTES
        self._is_ready = True
        return list(scans[current].records) if newest else []

    def append(self, records: Sequence[bytes]) -> None:
        """Writes records as one unit; they are durable when this returns.

        Args:
            records: Opaque, each at least one byte long; none at all is no write.

        Raises:
            ValueError: When a record is empty or the records exceed :data:`FRAME_BYTES_MAX`.
            JournalFull: When the file would exceed :data:`FILE_BYTES_MAX`; nothing is written.
            OSError: When writing or syncing fails. The caller ends the process: it is unknown
                what a restart will find. Every later call is refused.
        """
        if not self._is_ready:
            raise RuntimeError("expected load() to have succeeded, and no failed append before")
        if not records:
            return
        file = self._files[self._generation % 2]
        frame = file.encode_frame(self._generation, self._end, records)
        if self._end + len(frame) > FILE_BYTES_MAX:
            raise JournalFull(
                f"{file.path}: expected at most {FILE_BYTES_MAX} bytes for one height, got "
                f"{self._end + len(frame)}"
            )
        self._is_ready = False
        write_at(file.descriptor, frame, self._end)
        os.fdatasync(file.descriptor)
        self._end += len(frame)
        self._is_ready = True

    def recycle(self) -> None:
        """Starts a new generation: what was appended so far is no longer needed.

        Call it once the block that the records led to is durable. Nothing is lost before the
        first append of the new generation is durable, so there is nothing to sync here.

        Raises:
            OSError: When a file that had grown cannot be cut back to its first size.
        """
        if not self._is_ready:
            raise RuntimeError("expected load() to have succeeded, and no failed append before")
        if self._end == PAGE_BYTES:
            # Nothing was appended. Going on would skip a file and overwrite the very generation
            # that a crash in the next append would have to fall back on.
            return
        file = self._files[(self._generation + 1) % 2]
        if os.fstat(file.descriptor).st_size > file.preallocated_bytes:
            os.ftruncate(file.descriptor, file.preallocated_bytes)
        self._generation += 1
        self._end = PAGE_BYTES

    def close(self) -> None:
        """Closes the files; a second call does nothing."""
        self._is_ready = False
        while self._files:
            os.close(self._files.pop().descriptor)


class _OpenFile:
    """One of the two files: its descriptor and the salt and size from its first page."""

    def __init__(self, path: Path, index: int) -> None:
        self.path = path
        try:
            self.descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise JournalMissing(
                f"{path}: expected the journal that was created with the home directory, got no "
                "file; a node that lost its journal must not vote: see `node guard accept`"
            ) from None
        try:
            self.preallocated_bytes, self.salt = self._read_file_header(index)
        except BaseException:
            os.close(self.descriptor)
            raise

    def _read_file_header(self, index: int) -> tuple[int, bytes]:
        page = os.pread(self.descriptor, _FILE_HEADER.size + _DIGEST_BYTES, 0)
        header, digest = page[: _FILE_HEADER.size], page[_FILE_HEADER.size :]
        if len(digest) == _DIGEST_BYTES:
            magic, index_found, preallocated_bytes, salt = _FILE_HEADER.unpack(header)
            if (
                magic == _MAGIC
                and index_found == index
                and hmac.compare_digest(_digest(header, salt), digest)
            ):
                return preallocated_bytes, salt
        raise JournalCorrupt(
            self.path, 0, expected=f"the header of journal file {index}", got="other bytes"
        )

    def encode_frame(self, generation: int, offset: int, records: Sequence[bytes]) -> bytes:
        """Returns a whole number of pages."""
        parts: list[bytes] = []
        for record in records:
            if not record:
                raise ValueError("journal record: expected at least 1 byte, got 0")
            parts += (_LENGTH.pack(len(record)), record)
        body = b"".join(parts)
        if len(body) > FRAME_BYTES_MAX:
            raise ValueError(
                f"journal append: expected at most {FRAME_BYTES_MAX} bytes, got {len(body)}"
            )
        header = _FRAME_HEADER.pack(
            _MAGIC, generation, offset, len(body), len(records), _digest(body, self.salt)
        )
        frame = header + _digest(header, self.salt) + body
        return frame.ljust(_page_after(len(frame)), b"\0")

    def scan(self) -> _Scan:
        """Reads frames from the start for as long as they are intact and of one generation."""
        size = os.fstat(self.descriptor).st_size
        records: list[bytes] = []
        generation: int | None = None
        end = PAGE_BYTES
        while (header := self._frame_header(end)) is not None:
            body = self._frame_body(header, end)
            if body is None or generation not in (None, header.generation):
                break
            generation = header.generation
            records += _split(body)
            end += _page_after(_FRAME_HEADER_BYTES + header.length)
        later_generation = max(
            (header.generation for header in self._headers_behind(end, size)), default=0
        )
        return _Scan(
            generation=generation,
            records=tuple(records),
            end=end,
            later_generation=later_generation,
        )

    def _headers_behind(self, end: int, size: int) -> Iterator[_FrameHeader]:
        # The page at `end` is where a torn append would have put its own header.
        for offset in range(end + PAGE_BYTES, size, PAGE_BYTES):
            header = self._frame_header(offset)
            if header is not None:
                yield header

    def _frame_header(self, offset: int) -> _FrameHeader | None:
        content = os.pread(self.descriptor, _FRAME_HEADER_BYTES, offset)
        if len(content) < _FRAME_HEADER_BYTES or not content.startswith(_MAGIC):
            return None
        header, digest = content[: _FRAME_HEADER.size], content[_FRAME_HEADER.size :]
        if not hmac.compare_digest(_digest(header, self.salt), digest):
            return None
        _, generation, offset_found, length, count, body_digest = _FRAME_HEADER.unpack(header)
        if offset_found != offset:
            return None
        return _FrameHeader(
            generation=generation, length=length, count=count, body_digest=body_digest
        )

    def _frame_body(self, header: _FrameHeader, offset: int) -> bytes | None:
        body = os.pread(self.descriptor, header.length, offset + _FRAME_HEADER_BYTES)
        if len(body) < header.length or _digest(body, self.salt) != header.body_digest:
            return None
        return body


def _split(body: bytes) -> list[bytes]:
    """Splits a body whose digest was checked, so that its lengths are our own."""
    records: list[bytes] = []
    offset = 0
    while offset < len(body):
        (length,) = _LENGTH.unpack_from(body, offset)
        offset += _LENGTH.size
        records.append(body[offset : offset + length])
        offset += length
    assert offset == len(body)
    return records


def _page_after(length: int) -> int:
    return -(-length // PAGE_BYTES) * PAGE_BYTES


def _digest(content: bytes, salt: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, key=salt).digest()
