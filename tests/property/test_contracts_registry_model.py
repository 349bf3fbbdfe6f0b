"""Registry contracts against naive models: factors, exchanges, calendars, alerts, due queue."""

from dataclasses import replace

from hypothesis import given, strategies as st

from contracts import alerts, factors, meters, queries
from contracts.alerts import (
    TRACKED_MAX,
)
from contracts.calendars import Calendar, offset_ms_at
from contracts.check import bit, checks_in
from contracts.context import Context
from contracts.due_queue import DueKind, push, run_due
from contracts.exchange import exchange_between, exchanges_between
from contracts.meters import ApproveExchange
from tests.unit.contracts.registry_world import (
    EXCHANGE,
    FACTOR,
    OPERATOR,
    START_MS,
    World,
    occurrence,
)

HOUR_MS = 3_600_000


@given(st.integers(min_value=0, max_value=2**21 - 1))
def test_a_mask_is_the_sum_of_its_checks(mask: int) -> None:
    assert sum(bit(check) for check in checks_in(mask)) == mask


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12),
    st.integers(0, 41),
)
def test_at_most_one_factor_holds_and_it_is_the_one_that_was_set(
    periods: list[tuple[int, int]], at_ms: int
) -> None:
    world = World()
    accepted: list[tuple[int, int, int]] = []
    for value, (start_ms, end_ms) in enumerate(periods):
        fits = start_ms < end_ms and all(
            end_ms <= other_start or other_end <= start_ms for other_start, other_end, _ in accepted
        )
        arguments = replace(FACTOR, value=value, valid_from_ms=start_ms, valid_to_ms=end_ms)
        if fits:
            world.call(factors.set_factor, arguments)
            accepted.append((start_ms, end_ms, value))
        else:
            world.refusal_of(factors.set_factor, arguments)

    factor = factors.factor_at(world.state, "kr-grid", at_ms)

    expected = [value for start, end, value in accepted if start <= at_ms < end]
    assert ([] if factor is None else [factor.value]) == expected


@given(
    st.lists(st.integers(1_000, 1_030), max_size=8),
    st.integers(999, 1_031),
    st.integers(999, 1_031),
)
def test_exchanges_between_are_those_of_a_scan(
    moments: list[int], after_ms: int, until_ms: int
) -> None:
    world = World()
    world.add_meter()
    applied: list[int] = []
    for effective_ms in moments:
        arguments = replace(EXCHANGE, effective_ms=effective_ms, last_register=1)
        if applied and effective_ms <= applied[-1]:
            world.refusal_of(meters.propose_exchange, arguments, sender=OPERATOR)
            continue
        world.call(meters.propose_exchange, arguments, sender=OPERATOR)
        world.call(meters.approve_exchange, ApproveExchange(meter_id="main", proposal=bytes(32)))
        applied.append(effective_ms)

    found = exchanges_between(world.state, "main", after_ms, until_ms)
    last = exchange_between(world.state, "main", after_ms, until_ms)

    expected = [moment for moment in applied if after_ms < moment <= until_ms]
    assert [exchange.effective_ms for exchange in found] == expected
    assert ([] if last is None else [last.effective_ms]) == expected[-1:]


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=8, unique=True).map(sorted),
    st.integers(0, 60),
)
def test_the_offset_is_that_of_the_last_transition(moments: list[int], at_ms: int) -> None:
    calendar = Calendar(
        calendar_id="c",
        version=1,
        source="s",
        transitions=tuple((moment, number) for number, moment in enumerate(moments)),
        holidays=(),
    )

    passed = [number for number, moment in enumerate(moments) if moment <= at_ms]

    assert offset_ms_at(calendar, at_ms) == (passed[-1] if passed else 0) * 1_000


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["a", "b", "c"])), max_size=20),
    st.integers(1, 5),
)
def test_the_due_queue_asks_each_entry_once_in_order(
    entries: list[tuple[int, str]], limit: int
) -> None:
    world = World()
    world.parameters = replace(world.parameters, due_entries_per_block_max=limit)
    world.time_ms = 25
    for due_ms, subject in entries:
        push(world.state, due_ms=due_ms, kind=DueKind.MISSING, subject=subject)
    asked: list[str] = []

    def handler(context: Context, subject: str) -> None:
        assert context.time_ms == 25
        asked.append(subject)

    for _ in range(len(entries)):
        before = len(asked)
        run_due(world.state, world.block, {DueKind.MISSING: handler})
        assert len(asked) - before <= limit

    due = sorted({entry for entry in entries if entry[0] <= 25})
    assert asked == [subject for _, subject in due]


@given(st.permutations(range(0, TRACKED_MAX * 3, 3)))
def test_the_number_of_episodes_does_not_depend_on_the_order_of_delivery(
    days: list[int],
) -> None:
    world = World()
    world.add_meter()
    for _ in range(2):
        for day in days:
            alerts.raise_alert(world.context(), world.meter("main"), occurrence(day * 24 * HOUR_MS))

    every = queries.list_alerts
    world.next_block()

    assert [alert.occurrences for alert in every(world.reader).records] == [2] * TRACKED_MAX
    assert START_MS > TRACKED_MAX * 3 * 24 * HOUR_MS
