"""Control messages of a link: their bytes and nothing else. Pure, no I/O.

Each is the payload of one frame on lane CONTROL and starts with a byte that names its kind;
integers are big-endian. Decoding is exact: a byte too many or too few is an error.

=======  ====  =======================================================================
kind     byte  fields
=======  ====  =======================================================================
HELLO    1     magic ``TANL``, u16 version, chain_id 32, node_id 32, u8 n, n bytes ASCII
WELCOME  2     none: the hello of the other end is accepted
PING     3     u64 token
PONG     4     u64 token of the ping
GOODBYE  5     u8 reason, u8 n, n bytes ASCII
=======  ====  =======================================================================

Magic and version have the same place in every version of the protocol: the rest of a hello with
another version is not looked at, so that a node can tell an older or newer peer why it leaves.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from p2p.errors import MessageError

PROTOCOL_VERSION: Final = 1
"""Version of frames and control messages; peers must speak the same."""

MAGIC: Final = b"TANL"
"""First bytes of a hello: whoever sends something else is no node."""

CHAIN_ID_BYTES: Final = 32
NODE_ID_BYTES: Final = 32

SOFTWARE_BYTES_MAX: Final = 64
"""Name and version of the program, for people and metrics only."""

DETAIL_BYTES_MAX: Final = 200
"""One line for a log; a peer may not fill one with more."""

_KIND_HELLO: Final = 1
_KIND_WELCOME: Final = 2
_KIND_PING: Final = 3
_KIND_PONG: Final = 4
_KIND_GOODBYE: Final = 5

_HELLO_START: Final = struct.Struct(">B4sH")
_HELLO_REST: Final = struct.Struct(">32s32sB")
_TOKEN: Final = struct.Struct(">BQ")
_GOODBYE: Final = struct.Struct(">BBB")


class Reason(IntEnum):
    """Why a link ends; the number travels, the name is for people and metrics."""

    SHUTDOWN = 1
    """The node stops on purpose."""
    WRONG_VERSION = 2
    WRONG_CHAIN = 3
    WRONG_IDENTITY = 4
    """The hello names another node than the certificate of the link belongs to."""
    NOT_REGISTERED = 5
    """The certificate is not, or no longer, in the registry."""
    WRONG_DIRECTION = 6
    """Of this pair the other node dials; the registries of the two may differ for a moment."""
    REPLACED = 7
    """The same peer opened a newer link, so this one is dead at its end."""
    PROTOCOL_VIOLATION = 8
    TIMEOUT = 9
    """No handshake, no sign of life or no progress of writing in time."""
    OVERLOADED = 10
    """Votes pile up faster than the peer reads; dropping one silently would be worse."""
    CONNECTION_LOST = 11
    """The connection broke without a goodbye; never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """First message of both ends: who I am and what I speak."""

    version: int
    """Protocol version of the sender, 16 bits."""
    chain_id: bytes
    """Hash of the genesis record, 32 bytes; zeros where ``version`` is not ours."""
    node_id: bytes
    """Consensus public key of the sender, 32 bytes; zeros where ``version`` is not ours.

    Only a claim: the certificate of the link decides who the sender is.
    """
    software: str
    """Printable ASCII, at most 64 bytes; decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The hello of the other end is accepted; the link is ready when both have said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Asks for a sign of life."""

    token: int
    """64 bits, returned by the pong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """Answers a ping."""

    token: int
    """The token of that ping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    """Last message of a link."""

    reason: Reason
    detail: str
    """Printable ASCII, at most 200 bytes: expected and got, for the peer's operator."""


ControlMessage = Hello | Welcome | Ping | Pong | Goodbye


def encode_message(message: ControlMessage) -> bytes:
    """Returns the payload of a control frame.

    Args:
        message: The message; texts are reduced to printable ASCII and cut to their limit.

    Returns:
        2 to 260 bytes, or 1 byte for a welcome.
    """
    match message:
        case Hello():
            software = _printable(message.software, SOFTWARE_BYTES_MAX)
            return (
                _HELLO_START.pack(_KIND_HELLO, MAGIC, message.version)
                + _HELLO_REST.pack(message.chain_id, message.node_id, len(software))
                + software
            )
        case Welcome():
            return bytes((_KIND_WELCOME,))
        case Ping():
            return _TOKEN.pack(_KIND_PING, message.token)
        case Pong():
            return _TOKEN.pack(_KIND_PONG, message.token)
        case Goodbye():
            detail = _printable(message.detail, DETAIL_BYTES_MAX)
            return _GOODBYE.pack(_KIND_GOODBYE, message.reason, len(detail)) + detail


