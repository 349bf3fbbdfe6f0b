"""One TLS connection under one :class:`p2p.peer.PeerLink`: bytes in, bytes out, timers.

Nothing is decided here. All frames that are queued within one turn of the event loop leave in
one write. When the connection's buffer is full, writing stops and the link's bounded queues take
over, so a peer that reads slowly costs a fixed amount of memory.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from p2p.frames import Lane
from p2p.messages import Reason
from p2p.peer import LinkClosed, LinkEvent, LinkReady, LinkState, PeerLink

WRITE_BYTES: Final = 256 * 1024
"""One write at most, and the buffer at which writing pauses: what a fresh vote may wait behind."""

WRITE_RESUME_BYTES: Final = 64 * 1024
"""Writing goes on when the buffer has shrunk to this."""

FAREWELL_S: Final = 1.0
"""How long a goodbye may take; then the connection is cut."""


class Connection(asyncio.Protocol):
    """Carries one link over one established TLS connection.

    Args:
        open_link: Called once with this connection and the peer's certificate as DER; returns its
            link, which may be closed already where the peer is refused.
        on_event: Called with each event, from the event loop only and never from within ``send``
            or ``close``.
    """

    def __init__(
        self,
        *,
        open_link: Callable[["Connection", bytes], PeerLink],
        on_event: Callable[["Connection", LinkEvent], None],
    ) -> None:
        self.certificate_der = b""
        """The peer's, proven by TLS; empty before the handshake of TLS."""
        self.software = ""
        """What the peer runs, in its own words; empty before the link is ready."""
        self.ready_since_s: float | None = None
        """Of the loop's clock; None where the link never became ready."""
        self.closed: Final = asyncio.Event()
        """Set when the link has ended and everyone has been told."""
        self.lost: Final = asyncio.Event()
        """Set when the socket is gone."""
        self._open_link = open_link
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._wire: asyncio.Transport | None = None
        self._link: PeerLink | None = None
        self._is_writable = True
        self._is_flush_due = False
        self._is_shut = False
        self._timers: list[asyncio.TimerHandle] = []
        """At most two: the end of a wait for the budget, the end of a farewell."""

    @property
    def link(self) -> PeerLink:
        """The link; exists once TLS is established."""
        assert self._link is not None
        return self._link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop when TLS is established."""
        self._wire = cast("asyncio.Transport", transport)
        self._wire.set_write_buffer_limits(high=WRITE_BYTES, low=WRITE_RESUME_BYTES)
        tls = transport.get_extra_info("ssl_object")
        self.certificate_der = tls.getpeercert(binary_form=True)
        self._link = self._open_link(self, self.certificate_der)
        self.pump()

    def data_received(self, data: bytes) -> None:
        """Called by the loop with bytes of the peer."""
        self.link.receive(data, self._loop.time())
        self.pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop when the socket is gone, however that came about."""
        for timer in self._timers:
            timer.cancel()
        self._is_shut = True
        self._is_writable = False
        if self._link is not None:
            # The error's text is the platform's: it is for people, and travels nowhere.
            detail = "expected a connection, got its end" + (f": {exc}" if exc else "")
            self._link.close(Reason.CONNECTION_LOST, detail)
            self.pump()
        self.closed.set()
        self.lost.set()

    def pause_writing(self) -> None:
        """Called by the loop when its buffer is full."""
        self._is_writable = False
        self.link.pause_writing(self._loop.time())

    def resume_writing(self) -> None:
        """Called by the loop when its buffer has room again."""
        self._is_writable = True
        self.link.resume_writing()
        self._flush()

    def send(self, lane: Lane, frame: bytes) -> bool:
        """Queues an encoded frame; it leaves in the next turn of the loop.

        Args:
            lane: The lane it was encoded for.
            frame: See :func:`p2p.frames.encode_frame`.

        Returns:
            Whether it was queued.
        """
        is_queued = self.link.send(lane, frame)
        if is_queued:
            self._flush_soon()
        elif self.link.state is LinkState.CLOSED:
            self._loop.call_soon(self.pump)
        return is_queued

    def close(self, reason: Reason, detail: str) -> None:
        """Ends the link: nothing more is handed up; the event follows in the next turn."""
        self.link.close(reason, detail)
        self._loop.call_soon(self.pump)

    def abort(self) -> None:
        """Cuts the connection without waiting for what is still to be written."""
        if self._wire is not None:
            self._wire.abort()

    def tick(self) -> None:
        """Checks time-outs and pings; to be called a few times a second."""
        self.link.tick(self._loop.time())
        self.pump()

    def pump(self) -> None:
        """Hands up all that happened, then sees to reading, writing and the end."""
        link, now_s = self.link, self._loop.time()
        while (event := link.next_event(now_s)) is not None:
            if isinstance(event, LinkReady):
                self.software = event.software
                self.ready_since_s = now_s
            self._on_event(self, event)
            if isinstance(event, LinkClosed):
                self.closed.set()
        if link.state is LinkState.CLOSED:
            self._shut()
            return
        if link.read_resume_at_s is not None:
            self._wait_for_budget(now_s)
        if link.has_bytes:
            self._flush_soon()

    def _wait_for_budget(self, now_s: float) -> None:
        resume_at_s = self.link.read_resume_at_s
        if resume_at_s is None or self._wire is None or not self._wire.is_reading():
            return
        self._wire.pause_reading()
        self._timers = [self._loop.call_later(resume_at_s - now_s, self._resume_reading)]

    def _resume_reading(self) -> None:
        if self._is_shut or self._wire is None:
            return
        self._wire.resume_reading()
        self.link.resume_reading(self._loop.time())
        self.pump()

    def _flush_soon(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        # A write may fill the buffer, and then calls pause_writing before it returns.
        while self._is_writable and not self._is_shut and self._wire is not None:
            chunk = self.link.take_bytes(WRITE_BYTES)
            if not chunk:
                return
            self._wire.write(chunk)
            if len(chunk) < WRITE_BYTES:
                return  # Nothing is left.

    def _shut(self) -> None:
        """Writes the goodbye if there is room for it, and closes; cuts where that takes long."""
        if self._is_shut or self._wire is None:
            return
        self._is_shut = True
        farewell = self.link.take_bytes(WRITE_BYTES)
        if farewell and self._is_writable:
            self._wire.write(farewell)
        if not self._is_writable:
            self._wire.abort()
            return
        self._wire.close()
        self._timers.append(self._loop.call_later(FAREWELL_S, self._wire.abort))
