"""LevelDB beneath the block store, opened so that it notices what it would otherwise hide.

With default options one flipped bit in the log silently lost 49 records, and after a full disk
LevelDB went on acknowledging synced writes that were gone on reopen (consensus.md 29, 30). So:
paranoid checks on open, checksums on every read, sync on every write, no repair, and any exception
of a write is final: the caller ends the process.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import plyvel

from node.errors import StorageError

WRITE_BUFFER_BYTES: Final = 8 * 1024 * 1024
BLOCK_CACHE_BYTES: Final = 16 * 1024 * 1024
"""Per node; a small machine runs several."""


class LevelDatabase:
    """An ordered key-value database in one directory (:class:`node.storage.KeyValue`)."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Opens the database.

        Raises:
            StorageError: absent, locked by another process, or damaged; names the path.
        """
        self._path = path
        if not create and not path.exists():
            raise StorageError(f"{path}: expected a database, found none")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = plyvel.DB(
                str(path),
                create_if_missing=create,
                paranoid_checks=True,
                write_buffer_size=WRITE_BUFFER_BYTES,
                lru_cache_size=BLOCK_CACHE_BYTES,
                bloom_filter_bits=10,
                # A meter's records are written again with each block that touches it, and merging
                # tables would unpack and pack them several times: as much CPU as checking the
                # signatures, for four tenths of the disk.
                compression=None,
            )
        except (plyvel.Error, OSError) as error:
            raise StorageError(
                f"{path}: cannot open the database: {_reason(error)}; {_remedy(error)}"
            ) from error

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, checksum verified, or None."""
        try:
            value: bytes | None = self._database.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise self._unreadable(error) from error
        return value

    def iterate(self, prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yields (key, value) from ``start`` on in byte order while the prefix holds."""
        try:
            with self._database.iterator(
                start=start, stop=_after(prefix), verify_checksums=True
            ) as entries:
                yield from entries
        except plyvel.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: plyvel.Error) -> StorageError:
        return StorageError(
            f"{self._path}: expected readable entries, got: {_reason(error)}; {_remedy(error)}"
        )

    def write(self, batch: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Writes all or nothing, durable on return; None removes."""
        try:
            with self._database.write_batch(sync=True, transaction=True) as writes:
                for key, value in batch:
                    if value is None:
                        writes.delete(key)
                    else:
                        writes.put(key, value)
        except (plyvel.Error, OSError) as error:
            raise StorageError(
                f"{self._path}: writing failed: {_reason(error)}; the node stops, because what a "
                f"failed write left behind is unknown; {_remedy(error)}"
            ) from error

    def close(self) -> None:
        """Closes the database; everything written is durable already."""
        self._database.close()


def _reason(error: Exception) -> str:
    # The library's messages are bytes.
    reason = b"; ".join(each for each in error.args if isinstance(each, bytes))
    return reason.decode("utf-8", "replace") or str(error)


def _remedy(error: Exception) -> str:
    if os.strerror(errno.ENOSPC) in _reason(error):
        return "nothing that was acknowledged is lost: free some space and start the node again"
    return (
        "it is never repaired by itself: restore a backup or let the node sync anew into an empty "
        "directory"
    )


def _after(prefix: bytes) -> bytes | None:
    """Returns the smallest key above all keys with this prefix, or None where there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
