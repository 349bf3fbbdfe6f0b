"""The real meters of examples/data: what is known to be wrong is found, and nothing else."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from client.importers.calendars import build_calendar, read_holidays
from client.importers.forrestal import read_forrestal
from client.importers.lbnl import read_lbnl
from client.importers.source_file import rows_of
from client.importers.steel import read_steel
from contracts import baselines, calendars, factors, meters, sites
from contracts.alert import ALERT_PREFIX, Alert
from contracts.baseline import Model, Reason, Resolution
from contracts.baselines import FitBaseline, FitResult, SetBaseline
from contracts.calendars import RegisterCalendar
from contracts.check import Check, checks_in
from contracts.meter import Meter, StampConvention, Unit, meter_key
from contracts.meter_quality import MeterQuality, quality_prefix
from contracts.meters import RegisterMeter
from contracts.reading import Outcome, RawReading, SubmitReadings, SubmitResult
from contracts.reading_page import ReadingPage, SlotView, page_prefix, slots_of
from contracts.readings import submit
from tests.unit.contracts.registry_world import (
    ADMIN,
    FACTOR,
    INTERVAL_METER,
    METER,
    OPERATOR,
    SITE,
    World,
)

DATA = Path(__file__).parents[3] / "examples" / "data"
BLOCK_TIME_MS = 1_750_000_000_000
DAY_MS = 86_400_000
BATCH = 500
SECOND_PASS = range(1_414_908_000_000, 1_414_911_600_000)
"""06:00 to 07:00 UTC on 2014-11-02: 01:00 to 02:00 for the second time in Washington."""
OFFICE_START_MS = 1_375_340_400_000
"""2013-08-01 00:00 in California."""


class Replayed:
    """What became of the readings of a file."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.failed: list[int] = []

    def rows_failing(self, check: Check) -> list[int]:
        return [row for row, failed in enumerate(self.failed) if check in checks_in(failed)]


class RealWorld(World):
    """A registry in the time zone of a source, with ways to replay its files."""

    def __init__(self, zone_name: str, years: range) -> None:
        super().__init__()
        self.next_block(after_ms=BLOCK_TIME_MS - self.time_ms)
        calendar = build_calendar(
            calendar_id="seoul",
            version=1,
            zone_name=zone_name,
            years=years,
            holidays=read_holidays(DATA / "calendars" / "holidays-us-federal.csv"),
            holiday_source="5 U.S.C. 6103",
        )
        self.call(calendars.register, RegisterCalendar(calendar=calendar))
        self.call(sites.register, SITE)
        self.call(factors.set_factor, replace(FACTOR, valid_from_ms=0, valid_to_ms=2**60))

    def replay(self, meter: RegisterMeter, readings: tuple[RawReading, ...]) -> Replayed:
        if self.state.get(Meter, meter_key(meter.meter_id)) is None:
            self.call(meters.register, meter)
        replayed = Replayed()
        for start in range(0, len(readings), BATCH):
            arguments = SubmitReadings(
                meter_id=meter.meter_id,
                unit=meter.unit,
                readings=readings[start : start + BATCH],
            )
            result = SubmitResult.decode(submit(self.context(OPERATOR), arguments))
            replayed.outcomes += result.outcomes
            replayed.failed += result.failed
            self.next_block()
        return replayed

    def alert_count_by_check(self) -> Counter[Check]:
        return Counter(alert.check for _, alert in self.state.iterate(Alert, ALERT_PREFIX))


def forrestal_world(day: str) -> tuple[RealWorld, Replayed]:
    world = RealWorld("America/New_York", range(2013, 2016))
    everything = Replayed()
    for name, readings in read_forrestal(DATA / "forrestal" / f"{day}.csv.gz").items():
        meter = replace(
            METER,
            meter_id=name.lower(),
            co2_check=None,
            nameplate_w=None,
            register_modulus=None,
        )
        replayed = world.replay(meter, readings)
        everything.outcomes += replayed.outcomes
        everything.failed += replayed.failed
    return world, everything


