"""The line of JSON has exactly the members that were promised."""

import json

from tests.benchmark_samples import result, saturation

LINE = {
    "single": {
        "tx_per_s": 2500.0,
        "ceiling_tx_per_s": 10000.0,
        "share": 0.25,
        "cpu_us_per_tx_node": 150.0,
        "cpu_us_per_tx_node_without_verify": 100.0,
        "p50_ms": 9.6,
        "p99_ms": 27.6,
        "rss_mb_max": 150.0,
        "disk_bytes_per_tx": 432.0,
    },
    "batch": {"readings_per_s": 15000.0, "disk_bytes_per_reading": 44.4},
    "half_load": {"p50_ms": 9.6, "p99_ms": 27.6},
    "overload": {"share_of_peak": 0.8, "rejected": 75},
    "primary_killed": {"resume_s": 0.812},
}


def test_the_line_is_the_one_that_is_compared_from_commit_to_commit() -> None:
    assert result().line() == LINE


def test_a_full_run_ends_with_the_same_line_and_tells_the_rest_in_its_details() -> None:
    full = result(is_full=True)
    document = json.loads(json.dumps(full.details()))

    assert full.line() == LINE
    assert document["batch_all_checks"]["per_second"] == 120.0
    assert document["hung_resume_s"] == 4.5


def test_what_is_lost_or_known_already_was_not_turned_away() -> None:
    assert saturation(1.0, UNREACHABLE=5, DUPLICATE=7, SENDER_QUOTA=11).rejected == 11


def test_what_was_not_seen_is_null_and_no_number() -> None:
    line = result(half=None, resume_s=None).line()

    assert line["half_load"] == {"p50_ms": None, "p99_ms": None}
    assert line["primary_killed"] == {"resume_s": None}


def test_all_that_was_measured_is_json() -> None:
    document = json.loads(json.dumps(result().details()))

    assert document["environment"]["machine"] == "a machine"
    assert document["paced"]["0.5"]["latency"]["p95_ms"] == 20.0
    assert document["line"]["single"]["share"] == 0.25
    assert document["hung"] is None


def test_the_table_says_what_people_compare() -> None:
    rows = {name: (value, remark) for name, value, remark in result(is_full=True).rows()}

    assert rows["  share of the ceiling"][0] == "0.250"
    assert rows["  outside signature checks"][0] == "100.0 us"
    assert rows["disk a transaction"] == ("432 bytes", "2.00 for each of its 216 bytes")
    assert rows["overload"][1] == (
        "0.80 of the peak, where 4,000 tx/s are offered; refused 70 SENDER_QUOTA, 5 BUSY, "
        "3 DUPLICATE, 2 UNREACHABLE"
    )
    assert rows["memory of a node, peak"][1] == "at saturation; 10 s of overload add 3 MB"
    assert rows["  with all checks on"][0] == "12,000 readings/s"
    assert rows["primary killed"][0] == "0.81 s"
    assert rows["primary hangs silently"][0] == "4.50 s"


def test_the_table_says_so_where_no_answer_and_no_block_came() -> None:
    rows = {name: value for name, value, _ in result(half=None, resume_s=None).rows()}

    assert rows["latency at 50% of saturation"] == "none"
    assert rows["primary killed"] == "never"
    assert "primary hangs silently" not in rows
