"""The RPC server of a node: listeners, one error middleware, and orderly start and stop.

Whatever a request holds, the answer is a good one or a problem document; the text of an unplanned
exception goes to the log and never to a client.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from chain.errors import ContractRefusal
from node.rpc.connections import SERVER_NAME, ConnectionCounts, GuardedConnection
from node.rpc.context import RpcContext, answer
from node.rpc.description import docs_page, openapi_document
from node.rpc.event_feed import EventFeed
from node.rpc.limits import BodyBudget, RpcLimits, TokenBuckets
from node.rpc.problems import PROBLEM_CONTENT_TYPE, Problem, ProblemError, quoted, refuse
from node.rpc.routes import ROUTES, Route
from node.rpc.service import NodeService, RequestObserver
from node.rpc.state_prover import StateProver
from node.rpc.streams import STREAMING
from node.rpc.subscribers import Subscribers

READING_THREADS: Final = 4
"""Reads that wait for the disk at once; more than the cores, because they wait."""
STOP_TIMEOUT_S: Final = 5.0
"""Requests under way may end within this when the node stops."""
METRICS_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BACKLOG: Final = 128
LOGGER: Final = logging.getLogger("tanlian.rpc")
_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RpcMetrics(RequestObserver, Protocol):
    """Metrics that are shown on the second listener (:class:`node.metrics.NodeMetrics`)."""

    def render(self) -> bytes:
        """Returns all metrics in Prometheus' text format."""
        ...


