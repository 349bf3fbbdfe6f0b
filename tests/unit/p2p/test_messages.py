"""Control messages: exact bytes, and every way in which a payload is none."""

import pytest

from p2p.errors import MessageError
from p2p.messages import (
    ControlMessage,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reason,
    Welcome,
    decode_message,
    encode_message,
)

CHAIN = bytes([0xCC]) * 32
NODE = bytes([0xAA]) * 32
HELLO = bytes.fromhex("01 54414e4c 0001") + CHAIN + NODE + b"\x03t 1"


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (Hello(version=1, chain_id=CHAIN, node_id=NODE, software="t 1"), HELLO),
        (Welcome(), b"\x02"),
        (Ping(token=7), bytes.fromhex("03 0000000000000007")),
        (Pong(token=2**64 - 1), bytes.fromhex("04 ffffffffffffffff")),
        (Goodbye(reason=Reason.WRONG_CHAIN, detail="no"), bytes.fromhex("05 03 02 6e6f")),
        (Goodbye(reason=Reason.SHUTDOWN, detail=""), bytes.fromhex("05 01 00")),
    ],
)
def test_each_message_has_its_bytes(message: ControlMessage, payload: bytes) -> None:
    assert encode_message(message) == payload
    assert decode_message(payload) == message


def test_the_numbers_of_the_reasons_never_change() -> None:
    assert [(int(reason), reason.name) for reason in Reason] == [
        (1, "SHUTDOWN"),
        (2, "WRONG_VERSION"),
        (3, "WRONG_CHAIN"),
        (4, "WRONG_IDENTITY"),
        (5, "NOT_REGISTERED"),
        (6, "WRONG_DIRECTION"),
        (7, "REPLACED"),
        (8, "PROTOCOL_VIOLATION"),
        (9, "TIMEOUT"),
        (10, "OVERLOADED"),
        (11, "CONNECTION_LOST"),
    ]


def test_of_a_hello_of_another_version_only_the_version_is_read() -> None:
    assert decode_message(bytes.fromhex("01 54414e4c 0002") + b"whatever") == Hello(
        version=2, chain_id=bytes(32), node_id=bytes(32), software=""
    )


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"\x00", "control.kind"),
        (b"\x06", "control.kind"),
        (HELLO[:6], "hello"),
        (b"\x01HTTP" + HELLO[5:], "hello.magic"),
        (HELLO[:71], "hello"),
        (HELLO[:-1], "hello.software"),
        (HELLO + b"x", "hello.software"),
        (HELLO[:-1] + b"\n", "hello.software"),
        (HELLO[:71] + b"\x41" + b"s" * 65, "hello.software"),
        (b"\x02\x00", "welcome"),
        (b"\x03" + bytes(7), "ping"),
        (b"\x03" + bytes(9), "ping"),
        (b"\x04" + bytes(7), "pong"),
        (b"\x05\x01", "goodbye"),
        (b"\x05\x00\x00", "goodbye.reason"),
        (b"\x05\x0c\x00", "goodbye.reason"),
        (b"\x05\x01\x01", "goodbye.detail"),
        (b"\x05\x01\x01\x1b", "goodbye.detail"),
        (b"\x05\x01\xc9" + b"d" * 201, "goodbye.detail"),
    ],
)
def test_what_is_no_message_is_refused_by_field(payload: bytes, field: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode_message(payload)

    assert caught.value.field == field


def test_texts_at_their_limit_are_taken() -> None:
    software = decode_message(HELLO[:71] + b"\x40" + b"s" * 64)
    goodbye = decode_message(b"\x05\x01\xc8" + b"d" * 200)

    assert isinstance(software, Hello)
    assert software.software == "s" * 64
    assert isinstance(goodbye, Goodbye)
    assert goodbye.detail == "d" * 200


def test_own_texts_are_made_acceptable_to_the_peer() -> None:
    payload = encode_message(Goodbye(reason=Reason.TIMEOUT, detail="碳\n" + "x" * 300))

    assert decode_message(payload) == Goodbye(reason=Reason.TIMEOUT, detail="??" + "x" * 198)
