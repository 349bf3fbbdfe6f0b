"""From a commit certificate to the next height.

A certificate is accepted in any view, at once, also in the middle of a view change
(consensus.md 9, 17). What it certifies is committed as soon as header and bodies are held.
"""

from chain.certificate import CommitCertificate
from consensus.effects import CommitBlock, Effect
from consensus.events import BlockCommitted
from consensus.messages import LeaveReason
from consensus.predicates import primary_base
from consensus.state import Instance, ReplicaState


def certify(state: ReplicaState, certificate: CommitCertificate) -> list[Effect]:
    """Takes a verified certificate of the height in agreement."""
    assert certificate.height == state.height
    if state.instance.certificate is None:
        state.instance.certificate = certificate
    return commit_if_held(state)


def commit_if_held(state: ReplicaState) -> list[Effect]:
    """Commits the certified block if it is accepted here."""
    instance = state.instance
    if instance.certificate is None or instance.is_committing:
        return []
    candidate = instance.candidates.get(instance.certificate.block_hash)
    if candidate is None or not candidate.is_accepted:
        return []
    instance.is_committing = True
    return [
        CommitBlock(
            header=candidate.header,
            certificate=instance.certificate,
            transactions=candidate.transactions,
        )
    ]


def advance_height(state: ReplicaState, event: BlockCommitted) -> None:
    """Moves to the next height; unfinished business of this one is dropped (consensus.md 8)."""
    header = event.header
    assert header.height == state.height, "blocks commit in order"
    assert event.next_validators.hash == header.next_validator_set_hash
    last_primary = state.validators.keys[state.primary_base]
    state.parent_validators = state.validators
    state.head = header
    state.head_hash = header.hash
    state.head_time_ms = header.time_ms
    state.head_certificate = event.certificate
    state.validators = event.next_validators
    state.find_own_index()
    state.height = header.height + 1
    state.primary_base = primary_base(
        header, state.validators, height=state.height, rotation_blocks=state.rotation_blocks
    )
    if event.certificate.view > 0 or state.validators.keys[state.primary_base] != last_primary:
        state.tenure_height = state.height
        state.primary_since_ms = state.now.monotonic_ms
    state.instance = Instance()
    state.is_heartbeat_due = False
    state.told_leave_reason = LeaveReason.NONE
    if state.sync.highest is not None and state.sync.highest.height < state.height:
        state.sync.highest = None
    observation = state.observation
    if (
        observation is not None
        and observation.until_height is not None
        and header.height >= observation.until_height
    ):
        state.observation = None
