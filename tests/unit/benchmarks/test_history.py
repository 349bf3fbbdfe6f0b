"""What counts as a drop, and what a history must look like, by literal values."""

import pytest

from benchmarks.history import (
    Drop,
    Entry,
    MalformedHistory,
    drops,
    format_entry,
    medians_of,
    parse_history,
    ratios_of,
)
from benchmarks.state_size import StateCost, StateSizes
from tests.benchmark_samples import result


def entry(**ratios: float) -> Entry:
    return Entry(commit="c" * 40, machine="a machine", ratios=ratios)


def entries(*values: float) -> list[Entry]:
    return [entry(share=value) for value in values]


def names(found: list[Drop]) -> list[str]:
    return [each.name for each in found]


def test_a_drop_of_exactly_fifteen_percent_is_allowed_and_a_little_more_is_not() -> None:
    history = entries(0.6, 0.6, 0.6, 0.6, 0.6)

    assert drops(history, {"share": 0.51}) == []
    assert names(drops(history, {"share": 0.5099})) == ["share"]


def test_only_the_median_of_the_last_five_counts() -> None:
    history = entries(9.0, 9.0, 9.0, 1.0, 1.0, 1.0, 5.0, 5.0)

    assert medians_of(history) == {"share": 1.0}
    assert drops(history, {"share": 0.9}) == []


def test_fewer_than_five_entries_are_compared_with_as_they_are() -> None:
    assert medians_of(entries(0.4, 0.6)) == {"share": 0.5}
    assert names(drops(entries(0.5), {"share": 0.4})) == ["share"]
    assert drops([], {"share": 0.1}) == []


def test_a_ratio_that_is_higher_than_ever_is_no_drop() -> None:
    assert drops(entries(0.5, 0.5), {"share": 5.0}) == []


def test_a_ratio_that_the_run_lost_is_a_drop_and_a_new_one_is_not() -> None:
    found = drops(entries(0.5), {"other": 0.1})

    assert names(found) == ["share"]
    assert found[0].words() == "share: expected about 0.5, and this run has none"


def test_a_ratio_that_only_some_entries_have_is_compared_with_those() -> None:
    history = [entry(share=0.5), entry(share=0.5, other=2.0)]

    assert names(drops(history, {"share": 0.5, "other": 1.0})) == ["other"]


def test_a_drop_names_the_ratio_and_both_values() -> None:
    (found,) = drops(entries(0.5), {"share": 0.4})

    assert found.words() == (
        "share: 0.4 is 20.0% below 0.5, the median of the last 5; 15% are allowed"
    )


def test_what_is_recorded_is_read_again() -> None:
    history = [entry(share=0.25, other=1.0), entry(share=0.5)]

    assert parse_history("".join(map(format_entry, history))) == history
    assert parse_history("") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2: expected JSON"),
        ("", "line 2: expected JSON"),
        ("[]", "line 2: expected commit, machine and ratios"),
        ('{"commit": "c", "ratios": {"a": 1}}', "line 2: expected commit, machine and ratios"),
        ('{"commit": "c", "machine": "m", "ratios": {}}', "line 2: expected commit"),
        ('{"commit": "c", "machine": "m", "ratios": {"a": 1}, "b": 2}', "line 2: expected commit"),
        ('{"commit": "c", "machine": "m", "ratios": {"a": "1"}}', "line 2: a: expected a ratio"),
        ('{"commit": "c", "machine": "m", "ratios": {"a": 0}}', "line 2: a: expected a ratio"),
        ('{"commit": "c", "machine": "m", "ratios": {"a": NaN}}', "line 2: a: expected a ratio"),
        ('{"commit": "c", "machine": "m", "ratios": {"a": true}}', "line 2: a: expected a ratio"),
    ],
)
def test_a_line_that_is_no_entry_is_named(line: str, words: str) -> None:
    with pytest.raises(MalformedHistory, match=words):
        parse_history(format_entry(entry(share=0.5)) + line + "\n")


def test_every_ratio_of_a_run_is_higher_where_the_run_is_better() -> None:
    sizes = StateSizes(
        few=StateCost(keys=2_000, apply_us=100.0, root_us=10.0),
        many=StateCost(keys=1_000_000, apply_us=125.0, root_us=20.0),
    )

    assert ratios_of(result(), sizes) == {
        "share_of_ceiling": 0.25,
        "readings_per_signature_check": 1.5,
        "verify_per_other_cpu": 0.4998,
        "overload_share_of_peak": 0.8,
        "small_state_per_large_state": 0.8,
        "small_root_per_large_root": 0.5,
    }
