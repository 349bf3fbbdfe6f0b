"""The nodes that a client talks to: in turn, and around those that fail.

Every request goes to the next node in turn, so that the load is spread. A node that fails rests for
a while that doubles with each failure up to a bound; when all rest, the one that has rested longest
is asked. This module knows HTTP and nothing of transactions.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import aiohttp

from client.errors import MalformedAnswer, NodeUnreachable, RpcProblem

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Document: TypeAlias = dict[str, Json]

REST_FIRST_S: Final = 0.2
REST_MAX_S: Final = 5.0
"""A node that came back is used again within this."""
ANSWER_BYTES_MAX: Final = 64 * 2**20
"""A block of the largest size, shown for people, with room."""
CONNECT_TIMEOUT_S: Final = 3.0
"""A host that is switched off refuses nothing: without this each request to it would take all of
its time. Round the world and back, with a packet lost, a connection is there in two seconds."""
KEEP_ALIVE_S: Final = 5.0
"""Below the 10 s after which a node closes an idle connection, so that no request meets that."""
_NEVER_CONNECTED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
RETRY_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that say nothing about the request: another node, or a later moment, may do."""


@dataclass(slots=True)
class _Node:
    """One base URL and how it has been doing."""

    url: str
    failures: int = 0
    rests_until_s: float = 0.0


class Nodes:
    """Base URLs in rotation.

    Args:
        urls: such as ``http://127.0.0.1:8001``, at least one.
        request_timeout_s: for one request to one node.
        patience_s: how long reading goes on asking node after node; each is asked once at least.
    """

    def __init__(
        self, urls: tuple[str, ...], *, request_timeout_s: float, patience_s: float
    ) -> None:
        if not urls:
            raise ValueError("urls: expected at least one base URL of a node, got none")
        self._nodes = [_Node(url.rstrip("/")) for url in urls]
        # Clients that start together do not all begin with the same node.
        self._turn = secrets.randbelow(len(urls))
        self._request_timeout_s = request_timeout_s
        self._patience_s = patience_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def next_url(self) -> str:
        """Returns the node whose turn it is."""
        now_s = time.monotonic()
        for _ in self._nodes:
            node = self._nodes[self._turn]
            self._turn = (self._turn + 1) % len(self._nodes)
            if node.rests_until_s <= now_s:
                return node.url
        return min(self._nodes, key=lambda each: each.rests_until_s).url

    def failed(self, url: str) -> None:
        """Notes that a node did not serve; it rests for a while."""
        node = self._node(url)
        node.failures += 1
        rest_s = min(REST_FIRST_S * 2 ** min(node.failures - 1, 10), REST_MAX_S)
        node.rests_until_s = time.monotonic() + rest_s

    def served(self, url: str) -> None:
        """Notes that a node answered."""
        node = self._node(url)
        node.failures, node.rests_until_s = 0, 0.0

    @property
    def have_all_failed(self) -> bool:
        """Returns whether no node has served since it failed: there is none left to try."""
        return all(node.failures for node in self._nodes)

    async def pause(self) -> None:
        """Waits until some node has rested, a little at least."""
        rested_s = min(node.rests_until_s for node in self._nodes) - time.monotonic()
        jitter_s = secrets.randbelow(50) / 1_000
        await asyncio.sleep(max(rested_s, 0.01) + jitter_s)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """Reads a JSON document from whichever node answers.

        Raises:
            RpcProblem: a node refused, and another would too.
            NodeUnreachable: none answered within the patience.
            MalformedAnswer: not a JSON object.
        """
        deadline_s = time.monotonic() + self._patience_s
        while True:
            url = self.next_url()
            try:
                document = await self.get_from(url, path, query)
            except NodeUnreachable:
                failure: Exception = NodeUnreachable(f"{url}: no answer")
            except RpcProblem as problem:
                if problem.status not in RETRY_STATUSES:
                    raise
                failure = problem
            else:
                return document
            self.failed(url)
            if time.monotonic() >= deadline_s and self.have_all_failed:
                raise failure
            await self.pause()

    async def get_from(
        self, url: str, path: str, query: Mapping[str, str] | None = None
    ) -> Document:
        """Reads a JSON document from one node.

        Raises:
            RpcProblem, NodeUnreachable, MalformedAnswer: as :meth:`get`, at once.
        """
        async with self.request("GET", url + path, query=query) as response:
            document = await read_json(response)
        self.served(url)
        return document

    async def post(
        self, url: str, *, query: Mapping[str, str], body: bytes, media_type: str, timeout_s: float
    ) -> bytes:
        """Posts bytes to one node and returns the answer's bytes.

        Raises:
            RpcProblem: the node refused the whole request.
            NodeUnreachable: no answer; says whether the node may have the bytes.
        """
        headers = {"Content-Type": media_type, "Accept": media_type}
        async with self.request(
            "POST",
            url,
            query=query,
            headers=headers,
            body=body,
            timing=_within(timeout_s),
        ) as response:
            return await _read(response)

    @asynccontextmanager
    async def stream(
        self, url: str, query: Mapping[str, str], silence_s: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Opens an answer without end; raises NodeUnreachable after so long a silence.

        Raises:
            RpcProblem, NodeUnreachable: as :meth:`request`.
        """
        timing = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=silence_s
        )
        async with self.request("GET", url, query=query, timing=timing) as response:
            yield response

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timing: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Makes one request to one node; problems become exceptions.

        Raises:
            RpcProblem: the node refused.
            NodeUnreachable: it did not answer, or broke off.
        """
        try:
            async with self._open_session().request(
                method,
                url,
                params=dict(query or {}),
                headers=dict(headers or {}),
                data=body,
                timeout=timing or _within(self._request_timeout_s),
                allow_redirects=False,
            ) as response:
                if response.status >= 300:
                    raise await _problem_of(response)
                yield response
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise NodeUnreachable(
                f"{url}: {type(error).__name__}: {error}",
                may_have_arrived=not isinstance(error, _NEVER_CONNECTED),
            ) from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE_S)
            )
        return self._session

    def _node(self, url: str) -> _Node:
        return next(node for node in self._nodes if node.url == url)


