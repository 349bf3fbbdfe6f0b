"""A chain of one validator with the real contracts behind the RPC's port, committing on demand."""

import asyncio
import base64
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from chain.certificate import commit_certificate_of
from chain.codec import Record
from chain.crypto import ED25519, Ed25519Signer
from chain.errors import ContractRefusal, InvalidTransaction
from chain.genesis import Genesis, build_genesis_state
from chain.member import MemberRole
from chain.state import RecordCache
from chain.transaction import Payload, Transaction, sign
from chain.vote import VoteKind, sign_vote
from contracts.account import Role
from contracts.accounts import RegisterAccount
from contracts.runtime import ContractsRuntime
from node.kernel.admission import check_signature, check_time, parse_for_chain, refusal_of
from node.kernel.candidates import Workshop
from node.kernel.effects import Admission
from node.kernel.storing import stored_block
from node.memory_database import MemoryDatabase
from node.ports import Location
from node.rpc.limits import RpcLimits
from node.rpc.server import RpcServer
from node.rpc.service import (
    CommittedTransaction,
    NodeStatus,
    PeerStatus,
    Readiness,
    ValidatorStatus,
)
from node.storage import ChainStore
from tests import chain_samples as samples

ADMIN = samples.SENDER
READY = Readiness(is_ready=True, reason="")


def key(number: int) -> bytes:
    """A public key, another for each number."""
    return Ed25519Signer(number.to_bytes(32, "big")).public_key


