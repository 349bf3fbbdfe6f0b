"""The account: a key that may send transactions, its organisation and roles."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import Identifier, Length, Milliseconds, Name, PublicKey


class Role(IntEnum):
    """What an account may do."""

    ADMIN = 1
    """Registers accounts, sites, meters of its organisation; second signature of exchanges."""
    OPERATOR = 2
    """Runs meters of its organisation: submits readings, takes care of alerts."""
    GATEWAY = 3
    """A device that submits readings for meters of its organisation and does nothing else."""
    CERTIFIER = 4
    """A certification body's officer: reviews cases of any organisation, sets factors."""
    AUDITOR = 5
    """Reads; sends nothing that changes the state."""


Roles = Annotated[tuple[Role, ...], Length(1, len(Role))]
"""Ascending, each once."""
DUTIES: Final = (
    frozenset({Role.OPERATOR, Role.GATEWAY}),
    frozenset({Role.ADMIN}),
    frozenset({Role.CERTIFIER}),
    frozenset({Role.AUDITOR}),
)
"""Who measures does not approve, who approves does not judge: the roles of one key are of one of
these. Ours, after the separation of duties that auditors ask for (ISO/IEC 27001, A.5.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Record):
    """A registered key."""

    public_key: PublicKey
    name: Name
    organisation: Identifier
    roles: Roles
    registered_ms: Milliseconds
    revoked_ms: Milliseconds | None
    """Block time from which the key may send nothing more; None while active."""


ACCOUNT_PREFIX: Final = b"account/"


def account_key(public_key: PublicKey) -> bytes:
    """Returns the state key of an account."""
    return ACCOUNT_PREFIX + public_key.hex().encode()
