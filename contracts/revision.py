"""The revision: a mark that what stood on the chain for a span of a site has changed since."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Hash, Height, Identifier, Milliseconds, Name, PublicKey


class RevisionKind(IntEnum):
    """Why numbers changed; a number is never reused."""

    CORRECTION = 1
    """An approved correction of readings."""
    SUBSTITUTE = 2
    """Approved substitutes of missing intervals."""
    RESTATEMENT = 3
    """Another factor or boundary for a span that was counted already."""
    AFTER_CLOSE = 4
    """Readings of a closed month."""
    EQUITY = 5
    """Who holds the site; its own totals are as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision(Record):
    """What changed."""

    organisation: Identifier
    """Owner of the site."""
    site: Identifier
    from_ms: Milliseconds
    """Start of the first interval whose numbers changed."""
    to_ms: Milliseconds
    """End of the last one, exclusive."""
    subject: Name
    """What it happened to, such as ``correction/main/000007``."""
    kind: RevisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRevision(Record):
    """A revision as the state keeps it."""

    number: U32
    """Of the site, from 1."""
    revision: Revision
    height: Height
    recorded_ms: Milliseconds
    """Block time."""
    recorded_by: PublicKey
    """Sender of the transaction that brought it about; zeros for the block's own work."""
    transaction: Hash
    """Its id; zeros for the block's own work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionCount(Record):
    """How many revisions a site has."""

    count: U32


REVISION_PREFIX: Final = b"revision/"


def revision_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's revisions."""
    return REVISION_PREFIX + site_id.encode() + b"/"


def revision_key(site_id: str, number: int) -> bytes:
    """Returns the state key of a revision; those of a site sort by number."""
    return revision_prefix(site_id) + b"%010d" % number


def count_key(site_id: str) -> bytes:
    """Returns the state key of the count of a site's revisions."""
    return b"revision-count/" + site_id.encode()


def revision_count(state: State, site_id: str) -> int:
    """Returns how many revisions a site has; they are numbered from 1."""
    counted = state.get(RevisionCount, count_key(site_id))
    return 0 if counted is None else counted.count