def decode_message(payload: bytes) -> ControlMessage:
    """Parses the payload of a control frame.

    Args:
        payload: At least one byte, within the frame limit.

    Returns:
        The message. Of a hello with another version only ``version`` is meaningful.

    Raises:
        MessageError: When the payload is not exactly one control message.
    """
    decode = _DECODERS.get(payload[0])
    if decode is None:
        raise MessageError("control.kind", expected="1 to 5", got=str(payload[0]))
    return decode(payload)


def _decode_hello(payload: bytes) -> Hello:
    if len(payload) < _HELLO_START.size:
        raise MessageError(
            "hello", expected=f"at least {_HELLO_START.size} bytes", got=str(len(payload))
        )
    _, magic, version = _HELLO_START.unpack_from(payload)
    if magic != MAGIC:
        raise MessageError("hello.magic", expected=MAGIC.hex(), got=magic.hex())
    if version != PROTOCOL_VERSION:
        zeros = bytes(32)
        return Hello(version=version, chain_id=zeros, node_id=zeros, software="")
    rest = payload[_HELLO_START.size :]
    if len(rest) < _HELLO_REST.size:
        raise MessageError("hello", expected="chain id, node id and software", got="a short one")
    chain_id, node_id, _ = _HELLO_REST.unpack_from(rest)
    software = _parse_text("hello.software", rest, _HELLO_REST.size, SOFTWARE_BYTES_MAX)
    return Hello(version=version, chain_id=chain_id, node_id=node_id, software=software)


def _decode_welcome(payload: bytes) -> Welcome:
    if len(payload) != 1:
        raise MessageError("welcome", expected="1 byte", got=str(len(payload)))
    return Welcome()


def _decode_ping(payload: bytes) -> Ping:
    return Ping(token=_parse_token("ping", payload))


def _decode_pong(payload: bytes) -> Pong:
    return Pong(token=_parse_token("pong", payload))


def _decode_goodbye(payload: bytes) -> Goodbye:
    if len(payload) < _GOODBYE.size:
        raise MessageError(
            "goodbye", expected=f"at least {_GOODBYE.size} bytes", got=str(len(payload))
        )
    number = payload[1]
    if number not in _REASONS:
        raise MessageError("goodbye.reason", expected=f"1 to {max(_REASONS)}", got=str(number))
    detail = _parse_text("goodbye.detail", payload, _GOODBYE.size, DETAIL_BYTES_MAX)
    return Goodbye(reason=Reason(number), detail=detail)


_REASONS: Final = tuple(int(reason) for reason in Reason)

_DECODERS: Final[Mapping[int, Callable[[bytes], ControlMessage]]] = MappingProxyType(
    {
        _KIND_HELLO: _decode_hello,
        _KIND_WELCOME: _decode_welcome,
        _KIND_PING: _decode_ping,
        _KIND_PONG: _decode_pong,
        _KIND_GOODBYE: _decode_goodbye,
    }
)


def _parse_token(field: str, payload: bytes) -> int:
    if len(payload) != _TOKEN.size:
        raise MessageError(field, expected=f"{_TOKEN.size} bytes", got=str(len(payload)))
    token: int = _TOKEN.unpack(payload)[1]
    return token


def _parse_text(field: str, payload: bytes, start: int, limit: int) -> str:
    """Text to the end of the payload; the byte before ``start`` says how long it is."""
    length = payload[start - 1]
    text = payload[start:]
    if length > limit or len(text) != length:
        raise MessageError(
            field, expected=f"at most {limit} bytes, as many as announced", got=str(len(text))
        )
    if any(not 0x20 <= byte <= 0x7E for byte in text):
        raise MessageError(field, expected="printable ASCII", got=text.hex())
    return text.decode("ascii")


def _printable(text: str, limit: int) -> bytes:
    """Text that the other end accepts: its characters that are not printable become ``?``."""
    return "".join(one if " " <= one <= "~" else "?" for one in text[:limit]).encode("ascii")
