"""The normal case: PRE-PREPARE, PREPARE, COMMIT (PBFT section 4.2, consensus.md 2-7).

::

    primary   ProposalAssembled -> persist -> PRE-PREPARE ─┐
    backup    PRE-PREPARE -> JudgeProposal -> ProposalJudged -> persist -> PREPARE ─┐
    all       PRE-PREPARE + q-1 PREPAREs of others = prepared -> persist -> COMMIT ─┐
    all       q COMMITs = commit certificate -> CommitBlock

In views above 0 the proposal comes inside a NEW-VIEW (:mod:`consensus.view_change`); from there
the way is the same.
"""

from chain.certificate import commit_certificate_of, prepared_certificate_of
from chain.types import PublicKey
from chain.vote import Vote, VoteKind
from consensus.authenticate import Signed
from consensus.commitment import certify, commit_if_held
from consensus.effects import Broadcast, Effect, JudgeProposal, ReportFault, Send
from consensus.events import ProposalAssembled, ProposalJudged
from consensus.journal import PreparedRecord, ProposalRecord
from consensus.messages import Commit, NewView, Prepare, PrePrepare
from consensus.predicates import (
    accepted_candidate,
    fresh_fault,
    header_fault,
    is_primary,
    matching_votes,
    may_vote,
    own_vote,
    prepares_for_proposal,
    primary_of,
)
from consensus.state import Candidate, ReplicaState
from consensus.voting import on_conflict, on_own_vote_seen, persist, sign


def on_pre_prepare(state: ReplicaState, signed: Signed[PrePrepare]) -> list[Effect]:
    """Takes a proposal of view 0, the only view in which one stands on its own.

    * it is for view 0, and this node is in view 0;
    * it is the first of this primary, else it is evidence or known;
    * its header obeys every rule that can be checked without executing.
    """
    message, instance = signed.message, state.instance
    if message.vote.view != 0 or instance.view != 0:
        return []
    if message.vote.signer == state.own_index:
        return on_own_vote_seen(state, message.vote)
    if instance.primary_vote is not None and instance.primary_vote.digest != message.vote.digest:
        return on_conflict(state, instance.primary_vote, message.vote)
    instance.primary_vote = message.vote
    if instance.proposal is not None:
        return []
    fault = header_fault(state, message.header, message.transaction_ids) or fresh_fault(
        state, message.header, message.vote.view
    )
    if fault is not None:
        return report_proposal(state, fault)
    return adopt_proposal(state, message, signed.sender)


def report_proposal(state: ReplicaState, fault: str) -> list[Effect]:
    """Reports this view's primary for its proposal, once; peers may pass it on again and again."""
    instance = state.instance
    if instance.has_reported:
        return []
    instance.has_reported = True
    primary = primary_of(state, instance.view)
    return [ReportFault(peer=primary, reason=f"proposal of view {instance.view}: {fault}")]


def adopt_proposal(state: ReplicaState, proposal: PrePrepare, source: PublicKey) -> list[Effect]:
    """Makes a checked proposal this view's and has it judged, unless it was already."""
    instance = state.instance
    assert instance.is_active, "a proposal is adopted in an active view"
    block_hash = proposal.vote.digest
    instance.proposal = proposal
    keep_candidates(state)
    candidate = instance.candidates.get(block_hash)
    if candidate is not None and candidate.is_accepted:
        return prepare(state)
    instance.candidates[block_hash] = Candidate(
        header=proposal.header, transaction_ids=proposal.transaction_ids
    )
    return [
        JudgeProposal(
            header=proposal.header, transaction_ids=proposal.transaction_ids, source=source
        )
    ]


def keep_candidates(state: ReplicaState) -> None:
    """Forgets blocks that nothing points to any more."""
    instance = state.instance
    kept = {
        None if instance.proposal is None else instance.proposal.vote.digest,
        None if instance.prepared is None else instance.prepared.block_hash,
        None if instance.certificate is None else instance.certificate.block_hash,
        instance.wanted,
    }
    instance.candidates = {
        block_hash: candidate
        for block_hash, candidate in instance.candidates.items()
        if block_hash in kept
    }


def on_proposal_assembled(state: ReplicaState, event: ProposalAssembled) -> list[Effect]:
    """Proposes the block that this node, as primary of view 0, has built and executed.

    An answer for another height or view, or a second one, is stale and ignored.
    """
    instance = state.instance
    assert instance.view == 0, "higher views propose with a NEW-VIEW"
    pre_prepare = sign_proposal(state, event)
    if pre_prepare is None:
        return []
    return propose(state, pre_prepare, new_view=None)


def sign_proposal(state: ReplicaState, event: ProposalAssembled) -> PrePrepare | None:
    """Signs the PRE-PREPARE of a freshly built block and keeps the block as accepted."""
    fault = header_fault(state, event.header, event.transaction_ids)
    assert fault is None, f"the own proposal breaks a rule: {fault}"
    block_hash = event.header.hash
    vote = sign(state, VoteKind.PRE_PREPARE, state.instance.view, block_hash)
    if vote is None:
        return None
    state.instance.candidates[block_hash] = Candidate(
        header=event.header,
        transaction_ids=event.transaction_ids,
        transactions=event.transactions,
        is_accepted=True,
    )
    return PrePrepare(header=event.header, transaction_ids=event.transaction_ids, vote=vote)


