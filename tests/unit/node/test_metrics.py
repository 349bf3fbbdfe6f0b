"""Metrics: their names are a promise, and nobody outside can multiply the series."""

from dataclasses import replace

import pytest

from node.metrics import CommittedBlock, MempoolState, NodeMetrics

BLOCK = CommittedBlock(
    height=7,
    transaction_count=3,
    size_bytes=900,
    interval_seconds=1.5,
    execute_seconds=0.02,
    commit_seconds=0.004,
    state_keys=41,
    signers=("north", "east", "south"),
    missing=("west",),
)


@pytest.fixture
def metrics() -> NodeMetrics:
    return NodeMetrics(version="0.1.0", node="north-1", role="validator")


def value(metrics: NodeMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tanlian_{name}", labels)


def test_the_names_are_as_promised(metrics: NodeMetrics) -> None:
    names = {
        line.split()[2]
        for line in metrics.render().decode().splitlines()
        if line.startswith("# TYPE") and not line.split()[2].endswith("_created")
    }

    assert names == {
        "tanlian_block_bytes_total",
        "tanlian_block_commit_seconds",
        "tanlian_block_execute_seconds",
        "tanlian_block_transactions_total",
        "tanlian_build_info",
        "tanlian_consensus_block_interval_seconds",
        "tanlian_consensus_evidence_total",
        "tanlian_consensus_height",
        "tanlian_consensus_is_syncing",
        "tanlian_consensus_is_validator",
        "tanlian_consensus_is_voting",
        "tanlian_consensus_journal_fsync_seconds",
        "tanlian_consensus_missing_validators",
        "tanlian_consensus_primary",
        "tanlian_consensus_validator_last_signed_height",
        "tanlian_consensus_validator_missed_blocks_total",
        "tanlian_consensus_view",
        "tanlian_consensus_view_changes_total",
        "tanlian_disk_free_bytes",
        "tanlian_mempool_bytes",
        "tanlian_mempool_expired_total",
        "tanlian_mempool_oldest_seconds",
        "tanlian_mempool_rejected_total",
        "tanlian_mempool_size",
        "tanlian_p2p_bytes_total",
        "tanlian_p2p_messages_dropped_total",
        "tanlian_p2p_messages_total",
        "tanlian_p2p_peers",
        "tanlian_rpc_requests_total",
        "tanlian_rpc_seconds",
        "tanlian_state_keys",
    }


def test_the_build_is_told(metrics: NodeMetrics) -> None:
    assert value(metrics, "build_info", version="0.1.0", node="north-1", role="validator") == 1


def test_two_nodes_in_one_process_do_not_share_numbers(metrics: NodeMetrics) -> None:
    other = NodeMetrics(version="0.1.0", node="east-1", role="validator")

    metrics.set_height(5)

    assert value(metrics, "consensus_height") == 5
    assert value(other, "consensus_height") == 0


def test_a_committed_block_moves_everything_that_it_concerns(metrics: NodeMetrics) -> None:
    metrics.block_committed(BLOCK)
    metrics.block_committed(
        replace(BLOCK, height=8, signers=("north", "east", "west"), missing=("south",))
    )

    assert value(metrics, "consensus_height") == 8
    assert value(metrics, "consensus_block_interval_seconds_count") == 2
    assert value(metrics, "consensus_block_interval_seconds_sum") == 3.0
    assert value(metrics, "block_transactions_total") == 6
    assert value(metrics, "block_bytes_total") == 1800
    assert value(metrics, "block_execute_seconds_count") == 2
    assert value(metrics, "block_commit_seconds_bucket", le="0.005") == 2
    assert value(metrics, "state_keys") == 41
    assert value(metrics, "consensus_missing_validators") == 1
    last_signed = "consensus_validator_last_signed_height"
    assert value(metrics, last_signed, validator="north") == 8
    assert value(metrics, last_signed, validator="south") == 7
    missed = "consensus_validator_missed_blocks_total"
    assert value(metrics, missed, validator="west") == 1
    assert value(metrics, missed, validator="south") == 1
    assert value(metrics, missed, validator="north") is None


def test_there_is_one_primary_at_a_time(metrics: NodeMetrics) -> None:
    metrics.set_view(view=0, primary="north", is_validator=True)
    metrics.set_view(view=1, primary="east", is_validator=True)

    assert value(metrics, "consensus_view") == 1
    assert value(metrics, "consensus_is_validator") == 1
    assert value(metrics, "consensus_primary", validator="east") == 1
    assert value(metrics, "consensus_primary", validator="north") is None


def test_a_node_outside_the_set_says_so(metrics: NodeMetrics) -> None:
    metrics.set_view(view=0, primary="north", is_validator=True)
    metrics.set_view(view=0, primary="north", is_validator=False)

    assert value(metrics, "consensus_is_validator") == 0


def test_a_node_that_does_not_take_part_says_so(metrics: NodeMetrics) -> None:
    metrics.set_participation(is_voting=False, is_syncing=True)

    assert value(metrics, "consensus_is_voting") == 0
    assert value(metrics, "consensus_is_syncing") == 1


def test_view_changes_are_counted_by_reason(metrics: NodeMetrics) -> None:
    metrics.count_view_change("timeout")
    metrics.count_view_change("timeout")
    metrics.count_view_change("link_down")

    assert value(metrics, "consensus_view_changes_total", reason="timeout") == 2
    assert value(metrics, "consensus_view_changes_total", reason="link_down") == 1


def test_single_numbers_are_shown(metrics: NodeMetrics) -> None:
    metrics.count_evidence()
    metrics.observe_journal_fsync(0.003)
    metrics.set_disk_free(123_456)

    assert value(metrics, "consensus_evidence_total") == 1
    assert value(metrics, "consensus_journal_fsync_seconds_sum") == 0.003
    assert value(metrics, "disk_free_bytes") == 123_456


def test_the_mempool_is_shown(metrics: NodeMetrics) -> None:
    metrics.set_mempool(MempoolState(transaction_count=4, size_bytes=800, oldest_seconds=2.5))
    metrics.count_mempool_rejected({"TRANSACTION_EXPIRED": 2, "POOL_FULL": 1})
    metrics.count_mempool_rejected({"POOL_FULL": 5})
    metrics.count_mempool_expired(3)

    assert value(metrics, "mempool_size") == 4
    assert value(metrics, "mempool_bytes") == 800
    assert value(metrics, "mempool_oldest_seconds") == 2.5
    assert value(metrics, "mempool_rejected_total", reason="TRANSACTION_EXPIRED") == 2
    assert value(metrics, "mempool_rejected_total", reason="POOL_FULL") == 6
    assert value(metrics, "mempool_expired_total") == 3


def test_requests_are_counted_by_route_and_status(metrics: NodeMetrics) -> None:
    route = "GET /v1/blocks/{height}"
    metrics.observe_request(method=route, code=200, seconds=0.01)
    metrics.observe_request(method=route, code=404, seconds=0.01)
    metrics.observe_request(method=route, code=99_999, seconds=0.01)

    assert value(metrics, "rpc_requests_total", method=route, code="200") == 1
    assert value(metrics, "rpc_requests_total", method=route, code="404") == 1
    assert value(metrics, "rpc_requests_total", method=route, code="other") == 1
    assert value(metrics, "rpc_seconds_count", method=route) == 3


def test_links_are_counted_by_direction_and_kind(metrics: NodeMetrics) -> None:
    metrics.set_peers({"validator": 3, "observer": 0})
    metrics.count_frames(direction="in", kind="vote", message_count=4, byte_count=800)
    metrics.count_frames(direction="out", kind="vote", message_count=1, byte_count=200)
    metrics.count_drops(kind="transactions", message_count=2)

    assert value(metrics, "p2p_peers", role="validator") == 3
    assert value(metrics, "p2p_peers", role="observer") == 0
    assert value(metrics, "p2p_messages_total", direction="in", kind="vote") == 4
    assert value(metrics, "p2p_bytes_total", direction="in", kind="vote") == 800
    assert value(metrics, "p2p_bytes_total", direction="out", kind="vote") == 200
    assert value(metrics, "p2p_messages_dropped_total", kind="transactions") == 2


def test_values_of_a_label_beyond_the_limit_count_as_other(metrics: NodeMetrics) -> None:
    for number in range(130):
        metrics.count_view_change(f"reason {number}")
    metrics.count_view_change("reason 127")

    assert value(metrics, "consensus_view_changes_total", reason="reason 127") == 2
    assert value(metrics, "consensus_view_changes_total", reason="reason 128") is None
    assert value(metrics, "consensus_view_changes_total", reason="other") == 2


def test_a_label_is_escaped(metrics: NodeMetrics) -> None:
    metrics.count_view_change('a"\n# evil 1')

    assert b'{reason="a\\"\\n# evil 1"}' in metrics.render()


def test_the_series_of_a_validator_that_left_end_and_make_room(metrics: NodeMetrics) -> None:
    metrics.block_committed(BLOCK)
    metrics.forget_validators(["west", "south", "nobody"])

    assert value(metrics, "consensus_validator_missed_blocks_total", validator="west") is None
    last_signed = "consensus_validator_last_signed_height"
    assert value(metrics, last_signed, validator="south") is None
    assert value(metrics, last_signed, validator="north") == 7
