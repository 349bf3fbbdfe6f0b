"""The asynchronous client: signs locally, submits, waits, reads and follows events.

::

    async with TanlianClient(["http://127.0.0.1:8001"], signer=signer) as client:
        outcome = await client.submit_and_wait("case.acknowledge", TakeStep(...))
        async for event in client.events(after="latest", kind="alert.,case."):
            ...

Private keys never leave this process. Of several nodes each request takes the next, and goes on to
another where one fails.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote

from chain.codec import Record
from chain.crypto import Signer
from chain.errors import DecodeError
from chain.transaction import Payload, Transaction, sign
from chain.types import NONCE_BYTES, Hash
from client.delivery import BATCH_TRANSACTIONS_MAX, DeliveryPlan, Progress, deliver
from client.errors import (
    InvalidArguments,
    MalformedAnswer,
    NodeUnreachable,
    RpcProblem,
    TransactionError,
    TransactionExpired,
    TransactionFailed,
    TransactionRefused,
    TransactionUnresolved,
    WrongChain,
)
from client.events import ChainEvent, EventStreamParser, event_of
from client.nodes import (
    RETRY_STATUSES,
    Document,
    Nodes,
    integer_member,
    list_member,
    text_member,
)
from client.outcome import Outcome, OutcomeState

LIFETIME_MS: Final = 600_000
"""How long a transaction stays valid unless told otherwise: long enough for a failover, short
enough that one knows soon."""
REQUEST_TIMEOUT_S: Final = 20.0
PATIENCE_S: Final = 60.0
"""Without any progress for this long a delivery ends unresolved, and a read as unreachable."""
TIME_FRESH_S: Final = 30.0
"""How long the node's block time, plus what has passed, is good enough to sign with."""
LANES_MAX: Final = 8
"""Batches under way at once."""
STREAM_SILENCE_S: Final = 45.0
"""Nodes give a sign of life every 15 s; a stream that is silent for longer is dead."""
LIST_LIMIT: Final = 1_000
"""Entries that a list query collects unless told otherwise."""
_PAGE: Final = 500

