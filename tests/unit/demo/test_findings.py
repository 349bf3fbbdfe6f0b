"""Known faults, counted from what the chain answered."""

from client.importers.raw import raw_reading
from contracts.check import Check, bit
from contracts.reading import Outcome, SubmitResult
from demo import cast
from demo.findings import (
    SECOND_PASS_MS,
    Answer,
    answers_of,
    disappointments,
    duplicates,
    fallback_intervals,
    live_missing,
    negative_deltas,
    repeated_rows,
    steel_faults,
    zero_co2_rows,
)

ALL_FOUND = {
    "steel_zero_co2": {"expected": 47, "found": 47, "false": 0},
    "forrestal_duplicates": {"expected": 43, "found": 43},
    "forrestal_fallback_hour": {"expected_intervals": 100, "found": 100},
    "forrestal_negative_deltas": {"found": 0},
    "live_missing": {"found": 1},
}


def answer(
    *,
    stamp_ms: int = 900_000,
    outcome: Outcome = Outcome.ACCEPTED,
    failed: int = 0,
    meter: str = "m",
) -> Answer:
    reading = raw_reading(stamp_ms=stamp_ms, amount=1)
    return Answer(meter_id=meter, reading=reading, outcome=outcome, failed=failed)


def test_the_labels_of_the_data_are_read() -> None:
    assert len(zero_co2_rows(cast.DATA / "steel" / "labels.csv.gz")) == 47
    assert repeated_rows(cast.DATA / "forrestal" / "2014-11-02.csv.gz") == 43


def test_readings_meet_their_results_in_order() -> None:
    readings = (raw_reading(stamp_ms=1, amount=1), raw_reading(stamp_ms=2, amount=2))
    result = SubmitResult(
        outcomes=(Outcome.ACCEPTED, Outcome.DUPLICATE), failed=(0, 4), root=bytes(32)
    )

    first, second = answers_of("m", readings, result)

    assert (first.reading.amount, first.outcome, first.failed) == (1, Outcome.ACCEPTED, 0)
    assert (second.reading.amount, second.outcome, second.failed) == (2, Outcome.DUPLICATE, 4)


def test_steel_rows_are_found_missed_and_flagged_beyond_the_labels() -> None:
    flagged = answer(failed=bit(Check.ENERGY_CO2))
    answers = [flagged, flagged, answer(), answer(failed=bit(Check.SPIKE))]

    assert steel_faults(answers, frozenset({0, 2})) == {"expected": 2, "found": 1, "false": 1}


def test_only_repeats_with_the_same_content_are_duplicates() -> None:
    outcomes = (Outcome.DUPLICATE, Outcome.SUPPLEMENT, Outcome.CONFLICT, Outcome.ACCEPTED)

    assert duplicates([answer(outcome=each) for each in outcomes], 43) == {
        "expected": 43,
        "found": 1,
    }


def test_each_interval_of_the_second_pass_counts_once_for_each_meter() -> None:
    start_ms = SECOND_PASS_MS.start
    answers = [
        answer(stamp_ms=start_ms),
        answer(stamp_ms=start_ms + 1_000),
        answer(stamp_ms=start_ms + 900_000, outcome=Outcome.DUPLICATE),
        answer(stamp_ms=start_ms - 900_000),
        answer(stamp_ms=SECOND_PASS_MS.stop),
        answer(stamp_ms=start_ms, meter="n"),
    ]

    assert fallback_intervals(answers) == {"expected_intervals": 8, "found": 2}


def test_falling_registers_are_counted() -> None:
    assert negative_deltas([answer(failed=bit(Check.REGISTER)), answer()]) == {"found": 1}


def test_only_the_silent_meters_own_alert_counts() -> None:
    alerts = [
        {"meter": "live", "check": "MISSING"},
        {"meter": "live", "check": "STUCK"},
        {"meter": "other", "check": "MISSING"},
    ]

    assert live_missing(alerts, "live") == {"found": 1}


def test_nothing_is_said_where_all_was_found() -> None:
    assert disappointments(ALL_FOUND) == []


def test_each_fault_that_was_not_found_is_a_sentence() -> None:
    found = {
        "steel_zero_co2": {"expected": 47, "found": 46, "false": 2},
        "forrestal_duplicates": {"expected": 43, "found": 44},
        "forrestal_fallback_hour": {"expected_intervals": 100, "found": 99},
        "forrestal_negative_deltas": {"found": 1},
        "live_missing": {"found": 0},
    }

    assert disappointments(found) == [
        "steel_zero_co2: expected 47, found 46",
        "steel_zero_co2: expected nothing beyond the labels, found 2",
        "forrestal_duplicates: expected 43, found 44",
        "forrestal_fallback_hour: expected 100, found 99",
        "forrestal_negative_deltas: expected none, found some",
        "live_missing: expected an alert, found none",
    ]
