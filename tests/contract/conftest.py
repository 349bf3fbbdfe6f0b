"""Both event loops that a transport runs under."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
import uvloop


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Awaitable[None]], None]]:
    """Runs a test body; whatever reaches the loop's exception handler fails the test."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop
    failures: list[dict[str, object]] = []

    async def guarded(body: Awaitable[None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        await body

    with asyncio.Runner(loop_factory=factory) as runner:
        yield lambda body: runner.run(guarded(body))
    assert failures == []
