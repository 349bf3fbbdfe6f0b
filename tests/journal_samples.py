"""Reads and damages journal files, for tests of the journal."""

from pathlib import Path

from node.journal_file import PAGE_BYTES, JournalFile

FILE_BYTES = 6 * PAGE_BYTES
HEADER_BYTES = 8 + 8 + 8 + 4 + 4 + 32 + 32
"""Of one frame, before its records."""


def load(directory: Path) -> list[bytes]:
    """Returns what a process would find that opened the journal now."""
    journal = JournalFile(directory)
    try:
        return journal.load()
    finally:
        journal.close()


def flip(path: Path, offset: int) -> None:
    """Flips one bit of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x01
    path.write_bytes(content)
