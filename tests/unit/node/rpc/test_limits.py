"""Buckets and budgets: at the limit and one beyond."""

import pytest

from node.rpc.limits import BodyBudget, RpcLimits, TokenBuckets
from node.rpc.problems import ProblemError


class Clock:
    """A clock that a test moves."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_is_let_through_and_one_more_is_not() -> None:
    buckets = TokenBuckets(RpcLimits(requests_per_second=2, requests_burst=3), Clock())

    for _ in range(3):
        buckets.take("a")
    with pytest.raises(ProblemError) as refused:
        buckets.take("a")

    assert refused.value.problem.code == "RATE_LIMITED"
    assert refused.value.problem.headers() == {"Retry-After": "1"}


def test_tokens_come_back_at_the_rate_and_no_more_than_the_burst() -> None:
    clock = Clock()
    buckets = TokenBuckets(RpcLimits(requests_per_second=2, requests_burst=3), clock)
    for _ in range(3):
        buckets.take("a")

    clock.now_s += 0.5
    buckets.take("a")
    with pytest.raises(ProblemError):
        buckets.take("a")
    clock.now_s += 1_000
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(ProblemError):
        buckets.take("a")


def test_addresses_do_not_pay_for_one_another() -> None:
    buckets = TokenBuckets(RpcLimits(requests_per_second=1, requests_burst=1), Clock())

    buckets.take("a")
    buckets.take("b")


def test_the_address_unheard_for_longest_is_forgotten() -> None:
    limits = RpcLimits(requests_per_second=1, requests_burst=1, remotes_max=2)
    buckets = TokenBuckets(limits, Clock())
    buckets.take("a")
    buckets.take("b")
    buckets.take("c")

    buckets.take("a")  # forgotten, so its bucket is full again
    with pytest.raises(ProblemError):
        buckets.take("c")


def test_bodies_are_counted_while_they_are_in_memory() -> None:
    budget = BodyBudget(10)
    budget.take(4)
    budget.take(6)
    with pytest.raises(ProblemError) as refused:
        budget.take(1)
    budget.give_back(6)
    budget.take(6)

    assert refused.value.problem.code == "OVERLOADED"
