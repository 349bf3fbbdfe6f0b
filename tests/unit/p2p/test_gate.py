"""The gate before TLS: each bound at and above, and that one address cannot shut out another."""

from p2p.budget import Rate
from p2p.gate import HOSTS_MAX, AcceptGate, GateLimits

WIDE = Rate(per_second=1_000_000, burst=1_000_000)


def test_no_more_than_so_many_are_open_at_once() -> None:
    gate = AcceptGate(GateLimits(open_max=2, open_per_host_max=2), now_s=0.0)

    assert [gate.admit(host, 0.0) for host in ("a", "b", "c")] == [True, True, False]
    gate.release("a")
    assert gate.admit("c", 0.0)


def test_one_address_leaves_room_for_others() -> None:
    gate = AcceptGate(GateLimits(open_max=10, open_per_host_max=2), now_s=0.0)

    assert [gate.admit("a", 0.0) for _ in range(3)] == [True, True, False]
    assert gate.admit("b", 0.0)
    gate.release("a")
    assert gate.admit("a", 0.0)


def test_one_address_is_paced() -> None:
    limits = GateLimits(rate=WIDE, rate_per_host=Rate(per_second=10, burst=2))
    gate = AcceptGate(limits, now_s=0.0)

    assert [gate.admit("a", 0.0) for _ in range(3)] == [True, True, False]
    assert gate.admit("b", 0.0)
    assert not gate.admit("a", 0.09)
    assert gate.admit("a", 0.11)


def test_all_together_are_paced() -> None:
    limits = GateLimits(rate=Rate(per_second=10, burst=2), rate_per_host=WIDE)
    gate = AcceptGate(limits, now_s=0.0)

    assert [gate.admit(host, 0.0) for host in ("a", "b", "c")] == [True, True, False]
    assert gate.admit("c", 0.11)


def test_what_is_turned_away_costs_its_address_nothing() -> None:
    limits = GateLimits(
        rate=Rate(per_second=10, burst=1), rate_per_host=Rate(per_second=1, burst=1)
    )
    gate = AcceptGate(limits, now_s=0.0)
    assert gate.admit("a", 0.0)

    assert not gate.admit("b", 0.0)
    assert gate.admit("b", 0.11)


def test_only_so_many_addresses_are_remembered_the_latest_ones() -> None:
    limits = GateLimits(
        open_max=1_000_000, rate=WIDE, rate_per_host=Rate(per_second=0.001, burst=1)
    )
    gate = AcceptGate(limits, now_s=0.0)
    for number in range(HOSTS_MAX):
        assert gate.admit(str(number), 0.0)
    assert not gate.admit("0", 0.0)

    assert gate.admit("one more", 0.0)

    assert len(gate._budget_by_host) == HOSTS_MAX
    assert not gate.admit("0", 0.0)
    assert gate.admit("1", 0.0)
