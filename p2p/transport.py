"""Links to all registered peers, over TCP and TLS, under asyncio or uvloop.

The transport keeps one link to each peer that it may talk to, and says when one comes up or goes
down; the latter at once, because a primary that f+1 nodes have lost is replaced without waiting
(consensus.md 15). Whom it may talk to is the registry of the moment (rule 34): a removal cuts the
live link, an addition needs no restart, and there is no other way to become a peer.

It carries opaque bytes. A message is lost where its link is down or its lane is full; whoever
sends has to be able to send again.

Callbacks come from the event loop, one at a time, never from within a call to the transport. One
that raises is a bug of the node, and the loop's exception handler is told.
"""

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, assert_never

from p2p.budget import reconnect_delay_s
from p2p.connection import FAREWELL_S, Connection
from p2p.frames import Lane, encode_frame
from p2p.gate import AcceptGate, GateLimits
from p2p.handshake import LocalHello
from p2p.identity import LocalIdentity, PeerRecord, Role, index_by_node, is_dialler
from p2p.messages import NODE_ID_BYTES, Reason
from p2p.peer import LinkClosed, LinkEvent, LinkLimits, LinkReady, MessageReceived, PeerLink
from p2p.tls import PinnedTls
from p2p.traffic import LinkSnapshot, Traffic, TransportSnapshot

TICK_S: Final = 0.25
"""How often time-outs are looked at; a quarter of the shortest of them."""

ACCEPT_RETRY_S: Final = 0.5
"""Wait after the operating system refused to accept: usually it is out of descriptors."""

ALL_ROLES: Final = frozenset(Role)
"""A broadcast goes to everybody unless it says otherwise."""

_CLOSING_TURNS: Final = 3
"""Turns of the loop after which a connection that was cut has closed its socket."""

_UP: Final = True
_DOWN: Final = False

_CHANCE: Final = random.SystemRandom()
"""Jitter of reconnects."""

_NOBODY: Final = bytes(NODE_ID_BYTES)
"""Id of a link to somebody who is about to be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """How long and how many; a link's own limits are ``link``."""

    link: LinkLimits = field(default_factory=LinkLimits)
    connect_timeout_s: float = 5.0
    """From dialling to established TLS."""
    tls_timeout_s: float = 5.0
    """From an accepted connection to established TLS."""
    gate: GateLimits = field(default_factory=GateLimits)
    """What strangers may cost before TLS says who they are."""
    stable_after_s: float = 5.0
    """A link that was up for this long starts the back-off afresh when it is lost."""


