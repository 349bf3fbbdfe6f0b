"""The trace of a run: a digest over everything that happened, and the last lines for people."""

from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

TAIL_LINES: Final = 60
"""Events that a failure shows."""


class Trace:
    """Everything that happened, as a running digest, and the last of it as text.

    Args:
        print_line: takes every line as it happens, or None.
    """

    def __init__(self, print_line: Callable[[str], None] | None = None) -> None:
        self._digest = blake2b(digest_size=16)
        self._tail: deque[tuple[int, int, Callable[[], str]]] = deque(maxlen=TAIL_LINES)
        self._print_line = print_line

    def note(self, time_us: int, node: int, content: bytes, words: Callable[[], str]) -> None:
        """Adds one event.

        Args:
            time_us: virtual time.
            node: index of the node, or -1 for what happens to all.
            content: what identifies the event.
            words: makes its line; called only if it is shown.
        """
        self._digest.update(b"%d %d %d " % (time_us, node, len(content)))
        self._digest.update(content)
        self._tail.append((time_us, node, words))
        if self._print_line is not None:
            self._print_line(_line(time_us, node, words))

    @property
    def digest(self) -> str:
        """Returns the digest so far, in hex."""
        return self._digest.hexdigest()

    def tail(self) -> str:
        """Returns the last events, one a line."""
        return "\n".join("  " + _line(*each) for each in self._tail)


def _line(time_us: int, node: int, words: Callable[[], str]) -> str:
    place = "     " if node < 0 else f"n{node:<4}"
    return f"{time_us / 1_000_000:10.6f} {place} {words()}"
