"""Certificates: the votes of a quorum over the same bytes, provable for ever after.

A *commit certificate* proves that a block is final. A *prepared certificate* proves that no other
block can have been committed in its view or below, and is what a view change carries. Signatures
are kept as (signer index, signature), sorted by signer, each once: the rest of the signed bytes
is common to all (consensus.md 4, 7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from chain.codec import Record
from chain.crypto import SignatureScheme
from chain.errors import InvalidCertificate
from chain.types import U16, Hash, Height, Length, Signature, View
from chain.validator_set import VALIDATORS_MAX, ValidatorSet
from chain.vote import Vote, VoteKind

SignerSignature = tuple[U16, Signature]
Signatures = Annotated[tuple[SignerSignature, ...], Length(1, VALIDATORS_MAX)]
OtherSignatures = Annotated[tuple[SignerSignature, ...], Length(0, VALIDATORS_MAX - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitCertificate(Record):
    """A quorum's COMMIT votes of one view: the block with this hash is final."""

    height: Height
    view: View
    block_hash: Hash
    signatures: Signatures

    def verify(self, *, chain_id: Hash, validators: ValidatorSet, scheme: SignatureScheme) -> None:
        """Checks the certificate against the validator set of its height.

        Raises:
            InvalidCertificate: fewer than q, repeated or unsorted, of a non-member, or a
                signature that does not verify.
        """
        _check_signers(self.signatures, validators, validators.quorum)
        _check_votes(
            VoteKind.COMMIT,
            (self.height, self.view, self.block_hash),
            self.signatures,
            (chain_id, validators, scheme),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCertificate(Record):
    """The primary's PRE-PREPARE and PREPAREs of q - 1 others for one (height, view, block)."""

    height: Height
    view: View
    block_hash: Hash
    primary: U16
    """Index of the primary of (height, view); that it is the primary is for the caller to check,
    since it follows from the parent's header."""
    pre_prepare: Signature
    prepares: OtherSignatures
    """Of others than the primary; none where it is the only validator."""

    def verify(self, *, chain_id: Hash, validators: ValidatorSet, scheme: SignatureScheme) -> None:
        """Checks all signatures against the validator set of this height.

        Raises:
            InvalidCertificate: fewer than q signers in all, one of them repeated, the primary
                among the PREPAREs, a non-member, or a signature that does not verify.
        """
        _check_signers(self.prepares, validators, validators.quorum - 1)
        if any(signer == self.primary for signer, _ in self.prepares):
            raise InvalidCertificate(
                f"prepared certificate: primary {self.primary} is among the PREPAREs; "
                "its PRE-PREPARE already counts"
            )
        subject = (self.height, self.view, self.block_hash)
        context = (chain_id, validators, scheme)
        _check_votes(VoteKind.PRE_PREPARE, subject, ((self.primary, self.pre_prepare),), context)
        _check_votes(VoteKind.PREPARE, subject, self.prepares, context)


def commit_certificate_of(votes: Sequence[Vote]) -> CommitCertificate:
    """Joins verified COMMIT votes of one (height, view, block) into a certificate."""
    first = votes[0]
    assert all(
        (vote.kind, vote.height, vote.view, vote.digest)
        == (VoteKind.COMMIT, first.height, first.view, first.digest)
        for vote in votes
    ), "votes of one certificate agree in all but the signer"
    return CommitCertificate(
        height=first.height,
        view=first.view,
        block_hash=first.digest,
        signatures=signatures_of(votes),
    )


def prepared_certificate_of(pre_prepare: Vote, prepares: Sequence[Vote]) -> PreparedCertificate:
    """Joins a verified PRE-PREPARE and verified PREPAREs of others into a certificate."""
    return PreparedCertificate(
        height=pre_prepare.height,
        view=pre_prepare.view,
        block_hash=pre_prepare.digest,
        primary=pre_prepare.signer,
        pre_prepare=pre_prepare.signature,
        prepares=signatures_of(prepares),
    )


def signatures_of(votes: Sequence[Vote]) -> tuple[SignerSignature, ...]:
    """Returns (signer, signature) of each vote, sorted by signer."""
    return tuple(sorted((vote.signer, vote.signature) for vote in votes))


def _check_signers(
    signatures: Sequence[SignerSignature], validators: ValidatorSet, needed: int
) -> None:
    signers = [signer for signer, _ in signatures]
    if len(signers) < needed:
        raise InvalidCertificate(f"certificate has {len(signers)} votes, needs {needed}")
    if any(later <= earlier for earlier, later in pairwise(signers)):
        raise InvalidCertificate(f"signers {signers}: expected each once, in ascending order")
    if signers and signers[-1] >= validators.count:
        raise InvalidCertificate(
            f"signer {signers[-1]}: expected an index below {validators.count}"
        )


def _check_votes(
    kind: VoteKind,
    subject: tuple[Height, View, Hash],
    signatures: Sequence[SignerSignature],
    context: tuple[Hash, ValidatorSet, SignatureScheme],
) -> None:
    height, view, digest = subject
    chain_id, validators, scheme = context
    for signer, signature in signatures:
        vote = Vote(
            kind=kind,
            height=height,
            view=view,
            digest=digest,
            signer=signer,
            signature=signature,
        )
        if not vote.verify(chain_id=chain_id, validators=validators, scheme=scheme):
            raise InvalidCertificate(
                f"{kind.name} of validator {signer} at height {height}, view {view}: "
                "the signature does not verify"
            )
