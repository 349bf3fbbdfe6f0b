"""The node as its RPC sees it (:class:`node.rpc.service.NodeService`)."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chain.certificate import CommitCertificate
from chain.genesis import Genesis
from chain.member import Member, MemberRole
from chain.types import Hash, Height, PublicKey
from node.config import NodeConfig
from node.disk import free_bytes
from node.kernel.effects import Admission
from node.kernel.kernel import Kernel
from node.ports import BlockStore, Location, StoredBlock
from node.rpc.service import (
    CommittedTransaction,
    NodeStatus,
    PeerStatus,
    Readiness,
    ValidatorStatus,
)
from node.runtime import Runtime

DISK_CHECK_INTERVAL_S: Final = 5.0
"""How often the file system is asked; a block a second of 2 MB fills 10 MB meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service knows of its node besides the parts that it calls."""

    config: NodeConfig
    genesis: Genesis
    member: Member
    """This node's own entry in the registry."""
    version: str


class Service:
    """Answers the RPC from kernel, store and runtime."""

    def __init__(
        self, surroundings: Surroundings, *, store: BlockStore, kernel: Kernel, runtime: Runtime
    ) -> None:
        self._config = surroundings.config
        self._genesis = surroundings.genesis
        self._member = surroundings.member
        self._version = surroundings.version
        self._store = store
        self._kernel = kernel
        self._runtime = runtime
        self._connected: dict[PublicKey, bool] = {}
        self._waiting: dict[Hash, list[_Waiter]] = {}
        self._stored_height = 0
        self._new_block = asyncio.Event()
        self._disk_free_bytes = free_bytes(self._config.home)
        self._disk_checked_at = 0.0
        self._last_certificate: CommitCertificate | None = None
        self._last_vote_heights: dict[int, Height] = {}
        head = store.head()
        if head is not None:
            self._stored_height = head[0].height
            self._note_votes(head[1])
        runtime.on_stored(self._on_stored)

    @property
    def chain_id(self) -> Hash:
        """Returns the hash of the genesis record."""
        return self._kernel.chain_id

    @property
    def genesis(self) -> Genesis:
        """Returns the founding record."""
        return self._genesis

    @property
    def store(self) -> BlockStore:
        """Returns blocks, receipts, state and indexes; for reading only."""
        return self._store

    def link_changed(self, peer: PublicKey, *, is_up: bool) -> None:
        """Notes a link for the status."""
        self._connected[peer] = is_up

    async def submit(self, wires: Sequence[bytes]) -> Sequence[Admission]:
        """Checks untrusted transactions and offers them to the pool; one answer each, in order."""
        return await self._runtime.submit(wires)

    def pending(self, transaction_id: Hash) -> bool:
        """Returns whether the pool holds a transaction."""
        return self._kernel.pool.holds(transaction_id)

    async def wait_committed(
        self, transaction_ids: Collection[Hash], timeout_s: float
    ) -> Mapping[Hash, CommittedTransaction]:
        """Waits until this node has committed all of some transactions, or the time is over.

        Returns:
            Those that were committed during the wait; what was before stands in the store.
        """
        missing = {each for each in transaction_ids if not self._store.holds(each)}
        if not missing:
            return {}
        loop = asyncio.get_running_loop()
        waiter = _Waiter(missing=missing, is_over=loop.create_future())
        for transaction_id in missing:
            self._waiting.setdefault(transaction_id, []).append(waiter)
        limit = loop.call_later(timeout_s, waiter.end)
        try:
            await waiter.is_over
        finally:
            limit.cancel()
            self._forget(waiter)
        return waiter.committed

    async def next_block(self, after_height: Height, timeout_s: float) -> Height | None:
        """Returns the head's height once it is above the given one; None at the time limit."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._stored_height <= after_height:
                    await self._new_block.wait()
        except TimeoutError:
            return None
        return self._stored_height

    def readiness(self) -> Readiness:
        """Returns whether the node takes transactions; asked for each submission, so cheap."""
        if self._kernel.halt_reason is not None:
            return Readiness(is_ready=False, reason=f"halted: {self._kernel.halt_reason}")
        now = asyncio.get_running_loop().time()
        if now >= self._disk_checked_at + DISK_CHECK_INTERVAL_S:
            self._disk_checked_at = now
            self._disk_free_bytes = free_bytes(self._config.home)
        if self._disk_free_bytes < self._config.disk_free_bytes_min:
            return Readiness(
                is_ready=False,
                reason=f"disk: expected {self._config.disk_free_bytes_min} free bytes under "
                f"{self._config.home}, got {self._disk_free_bytes}; free some space",
            )
        if self._kernel.replica.is_syncing:
            return Readiness(is_ready=False, reason="syncing: fetching blocks from other members")
        return Readiness(is_ready=True, reason="")

    def status(self) -> NodeStatus:
        """Returns the node's state at this moment."""
        kernel = self._kernel
        parent, replica = kernel.workshop.parent, kernel.replica
        return NodeStatus(
            name=self._config.name,
            organisation=self._member.organisation,
            role=self._member.role,
            version=self._version,
            chain_id=self.chain_id,
            network=self._genesis.network,
            height=parent.height,
            head_hash=parent.hash,
            state_root=kernel.workshop.state_root,
            head_time_ms=parent.time_ms,
            view=replica.view,
            primary=self._name_of(replica.primary),
            validators=self._validators(),
            is_validator=replica.is_validator,
            is_syncing=replica.is_syncing,
            observing_reason=replica.observing_reason,
            mempool_transactions=kernel.pool.count,
            mempool_bytes=kernel.pool.bytes,
            peers=self._peers(),
            why_no_block=self._why_no_block(),
            readiness=self.readiness(),
        )

    # -- inside --------------------------------------------------------------------------------

    def _validators(self) -> tuple[ValidatorStatus, ...]:
        certificate = self._last_certificate
        signed = {signer for signer, _ in certificate.signatures} if certificate else set()
        # A certificate closes at q votes; whoever voted a moment later is not missing. Observers
        # hear no votes and cannot tell, so nobody is missing to them; they have their links.
        replica = self._kernel.replica
        unheard = replica.missing_validators if replica.is_validator else ()
        return tuple(
            ValidatorStatus(
                name=self._name_of(key),
                organisation=self._organisation_of(key),
                consensus_key=key,
                last_vote_height=self._last_vote_heights.get(index),
                is_missing=certificate is not None and index not in signed and key in unheard,
            )
            for index, key in enumerate(self._kernel.workshop.parent.validators.keys)
        )

    def _peers(self) -> tuple[PeerStatus, ...]:
        return tuple(
            PeerStatus(
                name=member.node_id,
                organisation=member.organisation,
                role=member.role,
                is_connected=self._connected.get(member.consensus_key, False),
            )
            for member in self._genesis.members
            if member is not self._member
        )

    def _why_no_block(self) -> str | None:
        """Says what the next block waits for, or None where nothing is amiss."""
        kernel = self._kernel
        if kernel.halt_reason is not None:
            return f"this node halted: {kernel.halt_reason}"
        validators = kernel.workshop.parent.validators
        away = [
            self._name_of(key)
            for key in validators.keys
            if key != self._member.consensus_key and not self._connected.get(key, False)
        ]
        present = validators.count - len(away)
        if self._member.role is MemberRole.OBSERVER:
            return "no link to any validator" if present == 0 else None
        if present < validators.quorum:
            return (
                f"{validators.quorum} of {validators.count} validators are needed and this node "
                f"reaches {present}, itself included; missing: {', '.join(away)}"
            )
        if kernel.replica.view > 0:
            primary = self._name_of(kernel.replica.primary)
            return f"changing the primary: view {kernel.replica.view}, now {primary}"
        return None

    def _name_of(self, key: PublicKey) -> str:
        member = self._member_by_key(key)
        return key.hex()[:16] if member is None else member.node_id

    def _organisation_of(self, key: PublicKey) -> str:
        member = self._member_by_key(key)
        return "" if member is None else member.organisation

    def _member_by_key(self, key: PublicKey) -> Member | None:
        return next((each for each in self._genesis.members if each.consensus_key == key), None)

    def _on_stored(self, stored: StoredBlock) -> None:
        self._note_votes(stored.block.certificate)
        self._stored_height = stored.block.header.height
        # Each waiter holds the event that it began to wait on; the next ones get a new one.
        self._new_block.set()
        self._new_block = asyncio.Event()
        if self._waiting:
            self._tell_waiters(stored)

    def _tell_waiters(self, stored: StoredBlock) -> None:
        header = stored.block.header
        # A duplicate stands in an earlier block, and nobody began to wait for it since.
        for transaction_id, position in stored.fresh_ids:
            for waiter in self._waiting.pop(transaction_id, ()):
                waiter.take(
                    transaction_id,
                    CommittedTransaction(
                        location=Location(height=header.height, position=position),
                        encoded_receipt=stored.encoded_receipts[position],
                        time_ms=header.time_ms,
                    ),
                )

    def _note_votes(self, certificate: CommitCertificate) -> None:
        self._last_certificate = certificate
        for signer, _ in certificate.signatures:
            self._last_vote_heights[signer] = certificate.height

    def _forget(self, waiter: "_Waiter") -> None:
        for transaction_id in waiter.missing:
            waiters = self._waiting[transaction_id]
            waiters.remove(waiter)
            if not waiters:
                del self._waiting[transaction_id]


@dataclass(slots=True, eq=False)
class _Waiter:
    """One request that waits for commits."""

    missing: set[Hash]
    """Only for membership and to forget them; the order plays no part."""
    is_over: asyncio.Future[None]
    committed: dict[Hash, CommittedTransaction] = field(default_factory=dict)

    def take(self, transaction_id: Hash, committed: CommittedTransaction) -> None:
        """Takes what became of one transaction; ends the wait with the last."""
        self.missing.remove(transaction_id)
        self.committed[transaction_id] = committed
        if not self.missing:
            self.end()

    def end(self) -> None:
        """Ends the wait, unless it has ended."""
        if not self.is_over.done():
            self.is_over.set_result(None)
