"""The replica: one pure state machine, ``step(event, now) -> effects``.

No socket, clock, disk, task or random source is inside. The same object runs in the node, in the
simulator and under the fuzzers. A peer's mistake never raises out of :meth:`Replica.step`; it
becomes a ReportFault. An exception out of it is a bug of this package, and the node stops.
"""

from collections.abc import Sequence
from typing import assert_never

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.crypto import SignatureScheme, Signer
from chain.types import Hash, Height, Milliseconds, PublicKey, View
from chain.validator_set import ValidatorSet
from consensus import exchange, liveness, normal_case, recovery, routing, sync, view_change
from consensus.commitment import advance_height
from consensus.effects import Broadcast, Effect, Send
from consensus.events import (
    BlockCommitted,
    Event,
    LinkChanged,
    MessageReceived,
    Now,
    ProposalAssembled,
    ProposalJudged,
    TimerFired,
    WorkChanged,
)
from consensus.journal import decode_journal
from consensus.messages import (
    Blocks,
    BlocksRequest,
    Bodies,
    BodiesRequest,
    Certified,
    Message,
    Proposal,
    ProposalRequest,
    Status,
)
from consensus.predicates import (
    is_primary,
    is_syncing,
    may_vote,
    primary_base,
    primary_of,
)
from consensus.sign_guard import SignGuard, initial_guard
from consensus.state import ReplicaConfig, ReplicaState

__all__ = ["Replica", "ReplicaConfig", "initial_guard"]