_ERROR_BY_STATE: Final[Mapping[OutcomeState, type[TransactionError]]] = {
    OutcomeState.REFUSED: TransactionRefused,
    OutcomeState.FAILED: TransactionFailed,
    OutcomeState.EXPIRED: TransactionExpired,
    OutcomeState.UNRESOLVED: TransactionUnresolved,
    OutcomeState.ACCEPTED: TransactionUnresolved,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTime:
    """What a node said of the chain, and when."""

    chain_id: Hash
    head_time_ms: int
    read_at_s: float
    """Monotonic clock of this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One transaction to sign: a method with its arguments."""

    method: str
    """Such as ``readings.submit``."""
    arguments: Record


class TanlianClient:
    """A client of one chain through any of its nodes; an asynchronous context manager.

    Args:
        urls: base URLs of nodes, such as ``http://127.0.0.1:8001``.
        signer: key of the account that sends; None for a client that only reads.
        chain_id: of the network that is meant; None takes the word of the first node. Give it in
            production, because it is what a signature commits to.
        request_timeout_s: for one request to one node.
        patience_s: how long to go on without any progress.
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
        self._nodes = Nodes(tuple(urls), request_timeout_s=request_timeout_s, patience_s=patience_s)
        self._signer = signer
        self._chain_id = chain_id
        self._patience_s = patience_s
        self._time: ChainTime | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self._nodes.close()

    # -- sending -------------------------------------------------------------------------------

    async def sign(
        self, method: str, arguments: Record, *, lifetime_ms: int = LIFETIME_MS
    ) -> Transaction:
        """Signs a transaction for this chain, valid from now for a span of block time.

        Raises:
            ValueError: the client has no signer.
            InvalidArguments: a number or text that no transaction can carry.
            WrongChain, NodeUnreachable, RpcProblem: the chain's time could not be learnt.
        """
        if self._signer is None:
            raise ValueError("signer: expected the key of an account, got none")
        encoded = _encoded(method, arguments)
        now = await self._chain_time()
        # A quiet chain's head is old; its next block will have the hosts' present time.
        present_ms = max(now.head_time_ms, time.time_ns() // 1_000_000)
        return sign(
            self._signer,
            Payload(
                chain_id=now.chain_id,
                sender=self._signer.public_key,
                nonce=secrets.token_bytes(NONCE_BYTES),
                valid_until_ms=present_ms + lifetime_ms,
                method=method,
                arguments=encoded,
            ),
        )

    async def submit(self, method: str, arguments: Record) -> Outcome:
        """Signs and sends one transaction; returns when a node has accepted it.

        Raises:
            TransactionRefused: with the node's code and detail.
            TransactionExpired, TransactionUnresolved: see :mod:`client.errors`.
        """
        transaction = await self.sign(method, arguments)
        return await self._send_one(transaction, until_final=False)

    async def submit_and_wait(self, method: str, arguments: Record) -> Outcome:
        """Signs and sends one transaction; returns when it is committed.

        Raises:
            TransactionRefused, TransactionFailed: with the code and detail.
            TransactionExpired, TransactionUnresolved: see :mod:`client.errors`.
        """
        return await self.send_and_wait(await self.sign(method, arguments))

    async def send_and_wait(self, transaction: Transaction) -> Outcome:
        """Sends one signed transaction; returns when it is committed.

        Raises:
            TransactionRefused, TransactionFailed: with the code and detail.
            TransactionExpired, TransactionUnresolved: see :mod:`client.errors`.
        """
        return await self._send_one(transaction, until_final=True)

    async def submit_many(
        self,
        calls: Iterable[Call],
        *,
        until_final: bool = False,
        on_outcome: Progress | None = None,
    ) -> list[Outcome]:
        """Signs and sends many transactions in batches over all nodes.

        Args:
            calls: in order; the chain may commit them in another.
            until_final: wait until each is in a block, instead of in a pool.
            on_outcome: called once for each when that is reached.

        Returns:
            One outcome each, in order; nothing is raised for single ones.
        """
        transactions = [await self.sign(each.method, each.arguments) for each in calls]
        return await self.send(transactions, until_final=until_final, on_outcome=on_outcome)

    async def send(
        self,
        transactions: Sequence[Transaction],
        *,
        until_final: bool,
        on_outcome: Progress | None = None,
    ) -> list[Outcome]:
        """Sends signed transactions; the same bytes may be sent any number of times.

        Returns:
            One outcome each, in order; nothing is raised for single ones.
        """
        plan = DeliveryPlan(
            until_final=until_final, patience_s=self._patience_s, on_outcome=on_outcome
        )
        lanes = asyncio.Semaphore(LANES_MAX)

        async def deliver_batch(batch: Sequence[Transaction]) -> list[Outcome]:
            async with lanes:
                return await deliver(self._nodes, batch, plan)

        batches = [
            transactions[start : start + BATCH_TRANSACTIONS_MAX]
            for start in range(0, len(transactions), BATCH_TRANSACTIONS_MAX)
        ]
        outcomes = await asyncio.gather(*(deliver_batch(batch) for batch in batches))
        return [outcome for batch in outcomes for outcome in batch]

    async def _send_one(self, transaction: Transaction, *, until_final: bool) -> Outcome:
        (outcome,) = await self.send([transaction], until_final=until_final)
        wanted = {OutcomeState.COMMITTED}
        if not until_final:
            wanted.add(OutcomeState.ACCEPTED)
        if outcome.state in wanted:
            return outcome
        raise _ERROR_BY_STATE[outcome.state](transaction, outcome)

    # -- reading -------------------------------------------------------------------------------

    async def transaction(self, transaction_id: Hash) -> Document:
        """Returns state, place, receipt and content of a transaction."""
        return await self._nodes.get(f"/v1/transactions/{transaction_id.hex()}")

    async def status(self) -> Document:
        """Returns the status of the node whose turn it is."""
        return await self._nodes.get("/v1/status")

    async def genesis(self) -> Document:
        """Returns the founding record, by name and in its canonical bytes."""
        return await self._nodes.get("/v1/genesis")

    async def block(self, height: int | None = None) -> Document:
        """Returns a block; the newest where no height is given."""
        return await self._nodes.get(f"/v1/blocks/{'latest' if height is None else height}")

    async def account(self, public_key: bytes) -> Document:
        """Returns an account."""
        return await self._nodes.get(f"/v1/accounts/{public_key.hex()}")

    async def meter(self, meter_id: str) -> Document:
        """Returns a meter."""
        return await self._nodes.get(f"/v1/meters/{_segment(meter_id)}")

    async def alert(self, alert_id: str) -> Document:
        """Returns an alert."""
        return await self._nodes.get(f"/v1/alerts/{_segment(alert_id)}")

    async def meters(
        self,
        *,
        organisation: str | None = None,
        site: str | None = None,
        limit: int = LIST_LIMIT,
    ) -> list[Document]:
        """Returns meters by id, with the filters that are given."""
        filters = {"organisation": organisation, "site": site}
        return await self._list("/v1/meters", "meters", filters, limit)

    async def readings(
        self,
        meter_id: str,
        *,
        from_ms: int = 0,
        to_ms: int | None = None,
        limit: int = LIST_LIMIT,
    ) -> list[Document]:
        """Returns the intervals of a meter by time, with emissions and failed checks.

        Args:
            meter_id: the meter.
            from_ms: first start, milliseconds UTC.
            to_ms: exclusive end of the starts; None for all that there is.
            limit: most intervals to return.
        """
        query = {"from": str(from_ms)}
        query |= {} if to_ms is None else {"to": str(to_ms)}
        found: list[Document] = []
        while len(found) < limit:
            query["limit"] = str(min(_PAGE, limit - len(found)))
            page = await self._nodes.get(f"/v1/meters/{_segment(meter_id)}/readings", query)
            found += list_member(page, "readings")
            next_from_ms = page.get("next_from_ms")
            if not isinstance(next_from_ms, int):
                break
            query["from"] = str(next_from_ms)
        return found

    async def baselines(
        self, *, meter: str | None = None, limit: int = LIST_LIMIT
    ) -> list[Document]:
        """Returns baselines by meter and version, qualified and refused."""
        return await self._list("/v1/baselines", "baselines", {"meter": meter}, limit)

    async def corrections(self, meter_id: str, *, limit: int = LIST_LIMIT) -> list[Document]:
        """Returns the corrections and substitutes of a meter by number."""
        return await self._list(f"/v1/meters/{meter_id}/corrections", "corrections", {}, limit)

    async def alerts(self, *, limit: int = LIST_LIMIT, **filters: str | None) -> list[Document]:
        """Returns alerts.

        Args:
            limit: most alerts to return.
            filters: ``state`` such as ``OPEN``, ``severity``, ``escalated``, ``meter``, ``site``,
                ``organisation``; those that are given narrow the list.
        """
        return await self._list("/v1/alerts", "alerts", filters, limit)

    async def factors(
        self, *, factor: str | None = None, limit: int = LIST_LIMIT
    ) -> list[Document]:
        """Returns emission factors by series and time."""
        return await self._list("/v1/factors", "factors", {"factor": factor}, limit)

    async def sites(
        self, *, organisation: str | None = None, limit: int = LIST_LIMIT
    ) -> list[Document]:
        """Returns sites by id."""
        return await self._list("/v1/sites", "sites", {"organisation": organisation}, limit)

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """Returns what a route of docs/rpc.md answers, such as ``/v1/sites/x/totals``."""
        return await self._nodes.get(path, dict(query or {}))

    async def entries(
        self,
        path: str,
        name: str,
        filters: Mapping[str, str | None] | None = None,
        *,
        limit: int = LIST_LIMIT,
    ) -> list[Document]:
        """Returns the entries of a route that lists, over all its pages."""
        return await self._list(path, name, dict(filters or {}), limit)

    async def state_proof(self, key: bytes) -> Document:
        """Returns the proof of a state key's value, or of its absence, at the newest block."""
        return await self._nodes.get(f"/v1/proofs/state/{key.hex()}")

    async def transaction_proof(self, transaction_id: Hash) -> Document:
        """Returns the proofs that a final block holds a transaction and its receipt."""
        return await self._nodes.get(f"/v1/proofs/transactions/{transaction_id.hex()}")

    async def events(
        self, *, after: str | None = None, kind: str = ""
    ) -> AsyncGenerator[ChainEvent, None]:
        """Follows the chain's events without end, without gaps and without repeats.

        Args:
            after: cursor of the last event that was handled; ``latest`` for what comes from now
                on; None for all from the beginning.
            kind: prefixes of the kinds wanted, such as ``alert.,case.``; empty for all.

        Raises:
            NodeUnreachable, RpcProblem: no node has served for the patience of this client.
        """
        if after == "latest":
            # Fixed once, so that what happens while no node answers is not skipped.
            after = text_member(await self._nodes.get("/v1/events", {"after": after}), "next")
        served_s = time.monotonic()
        while True:
            url = self._nodes.next_url()
            try:
                async for batch in self._stream(url, after, kind):
                    for event in batch:
                        after = event.cursor
                        yield event
                    served_s = time.monotonic()
                    self._nodes.served(url)
            except (NodeUnreachable, RpcProblem) as error:
                is_final = isinstance(error, RpcProblem) and error.status not in RETRY_STATUSES
                if is_final or time.monotonic() - served_s > self._patience_s + STREAM_SILENCE_S:
                    raise
            # A stream never ends by itself: the node stopped, or the way to it broke.
            self._nodes.failed(url)
            await self._nodes.pause()

    async def _stream(
        self, url: str, after: str | None, kind: str
    ) -> AsyncIterator[list[ChainEvent]]:
        """Yields events as they come; an empty list is a sign of life."""
        query = {"stream": "sse"}
        query |= {"after": after} if after else {}
        query |= {"kind": kind} if kind else {}
        parser = EventStreamParser()
        async with self._nodes.stream(url + "/v1/events", query, STREAM_SILENCE_S) as response:
            async for chunk in response.content.iter_any():
                yield [event_of(_object(message)) for message in parser.feed(chunk)]

    async def _list(
        self, path: str, name: str, filters: Mapping[str, str | None], limit: int
    ) -> list[Document]:
        """Collects the pages of a list, up to a number of entries."""
        query = {key: value for key, value in filters.items() if value is not None}
        found: list[Document] = []
        while len(found) < limit:
            query["limit"] = str(min(_PAGE, limit - len(found)))
            page = await self._nodes.get(path, query)
            found += list_member(page, name)
            after = page.get("after")
            if not isinstance(after, str):
                break
            query["after"] = after
        return found

    async def _chain_time(self) -> ChainTime:
        now_s = time.monotonic()
        if self._time is not None and now_s - self._time.read_at_s < TIME_FRESH_S:
            return self._time
        document = await self.status()
        chain_id = bytes.fromhex(text_member(document, "chain_id"))
        expected = self._chain_id if self._time is None else self._time.chain_id
        if expected is not None and chain_id != expected:
            raise WrongChain(
                f"chain id: expected {expected.hex()}, got {chain_id.hex()}; the node belongs to "
                "another network"
            )
        self._time = ChainTime(
            chain_id=chain_id,
            head_time_ms=integer_member(document, "head_time_ms"),
            read_at_s=now_s,
        )
        return self._time


def _object(message: bytes) -> Document:
    try:
        document = json.loads(message)
    except ValueError as error:
        raise MalformedAnswer(f"event stream: expected JSON, got: {error}") from None
    if not isinstance(document, dict):
        raise MalformedAnswer("event stream: expected JSON objects")
    return document


def _encoded(method: str, arguments: Record) -> bytes:
    try:
        return arguments.encode()
    except OverflowError as error:
        try:
            arguments.from_value(arguments.to_value())
        except (DecodeError, UnicodeEncodeError) as fault:
            raise InvalidArguments(f"{method}: {fault}") from None
        raise AssertionError("no field holds an integer beyond 64 bits") from error
    except UnicodeEncodeError as error:
        raise InvalidArguments(f"{method}: expected text in UTF-8, got: {error}") from None


def _segment(text: str) -> str:
    """Returns an id as one segment of a path: a slash in it must not lead to another document."""
    return quote(text, safe="")
