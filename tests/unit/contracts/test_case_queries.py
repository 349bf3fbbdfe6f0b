import pytest

from contracts import alerts, case_queries, cases
from contracts.alert import AlertState, Cause
from contracts.case_queries import AGE_BUCKETS, age_bucket, find_figures
from contracts.cases import ExplainCase, TakeStep
from contracts.check import Check
from contracts.sites import get_site
from tests.unit.contracts.registry_world import CERTIFIER, OPERATOR, START_MS, World, occurrence

HOUR_MS = 3_600_000
NOVEMBER_2023 = 53 * 12 + 10


@pytest.fixture
def world() -> World:
    """A case that was closed after 10, 30 and 70 hours, one that was explained, one of the site."""
    world = World()
    world.add_meter()
    for check in (Check.STUCK, Check.SPIKE):
        alerts.raise_alert(world.context(), world.meter("main"), occurrence(check=check))
    for after, functions in (
        (10, (cases.acknowledge, cases.investigate)),
        (20, ()),
        (40, (cases.dismiss, cases.close)),
    ):
        world.next_block(after_ms=after * HOUR_MS)
        for alert_id in ("main.08.000001", "main.10.000001"):
            step = TakeStep(alert_id=alert_id, note="x")
            for function in functions:
                if function in {cases.acknowledge, cases.investigate}:
                    world.call(function, step, sender=OPERATOR)
                elif alert_id == "main.08.000001":
                    world.call(function, step, sender=CERTIFIER)
            if not functions:
                explain = ExplainCase(alert_id=alert_id, cause=Cause.COMMS, explanation="x")
                world.call(cases.explain, explain, sender=OPERATOR)
    site = get_site(world.state, "plant")
    assert site is not None
    alerts.raise_alert(world.context(), site, occurrence(check=Check.TARGET))
    world.next_block()
    return world


def test_cases_are_counted_by_cause_and_state(world: World) -> None:
    figures = find_figures(world.reader, world.time_ms)

    assert [
        (each.site, each.cause, [state.name for state in AlertState if each.by_state[state - 1]])
        for each in figures.counts
    ] == [
        ("plant", None, ["OPEN"]),
        ("plant", Cause.COMMS, ["EXPLAINED", "CLOSED"]),
    ]
    assert figures.is_complete


def test_open_cases_are_counted_by_age(world: World) -> None:
    ages = find_figures(world.reader, START_MS + 71 * HOUR_MS).ages

    assert [(each.cause, each.by_age) for each in ages] == [
        (None, (1, 0, 0, 0, 0, 0)),
        (Cause.COMMS, (0, 0, 1, 0, 0, 0)),
    ]
    later = find_figures(world.reader, START_MS + 900 * HOUR_MS).ages
    assert [each.by_age for each in later] == [(0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 1)]


def test_times_are_those_from_opening_on(world: World) -> None:
    times = find_figures(world.reader, world.time_ms).times

    assert [
        (
            each.month,
            each.cause,
            *((spent.count, spent.sum_ms // HOUR_MS, spent.max_ms // HOUR_MS) for spent in spents),
        )
        for each in times
        for spents in [(each.acknowledge, each.explain, each.close)]
    ] == [
        (NOVEMBER_2023, None, (2, 20, 10), (2, 60, 30), (1, 70, 70)),
        (NOVEMBER_2023, Cause.COMMS, (1, 10, 10), (1, 30, 30), (1, 70, 70)),
    ]


def test_figures_of_one_site_are_its_own(world: World) -> None:
    assert find_figures(world.reader, world.time_ms, "plant") == find_figures(
        world.reader, world.time_ms
    )
    other = find_figures(world.reader, world.time_ms, "hall")
    assert (other.counts, other.times, other.ages) == ((), (), ())


def test_what_is_too_much_for_one_answer_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_queries, "RECORDS_SCANNED_MAX", 1)
    cut = find_figures(world.reader, world.time_ms)
    assert (len(cut.counts), len(cut.times), cut.is_complete) == (1, 1, False)
    monkeypatch.undo()
    monkeypatch.setattr(case_queries, "OPEN_SCANNED_MAX", 1)

    assert not find_figures(world.reader, world.time_ms).is_complete


@pytest.mark.parametrize(
    ("hours", "bucket"), [(0, 0), (7, 0), (8, 1), (24, 2), (72, 3), (168, 4), (719, 4), (720, 5)]
)
def test_a_bucket_begins_with_its_hour(hours: int, bucket: int) -> None:
    assert age_bucket(hours * HOUR_MS) == bucket < AGE_BUCKETS
