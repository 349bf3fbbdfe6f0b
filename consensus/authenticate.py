"""From what a peer sent to what may be acted on: parse, don't validate.

A :class:`Signed` message is built here and nowhere else, and handlers ask for it, so that an
unchecked message cannot reach one without a type error. Digests are recomputed from the received
content, never believed (consensus.md 2). All checks are against the height in agreement; the
caller has already sorted out messages of other heights, and budgets come before signatures.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from chain.certificate import CommitCertificate, PreparedCertificate
from chain.errors import ChainError, InvalidCertificate
from chain.types import Hash, PublicKey
from chain.vote import Vote, VoteKind
from consensus.messages import (
    Commit,
    NewView,
    Prepare,
    PrePrepare,
    ViewChange,
    new_view_digest,
    view_change_digest,
)
from consensus.predicates import primary_index
from consensus.state import AgreementMessage, ReplicaState

VIEW_MAX: Final = 2**63
"""No timer ever gets there; keeps view + 1 inside 64 bits."""

MessageT = TypeVar("MessageT", bound=AgreementMessage)


class InvalidMessage(ChainError):
    """A message that no honest validator sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[MessageT]):
    """A message whose every signature and certificate has been verified."""

    sender: PublicKey
    """Peer at the other end of the link; it may pass on the message of another."""
    message: MessageT


def signed_pre_prepare(
    state: ReplicaState, sender: PublicKey, message: PrePrepare
) -> Signed[PrePrepare]:
    """Verifies a PRE-PREPARE: its primary signed this very header.

    Raises:
        InvalidMessage: names what was expected and what came.
    """
    _check_primary_vote(state, message.vote, VoteKind.PRE_PREPARE, message.header.hash)
    return Signed(sender=sender, message=message)


def signed_prepare(state: ReplicaState, sender: PublicKey, message: Prepare) -> Signed[Prepare]:
    """Verifies a PREPARE: of a validator other than the primary of its view.

    Raises:
        InvalidMessage: names what was expected and what came.
    """
    _check_vote(state, message.vote, VoteKind.PREPARE)
    if message.vote.signer == primary_index(state, message.vote.view):
        raise InvalidMessage("PREPARE: expected one of a backup, got the primary's own")
    return Signed(sender=sender, message=message)


def signed_commit(state: ReplicaState, sender: PublicKey, message: Commit) -> Signed[Commit]:
    """Verifies a COMMIT.

    Raises:
        InvalidMessage: names what was expected and what came.
    """
    _check_vote(state, message.vote, VoteKind.COMMIT)
    return Signed(sender=sender, message=message)


def signed_view_change(
    state: ReplicaState, sender: PublicKey, message: ViewChange
) -> Signed[ViewChange]:
    """Verifies a VIEW-CHANGE with every certificate in it (consensus.md 8).

    Raises:
        InvalidMessage: names what was expected and what came.
    """
    _check_view_change(state, message)
    return Signed(sender=sender, message=message)


def signed_new_view(state: ReplicaState, sender: PublicKey, message: NewView) -> Signed[NewView]:
    """Verifies a NEW-VIEW: its primary, q VIEW-CHANGEs of its view, and its PRE-PREPARE.

    Whether the proposal is the one that follows from the VIEW-CHANGEs is the handler's to decide.

    Raises:
        InvalidMessage: names what was expected and what came.
    """
    vote = message.vote
    if vote.view == 0:
        raise InvalidMessage("NEW-VIEW: expected a view above 0, got 0")
    block_hash = message.proposal.header.hash
    _check_primary_vote(
        state, vote, VoteKind.NEW_VIEW, new_view_digest(message.view_changes, block_hash)
    )
    proposed = message.proposal.vote
    if (proposed.height, proposed.view) != (vote.height, vote.view):
        raise InvalidMessage(
            f"NEW-VIEW to view {vote.view}: expected a PRE-PREPARE of it, got one of height "
            f"{proposed.height}, view {proposed.view}"
        )
    _check_primary_vote(state, proposed, VoteKind.PRE_PREPARE, block_hash)
    signers = [view_change.vote.signer for view_change in message.view_changes]
    if len(signers) != state.validators.quorum or signers != sorted(set(signers)):
        raise InvalidMessage(
            f"NEW-VIEW: expected {state.validators.quorum} VIEW-CHANGEs in ascending order of "
            f"signers, got those of {signers}"
        )
    for view_change in message.view_changes:
        if (view_change.vote.height, view_change.vote.view) != (vote.height, vote.view):
            raise InvalidMessage(
                f"NEW-VIEW to view {vote.view}: expected VIEW-CHANGEs to it, got one to height "
                f"{view_change.vote.height}, view {view_change.vote.view}"
            )
        if state.instance.view_changes.get(view_change.vote.signer) != view_change:
            _check_view_change(state, view_change)
    return Signed(sender=sender, message=message)


