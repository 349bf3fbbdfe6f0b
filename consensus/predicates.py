"""Questions about a replica's state, without side effects: who is primary, what is enough."""

from collections.abc import Iterable
from typing import Final

from chain.block import Header, transaction_root
from chain.certificate import PreparedCertificate
from chain.types import Hash, Height, Milliseconds, PublicKey, View
from chain.validator_set import ValidatorSet
from chain.vote import Vote, VoteKind
from consensus.messages import LeaveReason, Status, ViewChange
from consensus.state import Candidate, ReplicaConfig, ReplicaState

_CLOCK_DOUBLINGS_MAX: Final = 32
"""10 s doubled this often is over a thousand years; more only makes long integers."""


def primary_base(
    parent: Header | None, validators: ValidatorSet, *, height: Height, rotation_blocks: int
) -> int:
    """Returns the index of the primary of view 0 (consensus.md 18).

    The primary is sticky by chain data alone: the proposer that the parent's header names, plus
    one at every height divisible by ``rotation_blocks``.
    """
    index = None if parent is None else validators.index_of(parent.proposer)
    if index is None:
        return height % validators.count
    return (index + (height % rotation_blocks == 0)) % validators.count


def primary_index(state: ReplicaState, view: View) -> int:
    """Returns the index of the primary of a view of the height in agreement."""
    return (state.primary_base + view) % state.validators.count


def primary_of(state: ReplicaState, view: View) -> PublicKey:
    """Returns the key of the primary of a view of the height in agreement."""
    return state.validators.keys[primary_index(state, view)]


def is_primary(state: ReplicaState) -> bool:
    """Returns whether this node is the primary of its present view."""
    return state.own_index == primary_index(state, state.instance.view)


def is_syncing(state: ReplicaState) -> bool:
    """Returns whether a verified certificate shows that blocks are lacking (consensus.md 9).

    Claims of height play no part: only proof keeps a node from voting.
    """
    instance = state.instance
    lacks_certified = instance.certificate is not None and not instance.is_committing
    return lacks_certified or (
        state.sync.highest is not None and state.sync.highest.height > state.height
    )


def may_vote(state: ReplicaState) -> bool:
    """Returns whether this node takes part in agreement now."""
    return (
        state.own_index is not None
        and state.halt_reason is None
        and state.observation is None
        and not state.instance.is_committing
        and not is_syncing(state)
    )


def is_timely(
    time_ms: Milliseconds,
    *,
    parent_time_ms: Milliseconds,
    wall_ms: Milliseconds,
    view: View,
    config: ReplicaConfig,
) -> bool:
    """Returns whether a fresh proposal's time is acceptable at first sight (consensus.md 19).

    ``parent + 1`` is always early enough, so no clock that was once ahead can freeze the chain;
    the bound below widens with each view, so no clock that is wrong can halt it.
    """
    latest = max(parent_time_ms + 1, wall_ms + config.clock_ahead_max_ms)
    behind = config.clock_behind_max_ms << min(view, _CLOCK_DOUBLINGS_MAX)
    return parent_time_ms < time_ms <= latest and time_ms >= wall_ms - behind


def header_fault(
    state: ReplicaState, header: Header, transaction_ids: tuple[Hash, ...]
) -> str | None:
    """Returns which rule of place and form a proposed header breaks, or None.

    Roots of receipts and state are for whoever executes the block.
    """
    expectations = (
        ("chain_id", header.chain_id, state.chain_id),
        ("height", header.height, state.height),
        ("parent_hash", header.parent_hash, state.head_hash),
        ("validator_set_hash", header.validator_set_hash, state.validators.hash),
        ("transaction_count", header.transaction_count, len(transaction_ids)),
        ("transaction_root", header.transaction_root, transaction_root(transaction_ids)),
        ("distinct transactions", len(set(transaction_ids)), len(transaction_ids)),
    )
    for name, got, expected in expectations:
        if got != expected:
            return f"{name}: expected {_shown(expected)}, got {_shown(got)}"
    return None


def fresh_fault(state: ReplicaState, header: Header, view: View) -> str | None:
    """Returns which rule a proposal breaks that is made for the first time, or None.

    Not asked for a block with a prepared certificate: that one is never too old, and its
    proposer is the primary of an earlier view (consensus.md 3, 19).
    """
    if header.proposer != primary_of(state, view):
        return (
            f"proposer: expected the primary of view {view}, {primary_of(state, view).hex()}, "
            f"got {header.proposer.hex()}"
        )
    if not is_timely(
        header.time_ms,
        parent_time_ms=state.head_time_ms,
        wall_ms=state.now.wall_ms,
        view=view,
        config=state.config,
    ):
        return (
            f"time_ms: expected a time above {state.head_time_ms} and near this host's clock, "
            f"{state.now.wall_ms}, got {header.time_ms}; where every primary is refused so, it is "
            "this host's clock that is off"
        )
    heartbeat_ms = state.head_time_ms + state.max_block_interval_ms
    if header.transaction_count == 0 and header.time_ms < heartbeat_ms:
        return (
            f"time_ms: expected at least {heartbeat_ms} for a block without transactions, "
            f"got {header.time_ms}"
        )
    return None