class RpcServer:
    """Serves one node's clients.

    Args:
        service: the node.
        metrics: counts requests, and is served under ``/metrics`` by a listener of its own.
        host: address for clients.
        port: 0 for any that is free; see :attr:`port`.
        metrics_host: address for Prometheus.
        metrics_port: 0 for any that is free; see :attr:`metrics_port`.

    Attributes:
        limits: what one client may take; read when the server starts.
    """

    def __init__(
        self,
        service: NodeService,
        metrics: RpcMetrics,
        *,
        host: str,
        port: int,
        metrics_host: str,
        metrics_port: int,
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._addresses = ((host, port), (metrics_host, metrics_port))
        self.limits = RpcLimits()
        self._listeners: list[asyncio.Server] = []
        self._runners: list[web.AppRunner] = []
        self._context: RpcContext | None = None
        self._reading: ThreadPoolExecutor | None = None

    @property
    def port(self) -> int:
        """Returns the port that clients reach; the server has been started."""
        return int(self._listeners[0].sockets[0].getsockname()[1])

    @property
    def metrics_port(self) -> int:
        """Returns the port of ``/metrics``; the server has been started."""
        return int(self._listeners[1].sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Opens both listeners.

        Raises:
            OSError: an address is not to be had.
        """
        self._reading = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="rpc-read")
        self._context = RpcContext(
            service=self._service,
            limits=self.limits,
            bodies=BodyBudget(self.limits.bodies_bytes_max),
            feed=EventFeed(self._service.store),
            subscribers=Subscribers(self.limits.subscribers_max),
            prover=StateProver(self._service.store),
            reading=self._reading,
            stopping=asyncio.Event(),
        )
        version = self._service.status().version
        applications = (
            application_of(self._context, self._metrics, version=version),
            _metrics_application(self._metrics),
        )
        try:
            for application, (host, port) in zip(applications, self._addresses, strict=True):
                await self._listen(application, host, port)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Closes the listeners, ends streams, and lets requests under way finish."""
        if self._context is not None:
            self._context.stopping.set()
        for listener in self._listeners:
            listener.close()
        for runner in self._runners:
            await runner.cleanup()
        if self._reading is not None:
            self._reading.shutdown(wait=False, cancel_futures=True)
        self._listeners, self._runners = [], []

    async def _listen(self, application: web.Application, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        runner = web.AppRunner(application, shutdown_timeout=STOP_TIMEOUT_S)
        await runner.setup()
        self._runners.append(runner)
        server = runner.server
        assert server is not None, "a runner that is set up has its server"
        counts = ConnectionCounts(self.limits)
        listener = await loop.create_server(
            lambda: GuardedConnection(server, loop=loop, counts=counts, limits=self.limits),
            host,
            port,
            backlog=_BACKLOG,
        )
        self._listeners.append(listener)


def application_of(
    context: RpcContext, observer: RequestObserver, *, version: str
) -> web.Application:
    """Builds the application that serves :data:`node.rpc.routes.ROUTES` and their description."""
    buckets = TokenBuckets(context.limits, time.monotonic)
    application = web.Application(
        middlewares=[_answering(buckets, observer)],
        client_max_size=context.limits.body_bytes_max,
    )
    for route in ROUTES:
        application.router.add_route(route.method, route.path, _bound(route, context))
    description = openapi_document(ROUTES, version=version)
    page = docs_page(ROUTES, version=version)

    async def openapi(_request: web.Request) -> web.Response:
        return answer(description)

    async def docs(_request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    application.router.add_get("/v1/openapi.json", openapi)
    application.router.add_get("/v1/docs", docs)
    application.on_response_prepare.append(_add_headers)
    return application


def _bound(route: Route, context: RpcContext) -> _Next:
    known = frozenset(parameter.name for parameter in route.query)

    async def handle(request: web.Request) -> web.StreamResponse:
        for name in request.query:
            if name not in known:
                raise refuse(
                    "UNKNOWN_PARAMETER",
                    field="query",
                    expected=", ".join(sorted(known)) or "no parameters",
                    got=quoted(name),
                )
        return await route.handler(context, request)

    return handle


def _answering(buckets: TokenBuckets, observer: RequestObserver) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: _Next) -> web.StreamResponse:
        started_s = time.monotonic()
        response = await _answer_or_problem(request, handler, buckets)
        resource = request.match_info.route.resource
        path = "unknown" if resource is None else resource.canonical
        observer.observe_request(
            method=f"{request.method} {path}" if resource is not None else path,
            code=response.status,
            seconds=time.monotonic() - started_s,
        )
        return response

    return middleware


async def _answer_or_problem(
    request: web.Request, handler: _Next, buckets: TokenBuckets
) -> web.StreamResponse:
    try:
        buckets.take(request.remote or "unknown")
        return await handler(request)
    except ProblemError as error:
        problem = error.problem
    except web.HTTPException as error:
        problem = _problem_of_http(request, error)
    except ConnectionError:
        raise  # the client has gone; there is nobody to answer
    except ContractRefusal as error:
        problem = Problem(code=error.code, detail=error.detail)
    except Exception:
        # The one place of its kind: no fault may reach a client as it is.
        LOGGER.exception("request failed", extra={"path": request.path})
        if STREAMING in request and request.transport is not None:
            # Half of an answer is out: a second one would pass for its rest, a cut does not.
            request.transport.abort()
        problem = Problem(
            code="INTERNAL",
            detail="the node failed to answer; its operator finds the cause in the log",
        )
    return _response_of(request, problem)


def _problem_of_http(request: web.Request, error: web.HTTPException) -> Problem:
    match error.status:
        case 404:
            return Problem(
                code="NOT_FOUND",
                detail=f"path: expected one of those in /v1/docs, got {quoted(request.path)}",
                field="path",
            )
        case 405:
            allowed = error.headers.get("Allow", "")
            return Problem(
                code="METHOD_NOT_ALLOWED",
                detail=f"method: expected {allowed}, got {quoted(request.method)}",
                field="method",
                expected=allowed,
                got=quoted(request.method),
            )
        case 413:
            return Problem(code="BODY_TOO_LARGE", detail="body: expected a smaller one")
        case _:
            return Problem(code="BAD_REQUEST", detail=error.reason)


def _response_of(request: web.Request, problem: Problem) -> web.Response:
    response = answer(problem.to_json(), status=problem.status)
    response.content_type = PROBLEM_CONTENT_TYPE
    response.headers.update(problem.headers())
    if not request.content.is_eof():
        # The rest of a body that nobody reads is not worth waiting for.
        response.force_close()
    return response


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_NAME
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"
    )


def _metrics_application(metrics: RpcMetrics) -> web.Application:
    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": METRICS_CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/metrics", show)
    application.on_response_prepare.append(_add_headers)
    return application
