"""Who is primary, what is timely, how long a view waits."""

from dataclasses import replace

import pytest

from chain.validator_set import ValidatorSet
from consensus.predicates import (
    fresh_fault,
    header_fault,
    is_timely,
    primary_base,
    primary_index,
    view_timeout_ms,
)
from consensus.state import ReplicaConfig
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import changed, header
from tests.unit.consensus.toy_chain import MAX_BLOCK_INTERVAL_MS, transaction

CLUSTER = Cluster(4)
KEYS = CLUSTER.genesis_validators


@pytest.mark.parametrize(("height", "index"), [(1, 1), (2, 2), (4, 0), (7, 3)])
def test_after_the_genesis_the_primary_is_height_mod_n(height: int, index: int) -> None:
    assert primary_base(None, KEYS, height=height, rotation_blocks=128) == index


@pytest.mark.parametrize(("height", "index"), [(127, 3), (128, 0), (129, 3), (256, 0)])
def test_the_primary_stays_the_parents_proposer_and_moves_on_at_rotation_heights(
    height: int, index: int
) -> None:
    parent = replace(header(CLUSTER, 3, "a"), height=height - 1)

    assert primary_base(parent, KEYS, height=height, rotation_blocks=128) == index


def test_where_the_proposer_has_left_the_set_the_primary_is_height_mod_n() -> None:
    parent = replace(header(CLUSTER, 3, "a"), height=9)
    smaller = ValidatorSet(keys=KEYS.keys[:3])

    assert primary_base(parent, smaller, height=10, rotation_blocks=128) == 1


def test_each_view_has_the_next_primary() -> None:
    state = CLUSTER.nodes[0].replica._state

    assert [primary_index(state, view) for view in range(5)] == [1, 2, 3, 0, 1]


@pytest.mark.parametrize(
    ("view", "timeout_ms"),
    [(0, 2_000), (1, 3_000), (2, 4_500), (3, 6_750), (8, 51_255), (9, 60_000), (2**63, 60_000)],
)
def test_the_view_timeout_grows_by_a_half_up_to_the_cap(view: int, timeout_ms: int) -> None:
    assert view_timeout_ms(ReplicaConfig(), view) == timeout_ms


NOW_MS = 1_000_000


@pytest.mark.parametrize(
    ("time_ms", "parent_ms", "view", "expected"),
    [
        (NOW_MS, NOW_MS - 1, 0, True),
        (NOW_MS, NOW_MS, 0, False),
        (NOW_MS + 2_000, NOW_MS - 1, 0, True),
        (NOW_MS + 2_001, NOW_MS - 1, 0, False),
        # A primary with a clock that was once ahead cannot freeze time: parent + 1 is welcome.
        (NOW_MS + 50_001, NOW_MS + 50_000, 0, True),
        (NOW_MS + 50_002, NOW_MS + 50_000, 0, False),
        (NOW_MS - 10_000, NOW_MS - 90_000, 0, True),
        (NOW_MS - 10_001, NOW_MS - 90_000, 0, False),
        (NOW_MS - 20_000, NOW_MS - 90_000, 1, True),
        (NOW_MS - 20_001, NOW_MS - 90_000, 1, False),
        (1, 0, 2**63, True),
    ],
)
def test_a_fresh_time_lies_above_the_parent_and_near_the_local_clock(
    time_ms: int, parent_ms: int, view: int, *, expected: bool
) -> None:
    got = is_timely(
        time_ms, parent_time_ms=parent_ms, wall_ms=NOW_MS, view=view, config=ReplicaConfig()
    )

    assert got is expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", bytes(32)),
        ("height", 2),
        ("parent_hash", bytes(32)),
        ("validator_set_hash", bytes(32)),
        ("transaction_count", 2),
        ("transaction_root", bytes(32)),
    ],
)
def test_each_fault_of_place_or_form_is_named(field: str, value: bytes | int) -> None:
    state = Cluster(4).nodes[0].replica._state
    good = header(CLUSTER, 1, "a")
    ids = (transaction("a").id,)

    fault = header_fault(state, changed(good, **{field: value}), ids)

    assert header_fault(state, good, ids) is None
    assert fault is not None
    assert fault.startswith(f"{field}: expected ")


def test_a_repeated_transaction_is_a_fault() -> None:
    state = Cluster(4).nodes[0].replica._state
    twice = header(CLUSTER, 1, "a", "a")

    fault = header_fault(state, twice, (transaction("a").id,) * 2)

    assert fault == "distinct transactions: expected 2, got 1"


def test_a_fresh_block_names_its_primary() -> None:
    cluster = Cluster(4).start()
    state = cluster.nodes[0].replica._state

    assert fresh_fault(state, header(cluster, 1, "a"), 0) is None
    assert str(fresh_fault(state, header(cluster, 2, "a"), 0)).startswith("proposer: ")
    assert fresh_fault(state, header(cluster, 2, "a"), 1) is None


def test_a_time_far_from_the_local_clock_says_whose_clock_may_be_off() -> None:
    state = Cluster(4).start().nodes[0].replica._state
    state.now = replace(state.now, wall_ms=state.now.wall_ms + 3_600_000)

    fault = str(fresh_fault(state, header(CLUSTER, 1, "a"), 0))

    assert f"near this host's clock, {state.now.wall_ms}, got" in fault
    assert fault.endswith("it is this host's clock that is off")


@pytest.mark.parametrize(("after_ms", "is_fault"), [(-1, True), (0, False)])
def test_a_block_without_transactions_waits_for_the_heartbeat(
    after_ms: int, *, is_fault: bool
) -> None:
    cluster = Cluster(4).start()
    cluster.advance(MAX_BLOCK_INTERVAL_MS)
    state = Cluster(4).nodes[0].replica._state
    state.now = cluster.now
    time_ms = state.head_time_ms + MAX_BLOCK_INTERVAL_MS + after_ms
    empty = cluster.make_header(Cluster(4).nodes[1], (), time_ms=time_ms)

    assert (fresh_fault(state, empty, 0) is not None) is is_fault
