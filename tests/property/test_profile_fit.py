"""Profiles against a slow reference: sorted lists, nearest rank, fractions."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from hypothesis import given, strategies as st

from contracts.baseline import cells_of, pack_cells
from contracts.profile_fit import fit_profile

CELLS = 5
amounts_by_time = st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(0, 10**9)), max_size=80)


def nearest_rank(values: Sequence[int]) -> int:
    """The smallest value that at least half of the values do not exceed."""
    return next(
        each for each in sorted(values) if 2 * sum(v <= each for v in values) >= len(values)
    )


@given(amounts_by_time)
def test_cells_are_those_of_the_reference(amounts: list[tuple[int, int]]) -> None:
    fit = fit_profile(amounts, CELLS)
    for cell in range(CELLS):
        values = [amount for each, amount in amounts if each == cell]
        is_known = bool(fit.known_cells >> cell & 1)
        assert is_known == (len(values) >= 2)
        if not is_known:
            assert (fit.medians[cell], fit.sigmas[cell]) == (0, 0)
            continue
        centre = nearest_rank(values)
        spread = nearest_rank([abs(value - centre) for value in values])
        assert (fit.medians[cell], fit.sigmas[cell]) == (centre, spread * 1_483 // 1_000)


@given(amounts_by_time)
def test_measures_are_those_of_the_reference(amounts: list[tuple[int, int]]) -> None:
    fit = fit_profile(amounts, CELLS)
    used = [(cell, amount) for cell, amount in amounts if fit.known_cells >> cell & 1]
    residuals = [amount - fit.medians[cell] for cell, amount in used]
    assert fit.value_count == len(used)
    freedom, total = len(used) - fit.parameter_count, sum(amount for _, amount in used)
    assert (fit.quality is None) == (freedom <= 0 or total <= 0)
    if fit.quality is None:
        return
    mean = Fraction(total, len(used))
    square = Fraction(sum(each**2 for each in residuals), freedom) / mean**2 * 10**6
    assert fit.quality.cv_rmse**2 >= square
    assert fit.quality.cv_rmse == 0 or (fit.quality.cv_rmse - 1) ** 2 < square
    bias = Fraction(sum(residuals), freedom) / mean * 1_000
    assert abs(bias) <= abs(fit.quality.nmbe) < abs(bias) + 1


@given(amounts_by_time, st.integers(0, 2**32))
def test_the_order_of_amounts_changes_no_cell(amounts: list[tuple[int, int]], seed: int) -> None:
    shuffled = list(amounts)
    Random(seed).shuffle(shuffled)
    one, other = fit_profile(amounts, CELLS), fit_profile(shuffled, CELLS)
    assert (one.medians, one.sigmas, one.known_cells) == (
        other.medians,
        other.sigmas,
        other.known_cells,
    )


@given(amounts_by_time, st.integers(2, 10**6))
def test_another_unit_changes_no_measure(amounts: list[tuple[int, int]], scale: int) -> None:
    one = fit_profile(amounts, CELLS)
    other = fit_profile([(cell, scale * amount) for cell, amount in amounts], CELLS)
    assert other.medians == tuple(scale * median for median in one.medians)
    assert one.quality == other.quality


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=168))
def test_packed_cells_come_back(values: list[int]) -> None:
    assert cells_of(pack_cells(values)) == tuple(values)