class Replica:
    """One participant: a validator, or an observer where there is no signer or no membership."""

    def __init__(  # noqa: PLR0913 # the whole start-up state: named parameters are clearer than a bag
        self,
        *,
        chain_id: Hash,
        config: ReplicaConfig,
        signer: Signer | None,
        scheme: SignatureScheme,
        rotation_blocks: int,
        max_block_interval_ms: Milliseconds,
        head: Header | None,
        head_certificate: CommitCertificate | None,
        validators: ValidatorSet,
        genesis_time_ms: Milliseconds,
        journal: Sequence[bytes],
        guard: bytes | None,
        genesis_hash: Hash | None = None,
        head_validators: ValidatorSet | None = None,
    ) -> None:
        """Recovers from chain, journal and guard; call :meth:`start` next.

        Args:
            chain_id: hash of the genesis record.
            config: what this node chose for itself.
            signer: the consensus key, or None for an observer.
            scheme: decides about signatures.
            rotation_blocks: chain parameter (consensus.md 18).
            max_block_interval_ms: chain parameter (consensus.md 20).
            head: newest committed block, or None at genesis.
            head_certificate: its certificate, already verified; None at genesis.
            validators: set of the next height.
            genesis_time_ms: block time of the genesis.
            journal: records since the last commit.
            guard: what the guard file holds, or None where it is lost.
            genesis_hash: parent hash of the first block; the chain id unless given.
            head_validators: set that decided the head; needed only where the head changed the set.

        Raises:
            DecodeError: journal or guard of another version, or damaged.
        """
        assert (head is None) == (head_certificate is None), "a head has a certificate"
        height = 1 if head is None else head.height + 1
        if head_validators is None and head is not None:
            is_same = head.validator_set_hash == validators.hash
            head_validators = validators if is_same else None
        self._state = ReplicaState(
            chain_id=chain_id,
            config=config,
            signer=signer,
            scheme=scheme,
            rotation_blocks=rotation_blocks,
            max_block_interval_ms=max_block_interval_ms,
            head=head,
            head_hash=(genesis_hash or chain_id) if head is None else head.hash,
            head_time_ms=genesis_time_ms if head is None else head.time_ms,
            head_certificate=head_certificate,
            validators=validators,
            parent_validators=head_validators,
            height=height,
            primary_base=primary_base(
                head, validators, height=height, rotation_blocks=rotation_blocks
            ),
            tenure_height=height,
            guard=None,
            observation=None,
        )
        recovery.recover(
            self._state,
            decode_journal(journal),
            None if guard is None else SignGuard.decode(guard),
        )

    def start(self, now: Now) -> tuple[Effect, ...]:
        """Begins: sends stored bytes again, says where this node is and starts timers."""
        state = self._state
        state.now = now
        state.primary_since_ms = now.monotonic_ms
        effects: list[Effect] = recovery.repair_guard(state)
        if may_vote(state):
            effects += recovery.resend_stored(state)
            effects += normal_case.advance(state)
            effects += recovery.tally_stored(state)
        effects += [
            Broadcast(message=exchange.make_status(state)),
            liveness.status_timer(state),
            liveness.heartbeat_timer(state),
            *liveness.reconcile(state),
        ]
        return tuple(effects)

    def step(self, event: Event, now: Now) -> tuple[Effect, ...]:
        """Handles one event.

        Args:
            event: what happened.
            now: both clocks at this moment; monotonic time never goes back.

        Returns:
            What to do, in this order: nothing after a Persist before it is durable.
        """
        self._state.now = now
        effects = self._handle(event)
        effects += liveness.reconcile(self._state)
        return tuple(effects)

    def _handle(self, event: Event) -> list[Effect]:
        state = self._state
        match event:
            case MessageReceived(sender=sender, message=message):
                return self._on_message(sender, message)
            case LinkChanged():
                return self._on_link_changed(event)
            case TimerFired():
                return liveness.on_timer(state, event)
            case WorkChanged(is_pending=is_pending, is_censored=is_censored):
                state.is_pending = is_pending
                state.is_censored = is_censored
                if is_pending:
                    state.instance.assembling = None
                return []
            case ProposalAssembled():
                return self._on_assembled(event)
            case ProposalJudged():
                return view_change.on_judged(state, event)
            case BlockCommitted():
                return self._on_block_committed(event)
            case _:
                assert_never(event)

    def _on_message(self, sender: PublicKey, message: Message) -> list[Effect]:
        state = self._state
        match message:
            case Status():
                return exchange.on_status(state, sender, message)
            case Certified():
                return sync.on_certified(state, sender, message)
            case ProposalRequest():
                return view_change.on_proposal_request(state, sender, message)
            case Proposal():
                return view_change.on_proposal(state, sender, message)
            case Blocks():
                return sync.on_blocks(state, sender, message)
            case BlocksRequest() | BodiesRequest() | Bodies():
                # The kernel answers these from storage and pool.
                return []
            case _:
                return routing.on_agreement_message(state, sender, message)

    def _on_link_changed(self, event: LinkChanged) -> list[Effect]:
        state = self._state
        if not event.is_up:
            state.links_down.add(event.peer)
            # Its claims are no reason to ask it while it cannot answer.
            state.peers.pop(event.peer, None)
            return []
        state.links_down.discard(event.peer)
        return [Send(peer=event.peer, message=exchange.make_status(state))]

    def _on_assembled(self, event: ProposalAssembled) -> list[Effect]:
        state = self._state
        instance = state.instance
        is_current = (event.header.height, event.view, event.header.parent_hash) == (
            state.height,
            instance.view,
            state.head_hash,
        )
        if not is_current or instance.proposal is not None or not is_primary(state):
            return []
        if instance.view == 0:
            return normal_case.on_proposal_assembled(state, event)
        if view_change.is_waiting_for_fresh_block(state):
            return view_change.on_assembled(state, event)
        return []

    def _on_block_committed(self, event: BlockCommitted) -> list[Effect]:
        state = self._state
        if event.header.height != state.height:
            return []
        advance_height(state, event)
        effects: list[Effect] = [liveness.heartbeat_timer(state)]
        highest = state.sync.highest
        if highest is not None and highest.height == state.height:
            state.sync.highest = None
            effects += sync.on_certified(
                state, state.sync.source or event.header.proposer, Certified(certificate=highest)
            )
        effects += sync.commit_next(state)
        effects += self._replay_ahead()
        return effects

    def _replay_ahead(self) -> list[Effect]:
        """Handles the messages that were kept for this height."""
        state = self._state
        kept, state.ahead = state.ahead, {}
        effects: list[Effect] = []
        for (sender, _), message in kept.items():
            effects += routing.on_agreement_message(state, sender, message)
        return effects

    @property
    def public_key(self) -> PublicKey | None:
        """Returns the key that this replica signs with, or None for an observer."""
        return None if self._state.signer is None else self._state.signer.public_key

    @property
    def height(self) -> Height:
        """Returns the height in agreement: the head's plus one."""
        return self._state.height

    @property
    def view(self) -> View:
        """Returns the highest view entered at this height."""
        return self._state.instance.view

    @property
    def primary(self) -> PublicKey:
        """Returns the key of the primary of the present view."""
        return primary_of(self._state, self._state.instance.view)

    @property
    def is_validator(self) -> bool:
        """Returns whether this node is in the set of the height in agreement."""
        return self._state.own_index is not None

    @property
    def is_syncing(self) -> bool:
        """Returns whether a verified certificate shows that blocks are lacking."""
        return is_syncing(self._state)

    @property
    def observing_reason(self) -> str | None:
        """Returns why a validator does not vote, in words for the operator, or None."""
        state = self._state
        if state.halt_reason is not None:
            return state.halt_reason
        return None if state.observation is None else state.observation.reason

    @property
    def is_halted(self) -> bool:
        """Returns whether voting has stopped until an operator has looked."""
        return self._state.halt_reason is not None

    @property
    def last_vote_heights(self) -> dict[PublicKey, Height]:
        """Returns the height of the newest vote seen of each validator; 0 where none was."""
        seen = self._state.last_vote_heights
        return {key: seen.get(key, 0) for key in self._state.validators.keys}

    @property
    def missing_validators(self) -> tuple[PublicKey, ...]:
        """Returns the validators that have shown no vote for the head or above."""
        head_height = self._state.height - 1
        return tuple(key for key, seen in self.last_vote_heights.items() if seen < head_height)

    def status(self) -> Status:
        """Returns the STATUS that this replica would send now."""
        return exchange.make_status(self._state)
