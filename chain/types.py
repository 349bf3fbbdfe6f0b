"""The words of the chain: sizes, bounds and annotated field types that every record shares.

A field type carries its own limits (``Annotated[bytes, Length(32, 32)]``), so that a record's
class body is its wire schema and :mod:`chain.codec` can check every value against it. The
limits here bound single fields; limits of whole messages stand with the message.
"""

from dataclasses import dataclass
from typing import Annotated, Final

HASH_BYTES: Final = 32
"""SHA-256 digest size."""
PUBLIC_KEY_BYTES: Final = 32
"""Ed25519 public key size (RFC 8032)."""
SIGNATURE_BYTES: Final = 64
"""Ed25519 signature size (RFC 8032)."""
NONCE_BYTES: Final = 16
"""Random bytes that make a transaction unique (consensus.md 24)."""
TEXT_BYTES_MAX: Final = 1_024
"""UTF-8 bytes of a free text."""
U64_MAX: Final = 2**64 - 1
I64_MIN: Final = -(2**63)
"""MessagePack holds integers from -2**63 to 2**64 - 1."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of an integer field, both inclusive."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds of a byte string, of a text's UTF-8 bytes or of a tuple's elements, inclusive."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Full-match regular expression that a text field obeys, with words for people."""

    expression: str
    words: str


IDENTIFIER_PATTERN: Final = Pattern(
    r"[a-z0-9][a-z0-9._-]{0,63}", "1 to 64 of a-z 0-9 . _ -, starting with a letter or digit"
)

U8 = Annotated[int, Range(0, 2**8 - 1)]
U16 = Annotated[int, Range(0, 2**16 - 1)]
U32 = Annotated[int, Range(0, 2**32 - 1)]
U64 = Annotated[int, Range(0, U64_MAX)]
I64 = Annotated[int, Range(I64_MIN, 2**63 - 1)]

Height = U64
"""Position of a block; the genesis stands at 0 and the first block at 1."""
View = U64
"""Number of an attempt at one height; starts at 0 at every height."""
Milliseconds = U64
"""A moment in milliseconds since 1970-01-01T00:00:00Z, or a span, as the name says."""

Hash = Annotated[bytes, Length(HASH_BYTES, HASH_BYTES)]
PublicKey = Annotated[bytes, Length(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)]
Signature = Annotated[bytes, Length(SIGNATURE_BYTES, SIGNATURE_BYTES)]
Nonce = Annotated[bytes, Length(NONCE_BYTES, NONCE_BYTES)]
Identifier = Annotated[str, IDENTIFIER_PATTERN]
"""Name of an organisation, site, meter, factor or method: ASCII, safe as part of a state key."""
Name = Annotated[str, Length(1, 128)]
"""A short free text for people, 1 to 128 bytes of UTF-8; never part of a key."""
Text = Annotated[str, Length(0, TEXT_BYTES_MAX)]
"""A free text for people, at most 1,024 bytes of UTF-8; never part of a key."""
