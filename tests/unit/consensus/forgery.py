"""Messages that a test makes itself, with the keys of any validator: honest ones and forged ones.

At height 1 with n validators the primary of view v is validator (1 + v) mod n.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from chain.block import Header
from chain.certificate import (
    CommitCertificate,
    PreparedCertificate,
    commit_certificate_of,
    prepared_certificate_of,
)
from chain.types import Hash
from chain.vote import Vote, VoteKind, sign_vote
from consensus.effects import Broadcast, Effect, Send
from consensus.messages import (
    Commit,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    ViewChange,
    new_view_digest,
    view_change_digest,
)
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.toy_chain import CHAIN_ID, Node, transaction


def vote(
    cluster: Cluster, signer: int, kind: VoteKind, digest: Hash, *, height: int = 1, view: int = 0
) -> Vote:
    return sign_vote(
        cluster.signers[signer],
        chain_id=CHAIN_ID,
        validators=cluster.validators_at(height),
        kind=kind,
        height=height,
        view=view,
        digest=digest,
    )


def header(cluster: Cluster, proposer: int, *names: str) -> Header:
    bodies = tuple(transaction(name) for name in names)
    return cluster.make_header(cluster.nodes[proposer], bodies, time_ms=cluster.wall_ms)


def changed(block: Header, **changes: bytes | int) -> Header:
    """The same header with other values in some fields."""
    values = {name: getattr(block, name) for name in Header.__dataclass_fields__}
    return Header(**{**values, **changes})


def pre_prepare(
    cluster: Cluster, signer: int, block: Header, *names: str, view: int = 0
) -> PrePrepare:
    return PrePrepare(
        header=block,
        transaction_ids=tuple(transaction(name).id for name in names),
        vote=vote(
            cluster, signer, VoteKind.PRE_PREPARE, block.hash, height=block.height, view=view
        ),
    )


def prepare(
    cluster: Cluster, signer: int, digest: Hash, *, height: int = 1, view: int = 0
) -> Prepare:
    return Prepare(vote=vote(cluster, signer, VoteKind.PREPARE, digest, height=height, view=view))


def commit(
    cluster: Cluster, signer: int, digest: Hash, *, height: int = 1, view: int = 0
) -> Commit:
    return Commit(vote=vote(cluster, signer, VoteKind.COMMIT, digest, height=height, view=view))


def prepared(
    cluster: Cluster, digest: Hash, signers: Sequence[int], *, view: int = 0
) -> PreparedCertificate:
    """A prepared certificate at height 1: the primary of the view, and PREPAREs of signers."""
    primary = (1 + view) % cluster.count
    return prepared_certificate_of(
        vote(cluster, primary, VoteKind.PRE_PREPARE, digest, view=view),
        [vote(cluster, signer, VoteKind.PREPARE, digest, view=view) for signer in signers],
    )


def certificate(
    cluster: Cluster, digest: Hash, signers: Sequence[int], *, height: int = 1, view: int = 0
) -> CommitCertificate:
    return commit_certificate_of(
        [
            vote(cluster, signer, VoteKind.COMMIT, digest, height=height, view=view)
            for signer in signers
        ]
    )


def view_change(
    cluster: Cluster,
    signer: int,
    view: int,
    *,
    height: int = 1,
    prepared: PreparedCertificate | None = None,
    parent: CommitCertificate | None = None,
) -> ViewChange:
    digest = view_change_digest(prepared, parent)
    return ViewChange(
        prepared=prepared,
        parent_certificate=parent,
        vote=vote(cluster, signer, VoteKind.VIEW_CHANGE, digest, height=height, view=view),
    )


def new_view(
    cluster: Cluster, signer: int, view: int, changes: Sequence[ViewChange], proposal: PrePrepare
) -> NewView:
    digest = new_view_digest(tuple(changes), proposal.header.hash)
    return NewView(
        view_changes=tuple(changes),
        proposal=proposal,
        vote=vote(
            cluster,
            signer,
            VoteKind.NEW_VIEW,
            digest,
            height=proposal.header.height,
            view=view,
        ),
    )


def unsigned(original: Vote) -> Vote:
    """The same vote with a signature that does not verify."""
    return replace(original, signature=bytes(64))


MessageT = TypeVar("MessageT", bound=Message)


def sent(node: Node, kind: type[MessageT]) -> list[MessageT]:
    """Messages of a kind that a node has sent or broadcast, in order."""
    return [m for m in map(message_of, node.effects) if isinstance(m, kind)]


def message_of(effect: Effect) -> Message | None:
    return effect.message if isinstance(effect, Send | Broadcast) else None
