"""What became of a transaction, in the words of the whole system."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import Hash, Height, Length, Range


class OutcomeState(IntEnum):
    """How far a transaction has come; the first four stand in answers of a node."""

    ACCEPTED = 1
    """In the pool of a node; nothing more is promised."""
    COMMITTED = 2
    """In a final block, and it did what it says."""
    FAILED = 3
    """In a final block, and refused by its contract."""
    REFUSED = 4
    """Not taken by a node."""
    EXPIRED = 5
    """In no block, and no block can hold it any more."""
    UNRESOLVED = 6
    """Nobody can tell yet: sent, but no answer came."""


FINAL_STATES: Final = frozenset(
    {OutcomeState.COMMITTED, OutcomeState.FAILED, OutcomeState.REFUSED, OutcomeState.EXPIRED}
)
"""Nothing more happens to these bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of one transaction."""

    transaction_id: Hash
    state: OutcomeState
    code: str = ""
    """Of a refusal or a failed receipt, or of the last obstacle where nobody can tell yet;
    otherwise empty."""
    detail: str = ""
    height: Height | None = None
    """Of its block, where it stands in one."""
    position: int | None = None

    @property
    def is_final(self) -> bool:
        """Returns whether nothing more happens to these bytes."""
        return self.state in FINAL_STATES


class AnsweredState(IntEnum):
    """The states that a node's answer holds."""

    ACCEPTED = 1
    COMMITTED = 2
    FAILED = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredResult(Record):
    """One element of a node's MessagePack answer to a submission."""

    transaction_id: Hash | None
    """None where the bytes were no transaction."""
    state: AnsweredState
    code: Annotated[str, Length(0, 64)]
    detail: Annotated[str, Length(0, 65_536)]
    height: Height | None
    position: Annotated[int, Range(0, 2**32 - 1)] | None
