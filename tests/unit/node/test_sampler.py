"""Samples carry over what grew since the one before."""

from dataclasses import replace
from pathlib import Path

import pytest

from node.clock import Clock
from node.kernel.kernel import Kernel
from node.metrics import NodeMetrics
from node.sampler import Sampler
from p2p.frames import Lane
from p2p.identity import Role
from p2p.traffic import LaneTraffic, LinkSnapshot, TransportSnapshot
from tests import chain_samples as samples
from tests.kernel_samples import FixedClock, LoneNode, note

NOTHING = LaneTraffic(
    lane=Lane.VOTES,
    messages_received=0,
    bytes_received=0,
    messages_sent=0,
    bytes_sent=0,
    dropped=0,
)
QUIET = TransportSnapshot(
    links=(),
    traffic=(NOTHING,),
    connects=0,
    reconnects=0,
    dial_failures=0,
    accept_refusals=0,
    accept_failures=0,
    throttled=0,
    closed=(),
)


def link(number: int, role: Role) -> LinkSnapshot:
    return LinkSnapshot(
        node_id=bytes([number]) * 32,
        role=role,
        software="tanlian",
        round_trip_s=None,
        waiting_messages=0,
        waiting_bytes=0,
    )


class Sampled:
    """A sampler over a kernel, with links and clock that a test sets."""

    def __init__(self, kernel: Kernel, clock: Clock, home: Path) -> None:
        self.metrics = NodeMetrics(version="0", node="node-1", role="validator")
        self.snapshot = QUIET
        self.sampler = Sampler(
            self.metrics, kernel=kernel, clock=clock, snapshot=lambda: self.snapshot, home=home
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"tanlian_{name}", labels)


@pytest.fixture
def node() -> LoneNode:
    # The first of four: it holds a transaction, which nobody proposes.
    return LoneNode(genesis=samples.genesis())


def sampled(node: LoneNode, home: Path, monotonic_ms: int = 0) -> Sampled:
    return Sampled(node.kernel, FixedClock(monotonic_ms), home)


def test_the_pool_is_shown_with_the_age_of_its_oldest(node: LoneNode, tmp_path: Path) -> None:
    first, second = note(node.genesis, 1), note(node.genesis, 2)
    node.submit(first)
    arrived_ms = node.now().monotonic_ms
    node.submit(second)
    watched = sampled(node, tmp_path, arrived_ms + 2_500)

    watched.sampler.sample()

    assert watched.value("mempool_size") == 2
    assert watched.value("mempool_bytes") == len(first.wire) + len(second.wire)
    assert watched.value("mempool_oldest_seconds") == 2.5


def test_an_empty_pool_has_no_age(node: LoneNode, tmp_path: Path) -> None:
    watched = sampled(node, tmp_path, 9_999)

    watched.sampler.sample()

    assert watched.value("mempool_size") == 0
    assert watched.value("mempool_oldest_seconds") == 0


def test_what_expired_is_counted_once(tmp_path: Path) -> None:
    node = LoneNode()
    watched = sampled(node, tmp_path)
    node.kernel.expired_count = 3

    watched.sampler.sample()
    watched.sampler.sample()
    node.kernel.expired_count = 5
    watched.sampler.sample()

    assert watched.value("mempool_expired_total") == 5


def test_a_lone_validator_votes_and_a_halted_one_does_not(tmp_path: Path) -> None:
    node = LoneNode()
    watched = sampled(node, tmp_path)

    watched.sampler.sample()
    assert watched.value("consensus_is_voting") == 1
    assert watched.value("consensus_is_syncing") == 0

    node.kernel.halt_reason = "roots differ"
    watched.sampler.sample()
    assert watched.value("consensus_is_voting") == 0


def test_links_are_counted_by_role_also_where_there_is_none(node: LoneNode, tmp_path: Path) -> None:
    watched = sampled(node, tmp_path)
    watched.snapshot = replace(QUIET, links=(link(1, Role.VALIDATOR), link(2, Role.VALIDATOR)))

    watched.sampler.sample()

    assert watched.value("p2p_peers", role="validator") == 2
    assert watched.value("p2p_peers", role="observer") == 0


def test_frames_grow_by_what_was_carried_since_the_last_sample(
    node: LoneNode, tmp_path: Path
) -> None:
    watched = sampled(node, tmp_path)
    first = replace(
        NOTHING,
        messages_received=10,
        bytes_received=1_000,
        messages_sent=20,
        bytes_sent=2_000,
        dropped=1,
    )
    second = replace(first, messages_received=11, bytes_received=1_500, dropped=4)
    for traffic in (first, first, second):
        watched.snapshot = replace(QUIET, traffic=(traffic,))
        watched.sampler.sample()

    assert watched.value("p2p_messages_total", direction="in", kind="votes") == 11
    assert watched.value("p2p_bytes_total", direction="in", kind="votes") == 1_500
    assert watched.value("p2p_messages_total", direction="out", kind="votes") == 20
    assert watched.value("p2p_bytes_total", direction="out", kind="votes") == 2_000
    assert watched.value("p2p_messages_dropped_total", kind="votes") == 4


def test_free_disk_is_that_of_the_home(
    node: LoneNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.sampler.free_bytes", {tmp_path: 123_456}.__getitem__)
    watched = sampled(node, tmp_path)

    watched.sampler.sample()

    assert watched.value("disk_free_bytes") == 123_456


@pytest.mark.asyncio
async def test_a_started_sampler_samples_at_once_and_a_stopped_one_waits_for_nothing(
    node: LoneNode, tmp_path: Path
) -> None:
    watched = sampled(node, tmp_path)
    node.submit(note(node.genesis, 1))

    watched.sampler.start()
    timer = watched.sampler._timer
    watched.sampler.stop()

    assert watched.value("mempool_size") == 1
    assert timer is not None
    assert timer.cancelled()
