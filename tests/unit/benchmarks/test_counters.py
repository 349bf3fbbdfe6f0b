"""What is read from a node's metrics and from /proc."""

import pytest

from benchmarks.process import memory_of
from benchmarks.rig import BenchmarkFailed, Counts, counts_of

METRICS = b"""# HELP tanlian_block_transactions_total Transactions in committed blocks.
# TYPE tanlian_block_transactions_total counter
tanlian_block_transactions_total 12000.0
tanlian_block_transactions_created 1.7e9
tanlian_consensus_view_changes_total{reason="timeout"} 2.0
tanlian_consensus_view_changes_total{reason="link"} 1.0
"""


def test_transactions_and_lost_primaries_are_counted() -> None:
    assert counts_of(METRICS) == Counts(committed=12_000, view_changes=3)


def test_without_a_lost_primary_there_is_no_such_line() -> None:
    assert counts_of(b"tanlian_block_transactions_total 0.0\n") == Counts(
        committed=0, view_changes=0
    )


def test_metrics_without_transactions_are_no_nodes() -> None:
    with pytest.raises(BenchmarkFailed, match="found none"):
        counts_of(b"up 1\n")


def test_memory_is_in_bytes() -> None:
    status = "Name:\tpython\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n"

    assert memory_of(status) == {"VmHWM": 2 * 2**20, "VmRSS": 2**20}


def test_a_status_without_memory_is_not_linux() -> None:
    with pytest.raises(OSError, match="needs Linux"):
        memory_of("Name:\tpython\n")
