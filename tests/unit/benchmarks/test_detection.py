"""The detection benchmark: what counts as found, late or false, and that it runs the contracts."""

import json
from pathlib import Path

import pytest

import cli
from benchmarks.buildings import building
from benchmarks.detection import Judged, Tally, judge, tally_of
from benchmarks.detection_data import office
from benchmarks.faults import with_faults
from benchmarks.labelled_file import LabelledMeter, LabelledReading
from contracts.check import Check, bit

HOUR_MS = 3_600_000
WEEK_MS = 168 * HOUR_MS
STUCK = bit(Check.STUCK)


def judged(labels: str, raised: str, failed: str) -> list[Judged]:
    rows = zip(labels, raised, failed, strict=True)
    return [
        Judged(hour * HOUR_MS, label == "1", int(early), int(late))
        for hour, (label, early, late) in enumerate(rows)
    ]


def test_points_events_episodes_and_delays_are_counted() -> None:
    tally = tally_of(
        judged("0011110001100000", raised="0000110000000101", failed="0001110000000101"),
        HOUR_MS,
    )

    assert tally == Tally(
        hits=3,
        flagged=5,
        labelled=6,
        events=2,
        events_found=1,
        false_episodes=2,
        span_ms=16 * HOUR_MS,
        delays=(2,),
    )
    assert tally.figures == {
        "precision": 0.6,
        "recall": 0.5,
        "f1": 0.5455,
        "events": 2,
        "events_found": 1,
        "false_episodes_per_meter_week": 21.0,
        "median_delay_intervals": 2,
    }


def test_nothing_to_divide_by_is_none() -> None:
    assert set(Tally().figures.values()) == {None, 0}
    assert tally_of([], HOUR_MS) == Tally()


def test_tallies_add_up() -> None:
    first = tally_of(judged("0110", "0010", "0110"), HOUR_MS)
    second = tally_of(judged("1000", "0001", "0001"), HOUR_MS)

    assert first + second == Tally(
        hits=2, flagged=3, labelled=3, events=2, events_found=1, false_episodes=1,
        span_ms=8 * HOUR_MS, delays=(1,),
    )  # fmt: skip


def stuck_meter() -> LabelledMeter:
    """Five weeks whose last day repeats one value for ten hours."""
    values = [1_000 + 37 * (hour * hour % 23) for hour in range(5 * 168)]
    begin = len(values) - 12
    values[begin : begin + 10] = [values[begin]] * 10
    readings = tuple(
        LabelledReading(1_451_606_400_000 + hour * HOUR_MS, value, begin <= hour < begin + 10)
        for hour, value in enumerate(values)
    )
    return LabelledMeter(name="stuck", decimals=0, interval_ms=HOUR_MS, readings=readings)


def test_readings_are_replayed_through_the_contracts() -> None:
    found = judge(stuck_meter(), warmup_ms=4 * WEEK_MS)

    assert len(found) == 168
    raised = [index for index, each in enumerate(found) if each.raised & STUCK]
    assert raised[0] in range(156, 166)
    assert all(found[index].is_labelled for index in raised)


def test_what_is_flagged_before_is_not_counted_again_without_the_future() -> None:
    """The flags of a prefix are those of the whole, where no run is going on at its end."""
    whole = building(3)
    cut = 7 * 168
    prefix = LabelledMeter(
        name="prefix",
        decimals=whole.decimals,
        interval_ms=whole.interval_ms,
        readings=whole.readings[:cut],
    )
    first = judge(prefix, warmup_ms=4 * WEEK_MS)
    second = judge(whole, warmup_ms=4 * WEEK_MS)[: len(first)]

    assert [each.raised for each in first] == [each.raised for each in second]


def test_a_building_is_the_same_for_the_same_seed() -> None:
    assert building(5) == building(5)
    assert building(5) != building(12)


def test_the_command_prints_exactly_the_promised_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "labelled.csv"
    lines = ["meter,timestamp,value,label"]
    for day in range(1, 32):
        lines += [f"m,2016-01-{day:02d}T{hour:02d}:00,{hour + day},0" for hour in range(24)]
    path.write_text("\n".join(lines), encoding="utf-8")
    arguments = ["bench", "detection", "--csv", str(path), "--json", "--warmup-weeks", "3"]

    assert cli.run(arguments) == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    keys = [
        "precision",
        "recall",
        "f1",
        "events",
        "events_found",
        "false_episodes_per_meter_week",
        "median_delay_intervals",
    ]
    assert list(line) == [*keys, "meters"]
    assert list(line["meters"]["m"]) == keys


def test_a_bad_file_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text("meter,timestamp,value,label\nm,now,1,0\n", encoding="utf-8")

    assert cli.run(["bench", "detection", "--csv", str(path)]) == 1
    assert "line 2, timestamp: expected a local time" in capsys.readouterr().err


def test_options_of_the_other_benchmark_are_wrong_usage() -> None:
    assert cli.run(["bench", "--quick", "detection"]) == 2


def test_faults_of_the_night_lie_in_the_night() -> None:
    faulty = with_faults(office(), "night load", first_day=28)
    hours = {each.start_ms // HOUR_MS % 24 for each in faulty.readings if each.is_labelled}

    assert hours == {20, 21, 22, 23, 0, 1, 2, 3, 4, 5}
