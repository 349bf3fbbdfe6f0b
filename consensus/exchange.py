"""STATUS: who lacks what, and sending it again (consensus.md 16).

STATUS goes round every few hundred milliseconds, also when idle, and is answered with the
certificate or the votes that the other one lacks. So no message has to arrive at the first try,
and after a restart of all nodes the chain goes on by itself.
"""

from collections.abc import Iterable

from chain.types import PublicKey
from chain.vote import Vote
from consensus.effects import Effect, Send
from consensus.messages import Certified, Commit, Message, Prepare, Status
from consensus.predicates import leave_reason
from consensus.state import PEERS_MAX, ReplicaState
from consensus.sync import request_blocks


def make_status(state: ReplicaState) -> Status:
    """Returns where this replica is."""
    instance = state.instance
    return Status(
        height=state.height,
        view=instance.view,
        head_hash=state.head_hash,
        leave_reason=leave_reason(state),
        prepares=sum(1 for vote in instance.prepares.values() if vote.view == instance.view),
        commits=sum(1 for vote in instance.commits.values() if vote.view == instance.view),
        has_proposal=instance.proposal is not None,
    )


def on_status(state: ReplicaState, sender: PublicKey, status: Status) -> list[Effect]:
    """Remembers a peer's STATUS and sends what it lacks, or asks for what this node lacks."""
    if sender not in state.peers and len(state.peers) >= PEERS_MAX:
        return []
    state.peers[sender] = status
    if status.height > state.height + 1:
        return request_blocks(state, sender)
    if status.height > state.height:
        return []
    if status.height < state.height:
        return _answer_from_above(state, sender, status)
    if state.validators.index_of(sender) is None:
        return []
    messages = _missing_messages(state, status)
    return [Send(peer=sender, message=message) for message in messages]


def _answer_from_above(state: ReplicaState, sender: PublicKey, status: Status) -> list[Effect]:
    effects: list[Effect] = []
    if status.height + 1 == state.height and state.head_certificate is not None:
        effects.append(Send(peer=sender, message=Certified(certificate=state.head_certificate)))
    if state.validators.index_of(sender) is None:
        # Broadcasts go to validators; an observer learns of new heights by asking.
        effects.append(Send(peer=sender, message=make_status(state)))
    return effects


def _missing_messages(state: ReplicaState, status: Status) -> list[Message]:
    """Returns what a peer at the same height lacks, judging by its STATUS."""
    instance = state.instance
    if instance.certificate is not None:
        # Those who prepared the block may lack just this, and this node waits for their block.
        return [Certified(certificate=instance.certificate)]
    if status.view > instance.view:
        return []
    if not instance.is_active:
        own = None if state.own_index is None else instance.view_changes.get(state.own_index)
        return [] if own is None else [own]
    if status.view < instance.view:
        return [] if instance.new_view is None else [instance.new_view]
    messages: list[Message] = []
    if not status.has_proposal and instance.proposal is not None:
        messages.append(instance.proposal if instance.new_view is None else instance.new_view)
    messages += [
        Prepare(vote=vote)
        for vote in _votes_to_send(state, instance.prepares.values(), status.prepares)
    ]
    messages += [
        Commit(vote=vote)
        for vote in _votes_to_send(state, instance.commits.values(), status.commits)
    ]
    return messages


def _votes_to_send(state: ReplicaState, votes: Iterable[Vote], held: int) -> list[Vote]:
    """Returns the votes of this view for a peer that holds so many of them.

    The own vote always, while the peer has no quorum; those of others only where the peer has
    fewer, since their links to it may be down.
    """
    if held >= state.validators.quorum:
        return []
    current = [vote for vote in votes if vote.view == state.instance.view]
    if held < len(current):
        return sorted(current, key=lambda vote: vote.signer)
    return [vote for vote in current if vote.signer == state.own_index]
