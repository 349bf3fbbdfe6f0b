"""What a process has used, read from Linux's /proc."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_USER_TICKS: Final = 11
"""Index of utime among the fields behind the command's name (proc(5)); stime follows."""
_BLOCK_BYTES: Final = 512
"""Unit of st_blocks, whatever the file system's own block is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Of one process so far."""

    cpu_s: float
    """User and system time of all threads."""
    rss_bytes: int
    """Resident now."""
    rss_peak_bytes: int


def usage_of(process_id: int) -> Usage:
    """Returns what a running process has used.

    Raises:
        OSError: it does not run.
    """
    folder = Path("/proc") / str(process_id)
    # The name stands in parentheses and may hold anything; the last one ends it.
    fields = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
    ticks = fields.split()[_USER_TICKS : _USER_TICKS + 2]
    memory = memory_of((folder / "status").read_text(encoding="ascii", errors="replace"))
    return Usage(
        cpu_s=sum(map(int, ticks)) / _TICKS_PER_SECOND,
        rss_bytes=memory["VmRSS"],
        rss_peak_bytes=memory["VmHWM"],
    )


def memory_of(status: str) -> dict[str, int]:
    """Returns VmRSS and VmHWM of the text of ``/proc/PID/status``, in bytes.

    Raises:
        OSError: they are not in it.
    """
    found = {
        name: int(value.split()[0]) * 1_024
        for name, _, value in (line.partition(":") for line in status.splitlines())
        if name in {"VmRSS", "VmHWM"}
    }
    if len(found) != 2:
        raise OSError(f"/proc/PID/status: expected VmRSS and VmHWM, got {found}; needs Linux")
    return found


def disk_bytes_of(directory: Path) -> int:
    """Returns the bytes that the files under a directory take on disk."""
    total = 0
    for path in directory.rglob("*"):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue  # compacted away meanwhile
        if path.is_file():
            total += found.st_blocks * _BLOCK_BYTES
    return total


def machine() -> str:
    """Returns processor, cores and memory in a few words."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB"