@pytest.fixture(scope="module")
def night() -> tuple[RealWorld, Replayed]:
    """The Forrestal building on the night that the clocks went back."""
    return forrestal_world("2014-11-02")


def test_the_night_has_every_interval_of_its_25_hours(night: tuple[RealWorld, Replayed]) -> None:
    _, replayed = night
    assert Counter(replayed.outcomes) == {
        Outcome.ACCEPTED: 2_500,
        Outcome.DUPLICATE: 43,
        Outcome.SUPPLEMENT: 19,
        Outcome.OFF_GRID: 34,
    }


def test_the_night_has_no_conflict_and_no_register_that_goes_back(
    night: tuple[RealWorld, Replayed],
) -> None:
    world, replayed = night
    assert replayed.rows_failing(Check.DUPLICATE) == []
    assert replayed.rows_failing(Check.REGISTER) == []
    amounts = [slot.amount for slot in _all_slots(world)]
    assert len(amounts) == 2_500
    assert amounts.count(None) == 25  # each meter's first register has none before it
    assert all(amount is None or amount >= 0 for amount in amounts)


def test_the_night_keeps_the_second_pass_of_the_repeated_hour(
    night: tuple[RealWorld, Replayed],
) -> None:
    world, _ = night
    ends = [slot.start_ms + 900_000 for slot in _all_slots(world)]
    assert sum(end in SECOND_PASS for end in ends) == 100


def test_the_night_opens_no_alert_of_missing_readings(night: tuple[RealWorld, Replayed]) -> None:
    world, replayed = night
    assert replayed.rows_failing(Check.MISSING) == []
    assert world.alert_count_by_check() == {
        Check.CLOCK: 16,  # polls that came five minutes late
        Check.REGISTER_DEMAND: 1,  # NZA22: 2.8 % apart
        Check.VOLT_AMPERE: 1,  # NZA13: coarse currents, 13 % apart
    }


def test_the_clean_day_opens_no_alert() -> None:
    world, replayed = forrestal_world("2013-10-01")
    assert Counter(replayed.outcomes) == {Outcome.ACCEPTED: 2_316, Outcome.SUPPLEMENT: 6}
    assert world.alert_count_by_check() == {}
    demand_bit = 1 << (Check.REGISTER_DEMAND - 1)
    assert sum(1 for slot in _all_slots(world) if slot.applied & demand_bit) == 25


STEEL = replace(
    INTERVAL_METER, unit=Unit.WATT_HOUR, scale=0, nameplate_w=1_000_000, co2_check=(4_585, 10_000)
)


@pytest.fixture(scope="module")
def steel() -> tuple[RealWorld, Replayed]:
    """The steel plant's year."""
    world = RealWorld("Asia/Seoul", range(2017, 2020))
    return world, world.replay(STEEL, read_steel(DATA / "steel" / "readings.csv.gz"))


def test_the_steel_year_has_47_intervals_that_check_18_flags(
    steel: tuple[RealWorld, Replayed],
) -> None:
    _, replayed = steel
    labels = rows_of(DATA / "steel" / "labels.csv.gz", ("row_index0", "label"), has_header=True)
    labelled = [int(row["row_index0"]) for row in labels if row["label"] == "CO2_ZERO_WITH_LOAD"]
    assert len(labelled) == 47
    assert replayed.rows_failing(Check.ENERGY_CO2) == labelled
    assert Counter(replayed.outcomes) == {Outcome.ACCEPTED: 35_040}


def test_the_steel_year_has_no_power_factor_that_does_not_follow_from_its_energies(
    steel: tuple[RealWorld, Replayed],
) -> None:
    world, replayed = steel
    assert replayed.rows_failing(Check.POWER_FACTOR) == []
    months = [record for _, record in world.state.iterate(MeterQuality, quality_prefix("main"))]
    assert sum(month.applied[Check.POWER_FACTOR - 1] for month in months) == 35_039
    assert sum(month.present for month in months) == 35_040  # one row has no energy at all