def _check_view_change(state: ReplicaState, message: ViewChange) -> None:
    vote = message.vote
    if vote.view == 0:
        raise InvalidMessage("VIEW-CHANGE: expected a view above 0, got 0")
    _check_vote(state, vote, VoteKind.VIEW_CHANGE)
    digest = view_change_digest(message.prepared, message.parent_certificate)
    _check_digest(vote, digest)
    _check_parent_certificate(state, message.parent_certificate)
    if message.prepared is not None:
        _check_prepared(state, message.prepared, below=vote.view)


def _check_prepared(state: ReplicaState, certificate: PreparedCertificate, *, below: int) -> None:
    if certificate.height != state.height or certificate.view >= below:
        raise InvalidMessage(
            f"prepared certificate: expected height {state.height} and a view below {below}, got "
            f"height {certificate.height}, view {certificate.view}"
        )
    if certificate.primary != primary_index(state, certificate.view):
        raise InvalidMessage(
            f"prepared certificate: expected primary {primary_index(state, certificate.view)} of "
            f"view {certificate.view}, got {certificate.primary}"
        )
    if certificate == state.instance.prepared:
        return
    try:
        certificate.verify(
            chain_id=state.chain_id, validators=state.validators, scheme=state.scheme
        )
    except InvalidCertificate as error:
        raise InvalidMessage(str(error)) from error


def _check_parent_certificate(state: ReplicaState, certificate: CommitCertificate | None) -> None:
    """Checks the commit certificate of the height before, as every other replica does."""
    if state.head is None:
        if certificate is not None:
            raise InvalidMessage("parent certificate: expected none at height 1, got one")
        return
    if certificate is None:
        raise InvalidMessage(f"parent certificate: expected one at height {state.height}, got none")
    if (certificate.height, certificate.block_hash) != (state.head.height, state.head_hash):
        raise InvalidMessage(
            f"parent certificate: expected one of block {state.head_hash.hex()} at height "
            f"{state.head.height}, got one of {certificate.block_hash.hex()} at "
            f"{certificate.height}"
        )
    if certificate == state.head_certificate or state.parent_validators is None:
        return
    try:
        certificate.verify(
            chain_id=state.chain_id, validators=state.parent_validators, scheme=state.scheme
        )
    except InvalidCertificate as error:
        raise InvalidMessage(str(error)) from error


def _check_primary_vote(state: ReplicaState, vote: Vote, kind: VoteKind, digest: Hash) -> None:
    if vote.signer != primary_index(state, vote.view):
        raise InvalidMessage(
            f"{kind.name} in view {vote.view}: expected primary "
            f"{primary_index(state, vote.view)}, got validator {vote.signer}"
        )
    _check_digest(vote, digest)
    _check_vote(state, vote, kind)


def _check_digest(vote: Vote, digest: Hash) -> None:
    if vote.digest != digest:
        raise InvalidMessage(
            f"{vote.kind.name}: expected a vote for {digest.hex()}, got one for {vote.digest.hex()}"
        )


def _check_vote(state: ReplicaState, vote: Vote, kind: VoteKind) -> None:
    if vote.kind is not kind:
        raise InvalidMessage(f"{kind.name}: expected its own vote, got a {vote.kind.name}")
    if vote.height != state.height:
        raise InvalidMessage(f"{kind.name}: expected height {state.height}, got {vote.height}")
    if vote.view > VIEW_MAX:
        raise InvalidMessage(f"{kind.name}: expected a view up to {VIEW_MAX}, got {vote.view}")
    if not vote.verify(chain_id=state.chain_id, validators=state.validators, scheme=state.scheme):
        raise InvalidMessage(
            f"{kind.name} of validator {vote.signer} at height {vote.height}, view {vote.view}: "
            "the signature does not verify"
        )
