"""Evidence of equivocation: two signed votes of one validator that contradict each other.

An honest validator signs at most one digest for a (kind, height, view); the sign guard sees to it.
Two different ones are proof of a fault that anybody can check for ever after. Evidence is recorded
on chain by a transaction and removes nobody by itself (consensus.md 11).
"""

from dataclasses import dataclass

from chain.codec import Record
from chain.crypto import SignatureScheme
from chain.errors import InvalidProof
from chain.types import Hash
from chain.validator_set import ValidatorSet
from chain.vote import Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivocation(Record):
    """Two votes that no honest validator can both have made."""

    first: Vote
    """The vote with the smaller digest, so that the same pair has one encoding."""
    second: Vote

    def verify(self, *, chain_id: Hash, validators: ValidatorSet, scheme: SignatureScheme) -> None:
        """Checks the pair against the validator set of its height.

        Raises:
            InvalidProof: votes that do not contradict each other, in the wrong order, or a
                signature that does not verify.
        """
        if not conflict(self.first, self.second):
            raise InvalidProof("evidence: expected two votes for different digests, got others")
        if self.first.digest > self.second.digest:
            raise InvalidProof("evidence: expected the smaller digest first")
        for vote in (self.first, self.second):
            if not vote.verify(chain_id=chain_id, validators=validators, scheme=scheme):
                raise InvalidProof(f"evidence: signature of validator {vote.signer} is not its own")


def conflict(one: Vote, other: Vote) -> bool:
    """Returns whether two votes of one signer say different things in the same place."""
    return (
        (one.kind, one.height, one.view, one.signer)
        == (other.kind, other.height, other.view, other.signer)
    ) and one.digest != other.digest


def equivocation_of(one: Vote, other: Vote) -> Equivocation:
    """Joins two conflicting votes, smaller digest first."""
    assert conflict(one, other)
    first, second = sorted((one, other), key=lambda vote: vote.digest)
    return Equivocation(first=first, second=second)
