"""Links between simulated nodes: bytes that are late, lost, doubled, overtaken or held back.

Each pair of nodes has one link, which is up or down for both; each direction of it can be mute by
itself. What is sent over a link that is down, or in a mute direction, is lost. Twins share a key:
whoever sends to the key sends to each instance of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from chain.types import PublicKey
from node.ports import Traffic
from node.simulator.randomness import chance
from node.simulator.scheduler import Scheduler


class Endpoint(Protocol):
    """One node, as the network sees it."""

    index: int
    key: PublicKey
    is_validator: bool
    incarnation: int
    """Rises with each start; what was sent to an earlier one is lost."""
    is_running: bool

    def receive(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        """Takes bytes from a link."""
        ...

    def link_changed(self, peer: PublicKey, *, is_up: bool) -> None:
        """Learns that a link has changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the network does to every message while faults last."""

    latency_min_us: int
    latency_mean_us: int
    """Mean of the exponential part that is added to the minimum."""
    loss_permille: int
    duplicate_permille: int
    gossip_loss_permille: int
    """Loss of transaction bodies in addition, so that they have to be fetched."""
    is_reordering: bool
    """Whether messages overtake each other within a direction."""


CALM = Weather(
    latency_min_us=500,
    latency_mean_us=4_000,
    loss_permille=0,
    duplicate_permille=0,
    gossip_loss_permille=0,
    is_reordering=False,
)
"""After the faults: every message arrives soon, once, in order."""


class Network:
    """All links."""

    def __init__(self, scheduler: Scheduler, random: Random, weather: Weather) -> None:
        self.weather = weather
        self.dropped_count = 0
        self.duplicated_count = 0
        self.silent_until_us = 0
        """Until then everything that is sent is lost."""
        self._flight = 0
        self._scheduler = scheduler
        self._random = random
        self._nodes: Sequence[Endpoint] = ()
        self._nodes_by_key: dict[PublicKey, list[Endpoint]] = {}
        self._up: dict[tuple[int, int], bool] = {}
        self._epoch: dict[tuple[int, int], int] = {}
        self._cut: dict[tuple[int, int], int] = {}
        self._mute: dict[tuple[int, int], int] = {}
        self._clogged_until_us: dict[tuple[int, int], int] = {}
        self._last_arrival_us: dict[tuple[int, int], int] = {}

    def attach(self, nodes: Sequence[Endpoint]) -> None:
        """Takes the nodes, once; links come up as they start."""
        self._nodes = nodes
        for node in nodes:
            self._nodes_by_key.setdefault(node.key, []).append(node)

    # -- sending -------------------------------------------------------------------------------

    def send(self, source: Endpoint, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        """Sends to every instance of a key."""
        for target in self._nodes_by_key.get(peer, ()):
            self._send(source, target, traffic, payload)

    def broadcast(self, source: Endpoint, traffic: Traffic, payload: bytes) -> None:
        """Sends to every other validator."""
        for target in self._others(source):
            if target.is_validator:
                self._send(source, target, traffic, payload)

    def push(self, source: Endpoint, traffic: Traffic, payload: bytes) -> None:
        """Sends to every observer."""
        for target in self._others(source):
            if not target.is_validator:
                self._send(source, target, traffic, payload)

    def _others(self, source: Endpoint) -> Iterator[Endpoint]:
        return (node for node in self._nodes if node.key != source.key)

    def _send(self, source: Endpoint, target: Endpoint, traffic: Traffic, payload: bytes) -> None:
        way = (source.index, target.index)
        if not self._up.get(_pair(*way)) or self._is_lost(way, traffic):
            self.dropped_count += 1
            return
        self._deliver(source, target, traffic, payload)
        if chance(self._random, self.weather.duplicate_permille):
            self.duplicated_count += 1
            self._deliver(source, target, traffic, payload)

    def _is_lost(self, way: tuple[int, int], traffic: Traffic) -> bool:
        if self._mute.get(way) or self._scheduler.now_us < self.silent_until_us:
            return True
        loss = self.weather.loss_permille
        if traffic is Traffic.TRANSACTIONS:
            loss += self.weather.gossip_loss_permille
        return chance(self._random, loss)

    def _deliver(
        self, source: Endpoint, target: Endpoint, traffic: Traffic, payload: bytes
    ) -> None:
        way = (source.index, target.index)
        weather = self.weather
        delay = int(self._random.expovariate(1.0) * weather.latency_mean_us)
        arrival = self._scheduler.now_us + weather.latency_min_us + delay
        arrival = max(arrival, self._clogged_until_us.get(way, 0))
        if not weather.is_reordering:
            arrival = max(arrival, self._last_arrival_us.get(way, 0))
            self._last_arrival_us[way] = arrival
        incarnation, flight = target.incarnation, self._flight

        def arrive() -> None:
            is_there = target.is_running and target.incarnation == incarnation
            if is_there and self._flight == flight:
                target.receive(source.key, traffic, payload)

        self._scheduler.at(arrival, arrive)

    # -- links ---------------------------------------------------------------------------------

    def started(self, node: Endpoint) -> None:
        """Lets a node that has started find its peers."""
        for other in self._others(node):
            self._connect_soon(node, other)

    def stopped(self, node: Endpoint) -> None:
        """Takes down the links of a node that has crashed; its peers notice after a while."""
        for other in self._others(node):
            self._take_down(node, other, notice_us=self._random.randrange(1_000, 300_000))

    def cut(self, one: int, other: int) -> None:
        """Breaks a link for both ends; every cut needs its :meth:`mend`."""
        pair = _pair(one, other)
        self._cut[pair] = self._cut.get(pair, 0) + 1
        notice_us = self._random.randrange(1_000, 300_000)
        self._take_down(self._nodes[one], self._nodes[other], notice_us=notice_us)

    def mend(self, one: int, other: int) -> None:
        """Ends a cut."""
        self._cut[_pair(one, other)] -= 1
        self._connect_soon(self._nodes[one], self._nodes[other])

    def mute(self, source: int, target: int) -> None:
        """Loses everything in one direction, unnoticed; needs its :meth:`unmute`."""
        self._mute[source, target] = self._mute.get((source, target), 0) + 1

    def unmute(self, source: int, target: int) -> None:
        """Ends a mute."""
        self._mute[source, target] -= 1

    def lose_in_flight(self) -> None:
        """Loses everything that is under way."""
        self._flight += 1

    def clog(self, source: int, target: int, until_us: int) -> None:
        """Holds everything in one direction back until a moment."""
        self._clogged_until_us[source, target] = until_us

    def unclog(self) -> None:
        """Lets everything that is sent from now on flow."""
        self._clogged_until_us.clear()
        self._last_arrival_us.clear()

    def _connect_soon(self, one: Endpoint, other: Endpoint) -> None:
        incarnations = (one.incarnation, other.incarnation)

        def connect() -> None:
            pair = _pair(one.index, other.index)
            is_possible = one.is_running and other.is_running and not self._cut.get(pair)
            is_same = (one.incarnation, other.incarnation) == incarnations
            if is_possible and is_same and not self._up.get(pair):
                self._up[pair] = True
                self._epoch[pair] = self._epoch.get(pair, 0) + 1
                one.link_changed(other.key, is_up=True)
                other.link_changed(one.key, is_up=True)

        self._scheduler.after(self._random.randrange(1_000, 100_000), connect)

    def _take_down(self, one: Endpoint, other: Endpoint, *, notice_us: int) -> None:
        pair = _pair(one.index, other.index)
        if not self._up.get(pair):
            return
        self._up[pair] = False
        epoch = self._epoch[pair]

        def notice() -> None:
            if self._epoch[pair] != epoch or self._up[pair]:
                return
            for node, peer in ((one, other), (other, one)):
                if node.is_running:
                    node.link_changed(peer.key, is_up=False)

        self._scheduler.after(notice_us, notice)


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
