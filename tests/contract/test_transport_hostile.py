"""A transport against strangers and sick peers: TLS that is off, silence, floods, half-open TCP."""

import asyncio
import datetime as dt
import socket
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from p2p.budget import Rate
from p2p.frames import FrameDecoder, Lane, encode_frame
from p2p.messages import Goodbye, Hello, Reason, decode_message
from p2p.peer import MESSAGE_RATES, LinkLimits
from p2p.transport import TransportLimits
from tests.link_nodes import Node, Run, free_port, network, until


def client_context(
    node: Node, *, show_certificate: bool = True, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """A client with the keys of a node and none of the rules of a transport."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if show_certificate:
        certificate = x509.load_der_x509_certificate(node.local.certificate_der)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "identity.pem"
            path.write_bytes(
                node.local.private_key_pem + certificate.public_bytes(serialization.Encoding.PEM)
            )
            context.load_cert_chain(path)
    return context


async def goodbye_of(reader: asyncio.StreamReader) -> Goodbye:
    """The last message of a link that the other end closes; a hello may come before it."""
    decoder = FrameDecoder()
    messages = []
    while received := await reader.read(4096):
        messages += [decode_message(frame.payload) for frame in decoder.feed(received)]
    *before, goodbye = messages
    assert all(isinstance(message, Hello) for message in before)
    assert isinstance(goodbye, Goodbye)
    return goodbye


def with_dates(node: Node, *, not_before: dt.datetime, not_after: dt.datetime) -> None:
    """Gives a node a certificate with other dates, in the registry as well."""
    private_key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dated")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(7)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(private_key, None)
    )
    certificate_der = certificate.public_bytes(serialization.Encoding.DER)
    private_key_pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    node.record = replace(node.record, certificate_der=certificate_der)
    node.local = replace(
        node.local, certificate_der=certificate_der, private_key_pem=private_key_pem
    )


@pytest.mark.parametrize("years", [(2000, 2001), (2900, 2901)], ids=["expired", "not yet valid"])
def test_a_registered_certificate_outside_its_dates_is_refused(
    run: Run, years: tuple[int, int]
) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        not_before, not_after = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in years)
        with_dates(first, not_before=not_before, not_after=not_after)
        async with network(second, first):
            await until(lambda: second.up.snapshot().accept_failures >= 1)

            assert (first.links, second.links) == ([], [])

    run(body())


def test_a_certificate_that_a_registered_one_has_signed_is_refused(run: Run) -> None:
    async def body() -> None:
        first, second, child = Node(1), Node(2), Node(1)
        issuer = x509.load_der_x509_certificate(first.local.certificate_der)
        issuer_key = serialization.load_pem_private_key(first.local.private_key_pem, None)
        assert isinstance(issuer_key, Ed25519PrivateKey)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "child")]))
            .issuer_name(issuer.subject)
            .public_key(x509.load_der_x509_certificate(child.local.certificate_der).public_key())
            .serial_number(7)
            .not_valid_before(issuer.not_valid_before_utc)
            .not_valid_after(issuer.not_valid_after_utc)
            .sign(issuer_key, None)
        )
        child.local = replace(
            child.local, certificate_der=certificate.public_bytes(serialization.Encoding.DER)
        )
        try:
            await second.start(first, second)
            await child.start(second)
            await until(lambda: second.up.snapshot().accept_failures >= 1)

            assert (child.links, second.links) == ([], [])
        finally:
            await child.up.stop()
            await second.up.stop()

    run(body())


def test_a_client_without_a_certificate_is_refused(run: Run) -> None:
    async def read_to_the_end(port: int, context: ssl.SSLContext) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        try:
            assert await reader.read() == b""
        finally:
            writer.close()
        raise ConnectionResetError("closed")  # Not every loop raises what TLS said at the end.

    async def body() -> None:
        node = Node(2)
        await node.start(node)
        context = client_context(Node(1), show_certificate=False)

        with pytest.raises(OSError, match=r"(?i)certificate|reset|closed"):
            await read_to_the_end(node.up.port, context)
        await until(lambda: node.up.snapshot().accept_failures == 1)
        await node.up.stop()

    run(body())


def test_an_older_tls_is_refused(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        await second.start(first, second)
        context = client_context(first, version=ssl.TLSVersion.TLSv1_2)

        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", second.up.port, ssl=context)
        await until(lambda: second.up.snapshot().accept_failures == 1)
        await second.up.stop()

    run(body())


def test_no_session_can_be_resumed(run: Run) -> None:
    def session_of(port: int) -> ssl.SSLSession | None:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            client_context(first).wrap_socket(plain) as secure,
        ):
            secure.recv(4096)  # A ticket would come before the hello.
            return secure.session

    first, second = Node(1), Node(2)

    async def body() -> None:
        await second.start(first, second)
        session = await asyncio.to_thread(session_of, second.up.port)

        assert session is None or not session.has_ticket
        await second.up.stop()

    run(body())


def test_a_registered_peer_that_says_nothing_is_closed_in_time(run: Run) -> None:
    limits = TransportLimits(link=LinkLimits(handshake_timeout_s=0.3))

    async def body() -> None:
        first, second = Node(1), Node(2)
        await second.start(first, second, limits=limits)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", second.up.port, ssl=client_context(first)
        )

        assert (await goodbye_of(reader)).reason is Reason.TIMEOUT
        assert second.links == []
        writer.close()
        await second.up.stop()

    run(body())


@pytest.mark.parametrize(
    "invalid_bytes",
    [b"\xff\xff\xff\xff\x00", encode_frame(Lane.VOTES, b"vote"), b"GET / HTTP/1.1\r\n\r\n"],
    ids=["four gibibytes", "vote before hello", "another protocol"],
)
def test_a_registered_peer_that_breaks_the_protocol_is_told_so(
    run: Run, invalid_bytes: bytes
) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        await second.start(first, second)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", second.up.port, ssl=client_context(first)
        )
        writer.write(invalid_bytes)

        assert (await goodbye_of(reader)).reason is Reason.PROTOCOL_VIOLATION
        assert second.links == []
        writer.close()
        await second.up.stop()

    run(body())


def test_a_connection_in_the_wrong_direction_is_refused(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        await first.start(first, second)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", first.up.port, ssl=client_context(second)
        )

        assert (await goodbye_of(reader)).reason is Reason.WRONG_DIRECTION
        writer.close()
        await first.up.stop()

    run(body())


def test_a_connection_with_the_own_certificate_is_refused(run: Run) -> None:
    async def body() -> None:
        node = Node(1)
        await node.start(node)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", node.up.port, ssl=client_context(node)
        )

        assert (await goodbye_of(reader)).reason is Reason.WRONG_IDENTITY
        writer.close()
        await node.up.stop()

    run(body())


def test_one_peer_holds_one_handshake_the_newest(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        await second.start(first, second)
        port, context = second.up.port, client_context(first)
        older_reader, older = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        await until(lambda: len(second.up._handshaking) == 1)
        _, newer = await asyncio.open_connection("127.0.0.1", port, ssl=context)

        assert (await goodbye_of(older_reader)).reason is Reason.REPLACED
        assert len(second.up._handshaking) == 1
        older.close()
        newer.close()
        await second.up.stop()

    run(body())


def test_accepting_goes_on_after_the_system_refused_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2p.transport.ACCEPT_RETRY_S", 0.01)

    async def body() -> None:
        first, second = Node(1), Node(2)
        await second.start(first, second)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.settimeout(0)
            accepting = second.up._spawn(second.up._accept_forever(other))
            await asyncio.sleep(0.05)  # It is no listening socket yet: each accept fails.
            other.listen()
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", other.getsockname()[1], ssl=client_context(first)
            )
            assert await reader.read(1)
            writer.close()
            accepting.cancel()
            await second.up.stop()

    run(body())


def test_stopping_does_not_wait_for_strangers(run: Run) -> None:
    async def body() -> None:
        node = Node(1)
        await node.start(node)
        _, writer = await asyncio.open_connection("127.0.0.1", node.up.port)
        await until(lambda: len(node.up._securing) == 1)
        loop = asyncio.get_running_loop()

        began_at_s = loop.time()
        await node.up.stop()

        assert loop.time() - began_at_s < 3  # A handshake may take 5 s.
        assert node.up.snapshot().accept_failures == 1
        writer.close()

    run(body())


class Proxy:
    """Relays TCP to a port until it is frozen; then bytes vanish and nothing is closed."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._flows: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", port)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._flows.add(asyncio.ensure_future(self._flow(source, sink)))

    async def _flow(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while received := await source.read(65536):
            sink.write(received)

    def freeze(self) -> None:
        for flow in self._flows:
            flow.cancel()

    async def stop(self) -> None:
        assert self._server is not None
        self.freeze()
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._flows, return_exceptions=True)


