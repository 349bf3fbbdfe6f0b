"""Replacing a primary: VIEW-CHANGE and NEW-VIEW (consensus.md 8, 12, 13).

The shape is that of QBFT, whose safety is machine-checked. A VIEW-CHANGE promises no vote in a
lower view and carries the sender's prepared certificate with the highest view. A NEW-VIEW rests on
q of them and must propose the block of the highest prepared certificate among them, or a fresh one
where there is none; every backup recomputes that choice. Why it is safe: a block that may have been
committed was prepared by q validators, every q VIEW-CHANGEs include an honest one of those, and
its certificate is the highest, or a higher one is for the same block.
"""

from chain.certificate import PreparedCertificate
from chain.evidence import conflict
from chain.types import Hash, PublicKey, View
from chain.vote import Vote, VoteKind
from consensus.authenticate import Signed
from consensus.effects import (
    AssembleProposal,
    Broadcast,
    Effect,
    JudgeProposal,
    ReportFault,
    Send,
)
from consensus.events import ProposalAssembled, ProposalJudged
from consensus.journal import ViewChangeRecord
from consensus.messages import (
    NewView,
    PrePrepare,
    Proposal,
    ProposalRequest,
    ViewChange,
    new_view_digest,
    view_change_digest,
)
from consensus.normal_case import (
    adopt_proposal,
    keep_candidates,
    on_proposal_judged,
    propose,
    sign_proposal,
)
from consensus.predicates import (
    conflicting_prepared,
    fresh_fault,
    header_fault,
    highest_prepared,
    is_primary,
    may_vote,
    primary_of,
    view_to_join,
)
from consensus.state import Candidate, ReplicaState
from consensus.voting import halt, on_conflict, on_own_vote_seen, persist, sign


def leave_view(state: ReplicaState, target: View) -> list[Effect]:
    """Moves to a higher view and says so; promises no vote in a lower one."""
    instance = state.instance
    assert target > instance.view, "views only rise"
    digest = view_change_digest(instance.prepared, state.head_certificate)
    vote = sign(state, VoteKind.VIEW_CHANGE, target, digest)
    if vote is None:
        return []
    message = ViewChange(
        prepared=instance.prepared, parent_certificate=state.head_certificate, vote=vote
    )
    _enter(state, target)
    instance.is_active = False
    instance.view_changes[vote.signer] = message
    record = ViewChangeRecord(view_change=message)
    return [persist(state, record), Broadcast(message=message), *_join_or_lead(state)]


def _enter(state: ReplicaState, view: View) -> None:
    instance = state.instance
    instance.view = view
    state.primary_since_ms = state.now.monotonic_ms
    instance.proposal = None
    instance.new_view = None
    instance.chosen = None
    instance.wanted = None
    instance.assembling = None
    instance.primary_vote = None
    instance.has_reported = False


def on_view_change(state: ReplicaState, signed: Signed[ViewChange]) -> list[Effect]:
    """Counts a VIEW-CHANGE: one slot for each validator, that to its highest view."""
    message, instance = signed.message, state.instance
    vote = message.vote
    if vote.signer == state.own_index:
        return on_own_vote_seen(state, vote)
    known = instance.view_changes.get(vote.signer)
    if known is not None and known.vote.view == vote.view:
        return on_conflict(state, known.vote, vote)
    instance.view_changes[vote.signer] = message
    return [*_check_for_conflict(state), *_join_or_lead(state)]


def _check_for_conflict(state: ReplicaState) -> list[Effect]:
    """Stops where two prepared certificates of one view contradict each other."""
    own = state.instance.prepared
    held = [message.prepared for message in state.instance.view_changes.values()]
    pair = conflicting_prepared(
        certificate for certificate in (own, *held) if certificate is not None
    )
    return [] if pair is None else _on_conflicting_prepared(state, *pair)


def _on_conflicting_prepared(
    state: ReplicaState, one: PreparedCertificate, other: PreparedCertificate
) -> list[Effect]:
    others = {(vote.kind, vote.signer): vote for vote in _votes_of(other)}
    effects: list[Effect] = []
    for vote in _votes_of(one):
        twin = others.get((vote.kind, vote.signer))
        if twin is not None and conflict(vote, twin):
            effects += on_conflict(state, vote, twin)
    return [
        *effects,
        *halt(
            state,
            f"two prepared certificates for height {one.height}, view {one.view}: blocks "
            f"{one.block_hash.hex()} and {other.block_hash.hex()}; more validators are faulty "
            "than the chain survives",
        ),
    ]


