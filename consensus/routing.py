"""Sorting messages that carry votes: by height first, then known or new, then by kind.

Cheap questions come before signature checks: a message of another height or one that is already
held costs no verification (consensus.md 9, 35).
"""

from typing import assert_never

from chain.certificate import CommitCertificate
from chain.types import PublicKey
from consensus.authenticate import (
    InvalidMessage,
    signed_commit,
    signed_new_view,
    signed_pre_prepare,
    signed_prepare,
    signed_view_change,
)
from consensus.effects import Effect, ReportFault, Send
from consensus.messages import Certified, Commit, NewView, Prepare, PrePrepare, ViewChange
from consensus.normal_case import on_commit, on_pre_prepare, on_prepare
from consensus.state import AgreementMessage, ReplicaState
from consensus.sync import on_certificate_formed, on_certified
from consensus.view_change import on_new_view, on_view_change


def on_agreement_message(
    state: ReplicaState, sender: PublicKey, message: AgreementMessage
) -> list[Effect]:
    """Handles a message that carries a vote.

    * of this height: verified, unless it is already held, and handled;
    * of the next: kept, one slot for each sender and kind;
    * of the head: answered with the head's certificate, once for each sender;
    * of any other: ignored; STATUS tells who is where.
    """
    _note_vote(state, sender, message)
    height = message.vote.height
    if height == state.height + 1:
        return _keep_for_next(state, sender, message)
    if height + 1 == state.height:
        return _answer_late(state, sender)
    if height != state.height or state.instance.is_committing or is_known(state, message):
        return []
    try:
        return _handle(state, sender, message)
    except InvalidMessage as error:
        return [ReportFault(peer=sender, reason=str(error))]


def _handle(state: ReplicaState, sender: PublicKey, message: AgreementMessage) -> list[Effect]:
    match message:
        case PrePrepare():
            return on_pre_prepare(state, signed_pre_prepare(state, sender, message))
        case Prepare():
            return on_prepare(state, signed_prepare(state, sender, message))
        case Commit():
            effects = on_commit(state, signed_commit(state, sender, message))
            return [*effects, *on_certificate_formed(state, sender)]
        case ViewChange():
            return on_view_change(state, signed_view_change(state, sender, message))
        case NewView():
            return on_new_view(state, signed_new_view(state, sender, message))
        case _:
            assert_never(message)


def _note_vote(state: ReplicaState, sender: PublicKey, message: AgreementMessage) -> None:
    """Remembers who still votes, for metrics; the link vouches for a sender's own votes."""
    vote = message.vote
    if state.validators.index_of(sender) == vote.signer and vote.height <= state.height + 1:
        known = state.last_vote_heights.get(sender, 0)
        state.last_vote_heights[sender] = max(known, vote.height)


def is_known(state: ReplicaState, message: AgreementMessage) -> bool:
    """Returns whether a message can change nothing: already held, or overtaken by a higher view.

    A vote of the same place with another digest is news: it may be evidence.
    """
    instance, vote = state.instance, message.vote
    match message:
        case PrePrepare():
            return vote.view != 0 or instance.view != 0 or message == instance.proposal
        case Prepare():
            held = instance.prepares.get(vote.signer)
        case Commit():
            held = instance.commits.get(vote.signer)
        case ViewChange():
            change = instance.view_changes.get(vote.signer)
            held = None if change is None else change.vote
        case NewView():
            return vote.view < instance.view or message == instance.new_view
        case _:
            assert_never(message)
    return held is not None and (held.view > vote.view or held == vote)


def _keep_for_next(
    state: ReplicaState, sender: PublicKey, message: AgreementMessage
) -> list[Effect]:
    if state.validators.index_of(sender) is not None:
        state.ahead[sender, type(message)] = message
    certificate = _parent_certificate_in(message)
    if certificate is None or certificate.height != state.height:
        return []
    if state.instance.certificate is not None:
        return []
    return on_certified(state, sender, Certified(certificate=certificate))


def _parent_certificate_in(message: AgreementMessage) -> CommitCertificate | None:
    match message:
        case ViewChange():
            return message.parent_certificate
        case NewView():
            return message.view_changes[0].parent_certificate
        case _:
            return None


def _answer_late(state: ReplicaState, sender: PublicKey) -> list[Effect]:
    if state.head_certificate is None or sender in state.instance.answered:
        return []
    if len(state.instance.answered) > state.validators.count:
        return []
    state.instance.answered.add(sender)
    return [Send(peer=sender, message=Certified(certificate=state.head_certificate))]