def test_a_half_open_connection_is_reported_down_within_the_time_for_silence(run: Run) -> None:
    limits = TransportLimits(link=LinkLimits(ping_interval_s=0.3, silence_timeout_s=0.8))

    async def body() -> None:
        first, second = Node(1), Node(2)
        proxy = Proxy(second.record.port)
        proxy_port = free_port()
        await proxy.start(proxy_port)
        real = second.record
        try:
            await second.start(first, second, limits=limits)
            second.record = replace(real, port=proxy_port)
            await first.start(first, second, limits=limits)
            await until(lambda: bool(first.linked and second.linked))
            (link,) = first.up.snapshot().links
            await until(lambda: first.up.snapshot().links[0].round_trip_s is not None)

            proxy.freeze()
            frozen_at_s = asyncio.get_running_loop().time()
            await until(lambda: (second.node_id, False) in first.links)
            await until(lambda: (first.node_id, False) in second.links)

            assert 0.3 < asyncio.get_running_loop().time() - frozen_at_s < 5
            assert dict(first.up.snapshot().closed)[Reason.TIMEOUT] == 1
            assert link.node_id == second.node_id
        finally:
            await first.up.stop()
            await second.up.stop()
            await proxy.stop()

    run(body())


def test_a_flood_waits_for_its_budget_and_nothing_is_lost(run: Run) -> None:
    rates = {**MESSAGE_RATES, Lane.VOTES: Rate(per_second=200, burst=10)}
    limits = TransportLimits(link=LinkLimits(message_rates=rates))

    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second, limits=limits):
            await until(lambda: bool(first.linked and second.linked))
            loop = asyncio.get_running_loop()
            began_at_s = loop.time()
            for number in range(110):
                assert first.up.send(second.node_id, Lane.VOTES, bytes([number]))
            wire = second.up._ready[first.node_id]._wire
            assert wire is not None
            await until(lambda: not wire.is_reading())
            await until(lambda: len(second.messages) == 110)

            # The last message may have overdrawn the budget itself: reading then goes on later.
            await until(wire.is_reading)
            assert loop.time() - began_at_s > 0.4
            assert [payload[0] for _, _, payload in second.messages] == list(range(110))
            assert second.up.snapshot().throttled > 0

    run(body())


