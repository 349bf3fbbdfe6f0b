"""Observers: what watches a kernel without taking part (metrics, logs, traces, checkers)."""

from collections.abc import Sequence
from typing import Protocol

from node.kernel.effects import KernelEffect
from node.kernel.events import KernelEvent
from node.kernel.kernel import Kernel


class Observer(Protocol):
    """Sees each step after the kernel took it and before its effects are performed."""

    def on_step(
        self, event: KernelEvent, effects: Sequence[KernelEffect], kernel: Kernel
    ) -> None:
        """Takes note; must not change anything that the kernel sees."""
        ...


class Observers:
    """Several observers as one."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def on_step(
        self, event: KernelEvent, effects: Sequence[KernelEffect], kernel: Kernel
    ) -> None:
        """Tells each in turn."""
        for observer in self._observers:
            observer.on_step(event, effects, kernel)
