"""Ambushes: faults that wait for the one moment at which a mistake in a view change shows.

Random faults rarely cut off exactly the first node that has prepared or committed, just before
anybody else learns of it. An ambush does: it loses everything in flight, cuts that node off, and
keeps all links silent until the others have left the view. A second stage lets the first victim
back and does the same to the first that commits; so the VIEW-CHANGEs that follow carry prepared
certificates of different views, and only the right choice among them keeps one history.
"""

from collections.abc import Callable, Sequence
from typing import Final

from consensus.messages import Commit, Message
from node.simulator.network import Network
from node.simulator.plan import SECOND_US
from node.simulator.scheduler import Scheduler
from node.simulator.shell import SimulatedNode

SILENCE_US: Final = 2 * SECOND_US
"""Longer than the first timeout of every node in every plan."""
COMMITTED_STAGE: Final = 1
BOTH_STAGES: Final = 2


class Ambush:
    """One ambush at a time; disarmed until a fault of the schedule arms it."""

    def __init__(
        self, *, nodes: Sequence[SimulatedNode], network: Network, scheduler: Scheduler
    ) -> None:
        self.sprung_count = 0
        self._nodes = nodes
        self._network = network
        self._scheduler = scheduler
        self._stages_left = 0
        self._release: Callable[[], None] | None = None

    def arm(self, stages: int) -> None:
        """Waits for the first that commits, or before that for the first that prepares."""
        self._stages_left = stages

    def disarm(self) -> None:
        """Lets everybody go."""
        self._stages_left = 0
        self._let_go()

    def sends(self, node: SimulatedNode, message: Message) -> None:
        """Sees a message just before it is sent: a COMMIT shows that its sender has prepared."""
        if self._stages_left == BOTH_STAGES and isinstance(message, Commit):
            self._spring(node)

    def commits(self, node: SimulatedNode) -> None:
        """Sees the first node that has stored a height."""
        if self._stages_left == COMMITTED_STAGE:
            self._spring(node)

    def _spring(self, victim: SimulatedNode) -> None:
        self.sprung_count += 1
        self._stages_left -= 1
        self._let_go()
        self._network.lose_in_flight()
        self._network.silent_until_us = self._scheduler.now_us + SILENCE_US
        others = [node.index for node in self._nodes if node is not victim]
        for other in others:
            self._network.mute(victim.index, other)
            self._network.mute(other, victim.index)

        def release() -> None:
            for other in others:
                self._network.unmute(victim.index, other)
                self._network.unmute(other, victim.index)

        self._release = release

    def _let_go(self) -> None:
        if self._release is not None:
            self._release()
            self._release = None
