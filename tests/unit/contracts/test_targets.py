"""Targets: a yearly path, where a site stands on it, and the alert where it is left."""

from dataclasses import replace

import pytest

from contracts import targets
from contracts.alert import ALERT_PREFIX, Alert
from contracts.check import Check
from contracts.due_queue import DueEntry, DueKind, run_due
from contracts.emissions import Scope
from contracts.month import first_day_of
from contracts.target import Progress, YearTarget, get_target, progress_of, target_version_key
from contracts.targets import GRACE_MS, SetTarget
from tests.unit.contracts.reading_world import DAY_MS, HOUR_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import OTHER_ADMIN

NOVEMBER = (2023 - 1970) * 12 + 10
QUARTERS_OF_A_DAY = 96
SET = SetTarget(
    site="plant",
    scopes=(Scope.DIRECT, Scope.PURCHASED_ENERGY),
    is_market_based=False,
    base_year=2022,
    base_grams=12_000,
    years=(YearTarget(year=2023, grams=4_306 * 12), YearTarget(year=2024, grams=100)),
    tolerance_permille=50,
    reason="board decision",
)


class TargetWorld(ReadingWorld):
    """A site that emitted the same in each month of 2022."""

    def emit(self, months: dict[int, int]) -> None:
        """Sends kWh in the middle of months, given as months since 1970-01."""
        readings = []
        for month, kilowatt_hours in months.items():
            days = first_day_of(month) + 14 - self.first_day
            readings.append(amount(days * QUARTERS_OF_A_DAY, 1_000 * kilowatt_hours))
        self.send(*readings)

    @property
    def first_day(self) -> int:
        return amount(0, 0).stamp_ms // DAY_MS

    def progress(self, month: int) -> Progress:
        target = get_target(self.state, "plant")
        assert target is not None
        progress = progress_of(self.state, target, month)
        assert progress is not None
        return progress

    def due(self, at_ms: int) -> list[str]:
        """Runs what is due at a moment; returns the kinds of events."""
        self.next_block(after_ms=at_ms - self.time_ms)
        return [event.kind for event in run_due(
            self.state, self.block, {DueKind.TARGET: targets.on_due}
        )]  # fmt: skip

    @property
    def site_alerts(self) -> list[Alert]:
        alerts = [alert for _, alert in self.state.iterate(Alert, ALERT_PREFIX)]
        return [alert for alert in alerts if alert.check is Check.TARGET]


def test_without_a_base_year_on_chain_a_year_runs_evenly() -> None:
    world = TargetWorld()
    world.call(targets.set_target, SET)
    world.emit({NOVEMBER - 9: 20, NOVEMBER - 8: 10})
    progress = world.progress(NOVEMBER - 8)
    assert progress.actual_grams == 30 * 4_306 // 10 * 1
    assert (progress.path_grams, progress.is_seasonal) == (4_306 * 12 * 3 // 12, False)
    assert progress.forecast_grams == progress.actual_grams * 4
    assert progress.has_left is False


def test_the_base_year_tells_how_a_year_runs() -> None:
    world = TargetWorld()
    world.call(targets.set_target, SET)
    first = (2022 - 1970) * 12
    world.emit({first + index: 3 if index == 0 else 1 for index in range(12)} | {first + 12: 30})
    progress = world.progress(first + 12)
    assert progress.is_seasonal
    assert progress.path_grams == 11_073  # 4,306 x 12 x 3/14, half to even
    assert progress.forecast_grams == 30 * 430_600 // 1_000 * 14 // 3
    assert progress.has_left is True


@pytest.mark.parametrize(("kilowatt_hours", "has_left"), [(10, False), (10.5, False), (11, True)])
def test_the_path_is_left_above_the_tolerance(kilowatt_hours: float, *, has_left: bool) -> None:
    world = TargetWorld()
    grams_a_month = 4_306 * 10
    world.call(
        targets.set_target,
        replace(SET, years=(YearTarget(year=2023, grams=grams_a_month * 12 // 10),)),
    )
    january = (2023 - 1970) * 12
    days = first_day_of(january) + 14 - world.first_day
    world.send(amount(days * QUARTERS_OF_A_DAY, int(kilowatt_hours * 1_000)))
    assert world.progress(january).has_left is has_left


def test_the_month_that_is_over_is_judged_and_raises_an_alert_of_the_site() -> None:
    world = TargetWorld()
    world.call(targets.set_target, SET)
    world.emit({NOVEMBER - 1: 1_000})
    ((_, entry),) = [
        keyed for keyed in world.state.iterate(DueEntry, b"due/") if keyed[1].kind is DueKind.TARGET
    ]
    begins_ms = (first_day_of(NOVEMBER + 1)) * DAY_MS - 10 * HOUR_MS
    assert entry.due_ms == begins_ms + GRACE_MS
    assert "target.judged" in world.due(entry.due_ms)
    (alert,) = world.site_alerts
    assert (alert.site, alert.meter) == ("plant", None)
    assert alert.expected == 4_306 * 12
    world.state.changes()


def test_a_year_that_keeps_its_path_raises_none() -> None:
    world = TargetWorld()
    world.call(targets.set_target, SET)
    world.emit({NOVEMBER - 1: 10})
    assert world.due((first_day_of(NOVEMBER + 1) + 10) * DAY_MS) == ["target.judged"]
    assert world.site_alerts == []


def test_each_version_stays() -> None:
    world = TargetWorld()
    world.call(targets.set_target, SET)
    world.call(targets.set_target, replace(SET, reason="revised"))
    target = get_target(world.state, "plant")
    assert target is not None
    assert (target.version, target.reason) == (2, "revised")
    first = world.state.get(type(target), target_version_key("plant", 1))
    assert first is not None
    assert first.reason == "board decision"


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (replace(SET, site="nowhere"), "UNKNOWN_SITE", "site"),
        (replace(SET, scopes=(Scope.DIRECT, Scope.DIRECT)), "INVALID_ARGUMENTS", "scopes"),
        (replace(SET, years=SET.years[::-1]), "INVALID_ARGUMENTS", "years"),
        (replace(SET, base_year=2023), "INVALID_ARGUMENTS", "years"),
    ],
)
def test_what_is_no_path_is_refused(arguments: SetTarget, code: str, field: str) -> None:
    found_code, detail = ReadingWorld().refusal_of(targets.set_target, arguments)
    assert (found_code, detail.partition(":")[0]) == (code, field)


def test_only_the_owner_sets_targets() -> None:
    world = ReadingWorld()
    assert world.refusal_of(targets.set_target, SET, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
