"""Journal records: what they hold, and that they come back as they were."""

import pytest

from chain.errors import DecodeError
from chain.vote import VoteKind
from consensus.journal import (
    JournalRecord,
    PreparedRecord,
    ProposalRecord,
    ViewChangeRecord,
    bodies_in,
    decode_record,
    encode_record,
    height_of,
    votes_in,
)
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import (
    commit,
    header,
    new_view,
    pre_prepare,
    prepare,
    prepared,
    view_change,
)

CLUSTER = Cluster(4)
BLOCK = header(CLUSTER, 1, "a")
PROPOSAL = pre_prepare(CLUSTER, 1, BLOCK, "a")
NEW_VIEW = new_view(
    CLUSTER,
    2,
    1,
    [view_change(CLUSTER, signer, 1) for signer in (0, 2, 3)],
    pre_prepare(CLUSTER, 2, BLOCK, "a", view=1),
)
ACCEPTED = ProposalRecord(
    pre_prepare=PROPOSAL,
    new_view=None,
    transactions=(b"one", b"two"),
    has_bodies=True,
    prepare=prepare(CLUSTER, 0, BLOCK.hash).vote,
)
AGAIN = ProposalRecord(
    pre_prepare=None, new_view=NEW_VIEW, transactions=(), has_bodies=False, prepare=None
)
PREPARED = PreparedRecord(
    certificate=prepared(CLUSTER, BLOCK.hash, [0, 2]), commit=commit(CLUSTER, 0, BLOCK.hash).vote
)
LEFT = ViewChangeRecord(view_change=view_change(CLUSTER, 0, 1))


@pytest.mark.parametrize("record", [ACCEPTED, AGAIN, PREPARED, LEFT])
def test_a_record_comes_back_as_it_was(record: JournalRecord) -> None:
    assert decode_record(encode_record(record)) == record


@pytest.mark.parametrize("record", [ACCEPTED, AGAIN, PREPARED, LEFT])
def test_a_record_knows_its_height(record: JournalRecord) -> None:
    assert height_of(record) == 1


@pytest.mark.parametrize(
    ("record", "kinds"),
    [
        (ACCEPTED, [VoteKind.PRE_PREPARE, VoteKind.PREPARE]),
        (AGAIN, [VoteKind.NEW_VIEW, VoteKind.PRE_PREPARE]),
        (PREPARED, [VoteKind.COMMIT]),
        (LEFT, [VoteKind.VIEW_CHANGE]),
    ],
)
def test_votes_come_in_the_order_of_signing(record: JournalRecord, kinds: list[VoteKind]) -> None:
    assert [vote.kind for vote in votes_in(record)] == kinds


def test_the_proposal_is_found_wherever_it_stands() -> None:
    assert ACCEPTED.proposal == PROPOSAL
    assert AGAIN.proposal == NEW_VIEW.proposal


def test_bodies_are_listed_once_and_in_order() -> None:
    journal = [encode_record(record) for record in (ACCEPTED, PREPARED, ACCEPTED, AGAIN)]

    assert bodies_in(journal) == (b"one", b"two")


@pytest.mark.parametrize("damaged", [b"", b"\x90", b"\x91\x09", encode_record(LEFT) + b"\x00"])
def test_bytes_that_are_no_record_are_refused(damaged: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_record(damaged)
