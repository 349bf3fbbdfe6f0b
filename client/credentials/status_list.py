"""Bitstring Status List (W3C Recommendation 1.0): one bit for each certificate of a body.

Bit 0 is the leftmost of the first byte. A list has at least 131,072 entries, so that asking for one
tells nothing of which certificate is meant; it is compressed with GZIP and written in base64url
without padding after the multibase prefix ``u``.
"""

import base64
import binascii
import zlib
from collections.abc import Iterable
from typing import Final

from client.errors import InvalidCredential

ENTRIES_MIN: Final = 131_072
"""Entries of a list at least (Bitstring Status List 1.0, 6.1)."""
LIST_BYTES_MAX: Final = 1_048_576
"""Longest list that is unpacked; a small text could unpack to gigabytes."""
_HEADER: Final = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"
"""GZIP of RFC 1952: deflate, no name, no time, best compression, system unknown. The time is left
out so that one list has one text."""
_LEVEL: Final = 9


def encode_list(indexes: Iterable[int], entries: int = ENTRIES_MIN) -> str:
    """Returns a list in which exactly the given entries are set.

    Args:
        indexes: each below ``entries``.
        entries: a multiple of 8, at least :data:`ENTRIES_MIN`.
    """
    assert entries >= ENTRIES_MIN, "a shorter list gives away what is asked for"
    assert entries % 8 == 0, "a list has whole bytes"
    bits = bytearray(entries // 8)
    for index in indexes:
        byte, position = divmod(index, 8)
        bits[byte] |= 0x80 >> position
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(bytes(bits)) + deflate.flush()
    trailer = zlib.crc32(bits).to_bytes(4, "little") + len(bits).to_bytes(4, "little")
    text = base64.urlsafe_b64encode(_HEADER + packed + trailer)
    return "u" + text.decode().rstrip("=")


def decode_list(text: str) -> bytes:
    """Returns the bits of a list.

    Raises:
        InvalidCredential: another base, no GZIP, shorter or longer than a list may be.
    """
    if not text.startswith("u"):
        raise InvalidCredential(
            f"encodedList: expected base64url, which begins with u, got {text[:20]!a}"
        )
    try:
        padded = text[1:] + "=" * (-len(text[1:]) % 4)
        packed = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        bits = unpacker.decompress(packed, LIST_BYTES_MAX + 1)
    except (binascii.Error, UnicodeEncodeError, zlib.error) as error:
        raise InvalidCredential(f"encodedList: expected GZIP in base64url, got {error}") from None
    if not ENTRIES_MIN <= 8 * len(bits) <= 8 * LIST_BYTES_MAX:
        raise InvalidCredential(
            f"encodedList: expected {ENTRIES_MIN} to {8 * LIST_BYTES_MAX} entries, got "
            f"{8 * len(bits)}" + (" or more" if len(bits) > LIST_BYTES_MAX else "")
        )
    if not unpacker.eof or unpacker.unused_data:
        raise InvalidCredential("encodedList: expected one whole GZIP member, got another length")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    """Returns whether an entry is set.

    Raises:
        InvalidCredential: the list has no such entry.
    """
    if not 0 <= index < 8 * len(bits):
        raise InvalidCredential(
            f"statusListIndex: expected below {8 * len(bits)}, the length of the list, got {index}"
        )
    byte, position = divmod(index, 8)
    return bool(bits[byte] & 0x80 >> position)
