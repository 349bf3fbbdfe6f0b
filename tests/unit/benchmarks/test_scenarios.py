"""What the single benchmarks say of what they measured."""

from pathlib import Path

import pytest

from benchmarks.opening import measure_opening
from benchmarks.sizes import SizeCost
from benchmarks.state_size import StateCost, StateSizes, measure_state_sizes
from benchmarks.syncing import SyncSpeed
from benchmarks.wide_area import WideArea
from tests.benchmark_samples import LATENCY, paced, saturation


def test_syncing_is_as_many_times_as_fast_as_it_takes_less_time() -> None:
    speed = SyncSpeed(
        produced=saturation(500.0), blocks=60, transactions=20_000, start_s=1.5, sync_s=16.0
    )

    assert speed.synced_per_second == 1_250.0
    assert speed.ratio == 2.5


def test_a_size_tells_the_cost_of_a_block_on_all_and_on_each() -> None:
    cost = SizeCost(validators=10, paced=paced(LATENCY, 40.0), transactions=1_000)

    assert cost.cpu_ms_per_block == 30.0
    assert cost.transactions_per_block == pytest.approx(3.98)
    assert cost.words() == (
        " 10 validators:     30.0 ms of CPU a block,   3.00 ms on each;  39.8 of 40 tx/s in 50 "
        "blocks of 4.0; p50 / p99 10 / 28 ms"
    )


def test_a_wide_area_tells_throughput_and_latencies() -> None:
    wide = WideArea(seed=1, slow=paced(None), single=saturation(500.0), half=paced(LATENCY, 250.0))

    assert wide.words()[:2] == [
        "saturation: 500 tx/s in 12 blocks, 0 changes of the primary",
        "latency at 100 tx/s: none",
    ]
    assert wide.words()[2] == (
        "latency at half of saturation: p50 10, p95 20, p99 28 ms; 249 of 250 tx/s committed, "
        "0 failed"
    )


def test_ratios_of_sizes_say_how_many_times_as_long_it_takes() -> None:
    sizes = StateSizes(
        few=StateCost(keys=2_000, apply_us=100.0, root_us=10.0),
        many=StateCost(keys=1_000_000, apply_us=130.0, root_us=20.0),
    )

    assert (sizes.apply_ratio, sizes.root_ratio) == (1.3, 2.0)


@pytest.mark.slow
def test_a_state_is_padded_to_its_size_and_measured() -> None:
    sizes = measure_state_sizes(keys_many=5_000)

    assert sizes.many.keys == 5_000
    assert sizes.few.keys < 5_000
    assert min(sizes.few.apply_us, sizes.few.root_us, sizes.many.apply_us) > 0


@pytest.mark.slow
def test_a_small_chain_is_made_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    opening = measure_opening(readings=1_000)

    assert (opening.readings, opening.blocks) == (1_000, 2)
    assert opening.state_keys > 500
    assert 0 < opening.least_s <= opening.first_s
    assert list(tmp_path.iterdir()) == []