def _votes_of(certificate: PreparedCertificate) -> tuple[Vote, ...]:
    height, view, digest = certificate.height, certificate.view, certificate.block_hash
    signed = [(VoteKind.PRE_PREPARE, certificate.primary, certificate.pre_prepare)]
    signed += [(VoteKind.PREPARE, signer, signature) for signer, signature in certificate.prepares]
    return tuple(
        Vote(kind=kind, height=height, view=view, digest=digest, signer=signer, signature=signature)
        for kind, signer, signature in signed
    )


def _join_or_lead(state: ReplicaState) -> list[Effect]:
    """Joins a higher view that f + 1 others are in; begins the own one when q are in it."""
    if not may_vote(state):
        return []
    target = view_to_join(state)
    if target is not None:
        return leave_view(state, target)
    instance = state.instance
    if instance.is_active or instance.chosen is not None or not is_primary(state):
        return []
    ready = [
        instance.view_changes[signer]
        for signer in sorted(instance.view_changes)
        if instance.view_changes[signer].vote.view == instance.view
    ]
    if len(ready) < state.validators.quorum:
        return []
    instance.chosen = tuple(ready[: state.validators.quorum])
    return _begin_view(state)


def _begin_view(state: ReplicaState) -> list[Effect]:
    """Finds what the own NEW-VIEW has to propose; a fresh block waits for work."""
    instance = state.instance
    assert instance.chosen is not None
    certificate = highest_prepared(instance.chosen)
    if certificate is None:
        return []
    instance.wanted = certificate.block_hash
    keep_candidates(state)
    candidate = instance.candidates.get(instance.wanted)
    if candidate is None:
        return request_wanted(state)
    if candidate.is_accepted:
        return _propose_prepared(state, candidate)
    # Header and ids are here, a body or the execution is not: let a holder help.
    return [
        JudgeProposal(
            header=candidate.header,
            transaction_ids=candidate.transaction_ids,
            source=_holders(state, certificate)[0],
        )
    ]


def _holders(state: ReplicaState, certificate: PreparedCertificate) -> tuple[PublicKey, ...]:
    """Returns the others whose votes say that they hold the block and every body."""
    signers = (certificate.primary, *(signer for signer, _ in certificate.prepares))
    keys = state.validators.keys
    return tuple(keys[signer] for signer in signers if signer != state.own_index)


def request_wanted(state: ReplicaState) -> list[Effect]:
    """Asks those who prepared it for the block that the own NEW-VIEW has to propose."""
    instance = state.instance
    if instance.wanted is None or instance.wanted in instance.candidates:
        return []
    assert instance.chosen is not None, "only the choice of a NEW-VIEW wants a block"
    certificate = highest_prepared(instance.chosen)
    assert certificate is not None
    request = ProposalRequest(height=state.height, block_hash=instance.wanted)
    return [Send(peer=peer, message=request) for peer in _holders(state, certificate)]


def on_proposal(state: ReplicaState, sender: PublicKey, message: Proposal) -> list[Effect]:
    """Takes header and ids of the block that the own NEW-VIEW has to propose."""
    instance = state.instance
    if instance.wanted is None or instance.wanted in instance.candidates:
        return []
    if message.header.hash != instance.wanted:
        return []
    fault = header_fault(state, message.header, message.transaction_ids)
    if fault is not None:
        return [ReportFault(peer=sender, reason=f"answer to a request for a proposal: {fault}")]
    instance.candidates[instance.wanted] = Candidate(
        header=message.header, transaction_ids=message.transaction_ids
    )
    return [
        JudgeProposal(header=message.header, transaction_ids=message.transaction_ids, source=sender)
    ]


def on_proposal_request(
    state: ReplicaState, sender: PublicKey, message: ProposalRequest
) -> list[Effect]:
    """Sends header and ids of a block of this height, if they are held."""
    candidate = state.instance.candidates.get(message.block_hash)
    if message.height != state.height or candidate is None:
        return []
    answer = Proposal(header=candidate.header, transaction_ids=candidate.transaction_ids)
    return [Send(peer=sender, message=answer)]


def on_judged(state: ReplicaState, event: ProposalJudged) -> list[Effect]:
    """Takes the verdict on a block: for the own NEW-VIEW, or for this view's proposal."""
    effects = on_proposal_judged(state, event)
    instance = state.instance
    candidate = instance.candidates.get(event.block_hash)
    is_wanted = instance.wanted == event.block_hash and instance.chosen is not None
    if is_wanted and candidate is not None and candidate.is_accepted and not effects:
        return _propose_prepared(state, candidate)
    return effects


