"""Request bodies: read within limits of size and time, and of one media type that is understood."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from node.rpc.limits import BodyBudget, RpcLimits
from node.rpc.problems import Problem, ProblemError, quoted, refuse

JSON = "application/json"
MESSAGEPACK = "application/msgpack"


@asynccontextmanager
async def request_body(
    request: web.Request, limits: RpcLimits, budget: BodyBudget
) -> AsyncIterator[bytes]:
    """Reads a body and keeps its bytes counted until it has been dealt with.

    Raises:
        ProblemError: BODY_TOO_LARGE, BODY_TIMEOUT, OVERLOADED or UNSUPPORTED_MEDIA_TYPE.
    """
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise refuse(
            "UNSUPPORTED_MEDIA_TYPE",
            field="Content-Encoding",
            expected="a body without encoding",
            got=quoted(request.headers["Content-Encoding"]),
        )
    stated = request.content_length
    if stated is not None and stated > limits.body_bytes_max:
        raise _too_large(limits.body_bytes_max, f"{stated}")
    body = bytearray()
    taken = 0
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            async for chunk in request.content.iter_any():
                if len(body) + len(chunk) > limits.body_bytes_max:
                    raise _too_large(limits.body_bytes_max, "more")
                budget.take(len(chunk))
                taken += len(chunk)
                body += chunk
        yield bytes(body)
    except TimeoutError:
        raise ProblemError(
            Problem(
                code="BODY_TIMEOUT",
                detail=f"body: expected within {limits.body_timeout_s:g} s, got {taken} bytes",
            )
        ) from None
    finally:
        budget.give_back(taken)


def media_type_of(request: web.Request) -> str:
    """Returns the media type of the body, one of those that are understood.

    Raises:
        ProblemError: UNSUPPORTED_MEDIA_TYPE.
    """
    stated = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if stated not in {JSON, MESSAGEPACK}:
        raise refuse(
            "UNSUPPORTED_MEDIA_TYPE",
            field="Content-Type",
            expected=f"{JSON} or {MESSAGEPACK}",
            got=quoted(stated),
        )
    return stated


def wants_messagepack(request: web.Request) -> bool:
    """Returns whether the client asks for a MessagePack answer."""
    return MESSAGEPACK in request.headers.get("Accept", "")


def _too_large(limit: int, got: str) -> ProblemError:
    return refuse("BODY_TOO_LARGE", field="body", expected=f"at most {limit} bytes", got=f"{got}")
