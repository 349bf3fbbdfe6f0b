"""The toy chain of the consensus tests: cheap signatures, signed notes, and a node's disk.

A "transaction" is a signed note and its result a hash chain, so that two nodes which disagree about
anything get different roots.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field

from chain.block import CertifiedBlock, Header
from chain.crypto import Domain, hash_of
from chain.evidence import Equivocation
from chain.transaction import Payload, Transaction, sign
from chain.types import Hash, PublicKey, Signature
from consensus.effects import Effect, Halt, RecordEvidence, ReportFault
from consensus.events import Event, Timer, TimerKind
from consensus.replica import Replica

CHAIN_ID = bytes.fromhex("c0" * 32)
GENESIS_TIME_MS = 1_000_000
MAX_BLOCK_INTERVAL_MS = 60_000
ZERO = bytes(32)


class CheapSigner:
    """Deterministic tags instead of Ed25519; nobody in these tests attacks the scheme itself."""

    def __init__(self, name: str) -> None:
        self._key = hashlib.sha256(name.encode()).digest()

    @property
    def public_key(self) -> PublicKey:
        return self._key

    def sign(self, message: bytes) -> Signature:
        return hashlib.sha512(self._key + message).digest()


class CheapScheme:
    """Verifies the tags of :class:`CheapSigner`."""

    def verify(self, public_key: PublicKey, message: bytes, signature: Signature) -> bool:
        return signature == hashlib.sha512(public_key + message).digest()


SCHEME = CheapScheme()
CLIENT = CheapSigner("client")


def transaction(name: str) -> Transaction:
    payload = Payload(
        chain_id=CHAIN_ID,
        sender=CLIENT.public_key,
        nonce=hashlib.sha256(name.encode()).digest()[:16],
        valid_until_ms=2**40,
        method="test.note",
        arguments=name.encode(),
    )
    return sign(CLIENT, payload)


def state_root_after(parent_hash: Hash, transaction_ids: tuple[Hash, ...]) -> Hash:
    return hash_of(Domain.STATE_NODE, parent_hash, *transaction_ids)


@dataclass(kw_only=True)
class Node:
    """One replica with its disk (journal, guard, blocks), pool and timers."""

    index: int
    signer: CheapSigner | None
    replica: Replica
    guard: bytes | None
    journal: list[bytes] = field(default_factory=list)
    blocks: list[CertifiedBlock] = field(default_factory=list)
    pool: dict[Hash, bytes] = field(default_factory=dict)
    timers: dict[TimerKind, tuple[int, Timer]] = field(default_factory=dict)
    is_down: bool = False
    inbox: deque[Event] = field(default_factory=deque)
    is_executor_paused: bool = False
    told: list[ReportFault | RecordEvidence | Halt] = field(default_factory=list)
    """What the replica reported, in order."""
    effects: list[Effect] = field(default_factory=list)
    """All effects performed, for tests that look at their order."""
    clock_error_ms: int = 0
    """How far its wall clock is ahead when it stamps a block."""
    refused: str | None = None
    """Fault that the executor finds in every proposal."""

    @property
    def key(self) -> PublicKey:
        assert self.signer is not None
        return self.signer.public_key

    @property
    def faults(self) -> list[str]:
        return [effect.reason for effect in self.told if isinstance(effect, ReportFault)]

    @property
    def evidence(self) -> list[Equivocation]:
        return [effect.evidence for effect in self.told if isinstance(effect, RecordEvidence)]

    @property
    def halts(self) -> list[str]:
        return [effect.reason for effect in self.told if isinstance(effect, Halt)]

    @property
    def head(self) -> Header | None:
        return self.blocks[-1].header if self.blocks else None

    @property
    def hashes(self) -> list[Hash]:
        return [block.header.hash for block in self.blocks]