def _within(total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, sock_connect=CONNECT_TIMEOUT_S)


async def read_json(response: aiohttp.ClientResponse) -> Document:
    """Reads a whole answer as a JSON object.

    Raises:
        MalformedAnswer: anything else, or too much of it.
    """
    body = await _read(response)
    try:
        document: Json = json.loads(body)
    except ValueError as error:
        raise MalformedAnswer(f"{response.url}: expected JSON, got: {error}") from None
    if not isinstance(document, dict):
        raise MalformedAnswer(
            f"{response.url}: expected a JSON object, got a {type(document).__name__}"
        )
    return document


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise MalformedAnswer(f"{response.url}: expected at most {ANSWER_BYTES_MAX} bytes")
    return bytes(body)


async def _problem_of(response: aiohttp.ClientResponse) -> RpcProblem:
    try:
        document = await read_json(response)
    except MalformedAnswer:
        document = {}
    return RpcProblem(
        status=response.status,
        code=_text(document, "code") or "HTTP",
        detail=_text(document, "detail") or f"HTTP status {response.status} of {response.url}",
        type_urn=_text(document, "type"),
        field=_text(document, "field"),
    )


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def text_member(document: Document, name: str) -> str:
    """Returns a text member; raises MalformedAnswer where there is none."""
    value = document.get(name)
    if not isinstance(value, str):
        raise MalformedAnswer(f"{name}: expected a text, got {value!r:.60}")
    return value


def integer_member(document: Document, name: str) -> int:
    """Returns an integer member; raises MalformedAnswer where there is none."""
    value = document.get(name)
    if type(value) is not int:
        raise MalformedAnswer(f"{name}: expected an integer, got {value!r:.60}")
    return value


def list_member(document: Document, name: str) -> list[Document]:
    """Returns a member that is a list of objects; raises MalformedAnswer where there is none."""
    value = document.get(name)
    if not isinstance(value, list):
        raise MalformedAnswer(f"{name}: expected a list, got {value!r:.60}")
    objects = [element for element in value if isinstance(element, dict)]
    if len(objects) != len(value):
        raise MalformedAnswer(f"{name}: expected a list of objects, got others in it")
    return objects