@dataclass
class Counts:
    """The metrics that a server is given."""

    requests: list[tuple[str, int]] = field(default_factory=list)
    first: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def observe_request(self, *, method: str, code: int, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((method, code))
        self.first.set()
        self.changed.set()

    async def next_request(self) -> None:
        """Waits until one more request has been answered."""
        self.changed.clear()
        await self.changed.wait()

    def render(self) -> bytes:
        return b"tanlian_consensus_height 1.0\n"


class FakeNode:
    """Implements :class:`node.rpc.service.NodeService`; blocks come when a test says so."""

    def __init__(
        self, time_ms: int = samples.GENESIS_TIME_MS, genesis: Genesis | None = None
    ) -> None:
        self.genesis = genesis or samples.genesis(members=(samples.member(1),), time_ms=time_ms)
        self.chain_id = self.genesis.chain_id
        self.contracts = ContractsRuntime()
        self.store = ChainStore(MemoryDatabase())
        founded = build_genesis_state(self.genesis, self.contracts)
        self.store.initialise(self.genesis.encode(), dict(founded.changes), founded.tree_update)
        self.workshop = Workshop(
            genesis=self.genesis,
            store=self.store,
            tree=self.store.open_tree(),
            contracts=self.contracts,
        )
        self.pool: dict[bytes, Transaction] = {}
        self.commits_at_once = False
        self.refuses_all_with = ""
        self.ready = READY
        self.submissions = 0
        self._block = asyncio.Condition()

    # -- the port ------------------------------------------------------------------------------

    async def submit(self, wires: Sequence[bytes]) -> Sequence[Admission]:
        self.submissions += 1
        if self.refuses_all_with:
            return [
                Admission(transaction_id=None, code=self.refuses_all_with, detail="as told")
                for _ in wires
            ]
        admissions = [self._admit(wire) for wire in wires]
        if self.commits_at_once:
            await self.commit()
        return admissions

    def pending(self, transaction_id: bytes) -> bool:
        return transaction_id in self.pool

    async def wait_committed(
        self, transaction_ids: Collection[bytes], timeout_s: float
    ) -> Mapping[bytes, CommittedTransaction]:
        missing = [each for each in transaction_ids if not self.store.holds(each)]
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._block:
                await self._block.wait_for(lambda: all(map(self.store.holds, missing)))
        located = {each: self.store.locate(each) for each in missing}
        return {
            each: self._committed(location)
            for each, location in located.items()
            if location is not None
        }

    def _committed(self, location: Location) -> CommittedTransaction:
        header = self.store.header(location.height)
        assert header is not None
        return CommittedTransaction(
            location=location,
            encoded_receipt=self.store.encoded_receipts(location.height)[location.position],
            time_ms=header.time_ms,
        )

    async def next_block(self, after_height: int, timeout_s: float) -> int | None:
        try:
            async with asyncio.timeout(timeout_s), self._block:
                await self._block.wait_for(lambda: self.height > after_height)
        except TimeoutError:
            return None
        return self.height

    def readiness(self) -> Readiness:
        return self.ready

    def status(self) -> NodeStatus:
        parent = self.workshop.parent
        return NodeStatus(
            name="node-1",
            organisation="steel",
            role=MemberRole.VALIDATOR,
            version="0.1.0",
            chain_id=self.chain_id,
            network="test",
            height=parent.height,
            head_hash=parent.hash,
            state_root=self.workshop.state_root,
            head_time_ms=parent.time_ms,
            view=0,
            primary="node-1",
            validators=(
                ValidatorStatus(
                    name="node-1",
                    organisation="steel",
                    consensus_key=parent.validators.keys[0],
                    last_vote_height=parent.height or None,
                    is_missing=False,
                ),
            ),
            is_validator=True,
            is_syncing=False,
            observing_reason=None,
            mempool_transactions=len(self.pool),
            mempool_bytes=sum(len(each.wire) for each in self.pool.values()),
            peers=(
                PeerStatus(
                    name="body-1",
                    organisation="body",
                    role=MemberRole.OBSERVER,
                    is_connected=True,
                ),
            ),
            why_no_block=None,
            readiness=self.ready,
        )

    # -- what tests do -------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """Height of the newest block."""
        return self.store.head_height()

    async def commit(self) -> None:
        """Makes a block of everything that is pending."""
        transactions = tuple(self.pool.values())
        validators = self.workshop.parent.validators
        candidate = self.workshop.build(
            transactions,
            time_ms=self.workshop.parent.time_ms + 1_000,
            proposer=validators.keys[0],
        )
        vote = sign_vote(
            samples.SIGNERS[0],
            chain_id=self.chain_id,
            validators=validators,
            kind=VoteKind.COMMIT,
            height=candidate.header.height,
            view=0,
            digest=candidate.header.hash,
        )
        self.store.commit(stored_block(candidate, commit_certificate_of([vote]), self.contracts))
        self.workshop.advance(candidate)
        self.pool.clear()
        async with self._block:
            self._block.notify_all()

    def transaction(
        self,
        number: int,
        *,
        arguments: Record | None = None,
        method: str = "account.register",
        sender: Ed25519Signer = ADMIN,
        chain_id: bytes | None = None,
        valid_for_ms: int = 60_000,
    ) -> Transaction:
        """A signed transaction; registers the account with this number unless told otherwise."""
        record = arguments or RegisterAccount(
            public_key=key(number), name=f"Account {number}", roles=(Role.OPERATOR,)
        )
        return sign(
            sender,
            Payload(
                chain_id=chain_id or self.chain_id,
                sender=sender.public_key,
                nonce=number.to_bytes(16, "big"),
                valid_until_ms=self.workshop.parent.time_ms + valid_for_ms,
                method=method,
                arguments=record.encode(),
            ),
        )

    def _refuse_known(self, transaction: Transaction) -> None:
        if transaction.id in self.pool or self.store.holds(transaction.id):
            raise InvalidTransaction("DUPLICATE", "already pending or committed")

    def _admit(self, wire: bytes) -> Admission:
        transaction = None
        parent = self.workshop.parent
        try:
            transaction = parse_for_chain(wire, chain_id=self.chain_id, parent=parent)
            self._refuse_known(transaction)
            check_time(transaction, parent=parent, wall_ms=parent.time_ms)
            self.contracts.check_admission(RecordCache(self.store), transaction)
            check_signature(transaction, ED25519)
        except (InvalidTransaction, ContractRefusal) as error:
            return refusal_of(transaction, error)
        self.pool[transaction.id] = transaction
        return Admission(transaction_id=transaction.id, code="", detail="")


class ServedNode:
    """A fake node behind a real server on a free loopback port; an async context manager."""

    def __init__(self, limits: RpcLimits | None = None, node: FakeNode | None = None) -> None:
        self.node = node or FakeNode()
        self.counts = Counts()
        self.server = RpcServer(
            self.node,
            self.counts,
            host="127.0.0.1",
            port=0,
            metrics_host="127.0.0.1",
            metrics_port=0,
        )
        if limits is not None:
            self.server.limits = limits

    async def __aenter__(self) -> Self:
        await self.server.start()
        self.http = aiohttp.ClientSession(auto_decompress=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()
        await self.server.stop()

    @property
    def url(self) -> str:
        """Base of the routes."""
        return f"http://127.0.0.1:{self.server.port}"


def base64_of(transaction: Transaction) -> str:
    """The wire bytes as JSON carries them."""
    return base64.b64encode(transaction.wire).decode()
