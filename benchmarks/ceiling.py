"""What one signature check costs on this machine while all cores are busy."""

import threading
import time
from statistics import median
from typing import Final

from chain.crypto import ED25519, Ed25519Signer

MESSAGE_BYTES: Final = 210
"""Signing bytes of a transaction of one reading."""
ROUNDS: Final = 5
_CHECKS: Final = 100
"""Checks between two looks at the clock."""


def measure_verify_us(*, cores: int, seconds: float) -> float:
    """Returns CPU microseconds of one check by the function that nodes call.

    One thread a core; libsodium releases the interpreter lock, so all cores are busy. CPU time of
    the thread is counted and not wall time, so that whoever else runs here does not count.

    Args:
        cores: threads.
        seconds: wall time of the whole measurement.

    Returns:
        The median over threads and rounds.
    """
    signer = Ed25519Signer(bytes(range(32)))
    message = bytes(MESSAGE_BYTES)
    signature = signer.sign(message)
    found: list[float] = []

    def check() -> None:
        for _ in range(ROUNDS):
            deadline_s = time.monotonic() + seconds / ROUNDS
            count, began_s = 0, time.thread_time()
            while time.monotonic() < deadline_s:
                for _ in range(_CHECKS):
                    ED25519.verify(signer.public_key, message, signature)
                count += _CHECKS
            found.append((time.thread_time() - began_s) / count * 1_000_000)

    threads = [threading.Thread(target=check) for _ in range(cores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return median(found)
