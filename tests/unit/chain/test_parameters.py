"""Chain parameters: each bound at its edge and beyond."""

import dataclasses

import pytest

from chain.errors import DecodeError
from chain.parameters import Parameters

BOUNDS = {
    "max_block_interval_ms": (100, 86_400_000),
    "rotation_blocks": (1, 4_294_967_295),
    "transaction_lifetime_max_ms": (60_000, 2_592_000_000),
    "transaction_bytes_max": (1_024, 4_194_304),
    "block_bytes_max": (65_536, 16_777_216),
    "block_transactions_max": (1, 100_000),
    "block_readings_max": (1, 1_000_000),
    "readings_per_transaction_max": (1, 10_000),
    "due_entries_per_block_max": (1, 10_000),
}


def test_every_parameter_has_bounds_here() -> None:
    assert {field.name for field in dataclasses.fields(Parameters)} == set(BOUNDS)


@pytest.mark.parametrize("name", BOUNDS)
def test_a_parameter_may_stand_on_its_bounds_and_no_further(name: str) -> None:
    minimum, maximum = BOUNDS[name]
    for value in (minimum, maximum):
        allowed = dataclasses.replace(Parameters(), **{name: value})
        assert Parameters.decode(allowed.encode()) == allowed

    for value in (minimum - 1, maximum + 1):
        refused = dataclasses.replace(Parameters(), **{name: value})
        with pytest.raises(DecodeError, match=rf"Parameters\.{name}: expected an integer from"):
            Parameters.decode(refused.encode())


def test_every_parameter_is_under_the_hash() -> None:
    hashes = {
        dataclasses.replace(Parameters(), **{name: minimum}).hash
        for name, (minimum, _) in BOUNDS.items()
    }

    assert len(hashes) == len(BOUNDS)
    assert Parameters().hash not in hashes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transaction_bytes_max": 65_536, "block_bytes_max": 65_536}, None),
        (
            {"transaction_bytes_max": 65_537, "block_bytes_max": 65_536},
            "transaction_bytes_max: expected at most block_bytes_max 65536, got 65537",
        ),
        ({"readings_per_transaction_max": 99, "block_readings_max": 100}, None),
        (
            {"readings_per_transaction_max": 100, "block_readings_max": 100},
            "readings_per_transaction_max: expected below block_readings_max 100, got 100",
        ),
    ],
)
def test_the_largest_transaction_must_fit_into_a_block(
    changes: dict[str, int], words: str | None
) -> None:
    assert dataclasses.replace(Parameters(), **changes).contradiction() == words