def _propose_prepared(state: ReplicaState, candidate: Candidate) -> list[Effect]:
    """Proposes a prepared block again, bytes unchanged (consensus.md 3)."""
    header = candidate.header
    # NEW-VIEW is signed before PRE-PREPARE: the guard knows the order of phases.
    new_view_vote = _sign_new_view(state, header.hash)
    vote = sign(state, VoteKind.PRE_PREPARE, state.instance.view, header.hash)
    if new_view_vote is None or vote is None:
        return []
    proposal = PrePrepare(header=header, transaction_ids=candidate.transaction_ids, vote=vote)
    return _send_new_view(state, proposal, new_view_vote)


def on_assembled(state: ReplicaState, event: ProposalAssembled) -> list[Effect]:
    """Begins the own view with a fresh block, since nothing was prepared."""
    new_view_vote = _sign_new_view(state, event.header.hash)
    proposal = sign_proposal(state, event)
    if new_view_vote is None or proposal is None:
        return []
    return _send_new_view(state, proposal, new_view_vote)


def is_waiting_for_fresh_block(state: ReplicaState) -> bool:
    """Returns whether this primary may begin its view with a block of its own making."""
    instance = state.instance
    return (
        not instance.is_active
        and instance.chosen is not None
        and highest_prepared(instance.chosen) is None
    )


def assemble(state: ReplicaState) -> list[Effect]:
    """Orders a fresh block for this view, once for each reason (work, heartbeat)."""
    instance = state.instance
    if instance.assembling is not None and instance.assembling >= state.is_heartbeat_due:
        return []
    instance.assembling = state.is_heartbeat_due
    return [
        AssembleProposal(
            height=state.height, view=instance.view, is_heartbeat=state.is_heartbeat_due
        )
    ]


def _sign_new_view(state: ReplicaState, block_hash: Hash) -> Vote | None:
    chosen = state.instance.chosen
    assert chosen is not None
    digest = new_view_digest(chosen, block_hash)
    return sign(state, VoteKind.NEW_VIEW, state.instance.view, digest)


def _send_new_view(state: ReplicaState, proposal: PrePrepare, vote: Vote) -> list[Effect]:
    instance = state.instance
    assert instance.chosen is not None
    message = NewView(view_changes=instance.chosen, proposal=proposal, vote=vote)
    instance.new_view = message
    instance.is_active = True
    instance.wanted = None
    return propose(state, proposal, message)


def on_new_view(state: ReplicaState, signed: Signed[NewView]) -> list[Effect]:
    """Enters the view of a NEW-VIEW and takes its proposal.

    * it is for this node's view, which is not active yet, or for a higher one;
    * its VIEW-CHANGEs do not contradict each other;
    * its proposal is the block of the highest prepared certificate among them, or, where there
      is none, a fresh block that obeys the rules for one.
    """
    message, instance = signed.message, state.instance
    view = message.vote.view
    if message.vote.signer == state.own_index:
        return on_own_vote_seen(state, message.vote)
    if view == instance.view and instance.new_view is not None:
        return on_conflict(state, instance.new_view.vote, message.vote)
    assert view > instance.view or not instance.is_active, "routing drops what is overtaken"
    pair = conflicting_prepared(
        change.prepared for change in message.view_changes if change.prepared is not None
    )
    if pair is not None:
        return _on_conflicting_prepared(state, *pair)
    fault = _new_view_fault(state, message)
    if fault is not None:
        return [ReportFault(peer=primary_of(state, view), reason=f"NEW-VIEW: {fault}")]
    _enter(state, view)
    instance.is_active = True
    instance.new_view = message
    instance.primary_vote = message.proposal.vote
    return adopt_proposal(state, message.proposal, signed.sender)


def _new_view_fault(state: ReplicaState, message: NewView) -> str | None:
    """Recomputes the choice and returns how the proposal differs from it, or None."""
    header = message.proposal.header
    certificate = highest_prepared(message.view_changes)
    fault = header_fault(state, header, message.proposal.transaction_ids)
    if fault is not None:
        return fault
    if certificate is None:
        return fresh_fault(state, header, message.vote.view)
    if header.hash != certificate.block_hash:
        return (
            f"expected the block {certificate.block_hash.hex()} that was prepared in view "
            f"{certificate.view}, got {header.hash.hex()}"
        )
    return None
