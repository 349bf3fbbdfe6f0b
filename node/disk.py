"""Disk of the node's host: free space, the lock of a home directory, durable creation.

A file is durable only when its bytes *and* the directory entry that names it are synced, so
everything that creates a file here ends with an fsync of the directory. No error of a write is
caught: after a failed fsync the kernel may have dropped the dirty pages, a second try would
report success for lost bytes, and only ending the process is safe (consensus.md 30).
"""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from node.errors import LocalError

LOCK_NAME: Final = "LOCK"
"""Name of the lock file in a home directory."""
PRIVATE_FILE_MODE: Final = 0o600
PRIVATE_DIRECTORY_MODE: Final = 0o700
PID_BYTES_MAX: Final = 32
"""A process id in decimal and a newline fit many times over."""


class HomeLocked(LocalError):
    """Another process holds the lock of this home directory."""

    def __init__(self, path: Path, holder_pid: int | None) -> None:
        self.path = path
        self.holder_pid = holder_pid
        """Process id that the holder wrote into the lock file; None where it is unreadable."""
        holder = "unknown process id" if holder_pid is None else f"process {holder_pid}"
        super().__init__(
            f"{path}: expected a free lock, got one held by {holder}; two processes on one home "
            "could sign twice: stop the other one first, or use another home"
        )


def free_bytes(path: Path) -> int:
    """Returns the bytes that an unprivileged process may still write.

    Args:
        path: Any existing file or directory on the file system in question.

    Returns:
        Free bytes, without the blocks reserved for the superuser.

    Raises:
        OSError: When the path does not exist or cannot be examined.
    """
    statistics = os.statvfs(path)
    return statistics.f_bavail * statistics.f_frsize


def fsync_directory(path: Path) -> None:
    """Makes the entries of a directory durable.

    Args:
        path: The directory.

    Raises:
        OSError: When the directory cannot be opened or synced.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_at(descriptor: int, content: bytes, offset: int) -> None:
    """Writes all bytes at an offset; a short write is continued.

    Args:
        descriptor: A file open for writing.
        content: The bytes.
        offset: Bytes from the start of the file.

    Raises:
        OSError: When the system refuses; the file may then hold any part of the content.
    """
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        if written == 0:
            raise OSError(errno.EIO, "expected bytes to be written, got a write of length 0")
        view = view[written:]
        offset += written


def create_private_directory(path: Path) -> None:
    """Makes a directory of mode 0700, or accepts one that nobody else can enter.

    Args:
        path: The directory; its parent must exist.

    Raises:
        LocalError: When it exists and is open to group or others, or is no directory.
        OSError: When it cannot be made.
    """
    try:
        path.mkdir(mode=PRIVATE_DIRECTORY_MODE)
    except FileExistsError:
        if not path.is_dir():
            raise LocalError(f"{path}: expected a directory, got another kind of file") from None
    else:
        fsync_directory(path.parent)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise LocalError(
            f"{path}: expected a directory of mode 0700, got {mode:04o}; run: chmod 700 {path}"
        )


def create_private_file(path: Path, content: bytes) -> None:
    """Creates a file of mode 0600 that must not exist yet, and makes it durable.

    Args:
        path: The new file, in an existing directory.
        content: Its bytes.

    Raises:
        FileExistsError: When the file exists; it is left as it is.
        OSError: When creating, writing or syncing fails.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, PRIVATE_FILE_MODE)
    try:
        write_at(descriptor, content, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fsync_directory(path.parent)


class DirectoryLock:
    """Holds the lock of a home directory from construction to :meth:`release`.

    The lock is the kernel's (``flock``), so it ends with the process however that ends; the file
    stays and only names the last holder. It is never removed: a process that had opened the
    removed file would hold a lock that nobody else sees.
    """

    def __init__(self, home: Path) -> None:
        """Takes the lock.

        Args:
            home: An existing directory.

        Raises:
            HomeLocked: When another process, or this one, holds it already.
            OSError: When the lock file cannot be opened.
        """
        self.path = home / LOCK_NAME
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, PRIVATE_FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder_pid = _read_pid(descriptor)
            os.close(descriptor)
            raise HomeLocked(self.path, holder_pid) from None
        self._descriptor: int | None = descriptor
        os.ftruncate(descriptor, 0)
        write_at(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Gives the lock back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, PID_BYTES_MAX, 0).strip()
    return int(text) if text.isdigit() else None
