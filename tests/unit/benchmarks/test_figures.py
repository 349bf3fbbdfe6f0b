"""Percentiles, the ceiling and pauses, by literal values."""

import pytest

from benchmarks.figures import ceiling_per_second, latency_of, percentile, seconds_until


def test_a_percentile_is_a_value_that_occurred_by_nearest_rank() -> None:
    values = [float(each) for each in range(1, 201)]

    assert percentile(values, 50) == 100.0
    assert percentile(values, 95) == 190.0
    assert percentile(values, 99) == 198.0
    assert percentile(values, 100) == 200.0
    assert percentile(values, 0.1) == 1.0


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 1) == 7.0
    assert percentile([7.0], 99) == 7.0


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 100.1)])
def test_a_percentile_of_nothing_or_outside_its_range_is_refused(
    values: list[float], percent: float
) -> None:
    with pytest.raises(ValueError, match="expected values"):
        percentile(values, percent)


def test_latencies_are_sorted_and_in_milliseconds() -> None:
    found = latency_of([0.003, 0.001, 0.002, 0.004])

    assert found is not None
    assert (found.count, found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == (
        4,
        2.0,
        4.0,
        4.0,
        4.0,
    )


def test_no_latency_has_no_figures() -> None:
    assert latency_of([]) is None


def test_the_ceiling_shares_the_cores_between_all_who_check() -> None:
    assert ceiling_per_second(cores=2, validators=4, verify_us=50.0) == 10_000.0
    assert ceiling_per_second(cores=8, validators=16, verify_us=100.0) == 5_000.0


def test_a_height_is_reached_when_it_or_a_later_one_is_first_seen() -> None:
    seen = [(8, 10.1), (11, 10.5), (12, 10.9)]

    assert seconds_until(8, seen, 10.0) == pytest.approx(0.1)
    assert seconds_until(9, seen, 10.0) == pytest.approx(0.5)
    assert seconds_until(12, seen, 10.0) == pytest.approx(0.9)


def test_a_height_that_was_never_seen_has_no_time() -> None:
    assert seconds_until(13, [(12, 10.9)], 10.0) is None
    assert seconds_until(1, [], 10.0) is None