def propose(state: ReplicaState, pre_prepare: PrePrepare, new_view: NewView | None) -> list[Effect]:
    """Persists and sends this primary's proposal of its view."""
    instance = state.instance
    instance.proposal = pre_prepare
    instance.primary_vote = pre_prepare.vote
    keep_candidates(state)
    record = proposal_record(state, new_view=new_view, own_prepare=None)
    return [
        persist(state, record),
        Broadcast(message=pre_prepare if new_view is None else new_view),
        *advance(state),
    ]


def proposal_record(
    state: ReplicaState, *, new_view: NewView | None, own_prepare: Vote | None
) -> ProposalRecord:
    """Returns the journal record of this view's proposal, with every body not yet durable."""
    candidate = accepted_candidate(state)
    assert candidate is not None, "only an accepted block is journaled"
    has_bodies = not candidate.is_journaled
    candidate.is_journaled = True
    return ProposalRecord(
        pre_prepare=state.instance.proposal if new_view is None else None,
        new_view=new_view,
        transactions=candidate.transactions if has_bodies else (),
        has_bodies=has_bodies,
        prepare=own_prepare,
    )


def on_proposal_judged(state: ReplicaState, event: ProposalJudged) -> list[Effect]:
    """Takes the verdict on a block: PREPARE if it is this view's proposal and valid.

    A refused proposal gets no PREPARE, ever; the view timer does the rest.
    """
    instance = state.instance
    candidate = instance.candidates.get(event.block_hash)
    if candidate is None or candidate.is_accepted:
        return []
    is_proposed = (
        instance.proposal is not None and instance.proposal.vote.digest == event.block_hash
    )
    if event.fault is not None:
        # Forgotten, so that a later view has it judged afresh.
        del instance.candidates[event.block_hash]
        if not is_proposed:
            return []
        return report_proposal(state, f"block {event.block_hash.hex()}: {event.fault}")
    candidate.is_accepted = True
    candidate.transactions = event.transactions
    effects = commit_if_held(state)
    if is_proposed and not effects:
        effects += prepare(state)
    return effects


def prepare(state: ReplicaState) -> list[Effect]:
    """Agrees with this view's proposal: executed, same roots, every body held."""
    instance = state.instance
    assert instance.proposal is not None
    assert accepted_candidate(state) is not None
    if is_primary(state):
        return advance(state)
    vote = sign(state, VoteKind.PREPARE, instance.view, instance.proposal.vote.digest)
    if vote is None:
        return []
    instance.prepares[vote.signer] = vote
    record = proposal_record(state, new_view=instance.new_view, own_prepare=vote)
    return [persist(state, record), Broadcast(message=Prepare(vote=vote)), *advance(state)]


def advance(state: ReplicaState) -> list[Effect]:
    """Sends COMMIT once this view's proposal is prepared (consensus.md 7)."""
    instance = state.instance
    proposal = instance.proposal
    if proposal is None or not instance.is_active or accepted_candidate(state) is None:
        return []
    if not may_vote(state) or own_vote(state, VoteKind.COMMIT) is not None:
        return []
    if not is_primary(state) and own_vote(state, VoteKind.PREPARE) is None:
        return []
    prepares = prepares_for_proposal(state)
    if 1 + len(prepares) < state.validators.quorum:
        return []
    certificate = prepared_certificate_of(proposal.vote, prepares) if prepares else None
    vote = sign(state, VoteKind.COMMIT, instance.view, proposal.vote.digest)
    if vote is None:
        return []
    instance.prepared = certificate
    instance.commits[vote.signer] = vote
    record = PreparedRecord(certificate=certificate, commit=vote)
    return [persist(state, record), Broadcast(message=Commit(vote=vote)), *tally(state, vote)]


def tally(state: ReplicaState, vote: Vote) -> list[Effect]:
    """Commits once q COMMITs of one view for one block are held; in any view."""
    votes = matching_votes(state.instance.commits.values(), view=vote.view, digest=vote.digest)
    if len(votes) < state.validators.quorum:
        return []
    return certify(state, commit_certificate_of(votes))


def on_prepare(state: ReplicaState, signed: Signed[Prepare]) -> list[Effect]:
    """Counts a PREPARE: one slot for each validator, that of its highest view."""
    vote = signed.message.vote
    if vote.signer == state.own_index:
        return on_own_vote_seen(state, vote)
    known = state.instance.prepares.get(vote.signer)
    if known is not None and known.view == vote.view:
        return on_conflict(state, known, vote)
    state.instance.prepares[vote.signer] = vote
    return [*_show_own_proposal(state, vote), *advance(state)]


def _show_own_proposal(state: ReplicaState, vote: Vote) -> list[Effect]:
    """Sends this view's proposal to a validator that has agreed to another one.

    Only an equivocating primary makes that happen; so the two halves that it tried to part find
    the evidence. At most once for each validator and view, as is a first PREPARE.
    """
    instance = state.instance
    proposal = instance.proposal
    if proposal is None or vote.view != instance.view or vote.digest == proposal.vote.digest:
        return []
    return [Send(peer=state.validators.keys[vote.signer], message=instance.new_view or proposal)]


def on_commit(state: ReplicaState, signed: Signed[Commit]) -> list[Effect]:
    """Counts a COMMIT: one slot for each validator, that of its highest view."""
    vote = signed.message.vote
    if vote.signer == state.own_index:
        return on_own_vote_seen(state, vote)
    known = state.instance.commits.get(vote.signer)
    if known is not None and known.view == vote.view:
        return on_conflict(state, known, vote)
    state.instance.commits[vote.signer] = vote
    return tally(state, vote)
