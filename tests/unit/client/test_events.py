"""The framing of server-sent events, and events out of JSON."""

import pytest

from client.errors import MalformedAnswer
from client.events import ChainEvent, EventStreamParser, event_of
from client.nodes import Document

STREAM = b': following\n\nid: 1:0\nevent: a.b\ndata: {"x":1}\n\n: still here\n\ndata: two\n\n'
DOCUMENT: Document = {
    "cursor": "1:0",
    "height": 1,
    "index": 0,
    "time_ms": 5,
    "transaction_id": "00",
    "kind": "alert.opened",
    "subject": "steel-main.18.000001",
    "content": {"state": "OPEN"},
}


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_messages_come_whole_however_the_bytes_are_cut(size: int) -> None:
    parser = EventStreamParser()

    messages = [
        message
        for start in range(0, len(STREAM), size)
        for message in parser.feed(STREAM[start : start + size])
    ]

    assert messages == [b'{"x":1}', b"two"]


def test_lines_of_one_message_are_joined() -> None:
    assert EventStreamParser().feed(b"data: a\ndata: b\n\n") == [b"a\nb"]


def test_a_message_without_end_is_an_error_beyond_its_limit() -> None:
    parser = EventStreamParser()

    assert parser.feed(b"d" * 4_194_304) == []
    with pytest.raises(MalformedAnswer):
        parser.feed(b"d")


def test_an_event_is_read_from_its_document() -> None:
    assert event_of(DOCUMENT) == ChainEvent(
        cursor="1:0",
        height=1,
        index=0,
        time_ms=5,
        transaction_id="00",
        kind="alert.opened",
        subject="steel-main.18.000001",
        content={"state": "OPEN"},
    )


@pytest.mark.parametrize("name", [name for name in DOCUMENT if name != "content"])
def test_an_event_without_one_of_its_members_is_malformed(name: str) -> None:
    with pytest.raises(MalformedAnswer, match=name):
        event_of({key: value for key, value in DOCUMENT.items() if key != name})
