"""f validators whose keys an adversary holds: it signs whatever it likes, to whom it likes.

It votes for every block that it can see, in any view; proposes two blocks at once; sends
VIEW-CHANGEs with and without the certificates that it holds, and NEW-VIEWs on any choice of them.
The honest ones must not fork, must not sign twice, and must go on when it falls silent.
"""

import random

from chain.block import Header
from chain.types import Hash
from chain.vote import VoteKind
from consensus.messages import (
    Commit,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    ViewChange,
    new_view_digest,
    view_change_digest,
)
from consensus.state import Instance
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import vote
from tests.unit.consensus.toy_chain import transaction

STEPS = 300
CALM_MS = 200_000
"""The views that the storm has left behind may be several, each with a timer of its own."""


class Adversary:
    """Holds the keys of f validators, whose own nodes are down, and sees every honest node."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        count = self.random.choice([4, 4, 5, 7])
        self.cluster = Cluster(count, rotation_blocks=4)
        faults = (count - 1) // 3
        self.keys = sorted(self.random.sample(range(count), faults))
        self.honest = [index for index in range(count) if index not in self.keys]
        self.cluster.crash(*self.keys)
        self.cluster.start()
        self.notes = 0

    def storm(self) -> None:
        for _ in range(STEPS):
            match self.random.randrange(8):
                case 0:
                    self.notes += 1
                    self.cluster.submit(f"note {self.notes}", to=tuple(self.honest))
                case 1:
                    self.cluster.advance_one(self.random.randrange(1, 2_500))
                case 2 | 3:
                    self._attack()
                case _:
                    self._deliver_some()

    def _deliver_some(self) -> None:
        for _ in range(self.random.randrange(10)):
            if self.cluster.queue:
                self.cluster.deliver_one(self.random.randrange(len(self.cluster.queue)))

    def _attack(self) -> None:
        choose = self.random
        victim = choose.choice(self.honest)
        instance = self.cluster.nodes[victim].replica._state.instance
        makers = (self._vote, self._vote, self._propose, self._leave, self._begin)
        for key in self.keys:
            message = choose.choice(makers)(key, victim, instance)
            if message is not None:
                for receiver in self.honest:
                    if choose.randrange(3):
                        self.cluster.deliver(key, receiver, message)

    def _height(self, victim: int) -> int:
        return self.cluster.nodes[victim].replica.height

    def _seen(self) -> list[Hash]:
        states = [self.cluster.nodes[index].replica._state for index in self.honest]
        return sorted({digest for state in states for digest in state.instance.candidates})

    def _header(self, key: int, victim: int) -> tuple[Header, tuple[Hash, ...]]:
        node = self.cluster.nodes[victim]
        names = [f"note {self.random.randrange(self.notes + 1)}"]
        bodies = tuple(transaction(name) for name in names)
        plain = self.cluster.make_header(node, bodies, time_ms=self.cluster.wall_ms)
        values = {name: getattr(plain, name) for name in Header.__dataclass_fields__}
        values["proposer"] = self.cluster.signers[key].public_key
        return Header(**values), tuple(body.id for body in bodies)

    def _vote(self, key: int, victim: int, _: Instance) -> Message | None:
        seen = self._seen()
        if not seen:
            return None
        kind = self.random.choice([VoteKind.PREPARE, VoteKind.COMMIT])
        made = vote(
            self.cluster,
            key,
            kind,
            self.random.choice(seen),
            height=self._height(victim),
            view=self.random.randrange(4),
        )
        return Prepare(vote=made) if kind is VoteKind.PREPARE else Commit(vote=made)

    def _proposal(self, key: int, victim: int, instance: Instance, view: int) -> PrePrepare:
        header, ids = self._header(key, victim)
        if instance.candidates and self.random.randrange(2):
            known = instance.candidates[self.random.choice(sorted(instance.candidates))]
            header, ids = known.header, known.transaction_ids
        height = self._height(victim)
        made = vote(self.cluster, key, VoteKind.PRE_PREPARE, header.hash, height=height, view=view)
        return PrePrepare(header=header, transaction_ids=ids, vote=made)

    def _propose(self, key: int, victim: int, instance: Instance) -> Message:
        return self._proposal(key, victim, instance, 0)

    def _leave(self, key: int, victim: int, instance: Instance) -> ViewChange:
        return self._view_change(key, victim, instance, self.random.randrange(1, 4))

    def _view_change(self, key: int, victim: int, instance: Instance, view: int) -> ViewChange:
        prepared = instance.prepared if self.random.randrange(2) else None
        parent = self.cluster.nodes[victim].replica._state.head_certificate
        digest = view_change_digest(prepared, parent)
        height = self._height(victim)
        made = vote(self.cluster, key, VoteKind.VIEW_CHANGE, digest, height=height, view=view)
        return ViewChange(prepared=prepared, parent_certificate=parent, vote=made)

    def _begin(self, key: int, victim: int, instance: Instance) -> Message | None:
        state = self.cluster.nodes[victim].replica._state
        view = instance.view or 1
        held = {
            signer: change
            for index in self.honest
            for signer, change in self._changes_at(index, victim, view).items()
        }
        for own in self.keys:
            held[own] = self._view_change(own, victim, instance, view)
        quorum = state.validators.quorum
        if len(held) < quorum:
            return None
        chosen = sorted(self.random.sample(sorted(held), quorum))
        changes = tuple(held[signer] for signer in chosen)
        proposal = self._proposal(key, victim, instance, view)
        digest = new_view_digest(changes, proposal.header.hash)
        made = vote(self.cluster, key, VoteKind.NEW_VIEW, digest, height=state.height, view=view)
        return NewView(view_changes=changes, proposal=proposal, vote=made)

    def _changes_at(self, index: int, victim: int, view: int) -> dict[int, ViewChange]:
        state = self.cluster.nodes[index].replica._state
        if state.height != self._height(victim):
            return {}
        changes = state.instance.view_changes
        return {s: change for s, change in changes.items() if change.vote.view == view}

    def calm(self) -> None:
        nodes = [self.cluster.nodes[index] for index in self.honest]
        bodies = {known: body for node in nodes for known, body in node.pool.items()}
        for node in nodes:
            committed = {wire for block in node.blocks for wire in block.transactions}
            node.pool.update((k, body) for k, body in bodies.items() if body not in committed)
        self.cluster.submit("after the storm", to=tuple(self.honest))
        self.cluster.advance(CALM_MS)


def test_f_adversaries_fork_nobody_and_cannot_stop_the_chain(seed: int) -> None:
    adversary = Adversary(seed)

    adversary.storm()
    adversary.calm()

    nodes = [adversary.cluster.nodes[index] for index in adversary.honest]
    assert len({tuple(node.hashes) for node in nodes}) == 1
    last = transaction("after the storm").wire
    assert any(last in block.transactions for block in nodes[0].blocks)
    assert [node.halts for node in nodes] == [[]] * len(nodes)
