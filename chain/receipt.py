"""Receipts and events: what a transaction did, the same on every node.

Receipts are part of the header through ``receipt_root``, so an alert or a refusal is as final and
as provable as the transaction. No text of an unplanned exception ever stands in a receipt
(consensus.md 26).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from chain.codec import Record
from chain.types import Hash, Length, Text


class Status(IntEnum):
    """Outcome of a transaction in a block."""

    OK = 1
    FAILED = 2
    """A contract refused it; ``code`` and ``detail`` say why. It changed nothing."""
    DUPLICATE = 3
    """The same id stands in an earlier block, or earlier in this one. It changed nothing."""


Kind = Annotated[str, Length(1, 64)]
"""Event kind such as ``alert.opened``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Record):
    """Something that a contract tells the world."""

    kind: Kind
    subject: Annotated[str, Length(0, 128)]
    """What it is about: a meter, alert or baseline id."""
    content: bytes
    """Canonical bytes of a record that the kind names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Record):
    """Outcome of one transaction, or of the block's own work where ``transaction_id`` is zero."""

    transaction_id: Hash
    status: Status
    code: Annotated[str, Length(0, 64)] = ""
    """Empty for OK; otherwise a stable name such as ``UNKNOWN_METER``."""
    detail: Text = ""
    """For people: the field, what was expected and what came."""
    result: bytes = b""
    """Canonical bytes that the method returns, such as one code per reading."""
    events: tuple[Event, ...] = ()