def test_the_steel_year_opens_two_further_alerts(steel: tuple[RealWorld, Replayed]) -> None:
    world, replayed = steel
    assert world.alert_count_by_check() == {
        Check.ENERGY_CO2: 1,
        Check.ZERO_DROP: 1,  # the one row without usage
        Check.STUCK: 1,  # 3.60 kWh eight times on end
    }
    assert replayed.rows_failing(Check.ZERO_DROP) == [29_855]
    assert replayed.rows_failing(Check.STUCK) == [34_126, 34_127]


@pytest.mark.parametrize(
    ("model", "days", "cv_rmse_permille"),
    [
        (Model.DAY_TYPE_HOUR, 28, 681),
        (Model.DAY_TYPE_HOUR, 90, 766),
        (Model.DAY_TYPE_HOUR, 365, 778),
        (Model.HOUR_OF_WEEK, 28, 657),
        (Model.HOUR_OF_WEEK, 365, 775),
    ],
)
def test_no_baseline_of_the_steel_plant_qualifies(
    steel: tuple[RealWorld, Replayed], model: Model, days: int, cv_rmse_permille: int
) -> None:
    world, _ = steel
    start_ms = 1_514_732_400_000  # 2018-01-01 00:00 in Korea
    window = FitBaseline(
        meter_id="main",
        from_ms=start_ms,
        to_ms=start_ms + days * DAY_MS,
        model=model,
    )
    result = FitResult.decode(baselines.fit(world.context(OPERATOR), window))
    assert not result.accepted
    assert result.reason is Reason.SCATTER_TOO_HIGH
    assert result.cv_rmse_permille == cv_rmse_permille


def test_the_office_has_a_baseline_and_clean_weeks_open_no_alert_against_it() -> None:
    world = RealWorld("America/Los_Angeles", range(2013, 2015))
    readings = read_lbnl(DATA / "lbnl" / "kw.csv.gz")
    end_ms = OFFICE_START_MS + 28 * DAY_MS
    office = replace(
        INTERVAL_METER,
        unit=Unit.WATT_HOUR,
        stamp=StampConvention.START,
        nameplate_w=None,
        co2_check=None,
    )
    world.replay(office, tuple(each for each in readings if each.stamp_ms < end_ms))
    window = FitBaseline(meter_id="main", from_ms=OFFICE_START_MS, to_ms=end_ms)
    result = FitResult.decode(baselines.fit(world.context(OPERATOR), window))
    assert result == FitResult(
        meter_id="main",
        version=1,
        model=Model.DAY_TYPE_HOUR,
        resolution=Resolution.INTERVAL,
        accepted=True,
        reason=None,
        cv_rmse_permille=266,
        nmbe_permille=32,
        fsu_permille=130,
        interval_count=2_656,
        coverage_permille=988,
    )
    in_force = SetBaseline(meter_id="main", version=1, from_ms=end_ms)
    world.call(baselines.set_in_force, in_force, sender=ADMIN)
    world.next_block()
    later = world.replay(office, tuple(each for each in readings if each.stamp_ms >= end_ms))
    assert later.rows_failing(Check.BASELINE) == []
    assert world.alert_count_by_check() == {Check.MISSING: 5}  # rows without a number


def _all_slots(world: RealWorld) -> list[SlotView]:
    found: list[SlotView] = []
    for key, _ in world.reader.iterate(b"meter/"):
        meter = world.meter(key.decode().removeprefix("meter/"))
        prefix = page_prefix(meter.meter_id)
        for page_key, page in world.state.iterate(ReadingPage, prefix):
            found += slots_of(meter, int(page_key[len(prefix) :]), page)
    return found
