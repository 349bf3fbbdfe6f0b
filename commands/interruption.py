"""Ending in order: a closed terminal or a SIGTERM stops what Ctrl-C would stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

from commands.output import warn

_AS_CTRL_C: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into KeyboardInterrupt, so that started nodes are stopped."""
    before = {number: signal.signal(number, _interrupt) for number in _AS_CTRL_C}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def announce_stop() -> None:
    """Says that the nodes are being stopped, where there is still somebody to tell."""
    with suppress(OSError):
        warn("Stopping the nodes ...")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    # One is enough: what follows is the orderly end, and a second one would break it off.
    for number in _AS_CTRL_C:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
