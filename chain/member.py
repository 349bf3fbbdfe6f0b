"""Members of the consortium: the nodes that the chain knows, and what each may do.

The registry stands in state, one record a node, so that a change of membership is a transaction
and links between nodes trust exactly what the chain says (consensus.md 34). The validator set is
derived from it and kept beside it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import Identifier, Length, Pattern, PublicKey, Range

MEMBER_PREFIX: Final = b"member/"
"""Namespace of the registry in state."""
CERTIFICATE_BYTES_MAX: Final = 4_096
"""A self-signed Ed25519 certificate has about 350 bytes of DER; an RSA one about 1,200."""

HOST_PATTERN: Final = Pattern(
    r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?|::1",
    "a host name, an IPv4 or an IPv6 address without brackets, at most 253 characters",
)

Host = Annotated[str, HOST_PATTERN]
Port = Annotated[int, Range(1, 65_535)]


class MemberRole(IntEnum):
    """What a node does for the consortium."""

    VALIDATOR = 1
    """Votes on blocks."""
    OBSERVER = 2
    """Follows the chain, checks it and serves it; has no vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Record):
    """One node of the consortium."""

    node_id: Identifier
    """Name such as ``node-1``; unique."""
    organisation: Identifier
    """Organisation that runs it."""
    role: MemberRole
    consensus_key: PublicKey
    """Ed25519 key that signs votes; an observer's says who it is and never votes."""
    tls_certificate: Annotated[bytes, Length(1, CERTIFICATE_BYTES_MAX)]
    """DER of the self-signed certificate that its links present, compared byte by byte."""
    host: Host
    """Where the other nodes reach it."""
    port: Port


def member_key(node_id: Identifier) -> bytes:
    """Returns the state key of a member's record."""
    return MEMBER_PREFIX + node_id.encode()
