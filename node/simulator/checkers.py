"""What must always hold, checked at every event, and what must hold in the end.

The checks share no code with what they check where that is cheap: the quorum is computed anew,
votes are read from the bytes that were sent, and the log of the contracts from the blocks.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from chain.block import CertifiedBlock, Header
from chain.crypto import SignatureScheme
from chain.errors import InvalidCertificate
from chain.types import Hash, Height, PublicKey
from chain.validator_set import ValidatorSet
from chain.vote import Vote
from consensus.effects import Halt
from consensus.messages import MESSAGES, Commit, Message, NewView, Prepare, PrePrepare, ViewChange
from node.kernel.effects import BroadcastPayload, KernelEffect, SendPayload
from node.ports import StoredBlock
from node.simulator.disk import place_of
from node.simulator.ledger import APPEND, LOG_KEY, LogTail, tail_of
from node.simulator.shell import SimulatedNode
from node.simulator.workload import Request

_MEMORY_MAX: Final = 4_000
"""Decoded messages kept, since each is sent to several and repeated."""


class InvariantViolation(AssertionError):
    """A run did what no run may do; the message says what was expected and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What the first node that stored a height has stored."""

    header: Header
    node: int


class MessageReader:
    """Decodes what was sent, each payload once."""

    def __init__(self) -> None:
        self._known: dict[bytes, Message] = {}

    def read(self, payload: bytes) -> Message:
        """Returns the message in a payload that a kernel has sent."""
        known = self._known.get(payload)
        if known is None:
            if len(self._known) >= _MEMORY_MAX:
                self._known.clear()
            known = self._known[payload] = MESSAGES.decode(payload)
        return known


def votes_of(message: Message) -> tuple[Vote, ...]:
    """Returns the votes that a message makes, those that it merely cites left out."""
    match message:
        case PrePrepare() | Prepare() | Commit() | ViewChange():
            return (message.vote,)
        case NewView():
            return (message.vote, message.proposal.vote)
        case _:
            return ()


class Checkers:
    """Knows what all nodes together have shown so far."""

    def __init__(
        self, *, chain_id: Hash, validators: ValidatorSet, scheme: SignatureScheme, time_ms: int
    ) -> None:
        self.agreed: dict[Height, Agreed] = {}
        self.is_over_budget = False
        """More faulty validators than the chain survives: halts are allowed, forks are not."""
        self.double_vote_count = 0
        self._chain_id = chain_id
        self._validators = validators
        self._scheme = scheme
        self._genesis_time_ms = time_ms
        self._signed: dict[tuple[int, int, Height, int], Hash] = {}
        self._fresh: dict[Hash, Height] = {}
        self._appended: list[Hash] = []
        self._heights: Counter[int] = Counter()
        self.reader = MessageReader()

    # -- while it runs -------------------------------------------------------------------------

    def check_start(self, node: SimulatedNode) -> None:
        """A node comes back with every block that it had made durable."""
        head = node.disk.store.head_height()
        if head != self._heights[node.index]:
            raise InvariantViolation(
                f"durability: node {node.index} had stored height {self._heights[node.index]} and "
                f"came back with {head}"
            )

    def check_effect(self, node: SimulatedNode, effect: KernelEffect) -> None:
        """No vote leaves before it is durable, none contradicts another, nobody halts."""
        match effect:
            case BroadcastPayload() | SendPayload():
                for vote in votes_of(self.reader.read(effect.payload)):
                    if self._validators.index_of(node.key) == vote.signer:
                        self._check_own_vote(node, vote)
            case Halt() if not node.is_byzantine and not self.is_over_budget:
                raise InvariantViolation(f"halt: honest node {node.index} halted: {effect.reason}")
            case _:
                pass

    def _check_own_vote(self, node: SimulatedNode, vote: Vote) -> None:
        if node.is_byzantine:
            return
        if place_of(vote) not in node.disk.durable_votes:
            raise InvariantViolation(
                f"persist before send: node {node.index} sent {vote.kind.name} at height "
                f"{vote.height}, view {vote.view}, which no journal record held"
            )
        place = (vote.signer, int(vote.kind), vote.height, vote.view)
        known = self._signed.setdefault(place, vote.digest)
        if known != vote.digest:
            self.double_vote_count += 1
            raise InvariantViolation(
                f"double vote: node {node.index} sent {vote.kind.name} at height {vote.height}, "
                f"view {vote.view} for {vote.digest.hex()} after one for {known.hex()}"
            )

    def check_stored(
        self, node: SimulatedNode, stored: StoredBlock, submitted: dict[Hash, Request]
    ) -> None:
        """A stored block is certified, the next of the one history, and executes each once."""
        block = stored.block
        header = block.header
        height = header.height
        if height != self._heights[node.index] + 1:
            raise InvariantViolation(
                f"order: node {node.index} stored height {height} after {self._heights[node.index]}"
            )
        self._heights[node.index] = height
        self._check_certificate(node, block)
        known = self.agreed.get(height)
        if known is None:
            self._check_history(node, header)
            self._check_transactions(node, stored, submitted)
            self.agreed[height] = Agreed(header=header, node=node.index)
        elif known.header.hash != header.hash:
            raise InvariantViolation(
                f"agreement: at height {height} node {node.index} stored {header.hash.hex()} and "
                f"node {known.node} stored {known.header.hash.hex()}"
            )

    def _check_certificate(self, node: SimulatedNode, block: CertifiedBlock) -> None:
        certificate, count = block.certificate, self._validators.count
        fault_count = (count - 1) // 3
        signers = {signer for signer, _ in certificate.signatures}
        if 2 * len(signers) < count + fault_count + 1:
            raise InvariantViolation(
                f"certificate: node {node.index} stored height {block.header.height} on "
                f"{len(signers)} of {count} signatures"
            )
        if (certificate.height, certificate.block_hash) != (block.header.height, block.header.hash):
            raise InvariantViolation(
                f"certificate: node {node.index} stored height {block.header.height} with the "
                "certificate of another block"
            )
        try:
            certificate.verify(
                chain_id=self._chain_id, validators=self._validators, scheme=self._scheme
            )
        except InvalidCertificate as error:
            raise InvariantViolation(
                f"certificate: node {node.index} stored height {block.header.height}: {error}"
            ) from error

    def _check_history(self, node: SimulatedNode, header: Header) -> None:
        before = self.agreed.get(header.height - 1)
        parent_hash = self._chain_id if before is None else before.header.hash
        parent_time_ms = self._genesis_time_ms if before is None else before.header.time_ms
        if header.height != len(self.agreed) + 1 or header.parent_hash != parent_hash:
            raise InvariantViolation(
                f"one history: node {node.index} stored height {header.height} on "
                f"{header.parent_hash.hex()}, expected {parent_hash.hex()}"
            )
        if header.time_ms <= parent_time_ms:
            raise InvariantViolation(
                f"block time: height {header.height} has {header.time_ms}, expected more than "
                f"its parent's {parent_time_ms}"
            )

    def _check_transactions(
        self, node: SimulatedNode, stored: StoredBlock, submitted: dict[Hash, Request]
    ) -> None:
        height = stored.block.header.height
        for transaction_id, _ in stored.fresh_ids:
            request = submitted.get(transaction_id)
            if request is None:
                raise InvariantViolation(
                    f"validity: node {node.index} stored {transaction_id.hex()} at height "
                    f"{height}, which nobody submitted"
                )
            earlier = self._fresh.setdefault(transaction_id, height)
            if earlier != height:
                raise InvariantViolation(
                    f"exactly once: {transaction_id.hex()} executed at heights {earlier} and "
                    f"{height}"
                )
            if request.transaction.payload.method == APPEND:
                self._appended.append(transaction_id)

    # -- in the end ----------------------------------------------------------------------------

    def has_converged(self, nodes: list[SimulatedNode]) -> bool:
        """Returns whether these nodes have stored all that is agreed."""
        return all(self._heights[node.index] == len(self.agreed) for node in nodes)

    def height_of(self, node: SimulatedNode) -> Height:
        """Returns the height of the newest block that a node has stored."""
        return self._heights[node.index]

    def check_end(self, nodes: list[SimulatedNode], requests: list[Request]) -> None:
        """All nodes hold one state, the one that the blocks make, and all that was acknowledged."""
        expected = tail_of(self._appended)
        for node in nodes:
            store = node.disk.store
            for request in requests:
                height = request.acknowledged_height
                location = store.locate(request.transaction.id)
                found = None if location is None else location.height
                if height is not None and found != height:
                    raise InvariantViolation(
                        f"durability: {request.transaction.id.hex()} was acknowledged at height "
                        f"{height}; node {node.index} has it at {found}"
                    )
            encoded = store.get(LOG_KEY)
            # Other contracts have no log; agreed headers say that their states are the same.
            tail = expected if encoded is None else LogTail.decode(encoded)
            if tail != expected:
                raise InvariantViolation(
                    f"state: node {node.index} has a log of {tail.count} entries, expected the "
                    f"{expected.count} of the chain"
                )

    def client_keys_seen(self) -> tuple[PublicKey, ...]:
        """Returns the validators' keys, for messages of reports."""
        return self._validators.keys
