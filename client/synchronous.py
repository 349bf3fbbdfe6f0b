"""The synchronous client: the same surface for scripts and command lines.

It runs the asynchronous one in a loop on a thread of its own, so that there is one implementation.
"""

import asyncio
import threading
from collections.abc import Coroutine, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from chain.codec import Record
from chain.crypto import Signer
from chain.transaction import Transaction
from chain.types import Hash
from client.asynchronous import (
    LIFETIME_MS,
    LIST_LIMIT,
    PATIENCE_S,
    REQUEST_TIMEOUT_S,
    Call,
    TanlianClient,
)
from client.delivery import Progress
from client.events import ChainEvent
from client.nodes import Document
from client.outcome import Outcome

ResultT = TypeVar("ResultT")


class SyncTanlianClient:
    """A blocking client; a context manager. Arguments and errors are those of TanlianClient.

    Callbacks (``on_outcome``) are called on the client's own thread.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        signer: Signer | None = None,
        chain_id: Hash | None = None,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._client = TanlianClient(
            urls,
            signer=signer,
            chain_id=chain_id,
            request_timeout_s=request_timeout_s,
            patience_s=patience_s,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="tanlian-client", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections and ends the thread; closing again does nothing."""
        if self._loop.is_closed():
            return
        self._run(self._client.close())
        self._run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    # -- sending -------------------------------------------------------------------------------

    def sign(
        self, method: str, arguments: Record, *, lifetime_ms: int = LIFETIME_MS
    ) -> Transaction:
        """Signs a transaction (:meth:`TanlianClient.sign`)."""
        return self._run(self._client.sign(method, arguments, lifetime_ms=lifetime_ms))

    def submit(self, method: str, arguments: Record) -> Outcome:
        """Signs and sends one transaction until accepted (:meth:`TanlianClient.submit`)."""
        return self._run(self._client.submit(method, arguments))

    def submit_and_wait(self, method: str, arguments: Record) -> Outcome:
        """Signs and sends one until committed (:meth:`TanlianClient.submit_and_wait`)."""
        return self._run(self._client.submit_and_wait(method, arguments))

    def send_and_wait(self, transaction: Transaction) -> Outcome:
        """Sends one until committed (:meth:`TanlianClient.send_and_wait`)."""
        return self._run(self._client.send_and_wait(transaction))

    def submit_many(
        self,
        calls: Iterable[Call],
        *,
        until_final: bool = False,
        on_outcome: Progress | None = None,
    ) -> list[Outcome]:
        """Signs and sends many transactions (:meth:`TanlianClient.submit_many`)."""
        return self._run(
            self._client.submit_many(calls, until_final=until_final, on_outcome=on_outcome)
        )

    def send(
        self,
        transactions: Sequence[Transaction],
        *,
        until_final: bool,
        on_outcome: Progress | None = None,
    ) -> list[Outcome]:
        """Sends signed transactions (:meth:`TanlianClient.send`)."""
        return self._run(
            self._client.send(transactions, until_final=until_final, on_outcome=on_outcome)
        )

    # -- reading -------------------------------------------------------------------------------

    def transaction(self, transaction_id: Hash) -> Document:
        """Returns state, place, receipt and content of a transaction."""
        return self._run(self._client.transaction(transaction_id))

    def status(self) -> Document:
        """Returns the status of the node whose turn it is."""
        return self._run(self._client.status())

    def genesis(self) -> Document:
        """Returns the founding record."""
        return self._run(self._client.genesis())

    def block(self, height: int | None = None) -> Document:
        """Returns a block; the newest where no height is given."""
        return self._run(self._client.block(height))

    def account(self, public_key: bytes) -> Document:
        """Returns an account."""
        return self._run(self._client.account(public_key))

    def meter(self, meter_id: str) -> Document:
        """Returns a meter."""
        return self._run(self._client.meter(meter_id))

    def alert(self, alert_id: str) -> Document:
        """Returns an alert."""
        return self._run(self._client.alert(alert_id))

    def meters(
        self,
        *,
        organisation: str | None = None,
        site: str | None = None,
        limit: int = LIST_LIMIT,
    ) -> list[Document]:
        """Returns meters by id, with the filters that are given."""
        return self._run(self._client.meters(organisation=organisation, site=site, limit=limit))

    def readings(
        self,
        meter_id: str,
        *,
        from_ms: int = 0,
        to_ms: int | None = None,
        limit: int = LIST_LIMIT,
    ) -> list[Document]:
        """Returns the intervals of a meter by time (:meth:`TanlianClient.readings`)."""
        return self._run(self._client.readings(meter_id, from_ms=from_ms, to_ms=to_ms, limit=limit))

    def baselines(self, *, meter: str | None = None, limit: int = LIST_LIMIT) -> list[Document]:
        """Returns baselines by meter and version, qualified and refused."""
        return self._run(self._client.baselines(meter=meter, limit=limit))

    def corrections(self, meter_id: str, *, limit: int = LIST_LIMIT) -> list[Document]:
        """Returns the corrections and substitutes of a meter by number."""
        return self._run(self._client.corrections(meter_id, limit=limit))

    def alerts(self, *, limit: int = LIST_LIMIT, **filters: str | None) -> list[Document]:
        """Returns alerts, with the filters that are given."""
        return self._run(self._client.alerts(limit=limit, **filters))

    def factors(self, *, factor: str | None = None, limit: int = LIST_LIMIT) -> list[Document]:
        """Returns emission factors by series and time."""
        return self._run(self._client.factors(factor=factor, limit=limit))

    def sites(self, *, organisation: str | None = None, limit: int = LIST_LIMIT) -> list[Document]:
        """Returns sites by id."""
        return self._run(self._client.sites(organisation=organisation, limit=limit))

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """Returns what a route of docs/rpc.md answers, such as ``/v1/sites/x/totals``."""
        return self._run(self._client.read(path, query))

    def entries(
        self,
        path: str,
        name: str,
        filters: Mapping[str, str | None] | None = None,
        *,
        limit: int = LIST_LIMIT,
    ) -> list[Document]:
        """Returns the entries of a route that lists, over all its pages."""
        return self._run(self._client.entries(path, name, filters, limit=limit))

    def state_proof(self, key: bytes) -> Document:
        """Returns the proof of a state key's value, or of its absence."""
        return self._run(self._client.state_proof(key))

    def transaction_proof(self, transaction_id: Hash) -> Document:
        """Returns the proofs that a final block holds a transaction and its receipt."""
        return self._run(self._client.transaction_proof(transaction_id))

    def events(
        self, *, after: str | None = None, kind: str = ""
    ) -> Generator[ChainEvent, None, None]:
        """Follows the chain's events (:meth:`TanlianClient.events`); close it to stop early."""
        events = self._client.events(after=after, kind=kind)

        async def next_event() -> ChainEvent:
            return await anext(events)

        async def stop() -> None:
            await events.aclose()

        try:
            while True:
                yield self._run(next_event())
        finally:
            if not self._loop.is_closed():
                self._run(stop())