def _shown(value: bytes | int) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def accepted_candidate(state: ReplicaState) -> Candidate | None:
    """Returns the block proposed in this view if it was executed here with the same roots."""
    proposal = state.instance.proposal
    if proposal is None:
        return None
    candidate = state.instance.candidates.get(proposal.vote.digest)
    return candidate if candidate is not None and candidate.is_accepted else None


def matching_votes(votes: Iterable[Vote], *, view: View, digest: Hash) -> tuple[Vote, ...]:
    """Returns the votes of one view for one block, sorted by signer."""
    found = [vote for vote in votes if vote.view == view and vote.digest == digest]
    return tuple(sorted(found, key=lambda vote: vote.signer))


def prepares_for_proposal(state: ReplicaState) -> tuple[Vote, ...]:
    """Returns PREPAREs of others than the primary for this view's proposal (consensus.md 7)."""
    instance = state.instance
    if instance.proposal is None:
        return ()
    primary = primary_index(state, instance.view)
    votes = matching_votes(
        instance.prepares.values(), view=instance.view, digest=instance.proposal.vote.digest
    )
    return tuple(vote for vote in votes if vote.signer != primary)


def has_view_quorum(state: ReplicaState) -> bool:
    """Returns whether q VIEW-CHANGEs for this view or a higher one are held (consensus.md 12)."""
    instance = state.instance
    ready = [
        message for message in instance.view_changes.values() if message.vote.view >= instance.view
    ]
    return len(ready) >= state.validators.quorum


def view_to_join(state: ReplicaState) -> View | None:
    """Returns the smallest higher view once f + 1 others are in higher ones (consensus.md 13)."""
    higher = [
        message.vote.view
        for signer, message in state.instance.view_changes.items()
        if signer != state.own_index and message.vote.view > state.instance.view
    ]
    return min(higher) if len(higher) >= state.validators.weak_quorum else None


def highest_prepared(view_changes: Iterable[ViewChange]) -> PreparedCertificate | None:
    """Returns the prepared certificate with the highest view among VIEW-CHANGEs, or None.

    That block is the only one which a NEW-VIEW on them may propose (consensus.md 8).
    """
    found = [message.prepared for message in view_changes if message.prepared is not None]
    return max(found, key=lambda certificate: certificate.view, default=None)


def conflicting_prepared(
    certificates: Iterable[PreparedCertificate],
) -> tuple[PreparedCertificate, PreparedCertificate] | None:
    """Returns two certificates of one view for different blocks; more than f nodes are faulty."""
    by_view: dict[View, PreparedCertificate] = {}
    for certificate in certificates:
        known = by_view.setdefault(certificate.view, certificate)
        if known.block_hash != certificate.block_hash:
            return known, certificate
    return None


def has_work(state: ReplicaState) -> bool:
    """Returns whether this height ought to move, so that the view timer runs (consensus.md 12)."""
    instance = state.instance
    return (
        state.is_pending
        or state.is_heartbeat_due
        or instance.proposal is not None
        or instance.prepared is not None
    )


def view_timeout_ms(config: ReplicaConfig, view: View) -> Milliseconds:
    """Returns T0 * 1.5^view in whole milliseconds, capped (consensus.md 12)."""
    timeout = config.t0_ms
    for _ in range(view):
        if timeout >= config.timeout_max_ms:
            break
        timeout += timeout // 2
    return min(timeout, config.timeout_max_ms)


def leave_reason(state: ReplicaState) -> LeaveReason:
    """Returns what this node has against the present primary (consensus.md 14)."""
    if state.own_index is None or is_primary(state):
        return LeaveReason.NONE
    if primary_of(state, state.instance.view) in state.links_down:
        return LeaveReason.LINK_DOWN
    tenure_ms = state.now.monotonic_ms - state.primary_since_ms
    # What the last primary left lying is no fault of this one before it has had its time.
    if state.is_censored and tenure_ms >= state.config.censorship_timeout_ms:
        return LeaveReason.CENSORED
    return LeaveReason.NONE


def complainer_count(state: ReplicaState) -> int:
    """Returns how many validators, this one included, complain of the present primary."""
    if leave_reason(state) is LeaveReason.NONE:
        return 0
    others = [
        key
        for key in state.validators.keys
        if key in state.peers and _is_complaint(state, state.peers[key])
    ]
    return 1 + len(others)


def _is_complaint(state: ReplicaState, status: Status) -> bool:
    """Returns whether a STATUS complains of the primary that this node has now.

    Blocks may flow faster than STATUS, so one from earlier in the same tenure counts too.
    """
    if status.leave_reason is LeaveReason.NONE or status.view != state.instance.view:
        return False
    if state.instance.view > 0:
        return status.height == state.height
    return state.tenure_height <= status.height <= state.height


def own_vote(state: ReplicaState, kind: VoteKind) -> Vote | None:
    """Returns this node's vote of a kind in its present view."""
    return state.instance.own_votes.get((state.instance.view, kind))
