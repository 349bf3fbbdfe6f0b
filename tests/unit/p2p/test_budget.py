"""Token buckets and reconnect delays, with time and chance passed in."""

import pytest
from hypothesis import given, strategies as st

from p2p.budget import Rate, TokenBucket, reconnect_delay_s


def test_a_burst_passes_and_the_next_waits_for_the_rate() -> None:
    bucket = TokenBucket(Rate(per_second=10, burst=3), now_s=100.0)

    for _ in range(3):
        bucket.charge(1, now_s=100.0)
    assert bucket.wait_s(now_s=100.0) == 0
    bucket.charge(1, now_s=100.0)
    assert bucket.wait_s(now_s=100.0) == pytest.approx(0.1)
    assert bucket.wait_s(now_s=100.05) == pytest.approx(0.05)
    assert bucket.wait_s(now_s=100.1) == pytest.approx(0.0)


def test_a_pause_refills_up_to_the_burst_and_no_further() -> None:
    bucket = TokenBucket(Rate(per_second=10, burst=3), now_s=0.0)

    bucket.charge(4, now_s=1_000.0)

    assert bucket.wait_s(now_s=1_000.0) == pytest.approx(0.1)


def test_a_clock_that_steps_back_refills_nothing_and_breaks_nothing() -> None:
    bucket = TokenBucket(Rate(per_second=10, burst=1), now_s=50.0)
    bucket.charge(2, now_s=50.0)

    assert bucket.wait_s(now_s=40.0) == pytest.approx(0.1)
    assert bucket.wait_s(now_s=50.0) == pytest.approx(0.1)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 50)), min_size=1, max_size=200))
def test_in_the_long_run_no_more_than_the_rate_gets_through(
    arrivals: list[tuple[float, int]],
) -> None:
    bucket = TokenBucket(Rate(per_second=100, burst=40), now_s=0.0)
    now_s, passed = 0.0, 0
    for pause_s, cost in arrivals:
        now_s += pause_s
        if bucket.wait_s(now_s) == 0:
            bucket.charge(cost, now_s)
            passed += cost

    # Beyond rate and burst only the one charge that may overdraw it.
    assert passed <= 40 + 100 * now_s + 50 + 1e-6


@pytest.mark.parametrize(
    ("attempt", "draw", "delay_s"),
    [
        (1, 0.0, 0.05),
        (1, 0.5, 0.075),
        (2, 0.0, 0.1),
        (3, 0.0, 0.2),
        (6, 0.0, 1.6),
        (7, 0.0, 2.5),
        (1_000_000, 0.0, 2.5),
    ],
)
def test_the_delay_doubles_up_to_its_cap(attempt: int, draw: float, delay_s: float) -> None:
    assert reconnect_delay_s(attempt, draw) == pytest.approx(delay_s)


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_the_delay_is_never_nothing_and_never_above_five_seconds(attempt: int, draw: float) -> None:
    assert 0.05 <= reconnect_delay_s(attempt, draw) <= 5.0


def test_a_charge_is_refused_while_there_is_a_debt_and_taken_when_it_is_paid() -> None:
    bucket = TokenBucket(Rate(per_second=10, burst=1), now_s=0.0)

    assert bucket.charge_unless_owing(2, now_s=0.0) == 0
    assert bucket.charge_unless_owing(1, now_s=0.0) == pytest.approx(0.1)
    assert bucket.charge_unless_owing(1, now_s=0.05) == pytest.approx(0.05)
    assert bucket.charge_unless_owing(1, now_s=0.2) == 0