def test_all_messages_of_one_turn_leave_in_one_write_without_delay(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            for node, other in ((first, second), (second, first)):
                wire = node.up._ready[other.node_id]._wire
                assert wire is not None
                plain = wire.get_extra_info("socket")
                assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            connection = first.up._ready[second.node_id]
            wire = connection._wire
            assert wire is not None
            writes: list[bytes] = []
            spy = Spy(wire.write, writes)
            monkeypatch.setattr(connection, "_wire", spy)

            for number in range(50):
                first.up.send(second.node_id, Lane.VOTES, bytes([number]))
            await until(lambda: len(second.messages) == 50)
            monkeypatch.setattr(connection, "_wire", wire)

            assert sum(len(write) == 300 for write in writes) == 1

    run(body())


class Spy:
    """Stands before a connection's wire and keeps what is written."""

    def __init__(self, write: Callable[[bytes], None], writes: list[bytes]) -> None:
        self._write = write
        self._writes = writes

    def is_reading(self) -> bool:
        return True

    def write(self, chunk: bytes) -> None:
        self._writes.append(chunk)
        self._write(chunk)


def test_a_host_that_no_resolver_can_be_asked_for_costs_a_retry_only(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        second.record = replace(second.record, host="a" * 70 + ".invalid")
        await first.start(first, second)
        try:
            await until(lambda: first.up.snapshot().dial_failures >= 2)
        finally:
            await first.up.stop()

    run(body())


def test_an_occupied_address_is_an_error_at_start(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        second.record = replace(second.record, port=first.record.port)
        await first.start(first)
        with pytest.raises(OSError, match="in use"):
            await second.start(second)
        await second.up.stop()
        await first.up.stop()

    run(body())