class Transport:
    """See the module.

    Args:
        local: This node.
        listen_host: Name or address to listen on; empty for all.
        listen_port: TCP port, or 0 for any free one (see ``port``).
        registry: All registered nodes; this one may be among them.
        on_message: Called with node id, lane and payload.
        on_link: Called with node id, and True when its link came up or False when it went down.
        limits: Time-outs and bounds.

    Raises:
        InvalidPeerRecord: When records contradict each other.
        ssl.SSLError: When the key does not belong to the certificate.
        ValueError: When the key or the certificate cannot be parsed.
    """

    def __init__(  # noqa: PLR0913 one call, in the composition root, names every one of them
        self,
        *,
        local: LocalIdentity,
        listen_host: str,
        listen_port: int,
        registry: Iterable[PeerRecord],
        on_message: Callable[[bytes, Lane, bytes], None],
        on_link: Callable[[bytes, bool], None],
        limits: TransportLimits | None = None,
    ) -> None:
        self._local = local
        self._hello = LocalHello(
            chain_id=local.chain_id, node_id=local.node_id, software=local.software
        )
        self._listen_host = listen_host
        self._listen_port = listen_port
        self._on_message = on_message
        self._on_link = on_link
        self._limits = limits or TransportLimits()
        self._tls = PinnedTls(local)
        self._registry: dict[bytes, PeerRecord] = {}
        self._node_by_certificate: dict[bytes, bytes] = {}
        self._listener: socket.socket | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._accepter: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._dialling: dict[bytes, asyncio.Task[None]] = {}
        """Tasks that keep links open, by peer."""
        self._securing: dict[asyncio.Task[None], socket.socket] = {}
        """Tasks that take an accepted connection through its TLS handshake."""
        self._handshaking: dict[bytes, Connection] = {}
        """Connections with TLS and without welcome, at most one a peer."""
        self._ready: dict[bytes, Connection] = {}
        """Links that are up, by peer; ``on_link`` was told of exactly these."""
        self._known: set[bytes] = set()
        """Peers of the registry that have been up since the start."""
        self._traffic = Traffic()
        self._counts: Counter[str] = Counter()
        self._closed: Counter[Reason] = Counter()
        self.update_registry(registry)

    @property
    def port(self) -> int:
        """The TCP port that is listened on; known once started."""
        assert self._listener is not None
        port: int = self._listener.getsockname()[1]
        return port

    async def start(self) -> None:
        """Listens, and dials every peer that it is up to this node to dial.

        Raises:
            OSError: When the address cannot be listened on.
        """
        assert self._listener is None, "a transport is started once"
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            self._listen_host or None,
            self._listen_port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        family, _, _, _, address = found[0]
        self._listener = socket.create_server(
            (str(address[0]), int(address[1])), family=family, backlog=self._limits.gate.open_max
        )
        self._listener.settimeout(0)
        self._accepter = self._spawn(self._accept_forever(self._listener))
        self._ticker = loop.call_later(TICK_S, self._tick)
        self._redial()

    async def stop(self) -> None:
        """Says goodbye to all peers, and ends every task and connection of this transport."""
        if self._listener is None:
            return
        if self._ticker is not None:
            self._ticker.cancel()
        self._dialling.clear()
        tasks = tuple(self._tasks)
        for task in tasks:
            if task in self._securing:
                # Cancelled before its first step it would leak the socket; this ends its TLS.
                with contextlib.suppress(OSError):
                    self._securing[task].shutdown(socket.SHUT_RDWR)
            else:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()
        connections = self._connections()
        for connection in connections:
            connection.close(Reason.SHUTDOWN, "the node stops")
        waiting = [asyncio.ensure_future(connection.lost.wait()) for connection in connections]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=FAREWELL_S * 2)
            for one in late:
                one.cancel()
        for connection in connections:
            connection.abort()
        for _ in range(_CLOSING_TURNS):
            await asyncio.sleep(0)

    def send(self, node_id: bytes, lane: Lane, payload: bytes) -> bool:
        """Queues a message for one peer.

        Args:
            node_id: The peer.
            lane: Any but CONTROL.
            payload: Opaque, at least 1 byte.

        Returns:
            Whether it was queued; not where the link is down or the lane is full. That it was
            says nothing about its arrival.

        Raises:
            FrameError: When the payload is empty or beyond the limit of its lane.
        """
        frame = encode_frame(lane, payload)
        connection = self._ready.get(node_id)
        return connection is not None and connection.send(lane, frame)

    def broadcast(self, lane: Lane, payload: bytes, roles: Collection[Role] = ALL_ROLES) -> int:
        """Queues a message for all peers of the given roles whose links are up.

        Args:
            lane: Any but CONTROL.
            payload: Opaque, at least 1 byte; encoded once and shared.
            roles: Roles as of the registry of this moment.

        Returns:
            The number of links that queued it.

        Raises:
            FrameError: When the payload is empty or beyond the limit of its lane.
        """
        frame = encode_frame(lane, payload)
        return sum(
            connection.send(lane, frame)
            for node_id, connection in self._ready.items()
            if (record := self._registry.get(node_id)) is not None and record.role in roles
        )

    def update_registry(self, records: Iterable[PeerRecord]) -> None:
        """Replaces the registry: cuts who is no longer in it, dials who is new.

        Args:
            records: All registered nodes; this one may be among them.

        Raises:
            InvalidPeerRecord: When records contradict each other, or OpenSSL cannot load a
                certificate; then no link has changed.
        """
        registry = index_by_node(records)
        for record in registry.values():
            self._tls.trust(record.certificate_der)
        before = self._registry
        self._registry = registry
        self._node_by_certificate = {
            record.certificate_der: node_id for node_id, record in registry.items()
        }
        self._known &= registry.keys()
        for connection in self._connections():
            listed = registry.get(connection.link.peer_id)
            if listed is None or listed.certificate_der != connection.certificate_der:
                connection.close(Reason.NOT_REGISTERED, "the registry lists it no longer")
        for node_id, task in tuple(self._dialling.items()):
            if node_id not in self._ready and before.get(node_id) != registry.get(node_id):
                task.cancel()  # It may be asleep, or dialling an address that is no longer right.
                del self._dialling[node_id]
        if self._listener is not None:
            self._redial()

    def snapshot(self) -> TransportSnapshot:
        """Returns all counters of this moment, for metrics."""
        return TransportSnapshot(
            links=tuple(
                LinkSnapshot(
                    node_id=node_id,
                    role=self._registry[node_id].role,
                    software=connection.software,
                    round_trip_s=connection.link.round_trip_s,
                    waiting_messages=sum(map(connection.link.waiting_messages, Lane)),
                    waiting_bytes=sum(map(connection.link.waiting_bytes, Lane)),
                )
                for node_id, connection in sorted(self._ready.items())
                if node_id in self._registry
            ),
            traffic=self._traffic.snapshot(),
            connects=self._counts["connects"],
            reconnects=self._counts["reconnects"],
            dial_failures=self._counts["dial_failures"],
            accept_refusals=self._counts["accept_refusals"],
            accept_failures=self._counts["accept_failures"],
            throttled=self._traffic.throttled,
            closed=tuple(sorted(self._closed.items())),
        )

    def _role(self) -> Role:
        own = self._registry.get(self._local.node_id)
        return self._local.role if own is None else own.role

    def _connections(self) -> list[Connection]:
        return [*self._handshaking.values(), *self._ready.values()]

    def _tick(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        for connection in self._connections():
            connection.tick()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        task.add_done_callback(self._on_task_done)
        self._tasks.add(task)
        return task

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._securing.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a task of the transport failed", "exception": error, "task": task}
            )

    # Dialling

    def _redial(self) -> None:
        local = (self._role(), self._local.node_id)
        for node_id, record in self._registry.items():
            is_ours = is_dialler(local=local, peer=(record.role, node_id))
            if is_ours and node_id != self._local.node_id and node_id not in self._dialling:
                self._dialling[node_id] = self._spawn(self._keep_linked(node_id))
        for node_id, task in tuple(self._dialling.items()):
            peer = self._registry.get(node_id)
            if peer is None or not is_dialler(local=local, peer=(peer.role, node_id)):
                task.cancel()
                del self._dialling[node_id]

    async def _keep_linked(self, node_id: bytes) -> None:
        """Dials one peer whenever its link is down, with back-off, until cancelled."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            connection = self._ready.get(node_id)
            if connection is None:
                connection = await self._dial(self._registry[node_id])
            if connection is not None:
                await connection.closed.wait()
                since_s = connection.ready_since_s
                if since_s is not None and loop.time() - since_s >= self._limits.stable_after_s:
                    attempt = 0
            attempt += 1
            await asyncio.sleep(reconnect_delay_s(attempt, _CHANCE.random()))

    async def _dial(self, record: PeerRecord) -> Connection | None:
        def open_link(connection: Connection, certificate_der: bytes) -> PeerLink:
            return self._open_link(connection, certificate_der, dialled=record.node_id)

        try:
            async with asyncio.timeout(self._limits.connect_timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(open_link=open_link, on_event=self._on_event),
                    record.host,
                    record.port,
                    ssl=self._tls.client,
                    ssl_handshake_timeout=self._limits.connect_timeout_s,
                    ssl_shutdown_timeout=FAREWELL_S,
                )
        # ValueError: a host that no resolver can be asked for. TLS errors are OSErrors.
        except (OSError, ValueError):
            self._counts["dial_failures"] += 1
            return None
        return connection

    # Listening

    async def _accept_forever(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        gate = AcceptGate(self._limits.gate, loop.time())
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(ACCEPT_RETRY_S)
                continue
            host = str(address[0])
            if gate.admit(host, loop.time()):
                task = self._spawn(self._secure(accepted))
                task.add_done_callback(partial(_release, gate, host))
                self._securing[task] = accepted
            else:
                self._counts["accept_refusals"] += 1
                accepted.close()

    async def _secure(self, accepted: socket.socket) -> None:
        """Takes one accepted connection through TLS; its link begins in ``_open_link``."""

        def open_link(connection: Connection, certificate_der: bytes) -> PeerLink:
            return self._open_link(connection, certificate_der, dialled=None)

        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(open_link=open_link, on_event=self._on_event),
                accepted,
                ssl=self._tls.server,
                ssl_handshake_timeout=self._limits.tls_timeout_s,
                ssl_shutdown_timeout=FAREWELL_S,
            )
        except OSError:
            self._counts["accept_failures"] += 1

    # Links

    def _open_link(
        self, connection: Connection, certificate_der: bytes, *, dialled: bytes | None
    ) -> PeerLink:
        """Begins a link, or one that is closed already with the reason for the peer."""
        node_id = self._node_by_certificate.get(certificate_der, _NOBODY)
        now_s = asyncio.get_running_loop().time()
        link = PeerLink(
            local=self._hello,
            peer_id=node_id,
            limits=self._limits.link,
            traffic=self._traffic,
            now_s=now_s,
        )
        link.connected(now_s)
        refusal = self._refusal(node_id, dialled)
        if refusal is not None:
            link.close(*refusal)
            return link
        before = self._handshaking.get(node_id)
        if before is not None:
            before.close(Reason.REPLACED, "a newer connection of the same node")
        self._handshaking[node_id] = connection
        return link

    def _refusal(self, node_id: bytes, dialled: bytes | None) -> tuple[Reason, str] | None:
        """Why there is no link with this node; None where there is one."""
        record = self._registry.get(node_id)
        if record is None:
            return Reason.NOT_REGISTERED, "expected a certificate of the registry"
        if node_id == self._local.node_id:
            return Reason.WRONG_IDENTITY, "expected another node, got this one"
        if dialled is not None and node_id != dialled:
            return Reason.WRONG_IDENTITY, "expected the node that was dialled, got another one"
        if dialled is None and not is_dialler(
            local=(record.role, node_id), peer=(self._role(), self._local.node_id)
        ):
            return Reason.WRONG_DIRECTION, "expected to dial this pair's link from here"
        return None

    def _on_event(self, connection: Connection, event: LinkEvent) -> None:
        node_id = connection.link.peer_id
        match event:
            case MessageReceived(lane=lane, payload=payload):
                self._on_message(node_id, lane, payload)
            case LinkReady():
                self._on_ready(connection, node_id)
            case LinkClosed(reason=reason):
                self._closed[reason] += 1
                if self._handshaking.get(node_id) is connection:
                    del self._handshaking[node_id]
                if self._ready.get(node_id) is connection:
                    del self._ready[node_id]
                    self._on_link(node_id, _DOWN)
            case _:
                assert_never(event)

    def _on_ready(self, connection: Connection, node_id: bytes) -> None:
        handshaking = self._handshaking.pop(node_id)
        assert handshaking is connection, "a replaced handshake is closed and cannot get ready"
        older = self._ready.get(node_id)
        if older is not None:
            # The peer would not dial twice: the older link is dead at its end.
            older.link.close(Reason.REPLACED, "a newer connection of the same node")
            older.pump()
        self._ready[node_id] = connection
        self._counts["connects"] += 1
        self._counts["reconnects"] += node_id in self._known
        self._known.add(node_id)
        self._on_link(node_id, _UP)


def _release(gate: AcceptGate, host: str, _: asyncio.Task[None]) -> None:
    gate.release(host)
