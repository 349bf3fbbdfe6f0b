"""The sign guard: the last line against signing two things in one place (consensus.md 6).

One small record, in a file of its own, holds the newest vote that this key has made. Votes are
ordered by (height, view, phase), and an honest validator makes them in ascending order: a request
below the newest vote, or beside it with another digest, is refused. So after VIEW-CHANGE to view v
nothing of a lower view is ever signed at that height, because VIEW-CHANGE is the first phase of its
view. An identical request gets the stored signature; older votes are sent again from the journal
and need no signing.

At start the guard is compared with journal and chain (:func:`compare`). Where they disagree, the
disk has lost or regained something, and the node only observes until the chain has gone past every
height at which it may have signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.codec import Record
from chain.types import Hash, Height, View
from chain.vote import Vote, VoteKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Nothing was signed at this place or above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identical:
    """Exactly this was signed before; use the stored vote."""

    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something was signed at this place, or above it, that this would contradict."""

    reason: str


Decision = Allowed | Identical | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SignGuard(Record):
    """What was signed last."""

    after_height: Height = 0
    """Only heights above this one may be signed; set by the operator who accepts a lost guard."""
    last: Vote | None = None
    """The newest vote of this key; None where nothing was signed under this guard."""

    @property
    def height(self) -> Height:
        """Returns the highest height at which this key may have signed, as far as it knows."""
        return max(self.after_height, 0 if self.last is None else self.last.height)

    def decide(self, *, kind: VoteKind, height: Height, view: View, digest: Hash) -> Decision:
        """Decides whether a vote may be signed; signs and changes nothing."""
        if height <= self.after_height:
            return Refused(
                reason=f"height {height}: expected one above {self.after_height}, which the "
                "operator named when the guard was accepted"
            )
        if self.last is None or place_of(self.last) < (height, view, kind):
            return Allowed()
        if place_of(self.last) == (height, view, kind) and self.last.digest == digest:
            return Identical(vote=self.last)
        return Refused(
            reason=f"{kind.name} at height {height}, view {view}: {self.last.kind.name} at height "
            f"{self.last.height}, view {self.last.view} was already signed"
        )

    def advance(self, vote: Vote) -> "SignGuard":
        """Returns the guard after a vote that :meth:`decide` allowed."""
        assert self.last is None or place_of(self.last) < place_of(vote), "the guard only rises"
        return replace(self, last=vote)


def place_of(vote: Vote) -> tuple[Height, View, VoteKind]:
    """Returns where a vote stands in the order of signing."""
    return vote.height, vote.view, vote.kind


def initial_guard() -> bytes:
    """Returns the guard of a key that has never signed; written once, with the key."""
    return SignGuard().encode()


def accepted_guard(*, after_height: Height) -> bytes:
    """Returns the guard with which an operator replaces a lost one.

    Args:
        after_height: above every height at which any peer shows a signature of this key; the
            node votes when it holds a commit certificate beyond it.
    """
    return SignGuard(after_height=after_height).encode()


def complete_guard(
    guard: SignGuard, own_votes: Sequence[Vote], newest: Sequence[Vote]
) -> SignGuard:
    """Returns the guard after a crash between the two writes of one Persist.

    The journal is written before the guard and nothing is sent before both are durable. So the
    votes of the journal's last record, and no others, may be missing from the guard. More than
    that is a disagreement and is left for :func:`compare` to find.

    Args:
        guard: what the guard file holds.
        own_votes: this key's votes in the whole journal, in the order of signing.
        newest: those in its last record.
    """
    beyond = [
        vote
        for vote in own_votes
        if vote.height > guard.after_height
        and (guard.last is None or place_of(guard.last) < place_of(vote))
    ]
    if not beyond or any(vote not in newest for vote in beyond):
        return guard
    return guard.advance(max(beyond, key=place_of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Why a validator does not vote, and what ends it."""

    reason: str
    until_height: Height | None
    """Ends with a commit certificate of this height or above; None: only the operator ends it."""


def compare(
    guard: SignGuard | None,
    *,
    own_votes: Sequence[Vote],
    head: Header | None,
    head_certificate: CommitCertificate | None,
    own: tuple[bytes, int | None],
) -> Observation | None:
    """Compares guard, journal and chain at start (consensus.md 6, 32).

    Args:
        guard: what the guard file holds, or None where it is lost.
        own_votes: this key's votes in the journal.
        head: newest block, or None at genesis.
        head_certificate: its certificate.
        own: this node's public key, and its index in the set that certified the head.

    Returns:
        None where they agree, else why the node only observes and until when.
    """
    if guard is None:
        return Observation(
            reason="the sign guard is lost: what this key has signed is unknown; run "
            "`tanlian node guard accept --after-height H` with H above every height at which a "
            "peer shows a signature of this key",
            until_height=None,
        )
    head_height = 0 if head is None else head.height
    if guard.after_height > 0 and head_height <= guard.after_height:
        return Observation(
            reason=f"the sign guard was accepted after height {guard.after_height}",
            until_height=guard.after_height + 1,
        )
    last = guard.last
    if last is not None and last.height > head_height and last not in own_votes:
        return Observation(
            reason=f"the sign guard records {last.kind.name} at height {last.height}, view "
            f"{last.view}, which neither journal nor chain holds: a lost log or a restored backup",
            until_height=guard.height,
        )
    beyond = [
        vote
        for vote in own_votes
        if vote.height > guard.after_height and (last is None or place_of(last) < place_of(vote))
    ]
    if beyond:
        newest = max(beyond, key=place_of)
        return Observation(
            reason=f"the journal holds {newest.kind.name} at height {newest.height}, view "
            f"{newest.view}, which the sign guard does not record: the guard was restored",
            until_height=max(guard.height, newest.height),
        )
    if _chain_is_beyond(guard, head, head_certificate, own):
        return Observation(
            reason=f"block {head_height} carries a signature of this key, and the sign guard ends "
            f"at height {guard.height}: the guard was restored, or the key is in use elsewhere",
            # It may have signed at the next height too, and lost that.
            until_height=head_height + 1,
        )
    return None


def _chain_is_beyond(
    guard: SignGuard,
    head: Header | None,
    certificate: CommitCertificate | None,
    own: tuple[bytes, int | None],
) -> bool:
    if head is None or certificate is None or guard.height >= head.height:
        return False
    key, index = own
    return head.proposer == key or any(signer == index for signer, _ in certificate.signatures)
