"""A profile of the event loop's thread by the standard library's cProfile, for developers.

It says which functions cost what, at the price of a loop that is slower by half or more; so it is
off unless asked for, and no figure for the throughput of a node is taken with it on.
"""

import cProfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import LocalError


@contextmanager
def profiled(path: Path | None) -> Iterator[None]:
    """Profiles what this thread does inside, and writes the profile at the end, however it ends.

    Args:
        path: file for :mod:`pstats`, written anew; None for no profile.

    Raises:
        LocalError: the file cannot be written; said before anything runs.
    """
    if path is None:
        yield
        return
    try:
        path.write_bytes(b"")
    except OSError as error:
        raise LocalError(
            f"{path}: expected a file for the profile, which can be written: {error}"
        ) from error
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        profile.dump_stats(path)
