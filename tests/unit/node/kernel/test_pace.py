"""A primary proposes as much as its own last blocks show to be agreed in time."""

import pytest

from node.kernel.pace import WORK_MIN, Pace


def pace(work_max: int = 10_000) -> Pace:
    """One that quick blocks have brought to what the chain allows."""
    paced = Pace(target_ms=1_000, work_max=work_max)
    for height in range(-4, 0):
        agree(paced, height, paced.work_max, 1)
    return paced


def agree(paced: Pace, height: int, work: int, took_ms: int) -> int:
    paced.proposed(height, work, 50_000)
    paced.committed(height, 50_000 + took_ms)
    return paced.work_max


@pytest.mark.parametrize(("work_max", "first"), [(10_000, 5_000), (300, WORK_MIN), (100, 100)])
def test_the_first_block_is_half_of_what_the_chain_allows(work_max: int, first: int) -> None:
    assert Pace(target_ms=1_000, work_max=work_max).work_max == first


def test_quick_blocks_bring_it_to_what_the_chain_allows() -> None:
    assert pace().work_max == 10_000


@pytest.mark.parametrize(
    ("took_ms", "work_max"),
    [
        (500, 10_000),
        (1_000, 10_000),
        (1_001, 9_990),
        (1_250, 8_000),
        (2_000, 5_000),
        (9_000, 5_000),
    ],
)
def test_a_full_block_sets_what_the_next_may_hold(took_ms: int, work_max: int) -> None:
    assert agree(pace(), 1, 10_000, took_ms) == work_max


def test_it_grows_again_step_by_step_and_never_beyond_the_chain() -> None:
    paced = pace()
    for height in range(1, 4):
        agree(paced, height, paced.work_max, 9_000)
    assert paced.work_max == 1_250

    assert agree(paced, 4, 1_250, 500) == 1_666  # twice as many would have fitted
    assert agree(paced, 5, 1_666, 1_000) == 1_666
    assert agree(paced, 6, 1_666, 0) == 3_328, "never twice as much as before"
    assert agree(paced, 7, 3_328, 800) == 3_697
    for height in range(8, 10):
        agree(paced, height, paced.work_max, 10)
    assert paced.work_max == 10_000


def test_a_block_that_was_not_full_and_fast_says_nothing() -> None:
    paced = pace()
    agree(paced, 1, 10_000, 2_000)

    assert agree(paced, 2, 2_499, 10) == 5_000
    assert agree(paced, 3, 2_500, 250) == 6_666


def test_after_a_quick_block_the_next_one_is_still_agreed_within_the_view() -> None:
    paced = pace()
    for height in range(1, 5):
        agree(paced, height, paced.work_max, paced.work_max // 4)  # 4 units take a millisecond
    assert paced.work_max == 4_000

    work = agree(paced, 5, 4_000, 600)  # others left the machine alone meanwhile

    assert work // 4 < 1_500, "the view timeout is half as long again as what is aimed at"


def test_a_small_block_that_was_too_slow_counts() -> None:
    assert agree(pace(), 1, 10, 1_001) == 5_000


def test_it_never_falls_below_its_least() -> None:
    paced = pace(1_000)
    for height in range(1, 9):
        agree(paced, height, paced.work_max, 60_000)

    assert paced.work_max == WORK_MIN


def test_a_second_proposal_at_a_height_halves_it() -> None:
    paced = pace()
    paced.proposed(5, 10_000, 0)

    paced.proposed(5, 10_000, 2_000)

    assert paced.work_max == 5_000


def test_blocks_of_others_say_nothing() -> None:
    paced = pace()
    paced.committed(1, 99_000)
    paced.proposed(3, 10_000, 0)
    paced.committed(2, 99_000)
    assert paced.work_max == 10_000

    # Another's block was agreed where this node's came to nothing.
    paced.committed(4, 99_000)
    assert paced.work_max == 10_000
