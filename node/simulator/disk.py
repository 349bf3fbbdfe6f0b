"""A node's disk: database, journal and sign guard, with a crash in the middle of any write.

The shell waits for one write at a time, so that at most one is under way when the node crashes.
A Persist has two parts, journal and guard, which are synced one after the other; a crash keeps a
prefix of them. A batch of the database is there whole or not at all. A recycled journal keeps its
records until the next append, as the files do (:mod:`node.journal_file`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from chain.evidence import Equivocation
from chain.types import Hash, Height, View
from chain.vote import Vote
from consensus.journal import decode_record, votes_in
from consensus.replica import initial_guard
from node.memory_database import MemoryDatabase
from node.ports import StoredBlock
from node.storage import ChainStore

VotePlace = tuple[int, Height, View, Hash]
"""Kind, height, view and digest of a vote."""


def place_of(vote: Vote) -> VotePlace:
    """Returns what identifies one of a signer's votes."""
    return int(vote.kind), vote.height, vote.view, vote.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalImage:
    """Journal and guard at one moment, as a backup would hold them."""

    records: tuple[bytes, ...]
    guard: bytes | None


class SimulatedDisk:
    """What one node has made durable (:class:`node.ports.JournalStore` for reading)."""

    def __init__(self) -> None:
        self.store = ChainStore(MemoryDatabase())
        self.durable_votes: set[VotePlace] = set()
        """Every vote that a record of this journal ever held; only for membership."""
        self._records: list[bytes] = []
        self._guard: bytes | None = initial_guard()
        self._is_recycled = False

    # -- what the kernel reads at start --------------------------------------------------------

    def load_journal(self) -> Sequence[bytes]:
        """Returns the records since the last commit, or older ones."""
        self._is_recycled = False
        return tuple(self._records)

    def load_guard(self) -> bytes | None:
        """Returns the guard's bytes, or None where it is lost."""
        return self._guard

    # -- what the shell writes -----------------------------------------------------------------

    def persist(self, records: Sequence[bytes], guard: bytes | None) -> None:
        """Makes records and guard durable."""
        self._append(records)
        if guard is not None:
            self._guard = guard

    def persist_torn(
        self, records: Sequence[bytes], guard: bytes | None, *, random: Random
    ) -> None:
        """Makes a prefix of a Persist durable: nothing, the records, or both."""
        parts = random.randrange(3)
        if parts:
            self.persist(records, guard if parts == 2 else None)

    def commit(self, stored: StoredBlock) -> None:
        """Makes a block durable."""
        self.store.commit(stored)

    def recycle(self) -> None:
        """Lets the next append start the journal anew."""
        self._is_recycled = True

    def keep_evidence(self, evidence: Equivocation) -> None:
        """Keeps nothing: the checkers see evidence as an effect."""

    # -- faults --------------------------------------------------------------------------------

    def image(self) -> JournalImage:
        """Returns a copy of journal and guard."""
        return JournalImage(records=tuple(self._records), guard=self._guard)

    def restore(self, image: JournalImage) -> None:
        """Puts an older journal and guard back: a backup, or a disk that lied."""
        self._records = list(image.records)
        self._guard = image.guard
        self._is_recycled = False

    def _append(self, records: Sequence[bytes]) -> None:
        if not records:
            return
        if self._is_recycled:
            self._records.clear()
            self._is_recycled = False
        self._records += records
        for record in records:
            self.durable_votes.update(place_of(vote) for vote in votes_in(decode_record(record)))
