"""Signature checks on threads: libsodium gives up the interpreter's lock while it computes.

A node that has cores to itself checks a batch on several at once and waits for it, so that the
kernel stays one synchronous machine. Where there is nothing to gain, nothing is handed over.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from chain.crypto import SignatureClaim, SignatureScheme, Verifier, one_by_one

THREADS_MAX: Final = 4
"""What goes on between two checks holds the lock: beyond four threads they wait for each other."""
CLAIMS_MIN: Final = 16
"""Fewer checks, of about 50 us each, take no longer than handing them over."""


def threads_by_default() -> int:
    """Returns how many threads a node checks on that has this machine to itself.

    One core stays for everything else; with two or fewer nothing is handed over.
    """
    return max(1, min(THREADS_MAX, (os.cpu_count() or 1) - 1))


class ThreadedVerifier:
    """Spreads the claims of a batch over threads (:data:`chain.crypto.Verifier`).

    Args:
        scheme: decides about each.
        threads: two or more; the caller's own is one of them.
    """

    def __init__(self, scheme: SignatureScheme, threads: int) -> None:
        assert threads > 1, "one thread needs no verifier of its own"
        self._verify = one_by_one(scheme)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="verify")

    def __call__(self, claims: Sequence[SignatureClaim]) -> list[bool]:
        """Returns of each claim whether it holds, in order."""
        if len(claims) < CLAIMS_MIN:
            return self._verify(claims)
        share = -(-len(claims) // self._threads)
        others = [
            self._pool.submit(self._verify, claims[start : start + share])
            for start in range(share, len(claims), share)
        ]
        found = self._verify(claims[:share])
        for other in others:
            found += other.result()
        return found


def verifier_of(scheme: SignatureScheme, threads: int) -> Verifier:
    """Returns a verifier on so many threads, the caller's own among them."""
    return ThreadedVerifier(scheme, threads) if threads > 1 else one_by_one(scheme)
