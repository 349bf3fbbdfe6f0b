"""Random schedules of delivery, loss, duplication, time and crashes, from a seed.

The harness checks on the way: no fork, no honest double vote, every invariant of every state, every
certificate. At the end comes calm: all nodes up, all links good; then the chain has to move.
"""

import random

from consensus.effects import Effect
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.toy_chain import Node, transaction

STEPS = 400
CALM_MS = 45_000
"""Enough for the view timers that the storm has left behind; under the heartbeat."""


class Schedule:
    """One run: a seeded source of mishaps around a cluster."""

    def __init__(self, seed: int, *, crash_chance: int = 30, has_twins: bool = False) -> None:
        self.random = random.Random(seed)
        self.count = self.random.choice([4, 4, 5, 6, 7])
        self.cluster = Cluster(self.count, observers=1, rotation_blocks=3)
        self.crash_chance = crash_chance
        if has_twins:
            # Both of the first primary: f = 1 in spirit, with two voices.
            self.cluster.add_twin(1)
        self.submitted = 0
        self.effects_until_crash = 0
        self.cluster.before_effect = self._maybe_crash

    def _maybe_crash(self, node: Node, _: Effect | None) -> None:
        if self.effects_until_crash > 0:
            self.effects_until_crash -= 1
            if self.effects_until_crash == 0:
                self.cluster.crash(node.index)

    def storm(self) -> None:
        self.cluster.start()
        for _ in range(STEPS):
            self._mishap()

    def _mishap(self) -> None:
        cluster, choose = self.cluster, self.random
        match choose.randrange(12):
            case 0:
                self.submitted += 1
                receivers = tuple(index for index in range(self.count) if choose.randrange(3) > 0)
                cluster.submit(f"note {self.submitted}", to=receivers)
            case 1:
                cluster.advance_one(choose.randrange(1, 3_000))
            case 2 if cluster.queue:
                cluster.queue.append(choose.choice(cluster.queue))
            case 3 if cluster.queue:
                del cluster.queue[choose.randrange(len(cluster.queue))]
            case 4:
                self._crash_or_restart()
            case 5:
                index, peer = choose.sample(range(self.count), 2)
                cluster.link(index, peer, is_up=choose.randrange(3) > 0)
            case _:
                for _ in range(choose.randrange(12)):
                    if cluster.queue:
                        cluster.deliver_one(choose.randrange(len(cluster.queue)))

    def _crash_or_restart(self) -> None:
        cluster, choose = self.cluster, self.random
        down = [node.index for node in cluster.nodes if node.is_down]
        if down and choose.randrange(2):
            cluster.restart(choose.choice(down))
        elif choose.randrange(100) < self.crash_chance:
            self.effects_until_crash = choose.randrange(1, 40)

    def calm(self) -> None:
        """Ends all mishaps and lets time pass until the chain has moved again."""
        cluster = self.cluster
        self.effects_until_crash = 0
        cluster.restart(*[node.index for node in cluster.nodes if node.is_down])
        for index in range(len(cluster.nodes)):
            for peer in range(self.count):
                if peer != index:
                    cluster.link(index, peer, is_up=True)
        self._gossip()
        cluster.submit("after the storm")
        cluster.advance(CALM_MS)

    def assert_progress(self) -> None:
        cluster = self.cluster
        assert len(set(cluster.heights)) == 1, cluster.heights
        head = cluster.heights[0]
        cluster.submit("once more")
        cluster.run()
        assert cluster.heights[: self.count] == [head + 1] * self.count
        cluster.advance(1_000)
        assert cluster.heights == [head + 1] * len(cluster.nodes)
        assert [node.halts for node in cluster.nodes] == [[]] * len(cluster.nodes)
        assert [node.evidence for node in cluster.nodes] == [[]] * len(cluster.nodes)

    def _gossip(self) -> None:
        """Does what the kernel does with transactions that do not move (consensus.md 12)."""
        bodies = {known: body for node in self.cluster.nodes for known, body in node.pool.items()}
        for node in self.cluster.nodes:
            committed = {wire for block in node.blocks for wire in block.transactions}
            node.pool.update((k, body) for k, body in bodies.items() if body not in committed)


def test_honest_replicas_agree_under_any_schedule_and_move_on_after_calm(seed: int) -> None:
    schedule = Schedule(seed)

    schedule.storm()
    schedule.calm()

    schedule.assert_progress()


def test_twins_of_a_primary_fork_nobody_and_stop_nobody(seed: int) -> None:
    schedule = Schedule(seed, has_twins=True)

    schedule.storm()
    schedule.calm()

    # No fork: the harness compares every commit of every node. Both twins may have halted.
    honest = [n for n in schedule.cluster.nodes if n.index not in schedule.cluster.twins]
    heights = {len(node.blocks) for node in honest}
    assert len(heights) == 1
    after = transaction("after the storm").wire
    assert any(after in block.transactions for block in honest[0].blocks)
    assert [node.halts for node in honest] == [[]] * len(honest)
