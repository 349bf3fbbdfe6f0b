"""Disk work: in order, beside the loop, and its errors reach whoever waits."""

import asyncio
import threading

import pytest

from node.disk_thread import DiskThread


@pytest.mark.asyncio
async def test_jobs_are_done_in_order_on_another_thread() -> None:
    disk = DiskThread()
    done: list[tuple[int, bool]] = []

    def job(number: int) -> None:
        done.append((number, threading.current_thread() is threading.main_thread()))

    first = disk.do(lambda: job(1))
    second = disk.do(lambda: job(2))

    assert await second >= 0
    assert await first >= 0
    assert done == [(1, False), (2, False)]
    disk.close()


@pytest.mark.asyncio
async def test_the_loop_runs_on_while_the_disk_is_slow() -> None:
    disk = DiskThread()
    release = threading.Event()

    waiting = disk.do(release.wait)
    await asyncio.sleep(0)

    assert not waiting.done()
    release.set()
    await waiting
    disk.close()


@pytest.mark.asyncio
async def test_an_error_reaches_whoever_waits_and_the_thread_goes_on() -> None:
    disk = DiskThread()

    def fail() -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await disk.do(fail)
    await disk.do(lambda: None)
    disk.close()


@pytest.mark.parametrize("is_failing", [False, True])
@pytest.mark.asyncio
async def test_a_wait_that_is_given_up_harms_nothing(*, is_failing: bool) -> None:
    disk = DiskThread()
    release = threading.Event()

    def work() -> None:
        release.wait()
        if is_failing:
            raise OSError("nobody listens")

    given_up = disk.do(work)
    given_up.cancel()
    release.set()

    await disk.do(lambda: None)
    assert given_up.cancelled()
    disk.close()


@pytest.mark.asyncio
async def test_closing_waits_for_what_was_ordered() -> None:
    disk = DiskThread()
    done: list[int] = []
    ordered = disk.do(lambda: done.append(1))

    disk.close()

    assert done == [1]
    await ordered


def test_a_thread_that_never_worked_closes_too() -> None:
    DiskThread().close()
