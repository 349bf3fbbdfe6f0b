"""Carries out the schedule of faults, and ends them all when the calm begins."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from consensus.replica import initial_guard
from node.simulator.ambush import Ambush
from node.simulator.disk import JournalImage
from node.simulator.network import CALM, Network
from node.simulator.plan import SECOND_US, Fault, FaultKind, Plan, Role
from node.simulator.scheduler import Scheduler
from node.simulator.shell import SimulatedNode

REBIRTH_US: Final = 50_000
"""A twin that noticed the other comes back, without its memory, after this long."""
IMAGE_US: Final = SECOND_US // 2
"""How often an amnesiac's journal and guard are copied."""
CALM_WRITE_US: Final = 300
_EMPTY: Final = JournalImage(records=(), guard=initial_guard())


class Nemesis:
    """What goes wrong in one simulation."""

    def __init__(
        self,
        *,
        plan: Plan,
        nodes: Sequence[SimulatedNode],
        network: Network,
        scheduler: Scheduler,
        random: Random,
        note: Callable[[int, str], None],
    ) -> None:
        self.crash_in_write_count = 0
        self.rebirth_count = 0
        self._plan = plan
        self._nodes = nodes
        self._network = network
        self._scheduler = scheduler
        self._random = random
        self._note = note
        self._is_calm = False
        self.ambush = Ambush(nodes=nodes, network=network, scheduler=scheduler)
        self._held_down: dict[int, int] = {}
        self._endings: list[Callable[[], None]] = []
        self._images: dict[int, list[JournalImage]] = {}

    def begin(self) -> None:
        """Schedules every fault."""
        for fault in self._plan.faults:
            self._scheduler.at(fault.at_us, lambda fault=fault: self._strike(fault))  # type: ignore[misc]  # binds the fault of this round
        for node in self._nodes:
            node.on_crash = self._on_crash
        self._mute_selective()
        self._copy_images()

    def calm(self) -> None:
        """Ends every fault: links heal, nodes come back, clocks are set right."""
        self._is_calm = True
        for end in self._endings:
            end()
        self._endings.clear()
        self.ambush.disarm()
        self._network.silent_until_us = 0
        self._network.weather = CALM
        self._network.unclog()
        for node in self._nodes:
            node.crash_after_writes = None
            node.clock.correct()
            node.write_us = CALM_WRITE_US
            if not node.is_running:
                self._start(node)

    def born_again(self, node: SimulatedNode) -> None:
        """Brings a twin back that noticed the other one, without its memory."""
        self.rebirth_count += 1

        def rebirth() -> None:
            if node.is_running:
                self._note(node.index, "is born again")
                node.crash()
                node.disk.restore(_EMPTY)
                self._start(node)

        self._scheduler.after(REBIRTH_US, rebirth)

    # -- faults --------------------------------------------------------------------------------

    def _strike(self, fault: Fault) -> None:
        if self._is_calm:
            return
        self._note(-1, str(fault))
        end = self._strike_links(fault) or self._strike_nodes(fault)
        if end is not None:
            self._end_at(fault.until_us, end)

    def _strike_links(self, fault: Fault) -> Callable[[], None] | None:
        """Strikes links; returns what ends it, or None where nothing has to."""
        match fault.kind:
            case FaultKind.CLOG:
                for source, target in self._border(fault.nodes):
                    self._network.clog(source, target, fault.until_us)
            case FaultKind.PARTITION:
                return self._cut(self._border(fault.nodes))
            case FaultKind.SILENT_PARTITION:
                there = self._border(fault.nodes)
                return self._mute([*there, *((target, source) for source, target in there)])
            case FaultKind.DEAF:
                return self._mute([(there, here) for here, there in self._border(fault.nodes)])
            case FaultKind.MUTE:
                return self._mute(self._border(fault.nodes))
            case FaultKind.TWIN_SIDES:
                return self._mute(self._sides(fault))
            case _:
                pass
        return None

    def _strike_nodes(self, fault: Fault) -> Callable[[], None] | None:
        """Strikes nodes; returns what ends it, or None where nothing has to."""
        nodes = [self._nodes[index] for index in fault.nodes]
        match fault.kind:
            case FaultKind.AMBUSH:
                self.ambush.arm(fault.amount)
            case FaultKind.CRASH:
                return self._crash(nodes)
            case FaultKind.CRASH_AT_WRITE:
                for node in nodes:
                    node.crash_after_writes = fault.amount
            case FaultKind.PAUSE:
                return self._pause(nodes)
            case FaultKind.SLOW_DISK:
                return self._slow(nodes, fault.amount)
            case FaultKind.CLOCK_STEP:
                for node in nodes:
                    node.clock.step(fault.amount)
            case _:
                pass
        return None

    def _end_at(self, time_us: int, end: Callable[[], None]) -> None:
        self._endings.append(end)

        def end_once() -> None:
            if end in self._endings:
                self._endings.remove(end)
                end()

        self._scheduler.at(time_us, end_once)

    def _border(self, group: tuple[int, ...]) -> list[tuple[int, int]]:
        """Returns the ways out of a group; for a single node group, and for all, to everybody."""
        inside = frozenset(group)
        everybody = range(len(self._nodes))
        if len(inside) == len(self._nodes):
            return [(a, b) for a in everybody for b in everybody if a != b]
        return [(a, b) for a in everybody for b in everybody if a in inside and b not in inside]

    def _cut(self, pairs: list[tuple[int, int]]) -> Callable[[], None]:
        for one, other in pairs:
            self._network.cut(one, other)

        def mend() -> None:
            for one, other in pairs:
                self._network.mend(one, other)

        return mend

    def _mute(self, ways: list[tuple[int, int]]) -> Callable[[], None]:
        for source, target in ways:
            self._network.mute(source, target)

        def unmute() -> None:
            for source, target in ways:
                self._network.unmute(source, target)

        return unmute

    def _sides(self, fault: Fault) -> list[tuple[int, int]]:
        """Returns the ways that are closed when each instance of a twin has its own side."""
        first = fault.amount
        second = next(
            index
            for index, node in enumerate(self._nodes)
            if index != first and node.key == self._nodes[first].key
        )
        ways: list[tuple[int, int]] = []
        for other in range(len(self._nodes)):
            if other not in {first, second}:
                closed = second if other in fault.nodes else first
                ways += [(closed, other), (other, closed)]
        return ways

    def _pause(self, nodes: list[SimulatedNode]) -> Callable[[], None]:
        for node in nodes:
            node.pause()

        def resume() -> None:
            for node in nodes:
                node.resume()

        return resume

    def _slow(self, nodes: list[SimulatedNode], write_us: int) -> Callable[[], None]:
        before = [node.write_us for node in nodes]
        for node in nodes:
            node.write_us = write_us

        def end() -> None:
            for node, earlier in zip(nodes, before, strict=True):
                node.write_us = earlier

        return end

    # -- crashes -------------------------------------------------------------------------------

    def _crash(self, nodes: list[SimulatedNode]) -> Callable[[], None]:
        for node in nodes:
            self._held_down[node.index] = self._held_down.get(node.index, 0) + 1
            node.crash()

        def restart() -> None:
            for node in nodes:
                self._held_down[node.index] -= 1
                if not node.is_running and not self._held_down[node.index]:
                    self._start(node)

        return restart

    def _on_crash(self, node: SimulatedNode) -> None:
        self._note(node.index, "crashes")
        if self._held_down.get(node.index):
            return
        # It crashed in a write; nobody holds it down.
        self.crash_in_write_count += 1
        incarnation = node.incarnation

        def restart() -> None:
            is_down = not node.is_running and node.incarnation == incarnation
            if is_down and not self._held_down.get(node.index):
                self._start(node)

        self._scheduler.after(self._random.randrange(10_000, SECOND_US), restart)

    def _start(self, node: SimulatedNode) -> None:
        role = self._plan.nodes[node.index].role
        image = node.disk.image()
        if role is Role.AMNESIAC and self._images.get(node.index):
            node.disk.restore(self._random.choice(self._images[node.index]))
        elif role is Role.JOURNAL_LOSER:
            node.disk.restore(JournalImage(records=(), guard=image.guard))
        elif role is Role.GUARD_LOSER:
            node.disk.restore(JournalImage(records=image.records, guard=None))
        self._note(node.index, "starts again")
        node.start()

    def _copy_images(self) -> None:
        for node in self._nodes:
            if self._plan.nodes[node.index].role is Role.AMNESIAC:
                self._images.setdefault(node.index, []).append(node.disk.image())
        if not self._is_calm:
            self._scheduler.after(IMAGE_US, self._copy_images)

    def _mute_selective(self) -> None:
        """Lets the selective speak to some only, for ever: it is their character, no fault."""
        for index, node in enumerate(self._plan.nodes):
            if node.role is Role.SELECTIVE:
                others = [other for other in range(len(self._nodes)) if other != index]
                for other in self._random.sample(others, max(1, len(others) // 2)):
                    self._network.mute(index, other)
