"""Making votes: the guard decides, the vote is signed, both are persisted, then it is sent.

Also what is done about votes that should not exist: equivocation of others is kept as evidence, and
a vote with this node's own signature that it did not make means that its key is in use elsewhere.
"""

from chain.evidence import conflict, equivocation_of
from chain.types import Hash, View
from chain.vote import Vote, VoteKind, sign_vote
from consensus.effects import Effect, Halt, Persist, RecordEvidence
from consensus.journal import JournalRecord, encode_record
from consensus.predicates import may_vote
from consensus.sign_guard import Allowed, Identical
from consensus.state import ReplicaState


def sign(state: ReplicaState, kind: VoteKind, view: View, digest: Hash) -> Vote | None:
    """Signs a vote at the height in agreement if this node may, and moves the guard.

    The caller must persist the vote and the guard (:func:`persist`) before it sends the vote.

    Returns:
        The vote, or None where this node does not vote or the guard refuses.
    """
    if not may_vote(state) or state.guard is None:
        return None
    assert state.signer is not None, "who may vote has a key"
    decision = state.guard.decide(kind=kind, height=state.height, view=view, digest=digest)
    match decision:
        case Allowed():
            vote = sign_vote(
                state.signer,
                chain_id=state.chain_id,
                validators=state.validators,
                kind=kind,
                height=state.height,
                view=view,
                digest=digest,
            )
            state.guard = state.guard.advance(vote)
        case Identical(vote=vote):
            pass
        case _:
            return None
    state.instance.own_votes[view, kind] = vote
    state.last_vote_heights[state.signer.public_key] = state.height
    return vote


def persist(state: ReplicaState, *records: JournalRecord) -> Persist:
    """Returns the effect that makes records and guard durable together."""
    assert state.guard is not None, "who signs has a guard"
    return Persist(
        records=tuple(encode_record(record) for record in records), guard=state.guard.encode()
    )


def on_conflict(state: ReplicaState, known: Vote, other: Vote) -> list[Effect]:
    """Records two verified votes that contradict each other, once for each signer and kind."""
    place = (known.signer, known.kind)
    if not conflict(known, other) or place in state.instance.exposed:
        return []
    state.instance.exposed.add(place)
    effects: list[Effect] = [RecordEvidence(evidence=equivocation_of(known, other))]
    if known.signer == state.own_index:
        effects += halt(state, "this node's key has signed two conflicting votes")
    return effects


def on_own_vote_seen(state: ReplicaState, vote: Vote) -> list[Effect]:
    """Handles a verified vote with this node's own signature, come from a peer.

    Peers pass on votes, so its own votes come back. One that it did not make shows a loss of
    memory, or a second node with the same key (faults.md C11).
    """
    known = state.instance.own_votes.get((vote.view, vote.kind))
    if known is not None and known.digest == vote.digest:
        return []
    if state.observation is not None:
        # Lost memory is known already, and observing goes on beyond this height.
        return []
    if known is not None:
        return on_conflict(state, known, vote)
    return halt(
        state,
        f"{vote.kind.name} at height {vote.height}, view {vote.view} carries this node's "
        "signature, but it did not make it: another process uses the same key, or the home "
        "directory was restored from a backup",
    )


def halt(state: ReplicaState, reason: str) -> list[Effect]:
    """Stops voting for good; the node goes on following the chain."""
    if state.halt_reason is not None:
        return []
    state.halt_reason = reason
    return [Halt(reason=reason)]
