"""Structured logs: one JSON object a line, whatever the world puts into it.

Much of what is logged comes from outside: peers' reasons, names, malformed requests. So each line
is ASCII JSON (line breaks, terminal sequences and bidirectional marks are escaped), texts and
lines are capped, fields whose name speaks of secrets are blanked, and a message that repeats is
held back: after a burst, one line a window, with the number of those left out.

Call sites write a constant message and put what varies into ``extra``::

    logger.warning("peer sent a bad frame", extra={"peer": name, "reason": reason})

Logs are for people. Nothing reads them back, and metrics do not come from them.
"""

import json
import logging
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Final, TextIO

from node.errors import LocalError

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
TEXT_CHARACTERS_MAX: Final = 1_024
"""Longest text of one field; enough for a reason, too short for a flood."""
TRACEBACK_CHARACTERS_MAX: Final = 8_192
"""The end of a traceback, where the cause stands."""
LINE_CHARACTERS_MAX: Final = 16_384
"""Longest line; longer ones lose their fields."""
FIELDS_MAX: Final = 32
ELEMENTS_MAX: Final = 32
"""Elements of a list or mapping in a field."""
DEPTH_MAX: Final = 3
BURST_DEFAULT: Final = 20
WINDOW_SECONDS_DEFAULT: Final = 10.0
KEYS_MAX: Final = 1_024
"""Messages whose rate is remembered; beyond it the longest silent one is forgotten."""
REDACTED: Final = "[redacted]"
_SECRET_NAME: Final = re.compile(
    r"pass(phrase|word)|secret|seed|private|credential|token|authorization|cookie|api_?key",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_STANDARD_ATTRIBUTES: Final = frozenset(
    (*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "rate_key", "suppressed")
)
_RESERVED: Final = frozenset(("time", "level", "logger", "message", "suppressed", "traceback"))


class LogLevelError(LocalError):
    """A level that does not exist."""


class JsonFormatter(logging.Formatter):
    """Makes one line of ASCII JSON from a record."""

    def __init__(self, *, node: str = "") -> None:
        """Creates the formatter.

        Args:
            node: Name of the node, on every line; empty for none.
        """
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line, without its line break, of at most LINE_CHARACTERS_MAX characters.

        Args:
            record: Any record, also of a foreign library. It never raises: a log line that
                cannot be made must not become the error.
        """
        head: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": _text(record.name),
        }
        if self._node:
            head["node"] = self._node
        head["message"] = _text(_message(record))
        suppressed = getattr(record, "suppressed", 0)
        if suppressed:
            head["suppressed"] = suppressed
        body: dict[str, object] = {}
        for name, value in vars(record).items():
            if name in _STANDARD_ATTRIBUTES or name.startswith("_"):
                continue
            if len(body) == FIELDS_MAX:
                body["fields_cut"] = True
                break
            key = f"field_{name}" if name in _RESERVED or name in head else name
            body[_text(key)] = _plain(name, value, depth=0)
        if record.exc_info:
            text = self.formatException(record.exc_info)
            body["traceback"] = _without_secrets(text)[-TRACEBACK_CHARACTERS_MAX:]
        line = json.dumps(head | body)
        if len(line) > LINE_CHARACTERS_MAX:
            line = json.dumps(head | {"fields_cut": True})
        return line


class RateLimit(logging.Filter):
    """Lets a burst of one message through, then one a window; counts what it holds back.

    The key of a record is its ``rate_key`` from ``extra``, or else its logger, level and message
    before formatting. Critical records always pass.
    """

    def __init__(
        self,
        *,
        burst: int = BURST_DEFAULT,
        window_seconds: float = WINDOW_SECONDS_DEFAULT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates the filter.

        Args:
            burst: Records of one key that pass within a window, at least 1.
            window_seconds: Length of the window, more than 0.
            monotonic: The clock, in seconds.

        Raises:
            ValueError: When a bound is broken.
        """
        super().__init__()
        if burst < 1 or window_seconds <= 0:
            raise ValueError(
                f"rate limit: expected a burst of at least 1 and a window over 0 s, got {burst} "
                f"and {window_seconds}"
            )
        self._burst = burst
        self._window_seconds = window_seconds
        self._monotonic = monotonic
        self._windows: OrderedDict[object, _Window] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the record passes; one that does carries the count left out before."""
        if record.levelno >= logging.CRITICAL:
            return True
        key: object = getattr(record, "rate_key", None)
        if not isinstance(key, str):
            key = (record.name, record.levelno, str(record.msg)[:TEXT_CHARACTERS_MAX])
        now = self._monotonic()
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(now)
        self._windows.move_to_end(key)
        while len(self._windows) > KEYS_MAX:
            self._windows.popitem(last=False)
        if now - window.started >= self._window_seconds:
            # Someone who keeps flooding gets one line a window, not a new burst in each.
            window.passed = self._burst - 1 if window.suppressed else 0
            window.started = now
        if window.passed >= self._burst:
            window.suppressed += 1
            return False
        window.passed += 1
        if window.suppressed:
            record.suppressed = window.suppressed
            window.suppressed = 0
        return True


class _Window:
    __slots__ = ("passed", "started", "suppressed")

    def __init__(self, started: float) -> None:
        self.started = started
        self.passed = 0
        self.suppressed = 0


def configure(
    stream: TextIO, *, level: str, node: str = "", rate_limit: RateLimit | None = None
) -> None:
    """Sends all logs of the process to a stream, in place of whatever was configured.

    Args:
        stream: Where lines go; the process's standard error, as a rule.
        level: debug, info, warning or error.
        node: Name of the node, on every line; empty for none.
        rate_limit: Holds repeating messages back; by default a new :class:`RateLimit`.

    Raises:
        LogLevelError: When the level does not exist; nothing is changed then.
    """
    number = _level_number(level)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(node=node))
    handler.addFilter(RateLimit() if rate_limit is None else rate_limit)
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)


def set_level(level: str) -> None:
    """Changes the level of the whole process at run time.

    Args:
        level: debug, info, warning or error.

    Raises:
        LogLevelError: When the level does not exist.
    """
    logging.getLogger().setLevel(_level_number(level))


def _level_number(level: str) -> int:
    if level not in LEVELS:
        raise LogLevelError(f"log level: expected {', '.join(LEVELS)}, got {level!r}")
    return LEVELS[level]


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  the arguments are foreign objects; a log call never raises
        return f"{record.msg!s} [arguments do not fit]"


def _plain(name: str, value: object, *, depth: int) -> object:
    """Returns JSON values only, bounded in depth and size, without secrets."""
    if _SECRET_NAME.search(name):
        return REDACTED
    match value:
        case None | bool():
            return value
        case int() | float():
            return _number(value)
        case bytes() | bytearray() | memoryview():
            return _text(bytes(value[:TEXT_CHARACTERS_MAX]).hex())
        case str() | PurePath():
            return _text(str(value))
        case Mapping() if depth < DEPTH_MAX:
            return {
                _text(str(key)): _plain(str(key), element, depth=depth + 1)
                for key, element in list(value.items())[:ELEMENTS_MAX]
            }
        case list() | tuple() if depth < DEPTH_MAX:
            return [_plain(name, element, depth=depth + 1) for element in value[:ELEMENTS_MAX]]
        case _:
            return _represented(value)


def _number(value: float) -> object:
    if isinstance(value, int):
        # Turning a very large integer into digits takes long, and beyond 4,300 digits it raises.
        bits = value.bit_length()
        return value if bits <= 64 else f"[integer of {bits} bits]"
    return value if math.isfinite(value) else str(value)


def _represented(value: object) -> str:
    try:
        return _text(str(value) if isinstance(value, BaseException) else repr(value))
    except Exception:  # noqa: BLE001  a foreign repr; a log call never raises
        return f"[unprintable {type(value).__name__}]"


def _text(text: str) -> str:
    text = _without_secrets(text)
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    return f"{text[:TEXT_CHARACTERS_MAX]}...[{len(text) - TEXT_CHARACTERS_MAX} more]"


def _without_secrets(text: str) -> str:
    return REDACTED if _SECRET_TEXT.search(text) else text
