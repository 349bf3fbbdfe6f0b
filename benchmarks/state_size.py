"""What the size of the state costs: the same block over a small and a large one, on LevelDB."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks.lone_chain import LoneChain, padding_key
from node.leveldb import LevelDatabase

ROUNDS: Final = 7
BLOCK: Final = 500
"""Transactions of a block of single readings, one of each meter; and changed keys of a root."""
KEYS_FEW: Final = 1_000
"""The meters alone take more; a state is padded up to its size, never cut."""
KEYS_MANY: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCost:
    """Cost over a state of one size."""

    keys: int
    apply_us: float
    """Of a block of :data:`BLOCK` single readings: executed, with its roots."""
    root_us: float
    """Of the root alone after :data:`BLOCK` changed keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSizes:
    """The same work over two states."""

    few: StateCost
    many: StateCost

    @property
    def apply_ratio(self) -> float:
        """Returns how many times as long a block takes over the large state."""
        return self.many.apply_us / self.few.apply_us

    @property
    def root_ratio(self) -> float:
        """Returns how many times as long the root takes over the large state."""
        return self.many.root_us / self.few.root_us


def measure_state_sizes(*, keys_many: int = KEYS_MANY) -> StateSizes:
    """Measures both states in turn, so that whoever else works here disturbs both alike.

    Args:
        keys_many: of the larger state; a million takes about a minute to make.
    """
    with _Sample(KEYS_FEW) as few, _Sample(keys_many) as many:
        for _ in range(ROUNDS):
            few.measure()
            many.measure()
        return StateSizes(few=few.cost(), many=many.cost())


class _Sample:
    """A chain with a state of a size, in a directory of its own, and the least times seen."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self._directory = Path(tempfile.mkdtemp(prefix="tanlian-state-"))
        self._database = LevelDatabase(self._directory / "database", create=True)
        self._apply_us = self._root_us = float("inf")

    def __enter__(self) -> Self:
        self._chain = LoneChain(self._database, time.time_ns() // 1_000_000)
        # The first block makes each meter's state; the measured ones find it.
        self._chain.commit(self._chain.build(self._chain.transactions(BLOCK, 1)))
        self._chain.pad(self._keys)
        self._block = self._chain.transactions(BLOCK, 1)  # parsed once, as in a node
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        shutil.rmtree(self._directory)

    def measure(self) -> None:
        """Takes one more look at each time."""
        # Keys that exist in the large state and are new to the small one, all over the tree.
        changes: dict[bytes, bytes | None] = {padding_key(i): b"changed" for i in range(BLOCK)}
        self._apply_us = min(self._apply_us, _cpu_us(lambda: self._chain.build(self._block)))
        self._root_us = min(self._root_us, _cpu_us(lambda: self._chain.tree.update(changes)))

    def cost(self) -> StateCost:
        """Returns the least of all looks."""
        return StateCost(
            keys=self._chain.tree.key_count, apply_us=self._apply_us, root_us=self._root_us
        )


def _cpu_us(work: Callable[[], object]) -> float:
    # Of this thread: LevelDB may still be tidying up behind the padding on its own.
    began_s = time.thread_time()
    work()
    return (time.thread_time() - began_s) * 1_000_000
