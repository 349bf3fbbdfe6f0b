"""A vote: one validator's signature over (kind, height, view, digest) of one chain and set.

PRE-PREPARE, PREPARE, COMMIT, VIEW-CHANGE and NEW-VIEW are all signed in this one shape, so that
a signature made for one can never pass for another, and so that two conflicting ones are evidence
that anybody can check (consensus.md 2, 11). The digest stands for the content: the block hash for
the first three, the hash of the message's body for the last two.
"""

from dataclasses import dataclass
from enum import IntEnum

from chain.codec import Record, encode
from chain.crypto import Domain, SignatureScheme, Signer
from chain.types import U16, Hash, Height, Signature, View
from chain.validator_set import ValidatorSet


class VoteKind(IntEnum):
    """What a vote says; the order is the order of phases within a view."""

    VIEW_CHANGE = 1
    NEW_VIEW = 2
    PRE_PREPARE = 3
    PREPARE = 4
    COMMIT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Record):
    """One signed statement of one validator."""

    kind: VoteKind
    height: Height
    view: View
    digest: Hash
    signer: U16
    """Index of the validator in the set of this height."""
    signature: Signature

    def verify(self, *, chain_id: Hash, validators: ValidatorSet, scheme: SignatureScheme) -> bool:
        """Returns whether the signer is a member and the signature is its own over this vote."""
        if self.signer >= validators.count:
            return False
        message = vote_bytes(
            chain_id=chain_id,
            kind=self.kind,
            height=self.height,
            view=self.view,
            digest=self.digest,
            signer=self.signer,
            validator_set_hash=validators.hash,
        )
        return scheme.verify(validators.keys[self.signer], message, self.signature)


def vote_bytes(  # noqa: PLR0913 - these are the fields that the signature covers
    *,
    chain_id: Hash,
    kind: VoteKind,
    height: Height,
    view: View,
    digest: Hash,
    signer: int,
    validator_set_hash: Hash,
) -> bytes:
    """Returns exactly the bytes that a vote's signature covers."""
    return (
        Domain.VOTE.value
        + chain_id
        + encode((int(kind), height, view, digest, signer, validator_set_hash))
    )


def sign_vote(  # noqa: PLR0913 - the fields of the signed bytes, and who signs them
    signer: Signer,
    *,
    chain_id: Hash,
    validators: ValidatorSet,
    kind: VoteKind,
    height: Height,
    view: View,
    digest: Hash,
) -> Vote:
    """Makes a vote. Whether it *may* be made is the sign guard's decision, not this function's."""
    index = validators.index_of(signer.public_key)
    assert index is not None, "only a member of the set votes"
    message = vote_bytes(
        chain_id=chain_id,
        kind=kind,
        height=height,
        view=view,
        digest=digest,
        signer=index,
        validator_set_hash=validators.hash,
    )
    return Vote(
        kind=kind,
        height=height,
        view=view,
        digest=digest,
        signer=index,
        signature=signer.sign(message),
    )
