"""The consensus journal: what must survive a crash before a message may leave (consensus.md 5).

Records of one height, in the order in which they were made; the shell forgets them when the
height has committed. They hold this node's own votes together with everything that the votes rest
on, so that after all nodes have restarted a prepared block can be proposed again: header, ids and
bodies. Recovery is the start-up path: a new node has an empty journal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from chain.block import BLOCK_TRANSACTIONS_LIMIT
from chain.certificate import PreparedCertificate
from chain.codec import Record, TagTable
from chain.types import Height, Length
from chain.vote import Vote
from consensus.messages import NewView, PrePrepare, ViewChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord(Record):
    """A proposal that was made or accepted here, written before PRE-PREPARE or PREPARE leaves."""

    pre_prepare: PrePrepare | None
    """The proposal of view 0; None where a NEW-VIEW holds it."""
    new_view: NewView | None
    """The NEW-VIEW that justifies a proposal of a higher view."""
    transactions: Annotated[tuple[bytes, ...], Length(0, BLOCK_TRANSACTIONS_LIMIT)]
    """Bodies in order."""
    has_bodies: bool
    """False where an earlier record of this height already holds the bodies."""
    prepare: Vote | None
    """Own PREPARE; None at the primary, whose PRE-PREPARE stands for it."""

    @property
    def proposal(self) -> PrePrepare:
        """Returns the PRE-PREPARE, wherever it stands."""
        if self.new_view is not None:
            return self.new_view.proposal
        assert self.pre_prepare is not None, "a proposal record holds one proposal"
        return self.pre_prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRecord(Record):
    """Own COMMIT and the prepared certificate that it rests on."""

    certificate: PreparedCertificate | None
    """None only where a single validator needs no PREPARE of others."""
    commit: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChangeRecord(Record):
    """Own VIEW-CHANGE."""

    view_change: ViewChange


JournalRecord = ProposalRecord | PreparedRecord | ViewChangeRecord

_RECORDS: Final[TagTable[Record]] = TagTable(
    "journal", {1: ProposalRecord, 2: PreparedRecord, 3: ViewChangeRecord}
)


def encode_record(record: JournalRecord) -> bytes:
    """Returns the bytes that a Persist effect carries."""
    return _RECORDS.encode(record)


def decode_record(data: bytes) -> JournalRecord:
    """Parses one record.

    Raises:
        DecodeError: not a record of this journal; the shell has checked its checksum, so this
            means another version or a bug, and the node must not vote.
    """
    record = _RECORDS.decode(data)
    assert isinstance(record, ProposalRecord | PreparedRecord | ViewChangeRecord)
    return record


def height_of(record: JournalRecord) -> Height:
    """Returns the height that a record belongs to."""
    match record:
        case ProposalRecord():
            return record.proposal.vote.height
        case PreparedRecord():
            return record.commit.height
        case ViewChangeRecord():
            return record.view_change.vote.height


def votes_in(record: JournalRecord) -> tuple[Vote, ...]:
    """Returns the votes in a record that may be this node's own, in the order of signing.

    A PRE-PREPARE or NEW-VIEW is the primary's: the caller compares its signer.
    """
    match record:
        case ProposalRecord():
            new_view = () if record.new_view is None else (record.new_view.vote,)
            prepare = () if record.prepare is None else (record.prepare,)
            return (*new_view, record.proposal.vote, *prepare)
        case PreparedRecord():
            return (record.commit,)
        case ViewChangeRecord():
            return (record.view_change.vote,)


def bodies_in(journal: Iterable[bytes]) -> tuple[bytes, ...]:
    """Returns the wire bytes of every transaction in a journal, each once, in order.

    The kernel puts them back into its pool at start, so that it can serve them to peers that
    lack bodies of a block which this node had prepared.

    Raises:
        DecodeError: see :func:`decode_record`.
    """
    found: dict[bytes, None] = {}
    for record in decode_journal(journal):
        if isinstance(record, ProposalRecord):
            found.update(dict.fromkeys(record.transactions))
    return tuple(found)


def decode_journal(journal: Iterable[bytes]) -> Sequence[JournalRecord]:
    """Parses all records.

    Raises:
        DecodeError: see :func:`decode_record`.
    """
    return tuple(decode_record(data) for data in journal)
