"""The restatement of a factor: another value for a period that was counted already.

Two accounts sign it. The old value stays under a key of its own, each month that changes keeps its
totals from before beside those of now, and whoever relied on the old ones is told by a revision.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Hash, Identifier, Length, Milliseconds, PublicKey, Text
from contracts.factor_content import FactorContent
from contracts.site_month import Lines, Scope2


class RestatementState(IntEnum):
    """How far a restatement is."""

    PROPOSED = 1
    """Waits for its second signature."""
    APPROVED = 2
    """New readings count by the new value; what was counted before is being carried over."""
    APPLIED = 3
    """Every total is as if the new value had always held."""
    REJECTED = 4


class UserKind(IntEnum):
    """What counts by a factor series."""

    METER = 1
    SITE = 2
    """By meters, activities or as its market factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorUser(Record):
    """Somebody whose months may hold amounts under a series."""

    kind: UserKind
    subject: Identifier
    """Meter or site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement(Record):
    """One restatement of one period of a series."""

    factor_id: Identifier
    number: U32
    """Of the series, from 1."""
    valid_from_ms: Milliseconds
    """Names the period."""
    from_version: U32
    """Version that it replaces by the next one."""
    content: FactorContent
    """What the factor says from now on."""
    reason: Text
    evidence_hash: Hash
    """SHA-256 of the document that the reason refers to; zeros where there is none."""
    state: RestatementState
    proposed_by: PublicKey
    proposed_ms: Milliseconds
    decided_by: PublicKey | None
    """Second signature, or who rejected it."""
    decided_ms: Milliseconds | None
    cursor: Annotated[bytes, Length(0, 256)]
    """State key of the user that is carried over next."""
    cursor_month: U32
    """And its month."""
    changed_month_count: U32
    """Months of meters and sites that were carried over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTotals(Record):
    """What a month of a site came to at a moment."""

    lines: Lines
    scope2: Scope2


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatedMonth(Record):
    """A month of a site before and after a restatement."""

    factor_id: Identifier
    number: U32
    organisation: Identifier
    site: Identifier
    month: U32
    before: MonthTotals
    after: MonthTotals
    applied_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatementCount(Record):
    """How many restatements a series has."""

    count: U32


RESTATEMENT_PREFIX: Final = b"restatement/"
RESTATED_PREFIX: Final = b"restated-month/"


def restatement_key(factor_id: str, number: int) -> bytes:
    """Returns the state key of a restatement."""
    return RESTATEMENT_PREFIX + f"{factor_id}/{number:010d}".encode()


def restatement_count_key(factor_id: str) -> bytes:
    """Returns the state key of the count of a series' restatements."""
    return f"restatement-count/{factor_id}".encode()


def restated_month_key(site_id: str, month: int, factor_id: str, number: int) -> bytes:
    """Returns the state key of a restated month; those of a site sort by month."""
    return RESTATED_PREFIX + f"{site_id}/{month:06d}/{factor_id}/{number:010d}".encode()


def user_prefix(factor_id: str) -> bytes:
    """Returns the prefix of the state keys of a series' users."""
    return f"factor-user/{factor_id}/".encode()


def restatement_count(state: State, factor_id: str) -> int:
    """Returns how many restatements a series has; they are numbered from 1."""
    counted = state.get(RestatementCount, restatement_count_key(factor_id))
    return 0 if counted is None else counted.count


def get_restatement(state: State, factor_id: str, number: int) -> Restatement | None:
    """Returns a restatement, or None."""
    return state.get(Restatement, restatement_key(factor_id, number))


def note_user(state: State, factor_id: str, kind: UserKind, subject: str) -> None:
    """Notes that months of a meter or site may hold amounts under a series."""
    key = user_prefix(factor_id) + f"{kind:d}/{subject}".encode()
    if state.get(FactorUser, key) is None:
        state.put(key, FactorUser(kind=kind, subject=subject))
