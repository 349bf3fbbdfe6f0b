"""A log line is one JSON object, whatever a peer or a client puts into it."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from node.logs import JsonFormatter, LogLevelError, RateLimit, configure, set_level

ExceptionInformation = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: object = "hello", **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("node.test", logging.INFO, "f.py", 1, message, (), None)
    made.created = 1_700_000_000.25
    vars(made).update(extra)
    return made


def raised(error: ValueError) -> ExceptionInformation:
    try:
        raise error
    except ValueError:
        return sys.exc_info()


def line(made: logging.LogRecord, **arguments: str) -> dict[str, Any]:
    text = JsonFormatter(**arguments).format(made)
    assert text.isascii()
    assert text.isprintable()
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_line_holds_time_level_logger_node_message_and_fields() -> None:
    text = JsonFormatter(node="north-1").format(record(height=7, peer="east-1"))

    assert text == (
        '{"time": "2023-11-14T22:13:20.250+00:00", "level": "info", "logger": "node.test", '
        '"node": "north-1", "message": "hello", "height": 7, "peer": "east-1"}'
    )


@pytest.mark.parametrize(
    "hostile",
    [
        'x"}\n{"level": "critical"}',
        "a\r\nb",
        "\x1b[2J\x1b[31m",
        "\u202egnp.exe",
        "\x00\x07\x7f\x9b",
        "\u2028\u2029\x85",
        "\ud800",
    ],
)
def test_no_text_breaks_out_of_its_line(hostile: str) -> None:
    parsed = line(record(hostile, reason=hostile))

    assert parsed["message"] == hostile
    assert parsed["reason"] == hostile
    assert parsed["level"] == "info"


def test_a_text_at_its_limit_is_whole_and_a_longer_one_is_cut() -> None:
    parsed = line(record(short="x" * 1024, long="x" * 1030))

    assert parsed["short"] == "x" * 1024
    assert parsed["long"] == "x" * 1024 + "...[6 more]"


def test_a_line_that_would_be_too_long_loses_its_fields() -> None:
    fields = {f"field{number}": "x" * 1024 for number in range(20)}
    parsed = line(record(**fields))

    assert parsed["message"] == "hello"
    assert parsed["fields_cut"] is True
    assert "field0" not in parsed


def test_a_line_of_escapes_is_capped_too() -> None:
    text = JsonFormatter().format(record(**{f"f{number}": "\0" * 1024 for number in range(5)}))

    assert len(text) < 16_384


def test_fields_beyond_the_limit_are_left_out() -> None:
    exact = line(record(**{f"f{number}": number for number in range(32)}))
    more = line(record(**{f"f{number}": number for number in range(33)}))

    assert exact["f31"] == 31
    assert "fields_cut" not in exact
    assert "f32" not in more
    assert more["fields_cut"] is True


@pytest.mark.parametrize(
    "name",
    ["passphrase", "Password", "secret_key", "seed", "private_key", "auth_token", "Authorization",
     "cookie", "credential", "api_key", "apikey"],
)  # fmt: skip
def test_fields_named_like_secrets_are_blanked_at_any_depth(name: str) -> None:
    parsed = line(record(**{name: "hunter2"}, request={"headers": {name: b"hunter2"}}))

    assert parsed[name] == "[redacted]"
    assert parsed["request"] == {"headers": {name: "[redacted]"}}


def test_a_private_key_in_any_text_is_blanked() -> None:
    pem = "x -----BEGIN EC PRIVATE KEY-----\nAAAA"
    made = record(pem, where=pem, several=[pem])
    made.exc_info = raised(ValueError(pem))

    assert "AAAA" not in JsonFormatter().format(made)


def test_values_become_plain_json() -> None:
    parsed = line(
        record(
            nothing=None,
            yes=True,
            ratio=0.5,
            hash=b"\x01\xff",
            path=Path("/a/b"),
            error=ValueError("bad"),
            names=("a", 1),
            kind=int,
        )
    )

    assert parsed["nothing"] is None
    assert parsed["yes"] is True
    assert parsed["ratio"] == 0.5
    assert parsed["hash"] == "01ff"
    assert parsed["path"] == "/a/b"
    assert parsed["error"] == "bad"
    assert parsed["names"] == ["a", 1]
    assert parsed["kind"] == "<class 'int'>"


def test_numbers_that_json_does_not_know_become_texts() -> None:
    parsed = line(
        record(a=float("nan"), b=float("inf"), c=-float("inf"), d=2**64, e=2**64 - 1, f=1 << 20_000)
    )

    assert (parsed["a"], parsed["b"], parsed["c"]) == ("nan", "inf", "-inf")
    assert parsed["d"] == "[integer of 65 bits]"
    assert parsed["e"] == 18446744073709551615
    assert parsed["f"] == "[integer of 20001 bits]"


def test_collections_are_bounded_in_size_and_depth() -> None:
    deep: list[Any] = []
    deep.append(deep)
    parsed = line(record(many=list(range(40)), table={str(n): n for n in range(40)}, deep=deep))

    assert parsed["many"] == list(range(32))
    assert len(parsed["table"]) == 32
    assert parsed["deep"] == [[["[[...]]"]]]


def test_a_field_cannot_pose_as_a_part_of_the_head() -> None:
    parsed = line(record(time="never", level="critical", node="other"), node="north-1")

    assert parsed["time"].startswith("2023")
    assert parsed["level"] == "info"
    assert parsed["node"] == "north-1"
    assert (parsed["field_time"], parsed["field_level"], parsed["field_node"]) == (
        "never",
        "critical",
        "other",
    )


def test_arguments_that_do_not_fit_and_unprintable_values_do_not_raise() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    made = record("%d readings", value=Hostile())
    made.args = ("x",)

    parsed = line(made)

    assert parsed["message"] == "%d readings [arguments do not fit]"
    assert parsed["value"] == "[unprintable Hostile]"


def test_a_traceback_is_one_field_and_keeps_its_end() -> None:
    made = record()
    made.exc_info = raised(ValueError("x" * 9000 + "the end"))

    parsed = line(made)

    assert len(parsed["traceback"]) == 8192
    assert parsed["traceback"].endswith("the end")


def limit(now: list[float]) -> RateLimit:
    return RateLimit(burst=3, window_seconds=10.0, monotonic=lambda: now[0])


def test_a_burst_passes_and_the_rest_is_counted_into_the_next_line() -> None:
    now = [0.0]
    rate_limit = limit(now)

    assert [rate_limit.filter(record()) for _ in range(5)] == [True, True, True, False, False]
    now[0] = 9.999
    assert rate_limit.filter(record()) is False
    now[0] = 10.0
    passed = record()
    assert rate_limit.filter(passed) is True
    assert line(passed)["suppressed"] == 3


def test_a_flood_that_goes_on_gets_one_line_a_window_and_a_quiet_message_its_burst_back() -> None:
    now = [0.0]
    rate_limit = limit(now)
    for _ in range(5):
        rate_limit.filter(record())

    now[0] = 10.0
    assert [rate_limit.filter(record()) for _ in range(3)] == [True, False, False]
    now[0] = 20.0
    assert [rate_limit.filter(record()) for _ in range(1)] == [True]
    now[0] = 30.0
    assert [rate_limit.filter(record()) for _ in range(4)] == [True, True, True, False]


def test_one_message_does_not_hold_back_another() -> None:
    rate_limit = limit([0.0])
    for _ in range(5):
        rate_limit.filter(record("first"))

    assert rate_limit.filter(record("second")) is True


def test_the_message_before_formatting_is_the_key_and_rate_key_replaces_it() -> None:
    rate_limit = limit([0.0])

    def formatted(number: int) -> logging.LogRecord:
        made = record("peer %d failed")
        made.args = (number,)
        return made

    assert [rate_limit.filter(formatted(n)) for n in range(4)] == [True, True, True, False]
    keyed = [rate_limit.filter(record(f"text {n}", rate_key="peer east-1")) for n in range(4)]
    assert keyed == [True, True, True, False]
    assert "rate_key" not in line(record(rate_key="peer east-1"))


def test_critical_records_always_pass() -> None:
    rate_limit = limit([0.0])
    made = record()
    made.levelno = logging.CRITICAL

    assert all(rate_limit.filter(made) for _ in range(10))


def test_the_number_of_remembered_messages_is_bounded() -> None:
    rate_limit = limit([0.0])
    for number in range(1025):
        rate_limit.filter(record(f"message {number}"))

    assert len(rate_limit._windows) == 1024


@pytest.mark.parametrize(("burst", "window_seconds"), [(0, 1.0), (1, 0.0)])
def test_a_limit_without_burst_or_window_is_refused(burst: int, window_seconds: float) -> None:
    with pytest.raises(ValueError, match="rate limit: expected a burst of at least 1"):
        RateLimit(burst=burst, window_seconds=window_seconds)


def test_configured_logs_go_to_the_stream_as_lines(stream: io.StringIO) -> None:
    configure(stream, level="info", node="north-1")

    logging.getLogger("node.test").info("one\ntwo", extra={"height": 1})
    logging.getLogger("node.test").debug("unseen")

    (text,) = stream.getvalue().splitlines()
    assert json.loads(text)["message"] == "one\ntwo"


def test_the_level_changes_at_run_time(stream: io.StringIO) -> None:
    configure(stream, level="error")
    logger = logging.getLogger("node.test")

    logger.info("unseen")
    set_level("debug")
    logger.debug("seen")

    assert [json.loads(text)["message"] for text in stream.getvalue().splitlines()] == ["seen"]


def test_configuring_twice_does_not_double_lines(stream: io.StringIO) -> None:
    configure(stream, level="info")
    configure(stream, level="info")

    logging.getLogger("node.test").info("once")

    assert len(stream.getvalue().splitlines()) == 1


def test_an_unknown_level_is_refused_and_changes_nothing(stream: io.StringIO) -> None:
    configure(stream, level="info")

    with pytest.raises(LogLevelError, match="expected debug, info, warning, error, got 'loud'"):
        set_level("loud")
    with pytest.raises(LogLevelError):
        configure(io.StringIO(), level="loud")

    logging.getLogger("node.test").info("still here")
    assert "still here" in stream.getvalue()
