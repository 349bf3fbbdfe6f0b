"""Transports over real TLS on loopback, each test under both event loops."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvloop

from p2p.frames import Lane
from p2p.identity import LocalIdentity, PeerRecord, Role, new_tls_identity
from p2p.messages import Reason
from p2p.peer import LinkLimits
from p2p.queues import QUEUE_LIMITS, QueueLimit
from p2p.transport import Transport, TransportLimits

CHAIN = b"\xcc" * 32
DEADLINE_S = 10.0
Run = Callable[[Awaitable[None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a test body; whatever reaches the loop's exception handler fails the test."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop
    failures: list[dict[str, object]] = []

    async def guarded(body: Awaitable[None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        await body

    with asyncio.Runner(loop_factory=factory) as runner:
        yield lambda body: runner.run(guarded(body))
    assert failures == []


class Node:
    """A transport with all that it reported, for tests."""

    def __init__(self, number: int, role: Role = Role.VALIDATOR, *, chain: bytes = CHAIN) -> None:
        self.node_id = bytes([number]) * 32
        certificate_der, private_key_pem = new_tls_identity()
        self.local = LocalIdentity(
            node_id=self.node_id,
            chain_id=chain,
            role=role,
            certificate_der=certificate_der,
            private_key_pem=private_key_pem,
            software=f"test {number}",
        )
        self.record = PeerRecord(
            node_id=self.node_id,
            certificate_der=certificate_der,
            host="127.0.0.1",
            port=free_port(),
            role=role,
        )
        self.messages: list[tuple[bytes, Lane, bytes]] = []
        self.links: list[tuple[bytes, bool]] = []
        self.transport: Transport | None = None

    @property
    def up(self) -> Transport:
        assert self.transport is not None
        return self.transport

    @property
    def linked(self) -> set[bytes]:
        return {link.node_id for link in self.up.snapshot().links}

    async def start(self, *known: "Node", limits: TransportLimits | None = None) -> None:
        self.transport = Transport(
            local=self.local,
            listen_host=self.record.host,
            listen_port=self.record.port,
            registry=[node.record for node in known],
            on_message=lambda *message: self.messages.append(message),
            on_link=lambda *link: self.links.append(link),
            limits=limits,
        )
        await self.transport.start()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 counters have no event to wait for
            await asyncio.sleep(0.005)


@asynccontextmanager
async def network(*nodes: Node, limits: TransportLimits | None = None) -> AsyncIterator[None]:
    try:
        for node in nodes:
            await node.start(*nodes, limits=limits)
        yield
    finally:
        for node in nodes:
            await node.up.stop()


def test_two_nodes_exchange_messages_on_every_lane(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            assert first.up.send(second.node_id, Lane.VOTES, b"vote")
            assert first.up.send(second.node_id, Lane.TRANSACTIONS, b"batch")
            assert second.up.send(first.node_id, Lane.SYNC, b"block" * 100_000)
            await until(lambda: len(second.messages) == 2 and len(first.messages) == 1)

            assert second.messages == [
                (first.node_id, Lane.VOTES, b"vote"),
                (first.node_id, Lane.TRANSACTIONS, b"batch"),
            ]
            assert first.messages == [(second.node_id, Lane.SYNC, b"block" * 100_000)]
            assert first.links == [(second.node_id, True)]
            assert second.up.snapshot().links[0].software == "test 1"

    run(body())
