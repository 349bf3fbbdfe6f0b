"""Disk work on a thread of its own, so that the event loop runs on while a slow disk syncs.

A thread pool does the same at twice the price: its futures have locks, and each hop there and back
costs the loop about 80 us of CPU, several times a block. Here one thread takes jobs from a queue,
in order, and sets a future of the loop.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[float]


class DiskThread:
    """Does one job after the other; starts with the first one."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, work: Work) -> asyncio.Future[float]:
        """Orders a job; to be called in a running event loop, and not after :meth:`close`.

        Args:
            work: what to do on the thread; its result is dropped.

        Returns:
            The seconds that the work took, without waiting for the thread or for the loop; or the
            exception that came out of it.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[float] = loop.create_future()
        self._jobs.put(_Job(work, loop, done))
        return done

    def close(self) -> None:
        """Waits until every job that was ordered is done, and ends the thread."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            began = time.perf_counter()
            try:
                job.work()
            except BaseException as error:  # noqa: BLE001  # whoever waits decides what it means
                finish = partial(_fail, job.done, error)
            else:
                finish = partial(_succeed, job.done, time.perf_counter() - began)
            job.loop.call_soon_threadsafe(finish)


def _succeed(done: asyncio.Future[float], seconds: float) -> None:
    # Whoever waited may have been cancelled meanwhile.
    if not done.done():
        done.set_result(seconds)


def _fail(done: asyncio.Future[float], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
