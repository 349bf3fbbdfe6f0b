"""Two questions of a supervisor: does the process answer, and may clients be sent to it."""

from aiohttp import web

from node.rpc.context import RpcContext, answer
from node.rpc.problems import Problem, ProblemError


async def alive(_context: RpcContext, _request: web.Request) -> web.Response:
    """Says that the process answers."""
    return answer({"status": "ok"})


async def ready(context: RpcContext, _request: web.Request) -> web.Response:
    """Says whether the node takes transactions, and why where it does not."""
    readiness = context.service.readiness()
    if not readiness.is_ready:
        raise ProblemError(Problem(code="NOT_READY", detail=readiness.reason))
    return answer({"status": "ready"})
