"""What every handler works with, and how it reads: on threads, never on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from aiohttp import web

from node.ports import BlockStore
from node.rpc.event_feed import EventFeed
from node.rpc.limits import BodyBudget, RpcLimits
from node.rpc.service import NodeService
from node.rpc.state_prover import StateProver
from node.rpc.strict_json import dump
from node.rpc.subscribers import Subscribers

ParametersP = ParamSpec("ParametersP")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcContext:
    """One server's surroundings."""

    service: NodeService
    limits: RpcLimits
    bodies: BodyBudget
    feed: EventFeed
    subscribers: Subscribers
    prover: StateProver
    reading: Executor
    """Threads for reading the store: a slow disk must not delay votes."""
    stopping: asyncio.Event
    """Set when the server stops; streams end then."""

    @property
    def store(self) -> BlockStore:
        """Returns the node's committed data."""
        return self.service.store

    async def read(
        self,
        work: Callable[ParametersP, ResultT],
        *arguments: ParametersP.args,
        **named: ParametersP.kwargs,
    ) -> ResultT:
        """Runs a function that reads the store, on a reading thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.reading, lambda: work(*arguments, **named))


def answer(document: object, *, status: int = 200) -> web.Response:
    """Builds a JSON answer."""
    return web.Response(status=status, body=dump(document), content_type="application/json")
