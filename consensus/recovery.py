"""Building a replica's state from chain, journal and guard: the one way to start.

A new node is one with an empty journal. What the journal holds of the height in agreement is put
back as it was, so that the stored bytes are sent again and nothing is signed twice
(consensus.md 5, 6, 32).
"""

from collections.abc import Sequence

from chain.types import PublicKey
from chain.vote import Vote, VoteKind
from consensus.effects import Broadcast, Effect, Persist
from consensus.journal import (
    JournalRecord,
    PreparedRecord,
    ProposalRecord,
    ViewChangeRecord,
    height_of,
    votes_in,
)
from consensus.messages import Commit, Prepare
from consensus.normal_case import keep_candidates, tally
from consensus.sign_guard import SignGuard, compare, complete_guard
from consensus.state import Candidate, ReplicaState


def own_votes_in(records: Sequence[JournalRecord], own_index: int | None) -> tuple[Vote, ...]:
    """Returns this node's own votes in a journal, in the order of signing."""
    return tuple(
        vote for record in records for vote in votes_in(record) if vote.signer == own_index
    )


def recover(state: ReplicaState, records: Sequence[JournalRecord], guard: SignGuard | None) -> None:
    """Compares guard, journal and chain, and puts back the height in agreement."""
    own_votes = own_votes_in(records, state.own_index)
    state.guard = guard
    if guard is not None and records:
        state.guard = complete_guard(guard, own_votes, own_votes_in(records[-1:], state.own_index))
        state.is_guard_behind = state.guard != guard
    if state.signer is not None:
        state.observation = compare(
            state.guard,
            own_votes=own_votes,
            head=state.head,
            head_certificate=state.head_certificate,
            own=(state.signer.public_key, _index_at_head(state, state.signer.public_key)),
        )
    for record in records:
        # A commit overtakes records of its height; the shell may still hand them over.
        if height_of(record) == state.height:
            _restore(state, record)


def _index_at_head(state: ReplicaState, key: PublicKey) -> int | None:
    return None if state.parent_validators is None else state.parent_validators.index_of(key)


def _restore(state: ReplicaState, record: JournalRecord) -> None:
    instance = state.instance
    for vote in votes_in(record):
        if vote.signer == state.own_index:
            instance.own_votes[vote.view, vote.kind] = vote
    match record:
        case ProposalRecord():
            _restore_proposal(state, record)
        case PreparedRecord(certificate=certificate, commit=commit):
            instance.commits[commit.signer] = commit
            instance.prepared = certificate
        case ViewChangeRecord(view_change=view_change):
            instance.view = view_change.vote.view
            instance.is_active = False
            instance.proposal = None
            instance.new_view = None
            instance.primary_vote = None
            instance.view_changes[view_change.vote.signer] = view_change


def _restore_proposal(state: ReplicaState, record: ProposalRecord) -> None:
    instance = state.instance
    proposal = record.proposal
    instance.view = proposal.vote.view
    instance.is_active = True
    instance.proposal = proposal
    instance.new_view = record.new_view
    instance.primary_vote = proposal.vote
    if record.prepare is not None:
        instance.prepares[record.prepare.signer] = record.prepare
    known = instance.candidates.get(proposal.vote.digest)
    if record.has_bodies or known is None:
        instance.candidates[proposal.vote.digest] = Candidate(
            header=proposal.header,
            transaction_ids=proposal.transaction_ids,
            transactions=record.transactions,
            is_accepted=record.has_bodies,
            is_journaled=record.has_bodies,
        )
    keep_candidates(state)


def repair_guard(state: ReplicaState) -> list[Effect]:
    """Returns the write that lets the guard catch up with the journal, if it is behind."""
    if not state.is_guard_behind or state.guard is None:
        return []
    state.is_guard_behind = False
    return [Persist(records=(), guard=state.guard.encode())]


def resend_stored(state: ReplicaState) -> list[Effect]:
    """Returns what this node had sent of its present view, byte for byte."""
    instance, own_index = state.instance, state.own_index
    if own_index is None:
        return []
    if not instance.is_active:
        own_change = instance.view_changes.get(own_index)
        return [] if own_change is None else [Broadcast(message=own_change)]
    effects: list[Effect] = []
    if instance.proposal is not None and instance.proposal.vote.signer == own_index:
        effects.append(Broadcast(message=instance.new_view or instance.proposal))
    own_prepare = instance.own_votes.get((instance.view, VoteKind.PREPARE))
    if own_prepare is not None:
        effects.append(Broadcast(message=Prepare(vote=own_prepare)))
    own_commit = instance.own_votes.get((instance.view, VoteKind.COMMIT))
    if own_commit is not None:
        effects.append(Broadcast(message=Commit(vote=own_commit)))
    return effects


def tally_stored(state: ReplicaState) -> list[Effect]:
    """Commits where the own stored COMMITs alone decide: a single validator hears of no other."""
    own_commits = [
        vote for (_, kind), vote in state.instance.own_votes.items() if kind is VoteKind.COMMIT
    ]
    return tally(state, own_commits[-1]) if own_commits else []
