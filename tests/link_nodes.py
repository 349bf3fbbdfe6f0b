"""Transports on loopback with all that they reported, for tests of links."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from p2p.identity import LocalIdentity, PeerRecord, Role, new_tls_identity
from p2p.transport import Transport, TransportLimits

CHAIN = b"\xcc" * 32
DEADLINE_S = 10.0
Run = Callable[[Awaitable[None]], None]
"""Runs a test body to its end under one of the event loops."""


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
        self.messages: list[tuple[bytes, int, bytes]] = []
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
        self.transport = self.new_transport(*known, limits=limits)
        await self.transport.start()

    def new_transport(self, *known: "Node", limits: TransportLimits | None = None) -> Transport:
        return Transport(
            local=self.local,
            listen_host=self.record.host,
            listen_port=self.record.port,
            registry=[node.record for node in known],
            on_message=lambda *message: self.messages.append(message),
            on_link=lambda *link: self.links.append(link),
            limits=limits,
        )


def free_port() -> int:
    """A port below those that systems give to outgoing connections, which come and go here."""
    while True:
        port = random.randrange(10_000, 30_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
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
